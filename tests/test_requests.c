#include "loadgen/engine/body.h"
#include "loadgen/engine/requests.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TARGETS_MAX = 100, PICKS = 100000 };

/* A request to http://h:1/x, with what a row says. */
struct row {
	const char *method;
	const char *target;
	const char *headers[4];
	const char *body;
	int64_t body_bytes;
	const char *head; /* expected: up to where Connection: close may follow */
	const char *content;
};

static int make(const struct row *row, struct request_set *set, char why[REQUESTS_WHY_MAX])
{
	struct requests_target target = { row->target, 1 };
	struct requests_config config = {
		.method = row->method,
		.targets = &target,
		.target_count = 1,
		.host = "h:1",
		.headers = row->headers,
		.body = row->body,
		.body_bytes = row->body_bytes,
		.with_last = true,
	};

	while (row->headers[config.header_count])
		config.header_count++;
	return requests_make(set, &config, why, REQUESTS_WHY_MAX);
}

static const struct row rows[] = {
	{ "GET", "/x", .head = "GET /x HTTP/1.1\r\nHost: h:1\r\n", .content = "" },
	{ "HEAD", "/", .head = "HEAD / HTTP/1.1\r\nHost: h:1\r\n", .content = "" },
	{ "DELETE", "/x?a=b", .head = "DELETE /x?a=b HTTP/1.1\r\nHost: h:1\r\n", .content = "" },
	{ "OPTIONS", "*", .head = "OPTIONS * HTTP/1.1\r\nHost: h:1\r\n", .content = "" },
	{ "M-SEARCH", "/", .head = "M-SEARCH / HTTP/1.1\r\nHost: h:1\r\n", .content = "" },
	/* Methods are case-sensitive (RFC 9110, 9.1): this one is not POST. */
	{ "post", "/", .head = "post / HTTP/1.1\r\nHost: h:1\r\n", .content = "" },
	{ "POST", "/x", .head = "POST /x HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n",
	  .content = "" },
	{ "PUT", "/x", .head = "PUT /x HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n",
	  .content = "" },
	{ "PATCH", "/x", .head = "PATCH /x HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n",
	  .content = "" },
	{ "POST", "/x", .body = "a=1\r\n\0z", .body_bytes = 7,
	  .head = "POST /x HTTP/1.1\r\nHost: h:1\r\nContent-Length: 7\r\n",
	  .content = "a=1\r\n\0z" },
	{ "POST", "/x", .body = "more", .body_bytes = 0,
	  .head = "POST /x HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n", .content = "" },
	/* A body that is empty is said to be. */
	{ "GET", "/x", .body = "", .body_bytes = 0,
	  .head = "GET /x HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n", .content = "" },
	{ "GET",
	  "/x",
	  { "X-One: 1", "Accept:*/*", "X-Empty:" },
	  .head = "GET /x HTTP/1.1\r\nHost: h:1\r\nX-One: 1\r\nAccept:*/*\r\nX-Empty:\r\n",
	  .content = "" },
	{ "GET",
	  "/x",
	  { "X-One: 1", "host: other", "User-Agent: me\tand \xc3\xbc" },
	  .head = "GET /x HTTP/1.1\r\nhost: other\r\nX-One: 1\r\n"
		  "User-Agent: me\tand \xc3\xbc\r\n",
	  .content = "" },
	/* Names that only begin like those that are refused. */
	{ "GET",
	  "/x",
	  { "Connections: 1", "Hosts: 2", "Content-Length-Hint: 3" },
	  .head = "GET /x HTTP/1.1\r\nHost: h:1\r\nConnections: 1\r\nHosts: 2\r\n"
		  "Content-Length-Hint: 3\r\n",
	  .content = "" },
};

/* head, `more`, an empty line, and the content are all that there is. */
static void expect_bytes(const struct row *row, const char *more, const char *bytes, size_t length)
{
	char expected[512];
	size_t head = (size_t)snprintf(expected, sizeof(expected), "%s%s\r\n", row->head, more);
	size_t content = row->body ? (size_t)row->body_bytes : 0;

	memcpy(expected + head, row->content, content);
	cr_expect_eq(length, head + content, "%s%s: %zu bytes", row->head, more, length);
	if (length == head + content)
		cr_expect_eq(memcmp(bytes, expected, length), 0, "%s: %.*s", row->head, (int)length,
			     bytes);
}

