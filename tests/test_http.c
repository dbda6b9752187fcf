/*
 * Framing as RFC 9112 demands it. Every head is fed at once, cut in two at every place, and byte
 * by byte: where the pieces end must not matter.
 */
#include "common/http.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { MORE = -1 }; /* instead of a status: the head isn't complete */

#define HOST             "Host: h\r\n"
#define ROW_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Feed from *used to `until`. Returns the status to refuse with, 0 when the head is good, MORE. */
static int feed(struct http_message *message, const char *text, size_t *used, size_t until)
{
	bool expects;
	size_t taken;

	while (*used < until) {
		enum http_progress progress =
			http_feed(message, text + *used, until - *used, &taken);

		if (progress == HTTP_FED_BAD) {
			int status = http_bad_status(message, text, until);

			return status ? status : MORE;
		}
		*used += taken;
		if (progress == HTTP_FED_HEAD)
			return http_check_request(message, text, *used, &expects);
	}
	return MORE;
}

/* What becomes of a request's head that comes in pieces that end at `cuts`, and at the end. */
static int status_of(const char *text, size_t length, const size_t *cuts, size_t count)
{
	struct http_message message = { 0 };
	size_t used = 0;
	int status = MORE;

	http_init(&message, HTTP_KIND_REQUEST);
	for (size_t i = 0; i <= count && status == MORE; i++) {
		size_t until = i < count ? cuts[i] : length;

		/* A bad method may have to wait for its end; nothing is fed again meanwhile. */
		if (HTTP_PARSER_ERRNO(&message.parser) != HPE_OK) {
			status = http_bad_status(&message, text, until);
			status = status ? status : MORE;
		} else {
			status = feed(&message, text, &used, until);
		}
	}
	return status;
}

static void expect_status(const char *name, const char *text, size_t length, int expected)
{
	size_t *all = malloc(sizeof(*all) * length);
	int status = status_of(text, length, NULL, 0);

	cr_expect_eq(status, expected, "%s: %d, not %d", name, status, expected);
	for (size_t cut = 1; cut < length; cut++) {
		all[cut - 1] = cut;
		status = status_of(text, length, &cut, 1);
		if (status != expected) {
			cr_expect_fail("%s, cut at %zu: %d, not %d", name, cut, status, expected);
			break;
		}
	}
	status = status_of(text, length, all, length - 1);
	cr_expect_eq(status, expected, "%s, byte by byte: %d, not %d", name, status, expected);
	free(all);
}

