#include "loadgen/engine/requests.h"
#include "loadgen/engine/body.h"
#include "loadgen/engine/header.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char filling[] = "The quick brown fox jumps over the lazy dog. ";

/* One request in the making, and what all of a set share. */
struct maker {
	const struct requests_config *config;
	const char *host_line; /* a user's, or NULL */
	bool has_body;
	bool says_length;
	char *why;
	size_t size;
};

static int __attribute__((format(printf, 3, 4)))
fail(const struct maker *maker, int rc, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(maker->why, maker->size, format, arguments);
	va_end(arguments);
	return rc;
}

static int check_method(struct maker *maker)
{
	const char *method = maker->config->method;

	if (!header_is_token(method, strlen(method)))
		return fail(maker, -EINVAL, "'%.40s' is not a method", method);
	if (strcmp(method, "CONNECT") == 0)
		return fail(maker, -EINVAL,
			    "CONNECT opens a tunnel, which is no request to measure");
	/* RFC 9110, 8.6: where a method gives a body a meaning, none is said to be none. */
	maker->has_body = maker->config->body || maker->config->body_bytes > 0;
	maker->says_length = maker->has_body || strcmp(method, "POST") == 0 ||
			     strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
	return 0;
}

static int check_headers(struct maker *maker)
{
	for (int i = 0; i < maker->config->header_count; i++) {
		const char *line = maker->config->headers[i];
		const char *reason = header_refusal(line);

		if (reason)
			return fail(maker, -EINVAL, "header '%.80s': %s", line, reason);
		if (!header_is_named(line, "Host"))
			continue;
		if (maker->host_line)
			return fail(maker, -EINVAL, "header '%.80s': there is one Host already",
				    line);
		maker->host_line = line;
	}
	return 0;
}

static int check_targets(const struct maker *maker)
{
	const struct requests_config *config = maker->config;
	double sum = 0;

	if (config->target_count < 1)
		return fail(maker, -EINVAL, "there is no target");
	for (int i = 0; i < config->target_count; i++) {
		const char *target = config->targets[i].target;

		if (*target == '\0' || !header_is_plain(target))
			return fail(maker, -EINVAL, "'%.80s' is not a target", target);
		if (!(config->targets[i].weight > 0))
			return fail(maker, -EINVAL, "%.80s: a weight of %g: it is never sent",
				    target, config->targets[i].weight);
		sum += config->targets[i].weight;
	}
	return isfinite(sum) ? 0 : fail(maker, -EINVAL, "the sum of the weights is not finite");
}

static int check_size(const struct maker *maker)
{
	const struct requests_config *config = maker->config;
	int64_t each = config->with_last ? 2 : 1;

	if (config->body_bytes < 0 || config->body_bytes > REQUEST_BODY_MOST)
		return fail(maker, -EFBIG, "a body has 1GiB at most");
	if (config->body_bytes * each > REQUESTS_BYTES_MOST / config->target_count)
		return fail(maker, -EFBIG, "the bodies of all requests together have 4GiB at most");
	return 0;
}

static void write_head(const struct maker *maker, const char *target, bool is_last, FILE *file)
{
	const struct requests_config *config = maker->config;

	fprintf(file, "%s %s HTTP/1.1\r\n", config->method, target);
	/* First, as is good practice: RFC 9110, 7.2. */
	if (maker->host_line)
		fprintf(file, "%s\r\n", maker->host_line);
	else
		fprintf(file, "Host: %s\r\n", config->host);
	for (int i = 0; i < config->header_count; i++)
		if (config->headers[i] != maker->host_line)
			fprintf(file, "%s\r\n", config->headers[i]);
	if (maker->says_length)
		fprintf(file, "Content-Length: %lld\r\n", (long long)config->body_bytes);
	fprintf(file, "%s\r\n", is_last ? "Connection: close\r\n" : "");
}

static void fill(char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = filling[i % (sizeof(filling) - 1)];
}

/* Write one variant into memory of its own. Returns 0 or -ENOMEM. */
static int make_bytes(const struct maker *maker, const char *target, bool is_last,
		      const char **bytes, size_t *length)
{
	size_t body_length = (size_t)maker->config->body_bytes;
	size_t head_length = 0;
	char *head = NULL;
	char *whole;
	FILE *file = open_memstream(&head, &head_length);

	if (!file)
		return -ENOMEM;
	write_head(maker, target, is_last, file);
	if (fclose(file) != 0 || !(whole = realloc(head, head_length + body_length))) {
		free(head);
		return -ENOMEM;
	}
	if (maker->config->body)
		memcpy(whole + head_length, maker->config->body, body_length);
	else
		fill(whole + head_length, body_length);
	*bytes = whole;
	*length = head_length + body_length;
	return 0;
}

static int make_request(const struct maker *maker, const struct requests_target *target,
			struct request *request)
{
	int rc;

	request->is_head = strcmp(maker->config->method, "HEAD") == 0;
	request->weight = target->weight;
	rc = make_bytes(maker, target->target, false, &request->bytes, &request->length);
	if (rc == 0 && maker->config->with_last)
		rc = make_bytes(maker, target->target, true, &request->last_bytes,
				&request->last_length);
	return rc;
}

static int fill_columns(struct request_set *set)
{
	double *weights = calloc((size_t)set->count, sizeof(*weights));
	int rc = -ENOMEM;

	if (!weights)
		return rc;
	for (int i = 0; i < set->count; i++)
		weights[i] = set->requests[i].weight;
	rc = alias_fill(set->columns, weights, set->count);
	free(weights);
	return rc;
}

int requests_make(struct request_set *set, const struct requests_config *config, char *why,
		  size_t size)
{
	struct maker maker = { .config = config, .why = why, .size = size };
	int rc;

	*set = (struct request_set){ 0 };
	if ((rc = check_method(&maker)) != 0 || (rc = check_headers(&maker)) != 0 ||
	    (rc = check_targets(&maker)) != 0 || (rc = check_size(&maker)) != 0)
		return rc;
	set->count = config->target_count;
	set->requests = calloc((size_t)set->count, sizeof(*set->requests));
	set->columns = calloc((size_t)set->count, sizeof(*set->columns));
	if (!set->requests || !set->columns)
		rc = -ENOMEM;
	for (int i = 0; rc == 0 && i < set->count; i++)
		rc = make_request(&maker, &config->targets[i], &set->requests[i]);
	if (rc == 0)
		rc = fill_columns(set);
	if (rc != 0) {
		requests_free(set);
		return fail(&maker, rc, "the requests: %s", strerror(-rc));
	}
	return 0;
}

void requests_free(struct request_set *set)
{
	for (int i = 0; set->requests && i < set->count; i++) {
		free((void *)set->requests[i].bytes);
		free((void *)set->requests[i].last_bytes);
	}
	free(set->requests);
	free(set->columns);
	*set = (struct request_set){ 0 };
}