Test(requests, a_request_is_exactly_these_bytes)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request_set set;
		char why[REQUESTS_WHY_MAX] = "";

		cr_assert_eq(make(&rows[i], &set, why), 0, "%s: %s", rows[i].head, why);
		cr_assert_eq(set.count, 1);
		expect_bytes(&rows[i], "", set.requests[0].bytes, set.requests[0].length);
		expect_bytes(&rows[i], "Connection: close\r\n", set.requests[0].last_bytes,
			     set.requests[0].last_length);
		cr_expect_eq(set.requests[0].is_head, strcmp(rows[i].method, "HEAD") == 0);
		requests_free(&set);
		cr_expect_eq(set.count, 0);
	}
}

Test(requests, a_body_of_a_size_is_filled_with_printable_text)
{
	static const int64_t sizes[] = { 1, 44, 45, 46, 1000000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct row row = { "PUT", "/", .body_bytes = sizes[i] };
		struct request_set set;
		char why[REQUESTS_WHY_MAX] = "";
		char length_line[64];
		const char *body;

		cr_assert_eq(make(&row, &set, why), 0, "%s", why);
		body = strstr(set.requests[0].bytes, "\r\n\r\n") + 4;
		snprintf(length_line, sizeof(length_line), "\r\nContent-Length: %lld\r\n",
			 (long long)sizes[i]);
		cr_expect_not_null(strstr(set.requests[0].bytes, length_line));
		cr_assert_eq(set.requests[0].bytes + set.requests[0].length - body, sizes[i]);
		for (int64_t at = 0; at < sizes[i]; at++)
			cr_assert(body[at] >= ' ' && body[at] <= '~');
		requests_free(&set);
	}
}

Test(requests, without_a_need_for_them_there_are_no_last_variants)
{
	struct requests_target target = { "/", 1 };
	struct requests_config config = { "GET", &target, 1, "h" };
	struct request_set set;
	char why[REQUESTS_WHY_MAX];

	cr_assert_eq(requests_make(&set, &config, why, sizeof(why)), 0);
	cr_expect_null(set.requests[0].last_bytes);
	cr_expect_eq(set.requests[0].last_length, 0);
	requests_free(&set);
}

static const struct {
	struct row row;
	int rc;
	const char *why;
} refusals[] = {
	{ { "", "/" }, -EINVAL, "'' is not a method" },
	{ { "GET /", "/" }, -EINVAL, "'GET /' is not a method" },
	{ { "GET\r\nX", "/" }, -EINVAL, "'GET\r\nX' is not a method" },
	{ { "CONNECT", "/" }, -EINVAL, "CONNECT opens a tunnel, which is no request to measure" },
	{ { "GET", "" }, -EINVAL, "'' is not a target" },
	{ { "GET", "/a b" }, -EINVAL, "'/a b' is not a target" },
	{ { "GET", "/a\r\nX: y" }, -EINVAL, "'/a\r\nX: y' is not a target" },
	{ { "GET", "/", { "X" } }, -EINVAL, "header 'X': want 'Name: value'" },
	{ { "GET", "/", { "" } }, -EINVAL, "header '': want 'Name: value'" },
	{ { "GET", "/", { ": x" } },
	  -EINVAL,
	  "header ': x': its name is not a token, such as X-Name" },
	/* White space before the colon is to be refused by servers: RFC 9112, 5.1. */
	{ { "GET", "/", { "X : y" } },
	  -EINVAL,
	  "header 'X : y': its name is not a token, such as X-Name" },
	{ { "GET", "/", { " X: y" } },
	  -EINVAL,
	  "header ' X: y': its name is not a token, such as X-Name" },
	{ { "GET", "/", { "X\r\nY: z" } },
	  -EINVAL,
	  "header 'X\r\nY: z': its name is not a token, such as X-Name" },
	{ { "GET", "/", { "X: y\r\nZ: 1" } },
	  -EINVAL,
	  "header 'X: y\r\nZ: 1': a line break or another control character is in its value" },
	{ { "GET", "/", { "X: y\n" } },
	  -EINVAL,
	  "header 'X: y\n': a line break or another control character is in its value" },
	{ { "GET", "/", { "X: \x7f" } },
	  -EINVAL,
	  "header 'X: \x7f': a line break or another control character is in its value" },
	{ { "POST", "/", { "content-length: 5" } },
	  -EINVAL,
	  "header 'content-length: 5': follows from the body" },
	{ { "POST", "/", { "Transfer-Encoding: chunked" } },
	  -EINVAL,
	  "header 'Transfer-Encoding: chunked': a body is sent whole, with its Content-Length" },
	{ { "GET", "/", { "X: y", "CONNECTION: close" } },
	  -EINVAL,
	  "header 'CONNECTION: close': the generator says itself which request is a connection's "
	  "last" },
	{ { "POST", "/", { "Expect: 100-continue" } },
	  -EINVAL,
	  "header 'Expect: 100-continue': a body is sent at once, without waiting for a 100" },
	{ { "GET", "/", { "Upgrade: h2c" } },
	  -EINVAL,
	  "header 'Upgrade: h2c': the connection stays with HTTP/1.1" },
	/* Two of them are a malformed request: RFC 9112, 3.2. */
	{ { "GET", "/", { "Host: a", "Host: a" } },
	  -EINVAL,
	  "header 'Host: a': there is one Host already" },
	{ { "PUT", "/", .body_bytes = REQUEST_BODY_MOST + 1 }, -EFBIG, "a body has 1GiB at most" },
};