static const struct head {
	const char *text;
	int status;
} heads[] = {
	/* Well formed. */
	{ "GET / HTTP/1.1\r\n" HOST "\r\n", 0 },
	{ "GET / HTTP/1.1\n" HOST "\n", 0 },
	{ "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 0 },
	{ "GET / HTTP/1.0\r\n\r\n", 0 },
	{ "GET / HTTP/1.0\r\n" HOST "\r\n", 0 },
	{ "GET / HTTP/1.2\r\n" HOST "\r\n", 0 },
	{ "GET http://h/ HTTP/1.1\r\n" HOST "\r\n", 0 },
	{ "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0 },
	{ "GET / HTTP/1.1\r\nHOST:h\r\n\r\n", 0 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0 },
	{ "GET / HTTP/1.1\r\nHost:\t h \t\r\nEmpty:\r\n\r\n", 0 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 0 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", 0 },
	{ "GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n", 0 },

	/* Not complete. */
	{ "GET", MORE },
	{ "GET / HTTP/1.1", MORE },
	{ "GET / HTTP/1.1\r\n" HOST, MORE },
	{ "GET / HTTP/1.1\r\n" HOST "\r", MORE },
	{ "UNHEARD-OF", MORE },

	/* The request line. */
	{ "UNHEARD-OF / HTTP/1.1\r\n" HOST "\r\n", 501 },
	{ "get / HTTP/1.1\r\n" HOST "\r\n", 501 },
	{ "HEADER / HTTP/1.1\r\n" HOST "\r\n", 501 },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501 },
	{ "LONGER-THAN-ANY-METHOD-THAT-WAS-EVER-REGISTERED-WITH-IANA-OR-WILL-BE / "
	  "HTTP/1.1\r\n" HOST "\r\n",
	  400 },
	{ "G(T / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "G@T / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "\x16\x03\x01\x02", 400 },
	{ " GET / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET\r\n\r\n", 400 },
	{ "GET / HTTP\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/x.1\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1.x\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1.11\r\n" HOST "\r\n", 400 },
	{ "GET / http/1.1\r\n" HOST "\r\n", 400 },
	{ "GET / HTCPCP/1.0\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1.1 now\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/0.9\r\n" HOST "\r\n", 505 },
	{ "GET /\r\n\r\n", 505 }, /* the form of HTTP/0.9 */
	{ "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
	{ "GET / HTTP/9.9\r\n" HOST "\r\n", 505 },

	/* Host: one, but for HTTP/1.0 (RFC 9112, 3.2). */
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHostess: h\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "hOST: other\r\n\r\n", 400 },
	{ "GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400 },

	/* Header lines (5.1, 5.2). */
	{ "GET / HTTP/1.1\r\n" HOST "No colon\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST ": no name\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "In valid: x\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "In(valid: x\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "Folded: a\r\n b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "Folded: a\r\n\tb: c\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n Folded: from the start\r\n" HOST "\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n 5\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "Control: a\x01z\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "Return: a\rb\r\n\r\n", 400 },

	/* Framing (6.1 to 6.3). */
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 5x\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 5 5\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 6\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 413 },
	{ "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\nHost: h:80\r\n\r\n", 413 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"
	  "\r\n",
	  501 },
	/* chunked must come last, and once. */
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
	  "\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n", 400 },
	{ "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400 },

	/* Expectations (RFC 9110, 10.1.1). */
	{ "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 0 },
	{ "POST / HTTP/1.1\r\n" HOST "Expect: miracles\r\n\r\n", 417 },
	{ "POST / HTTP/1.0\r\n" HOST "Expect: miracles\r\n\r\n", 0 },
};

Test(http, a_request_head_is_refused_with_the_status_that_the_standard_names)
{
	for (size_t i = 0; i < ROW_COUNT(heads); i++)
		expect_status(heads[i].text, heads[i].text, strlen(heads[i].text), heads[i].status);
}

/* "GET /aaa... HTTP/1.1" and as many header lines as asked. */
static size_t make_head(char *head, size_t target, int lines)
{
	char *end = stpcpy(head, "GET /");

	memset(end, 'a', target);
	end = stpcpy(end + target, " HTTP/1.1\r\nHost: h\r\n");
	for (int i = 1; i < lines; i++)
		end = stpcpy(end, "A: b\r\n");
	end = stpcpy(end, "\r\n");
	return (size_t)(end - head);
}

Test(http, a_head_past_the_limit_is_414_in_its_first_line_and_431_after)
{
	static const struct {
		const char *name;
		size_t target;
		int lines;
		int status;
	} table[] = {
		{ "a long target", 7000, 1, 0 },
		{ "a target that fills the head", HTTP_HEAD_MAX, 1, 414 },
		{ "a target twice as long as the head may be", 2 * HTTP_HEAD_MAX - 64, 1, 414 },
		{ "as many header lines as may be", 1, HTTP_HEADERS_MAX, 0 },
		{ "one header line more", 1, HTTP_HEADERS_MAX + 1, 431 },
		{ "far more header lines", 1, 1500, 431 },
	};
	static char head[4 * HTTP_HEAD_MAX];

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		size_t length = make_head(head, table[i].target, table[i].lines);

		expect_status(table[i].name, head, length, table[i].status);
	}
}

/* A head of exactly `total` bytes, most of it in one header's value. */
static void make_exact_head(char *head, size_t total)
{
	static const char start[] = "GET / HTTP/1.1\r\nHost: h\r\nFill: ";
	static const char end[] = "\r\n\r\n";

	memset(head, 'f', total);
	memcpy(head, start, sizeof(start) - 1);
	memcpy(head + total - (sizeof(end) - 1), end, sizeof(end) - 1);
}

Test(http, the_limit_of_a_head_is_exact)
{
	static char head[HTTP_HEAD_MAX + 64];

	make_exact_head(head, HTTP_HEAD_MAX);
	expect_status("the largest head", head, HTTP_HEAD_MAX, 0);
	make_exact_head(head, HTTP_HEAD_MAX + 1);
	expect_status("a byte more", head, HTTP_HEAD_MAX + 1, 431);
}

/* Bodies */

static const struct body {
	const char *text; /* what follows a head that announces it */
	enum http_progress progress;
	int64_t bytes; /* of content */
	size_t left;   /* bytes that are not the message's any more */
} chunked[] = {
	{ "0\r\n\r\n", HTTP_FED_DONE, 0, 0 },
	{ "5\r\nhello\r\n0\r\n\r\n", HTTP_FED_DONE, 5, 0 },
	{ "5\r\nhello\r\n0\r\n\r\nGET /", HTTP_FED_DONE, 5, 5 },
	{ "A\r\n0123456789\r\n00a\r\n0123456789\r\n0\r\n\r\n", HTTP_FED_DONE, 20, 0 },
	{ "5;name=value\r\nhello\r\n0;last\r\n\r\n", HTTP_FED_DONE, 5, 0 },
	{ "5\r\nhello\r\n0\r\nTrailer: t\r\nOther: o\r\n\r\n", HTTP_FED_DONE, 5, 0 },
	{ "5\r\nhell", HTTP_FED_MORE, 4, 0 },
	{ "5\r\nhello\r\n0\r\n", HTTP_FED_MORE, 5, 0 },
	{ "x\r\nhello\r\n0\r\n\r\n", HTTP_FED_BAD, 0, 0 },
	{ "-5\r\nhello\r\n0\r\n\r\n", HTTP_FED_BAD, 0, 0 },
	{ "5\r\nhello, world\r\n0\r\n\r\n", HTTP_FED_BAD, 5, 0 },
	{ "\r\nhello\r\n0\r\n\r\n", HTTP_FED_BAD, 0, 0 },
	{ "fffffffffffffffff\r\nhello\r\n", HTTP_FED_BAD, 0, 0 },
};

static enum http_progress feed_body(struct http_message *message, const char *text, size_t length,
				    size_t step, size_t *used)
{
	enum http_progress progress = HTTP_FED_MORE;
	size_t taken;

	for (*used = 0; *used < length && progress == HTTP_FED_MORE; *used += taken) {
		size_t piece = length - *used < step ? length - *used : step;

		progress = http_feed(message, text + *used, piece, &taken);
	}
	return progress;
}

Test(http, a_chunked_body_ends_where_its_framing_says)
{
	static const char head[] = "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";

	for (size_t i = 0; i < ROW_COUNT(chunked); i++) {
		const struct body *row = &chunked[i];

		for (size_t step = 1; step <= strlen(row->text); step++) {
			struct http_message message = { 0 };
			enum http_progress progress;
			size_t used;

			http_init(&message, HTTP_KIND_REQUEST);
			cr_assert_eq(http_feed(&message, head, sizeof(head) - 1, &used),
				     HTTP_FED_HEAD);
			cr_assert_eq(used, sizeof(head) - 1);
			cr_expect(http_is_chunked(&message));
			progress = feed_body(&message, row->text, strlen(row->text), step, &used);
			cr_expect_eq(progress, row->progress, "%s by %zu: %d", row->text, step,
				     (int)progress);
			if (progress == HTTP_FED_BAD)
				continue;
			cr_expect_eq(message.body_bytes, row->bytes, "%s", row->text);
			cr_expect_eq(strlen(row->text) - used, row->left, "%s by %zu", row->text,
				     step);
		}
	}
}

Test(http, a_chunk_too_large_to_count_is_413_and_a_malformed_one_400)
{
	static const struct {
		const char *text;
		int status;
	} table[] = {
		{ "fffffffffffffffff\r\n", 413 },
		{ "5\r\nhello, world\r\n", 400 },
		{ "x\r\n", 400 },
	};
	static const char head[] = "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		struct http_message message = { 0 };
		size_t used;

		http_init(&message, HTTP_KIND_REQUEST);
		cr_assert_eq(http_feed(&message, head, sizeof(head) - 1, &used), HTTP_FED_HEAD);
		cr_assert_eq(http_feed(&message, table[i].text, strlen(table[i].text), &used),
			     HTTP_FED_BAD);
		cr_expect_eq(http_bad_status(&message, head, sizeof(head) - 1), table[i].status,
			     "%s", table[i].text);
	}
}

/* Responses */

static const struct response {
	const char *text;
	bool to_head;
	enum http_progress end; /* of the whole text */
	bool keep_alive;
	bool ends_with_close;
} responses[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, HTTP_FED_DONE, true, false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", false, HTTP_FED_MORE, true, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", false,
	  HTTP_FED_DONE, true, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", false, HTTP_FED_MORE,
	  true, false },
	{ "HTTP/1.1 200 OK\r\n\r\nhi", false, HTTP_FED_MORE, false, true },
	{ "HTTP/1.0 200 OK\r\n\r\nhi", false, HTTP_FED_MORE, false, true },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, HTTP_FED_DONE, false, false },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", false,
	  HTTP_FED_DONE, true, false },
	{ "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", false,
	  HTTP_FED_DONE, false, false },
	{ "HTTP/1.1 204 No Content\r\n\r\n", false, HTTP_FED_DONE, true, false },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, HTTP_FED_DONE, true,
	  false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true, HTTP_FED_DONE, true, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, HTTP_FED_DONE, true,
	  false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi", false,
	  HTTP_FED_BAD, false, false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", false,
	  HTTP_FED_BAD, false, false },
	{ "SSH-2.0-OpenSSH_9.2\r\n", false, HTTP_FED_BAD, false, false },
	{ "HTTP/1.1 abc OK\r\n\r\n", false, HTTP_FED_BAD, false, false },
};

