#include "servers/service.h"
#include "common/units.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { REPLY_BYTES_MOST = 1 << 30 };

void service_set_call(struct service *service, int64_t wait_ns)
{
	char wait[UNITS_TEXT_MAX];

	service->call_length = (size_t)snprintf(service->call, sizeof(service->call),
						"GET /delay/%s HTTP/1.1\r\nHost: backend\r\n\r\n",
						units_format_duration_exact(wait, wait_ns));
}

const char *service_fill(void)
{
	static char fill[SERVICE_FILL_LENGTH];

	if (fill[0] == '\0')
		for (size_t i = 0; i < sizeof(fill); i++)
			fill[i] = i % 64 == 63 ? '\n' : (char)('0' + i % 64);
	return fill;
}

/* xorshift64* (Vigna 2016): a uniform number in (0, 1]. */
static double draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (double)((*state * 0x2545F4914F6CDD1DU >> 11) + 1) * 0x1p-53;
}

/* One of bytes=N and dist=constant|exponential. Returns 0 or -EINVAL. */
static int take_parameter(const char *text, struct service_plan *plan,
			  enum delay_distribution *distribution)
{
	if (strncmp(text, "bytes=", 6) == 0) {
		if (units_parse_size(text + 6, &plan->body_bytes) != 0 ||
		    plan->body_bytes > REPLY_BYTES_MOST)
			return -EINVAL;
		return 0;
	}
	if (strcmp(text, "dist=constant") == 0)
		*distribution = DELAY_CONSTANT;
	else if (strcmp(text, "dist=exponential") == 0)
		*distribution = DELAY_EXPONENTIAL;
	else
		return -EINVAL;
	return 0;
}

/* "/delay/TIME?bytes=N&dist=NAME". */
static struct service_plan plan_delay(const char *target, size_t length,
				      enum delay_distribution distribution, uint64_t *random)
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
	if (distribution == DELAY_EXPONENTIAL)
		plan.wait_ns = llround(-log(draw(random)) * (double)plan.wait_ns);
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

struct service_plan service_plan(const struct service *service, const struct http_message *request,
				 const char *head, size_t length, uint64_t *random)
{
	struct service_plan plan = { .status = 200, .body_bytes = -1, .wait_ns = service->wait_ns };
	const char *target;
	size_t target_length;

	if (request->parser.method == HTTP_CONNECT)
		plan.status = 501;
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