Test(requests, what_would_not_be_one_request_is_refused_with_the_reason)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct request_set set = { .count = 7 };
		char why[REQUESTS_WHY_MAX] = "";

		cr_expect_eq(make(&refusals[i].row, &set, why), refusals[i].rc, "%s",
			     refusals[i].why);
		cr_expect_str_eq(why, refusals[i].why);
		cr_expect_eq(set.count, 0);
		cr_expect_null(set.requests);
	}
}

Test(requests, bodies_that_are_too_large_together_are_refused)
{
	struct requests_target targets[5] = {
		{ "/1", 1 }, { "/2", 1 }, { "/3", 1 }, { "/4", 1 }, { "/5", 1 }
	};
	struct requests_config config = { "PUT", targets, 5, "h", .body_bytes = REQUEST_BODY_MOST };
	struct request_set set;
	char why[REQUESTS_WHY_MAX] = "";

	cr_expect_eq(requests_make(&set, &config, why, sizeof(why)), -EFBIG);
	cr_expect_str_eq(why, "the bodies of all requests together have 4GiB at most");
}

Test(requests, a_weight_that_is_none_is_refused)
{
	static const double weights[] = { 0, -1, NAN, INFINITY, 1.7e308 };

	for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
		struct requests_target targets[2] = { { "/1", 1.7e308 }, { "/2", weights[i] } };
		struct requests_config config = { "GET", targets, 2, "h" };
		struct request_set set;
		char why[REQUESTS_WHY_MAX] = "";

		cr_expect_eq(requests_make(&set, &config, why, sizeof(why)), -EINVAL, "%g",
			     weights[i]);
		cr_expect_not_null(strstr(why, "weight"), "%s", why);
	}
}

/* Choosing */

/* How likely are counts so far from these weights, by chi-square? */
static double tail_of(const struct request_set *set, const int *counts, const double *weights)
{
	double sum = 0;
	double square = 0;

	for (int i = 0; i < set->count; i++)
		sum += weights[i];
	for (int i = 0; i < set->count; i++) {
		double expected = weights[i] / sum * PICKS;

		square += (counts[i] - expected) * (counts[i] - expected) / expected;
	}
	return gsl_cdf_chisq_Q(square, set->count - 1);
}

/* The tail of PICKS choices by `weights`, held against `claimed`. */
static double pick_many(const double *weights, const double *claimed, int count, uint64_t seed)
{
	struct requests_target targets[TARGETS_MAX];
	struct requests_config config = { "GET", targets, count, "h" };
	struct random random = { seed };
	struct request_set set;
	int counts[TARGETS_MAX] = { 0 };
	char why[REQUESTS_WHY_MAX] = "";
	double tail;

	for (int i = 0; i < count; i++)
		targets[i] = (struct requests_target){ "/", weights[i] };
	cr_assert_eq(requests_make(&set, &config, why, sizeof(why)), 0, "%s", why);
	for (int i = 0; i < PICKS; i++) {
		int pick = requests_pick(&set, &random);

		cr_assert(pick >= 0 && pick < count);
		counts[pick]++;
	}
	tail = tail_of(&set, counts, claimed);
	requests_free(&set);
	return tail;
}

static const struct {
	int count;
	double weights[7];
} splits[] = {
	{ 2, { 1, 1 } },
	{ 2, { 9, 1 } },
	{ 2, { 0.003, 0.001 } },
	{ 3, { 1, 2, 3 } },
	{ 3, { 3, 2, 1 } },
	{ 5, { 90, 5, 3, 1, 1 } },
	{ 7, { 1, 1, 1, 1, 1, 1, 1 } },
	{ 7, { 1, 64, 2, 32, 4, 16, 8 } },
	{ 3, { 1e300, 2e300, 1e299 } },
};