Test(http, a_response_ends_where_its_framing_and_its_request_say)
{
	for (size_t i = 0; i < ROW_COUNT(responses); i++) {
		const struct response *row = &responses[i];
		size_t length = strlen(row->text);

		for (size_t step = 1; step <= length; step++) {
			struct http_message message = { .head_reply = row->to_head };
			enum http_progress progress = HTTP_FED_MORE;
			size_t at = 0;
			size_t used;

			http_init(&message, HTTP_KIND_RESPONSE);
			while (at < length && progress != HTTP_FED_BAD && !message.done) {
				size_t piece = length - at < step ? length - at : step;

				progress = http_feed(&message, row->text + at, piece, &used);
				at += used;
			}
			if (message.done && progress == HTTP_FED_HEAD)
				progress = HTTP_FED_DONE;
			cr_expect_eq(progress, row->end, "%s by %zu: %d", row->text, step,
				     (int)progress);
			if (progress == HTTP_FED_BAD)
				continue;
			cr_expect_eq(message.keep_alive, row->keep_alive, "%s", row->text);
			cr_expect_eq(http_ends_with_close(&message), row->ends_with_close, "%s",
				     row->text);
		}
	}
}

/* Heads rewritten */

static const struct strip {
	const char *before;
	const char *after;
} strips[] = {
	{ "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n" },
	{ "GET / HTTP/1.1\nHost: h\nTE: x\n\n", "GET / HTTP/1.1\nHost: h\n\n" },
	{ "GET / HTTP/1.1\r\nConnection: close\r\nHost: h\r\n\r\n",
	  "GET / HTTP/1.1\r\nHost: h\r\n\r\n" },
	{ "GET / HTTP/1.1\r\nHost: h\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\n"
	  "Upgrade: h2c\r\nExpect: 100-continue\r\nProxy-Authorization: x\r\n"
	  "CONNECTION: close\r\n\r\n",
	  "GET / HTTP/1.1\r\nHost: h\r\n\r\n" },
	{ "GET / HTTP/1.1\r\nX-One: 1\r\nConnection: x-one , X-TWO\r\nHost: h\r\nX-Two: 2\r\n"
	  "X-Three: 3\r\n\r\n",
	  "GET / HTTP/1.1\r\nHost: h\r\nX-Three: 3\r\n\r\n" },
	{ "GET / HTTP/1.1\r\nConnection: a\r\nA: 1\r\nB: 2\r\nAB: 3\r\nConnection: b\r\n\r\n",
	  "GET / HTTP/1.1\r\nAB: 3\r\n\r\n" },
	/* What frames and routes the message cannot be named away. */
	{ "POST / HTTP/1.1\r\nConnection: content-length, host, transfer-encoding\r\nHost: h\r\n"
	  "Content-Length: 5\r\n\r\n",
	  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n" },
	{ "POST / HTTP/1.1\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n",
	  "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" },
	{ "HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: timeout=5\r\nX: y\r\n\r\n",
	  "HTTP/1.1 200 OK\r\nX: y\r\n\r\n" },
	{ "GET http://te:80/ HTTP/1.1\r\nTE: x\r\n\r\n", "GET http://te:80/ HTTP/1.1\r\n\r\n" },
	{ "\r\nGET / HTTP/1.1\r\nTE: x\r\n\r\n", "\r\nGET / HTTP/1.1\r\n\r\n" },
};

Test(http, hop_by_hop_headers_are_taken_out_and_the_rest_still_touches_the_body)
{
	for (size_t i = 0; i < ROW_COUNT(strips); i++) {
		size_t length = strlen(strips[i].before);
		char head[512];
		size_t start;

		snprintf(head, sizeof(head), "%sBODY", strips[i].before);
		start = http_strip_hop_by_hop(head, length);
		cr_expect_eq(length - start, strlen(strips[i].after));
		cr_expect_eq(memcmp(head + start, strips[i].after, strlen(strips[i].after)), 0,
			     "%s\nbecame\n%s", strips[i].before, head + start);
		cr_expect_str_eq(head + length, "BODY");
	}
}

Test(http, a_Connection_list_too_long_to_be_honoured_is_refused)
{
	static const struct {
		int names;
		int status;
	} table[] = { { 1, 0 }, { 30, 0 }, { 33, 431 }, { 100, 431 } };

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		char head[1024];
		char *end = stpcpy(head, "GET / HTTP/1.1\r\n" HOST "Connection: secret");
		size_t used;

		for (int name = 1; name < table[i].names; name++)
			end = stpcpy(end, ", filler");
		end = stpcpy(end, "\r\nSecret: x\r\n\r\n");
		used = (size_t)(end - head);
		expect_status("a list of names", head, used, table[i].status);
		if (table[i].status == 0) {
			size_t start = http_strip_hop_by_hop(head, used);

			cr_expect_null(memmem(head + start, used - start, "Secret", 6));
		}
	}
}

