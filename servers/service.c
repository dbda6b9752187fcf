#include "servers/service.h"
#include "common/clock.h"
#include "common/units.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { REPLY_BYTES_MOST = 1 << 30 };

static const int64_t drawn_most_ns = 365LL * 24 * 3600 * NS_PER_S; /* random.h's own bound */

void service_set_call(struct service *service, int64_t wait_ns)
{
	char wait[UNITS_TEXT_MAX];

	service->call_length = (size_t)snprintf(
		service->call, sizeof(service->call),
		"GET /delay/%s%s HTTP/1.1\r\nHost: backend\r\n\r\n",
		units_format_duration_exact(wait, wait_ns),
		service->distribution == SERVICE_EXPONENTIAL ? "?dist=exponential" : "");
}

const char *service_fill(void)
{
	static char fill[SERVICE_FILL_LENGTH];

	if (fill[0] == '\0')
		for (size_t i = 0; i < sizeof(fill); i++)
			fill[i] = i % 64 == 63 ? '\n' : (char)('0' + i % 64);
	return fill;
}

/* One of bytes=N and dist=constant|exponential. Returns 0 or -EINVAL. */
static int take_parameter(const char *text, struct service_plan *plan,
			  enum service_distribution *distribution)
{
	if (strncmp(text, "bytes=", 6) == 0) {
		if (units_parse_size(text + 6, &plan->body_bytes) != 0 ||
		    plan->body_bytes > REPLY_BYTES_MOST)
			return -EINVAL;
		return 0;
	}
	if (strcmp(text, "dist=constant") == 0)
		*distribution = SERVICE_CONSTANT;
	else if (strcmp(text, "dist=exponential") == 0)
		*distribution = SERVICE_EXPONENTIAL;
	else
		return -EINVAL;
	return 0;
}

/* "/delay/TIME?bytes=N&dist=NAME". */
static struct service_plan plan_delay(const char *target, size_t length,
				      enum service_distribution distribution, struct random *random)
{
	static const char prefix[] = "/delay/";
	struct service_plan plan = { .status = 200, .body_bytes = -1 };
	struct service_plan refusal = { .status = 400, .body_bytes = -1 };
	char text[128];
	char *rest;
	char *query;

	if (length >= sizeof(text))
		return refusal;
	memcpy(text, target, length);
	text[length] = '\0';
	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0) {
		refusal.status = 404;
		return refusal;
	}
	query = strchr(text, '?');
	if (query)
		*query++ = '\0';
	if (units_parse_duration(text + sizeof(prefix) - 1, &plan.wait_ns) != 0)
		return refusal;
	for (char *word = query ? strtok_r(query, "&", &rest) : NULL; word;
	     word = strtok_r(NULL, "&", &rest))
		if (take_parameter(word, &plan, &distribution) != 0)
			return refusal;
	if (distribution == SERVICE_EXPONENTIAL && plan.wait_ns > drawn_most_ns)
		return refusal;
	if (distribution == SERVICE_EXPONENTIAL)
		plan.wait_ns = random_exponential_ns(random, plan.wait_ns);
	return plan;
}

/* A target may come in absolute form (RFC 9112, 3.2.2): leave its path. */
static void skip_origin(const char **target, size_t *length)
{
	static const char scheme[] = "http://";
	size_t skipped = sizeof(scheme) - 1;

	if (*length <= skipped || strncasecmp(*target, scheme, skipped) != 0)
		return;
	while (skipped < *length && (*target)[skipped] != '/')
		skipped++;
	*target += skipped;
	*length -= skipped;
}

/* Work and wait of an app or a proxy: independent of each other, and of other requests'. */
static void draw_times(const struct service *service, struct service_plan *plan,
		       struct random *random)
{
	if (service->work.ns > 0)
		plan->work = work_make(service->work.kind,
				       random_exponential_ns(random, service->work.ns),
				       service->work.footprint);
	if (service->wait == WAIT_TIMER)
		plan->wait_ns = random_exponential_ns(random, service->wait_ns);
}

struct service_plan service_plan(const struct service *service, const struct http_message *request,
				 const char *head, size_t length, struct random *random)
{
	struct service_plan plan = {
		.status = 200, .work = service->work, .wait_ns = service->wait_ns, .body_bytes = -1
	};
	const char *target;
	size_t target_length;

	if (request->parser.method == HTTP_CONNECT)
		plan.status = 501;
	if (service->kind != SERVICE_DELAY && service->distribution == SERVICE_EXPONENTIAL)
		draw_times(service, &plan, random);
	if (service->kind == SERVICE_PROXY || plan.status != 200)
		return plan;
	switch (request->parser.method) {
	case HTTP_GET:
	case HTTP_HEAD:
	case HTTP_POST:
	case HTTP_PUT:
	case HTTP_PATCH:
	case HTTP_DELETE:
	case HTTP_OPTIONS:
		break;
	default:
		plan.status = 501;
		return plan;
	}
	if (service->kind == SERVICE_APP)
		return plan;
	http_target(head, length, &target, &target_length);
	skip_origin(&target, &target_length);
	return plan_delay(target, target_length, service->distribution, random);
}