Test(requests, they_are_chosen_as_their_weights_say)
{
	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++)
		for (uint64_t seed = 0; seed < 5; seed++)
			cr_expect_gt(pick_many(splits[i].weights, splits[i].weights,
					       splits[i].count, seed),
				     0.0005, "split %zu, seed %d", i, (int)seed);
}

Test(requests, a_hundred_weights_are_kept_as_well)
{
	double weights[TARGETS_MAX];

	for (int i = 0; i < TARGETS_MAX; i++)
		weights[i] = 10 + i * 37 % TARGETS_MAX;
	cr_expect_gt(pick_many(weights, weights, TARGETS_MAX, 1), 0.0005);
}

Test(requests, that_test_tells_a_split_that_is_a_little_off)
{
	static const double asked[] = { 90, 5, 3, 1, 1 };
	static const double other[] = { 90, 5, 3, 1.2, 0.8 };

	cr_expect_lt(pick_many(other, asked, 5, 1), 1e-6);
}

Test(requests, one_alone_is_chosen_without_a_random_number)
{
	struct row row = { "GET", "/" };
	struct random random = { 5 };
	struct request_set set;
	char why[REQUESTS_WHY_MAX];

	cr_assert_eq(make(&row, &set, why), 0);
	cr_expect_eq(requests_pick(&set, &random), 0);
	cr_expect_eq(random.state, 5);
	requests_free(&set);
}

/* Bodies */

Test(requests, a_body_is_a_files_bytes)
{
	static const size_t lengths[] = { 0, 1, 65535, 65536, 65537, 300000 };
	static char bytes[300000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 31 % 251);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char path[] = "/tmp/cwt-test-body-XXXXXX";
		char why[REQUESTS_WHY_MAX] = "";
		int64_t body_bytes = -1;
		char *body = NULL;
		int fd = mkstemp(path);

		cr_assert_eq(write(fd, bytes, lengths[i]), (ssize_t)lengths[i]);
		cr_expect_eq(request_body_read(path, &body, &body_bytes, why, sizeof(why)), 0, "%s",
			     why);
		cr_assert_eq(body_bytes, (int64_t)lengths[i]);
		cr_assert_not_null(body);
		cr_expect_eq(memcmp(body, bytes, lengths[i]), 0);
		free(body);
		close(fd);
		unlink(path);
	}
}

static void *write_to_pipe(void *context)
{
	const int *fd = context;
	static const char bytes[1000] = { 1 };

	for (int i = 0; i < 200; i++)
		cr_assert_eq(write(*fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	close(*fd);
	return NULL;
}

Test(requests, a_body_may_come_from_a_pipe)
{
	char path[64];
	char why[REQUESTS_WHY_MAX] = "";
	int64_t body_bytes;
	char *body;
	pthread_t writer;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(pthread_create(&writer, NULL, write_to_pipe, &ends[1]), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	cr_expect_eq(request_body_read(path, &body, &body_bytes, why, sizeof(why)), 0, "%s", why);
	pthread_join(writer, NULL);
	cr_expect_eq(body_bytes, 200000);
	free(body);
	close(ends[0]);
}

Test(requests, a_body_that_cannot_be_read_is_named)
{
	char path[] = "/tmp/cwt-test-body-XXXXXX";
	char expected[REQUESTS_WHY_MAX];
	char why[REQUESTS_WHY_MAX] = "";
	int64_t body_bytes;
	char *body;
	int fd = mkstemp(path);

	cr_assert_eq(ftruncate(fd, REQUEST_BODY_MOST + 1), 0);
	cr_expect_eq(request_body_read(path, &body, &body_bytes, why, sizeof(why)), -EFBIG);
	snprintf(expected, sizeof(expected), "%s: more than a body may have, 1GiB", path);
	cr_expect_str_eq(why, expected);
	cr_expect_null(body);
	close(fd);
	unlink(path);
	cr_expect_eq(request_body_read("/no/body", &body, &body_bytes, why, sizeof(why)), -ENOENT);
	cr_expect_str_eq(why, "/no/body: No such file or directory");
	cr_expect_eq(request_body_read("/tmp", &body, &body_bytes, why, sizeof(why)), -EISDIR);
	cr_expect_str_eq(why, "/tmp: Is a directory");
	cr_expect_null(body);
}