Test(http, the_target_is_the_second_word)
{
	static const struct {
		const char *head;
		const char *target;
	} table[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "/" },
		{ "GET /a/b?c=d HTTP/1.1\r\n\r\n", "/a/b?c=d" },
		{ "OPTIONS * HTTP/1.1\r\n\r\n", "*" },
		{ "\r\nGET /late HTTP/1.1\r\n\r\n", "/late" },
		{ "GET", "" },
	};

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		const char *target;
		size_t length;

		http_target(table[i].head, strlen(table[i].head), &target, &length);
		cr_expect_eq(length, strlen(table[i].target), "%s", table[i].head);
		cr_expect_eq(memcmp(target, table[i].target, length), 0, "%s", table[i].head);
	}
}

Test(http, a_connection_lasts_as_the_version_and_the_Connection_header_say)
{
	static const struct {
		const char *head;
		bool keep_alive;
	} table[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", true },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: foo, CLOSE\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n" HOST "\r\n", false },
		{ "GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n" HOST "Connection: Keep-Alive, x\r\n\r\n", true },
	};

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		struct http_message message = { 0 };
		size_t used;

		http_init(&message, HTTP_KIND_REQUEST);
		cr_expect_eq(http_feed(&message, table[i].head, strlen(table[i].head), &used),
			     HTTP_FED_HEAD);
		cr_expect_eq(message.keep_alive, table[i].keep_alive, "%s", table[i].head);
	}
}

Test(http, only_methods_that_may_be_sent_twice_are_idempotent)
{
	static const struct {
		const char *method;
		bool idempotent;
	} table[] = {
		{ "GET", true },   { "HEAD", true },  { "PUT", true },    { "DELETE", true },
		{ "TRACE", true }, { "POST", false }, { "PATCH", false }, { "OPTIONS", true },
	};

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		struct http_message message = { 0 };
		char head[64];
		size_t used;

		snprintf(head, sizeof(head), "%s / HTTP/1.1\r\n" HOST "\r\n", table[i].method);
		http_init(&message, HTTP_KIND_REQUEST);
		cr_expect_eq(http_feed(&message, head, strlen(head), &used), HTTP_FED_HEAD);
		cr_expect_eq(http_is_idempotent(&message), table[i].idempotent, "%s", head);
		cr_expect_eq(http_is_head(&message), strcmp(table[i].method, "HEAD") == 0);
	}
}

Test(http, a_status_has_its_reason_phrase)
{
	cr_expect_str_eq(http_status_text(200), "200 OK\n");
	cr_expect_str_eq(http_status_text(408), "408 Request Timeout\n");
	cr_expect_str_eq(http_status_text(504), "504 Gateway Timeout\n");
	cr_expect_str_eq(http_status_text(999), "500 Internal Server Error\n");
}
