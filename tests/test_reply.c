/*
 * What a reply is and where it ends (RFC 9112, 6.3), in one piece and cut at every byte, parsed
 * and compared with a template.
 */
#include "loadgen/engine/reply.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ROW_COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define OK       "HTTP/1.1 200 OK\r\n"
#define BYTES    "Content-Length: 5\r\n\r\nhello"
#define CHUNKED  "Transfer-Encoding: chunked\r\n\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

/* The reply, and what comes behind it: part of it only if the connection's end ends it. */
struct row {
	const char *name;
	const char *reply;
	const char *rest;
	enum reply_outcome outcome;
	bool closes;
	bool head_request;
};

static const struct row rows[] = {
	{ "a length", OK BYTES, "", REPLY_GOOD },
	{ "a length, and the next reply", OK BYTES, OK BYTES, REPLY_GOOD },
	{ "a length, and one byte more", OK BYTES, "!", REPLY_GOOD },
	{ "no content", OK "Content-Length: 0\r\n\r\n", OK, REPLY_GOOD },
	{ "chunks", OK CHUNKED "5\r\nhello\r\n0\r\n\r\n", OK, REPLY_GOOD },
	{ "chunks with a trailer", OK CHUNKED "1;a=b\r\n!\r\n0\r\nX: y\r\n\r\n", OK, REPLY_GOOD },
	{ "204, whatever its length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", OK,
	  REPLY_GOOD },
	{ "304, whatever its coding", "HTTP/1.1 304 Not Modified\r\n" CHUNKED, OK, REPLY_GOOD },
	{ "interim ones", CONTINUE "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" OK BYTES,
	  CONTINUE, REPLY_GOOD },
	{ "to HEAD", OK "Content-Length: 5\r\n\r\n", OK, REPLY_GOOD, .head_request = true },
	{ "to HEAD, interim", CONTINUE OK CHUNKED, OK, REPLY_GOOD, .head_request = true },
	{ "close", OK "Connection: close\r\n" BYTES, "", REPLY_GOOD, .closes = true },
	{ "HTTP/1.0", "HTTP/1.0 200 OK\r\n" BYTES, "", REPLY_GOOD, .closes = true },
	{ "HTTP/1.0, kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" BYTES, OK, REPLY_GOOD },
	{ "to the end", OK "\r\nhello" OK, "", REPLY_GOOD, .closes = true },
	{ "another coding, to the end", OK "Transfer-Encoding: gzip\r\n\r\nhello", "", REPLY_GOOD,
	  .closes = true },
	{ "503", "HTTP/1.1 503 Busy\r\n" BYTES, OK, REPLY_STATUS },
	{ "503 to the end", "HTTP/1.1 503 Busy\r\n\r\nhello", "", REPLY_STATUS },
	{ "nothing", "", "", REPLY_CLOSED },
	{ "half a line", "HTTP/1.1 20", "", REPLY_CLOSED },
	{ "half a head", OK "Content-Length: 5\r\n\r", "", REPLY_CLOSED },
	{ "only an interim one", CONTINUE, "", REPLY_CLOSED },
	{ "no body", OK "Content-Length: 5\r\n\r\n", "", REPLY_SHORT },
	{ "half a body", OK "Content-Length: 5\r\n\r\nhel", "", REPLY_SHORT },
	{ "half a chunk's size", OK CHUNKED "1", "", REPLY_SHORT },
	{ "half a chunk", OK CHUNKED "5\r\nhel", "", REPLY_SHORT },
	{ "no last chunk", OK CHUNKED "5\r\nhello\r\n", "", REPLY_SHORT },
	{ "half a trailer", OK CHUNKED "0\r\nX: y\r\n", "", REPLY_SHORT },
	{ "half a 503", "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n", "", REPLY_SHORT },
	{ "not HTTP", "hello, world\r\n\r\n", "", REPLY_MALFORMED },
	{ "a request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", REPLY_MALFORMED },
	{ "a status of letters", "HTTP/1.1 2x0 OK\r\n\r\n", "", REPLY_MALFORMED },
	{ "a length of letters", OK "Content-Length: five\r\n\r\n", "", REPLY_MALFORMED },
	{ "a length below 0", OK "Content-Length: -1\r\n\r\n", "", REPLY_MALFORMED },
	{ "a length above all", OK "Content-Length: 18446744073709551616\r\n\r\n", "",
	  REPLY_MALFORMED },
	{ "two lengths", OK "Content-Length: 4\r\n" BYTES, "", REPLY_MALFORMED },
	{ "a chunk's size of letters", OK CHUNKED "x\r\n", "", REPLY_MALFORMED },
	{ "a chunk longer than it says", OK CHUNKED "1\r\nab\r\n", "", REPLY_MALFORMED },
	{ "a header without a colon", OK "Content\r\n\r\n", "", REPLY_MALFORMED },
};

static enum reply_outcome feed_all(struct reply_check *check, struct reply *reply,
				   const char *bytes, size_t length, size_t cut, size_t *used)
{
	enum reply_outcome outcome = REPLY_MORE;

	*used = 0;
	if (cut > 0)
		outcome = reply_feed(check, reply, bytes, cut, used);
	if (outcome == REPLY_MORE) {
		size_t more = 0;

		cr_expect_eq(*used, cut);
		outcome = reply_feed(check, reply, bytes + cut, length - cut, &more);
		*used += more;
	}
	return outcome == REPLY_MORE ? reply_end_of_input(check, reply) : outcome;
}

static void expect_row(struct reply_check *check, const struct row *row, const char *how)
{
	char bytes[512];
	size_t length = (size_t)snprintf(bytes, sizeof(bytes), "%s%s", row->reply, row->rest);

	for (size_t cut = 0; cut <= length; cut++) {
		struct reply reply = { 0 };
		size_t used;
		enum reply_outcome outcome = feed_all(check, &reply, bytes, length, cut, &used);

		cr_expect_eq(outcome, row->outcome, "%s, %s, cut at %zu: %d", row->name, how, cut,
			     outcome);
		if (outcome == REPLY_GOOD || outcome == REPLY_STATUS)
			cr_expect_eq(used, strlen(row->reply), "%s, %s, cut at %zu: used %zu",
				     row->name, how, cut, used);
		if (outcome == REPLY_GOOD)
			cr_expect_eq(reply.keep_alive, !row->closes, "%s, %s", row->name, how);
		reply_clear(check, &reply);
		cr_expect_eq(check->partial, 0, "%s, %s, cut at %zu", row->name, how, cut);
	}
}

static void take_template(struct reply_check *check, const char *bytes)
{
	struct reply reply = { 0 };
	size_t used;

	cr_assert_eq(reply_feed(check, &reply, bytes, strlen(bytes), &used), REPLY_GOOD);
	cr_assert_eq(check->template_length, strlen(bytes));
	reply_clear(check, &reply);
}

Test(reply, it_ends_where_its_framing_says_however_it_is_cut)
{
	for (size_t i = 0; i < ROW_COUNT(rows); i++) {
		struct reply_check check = { .head_request = rows[i].head_request };

		expect_row(&check, &rows[i], "without a template");
	}
}

Test(reply, a_template_that_it_is_like_at_first_makes_no_difference)
{
	static const char *const templates[] = { OK BYTES, OK "Content-Length: 0\r\n\r\n",
						 OK CHUNKED "5\r\nhello\r\n0\r\nX: z\r\n\r\n",
						 CONTINUE OK BYTES };

	for (size_t i = 0; i < ROW_COUNT(rows); i++) {
		for (size_t j = 0; j < ROW_COUNT(templates) && !rows[i].head_request; j++) {
			struct reply_check check = { 0 };

			take_template(&check, templates[j]);
			expect_row(&check, &rows[i], templates[j]);
		}
	}
}

Test(reply, one_unlike_the_first_is_changed_where_all_must_be_the_same)
{
	static const struct row table[] = {
		{ "the same", OK BYTES, OK, REPLY_GOOD },
		{ "another body", OK "Content-Length: 5\r\n\r\nhullo", OK, REPLY_CHANGED },
		{ "another length", OK "Content-Length: 4\r\n\r\nhell", OK, REPLY_CHANGED },
		{ "no length", OK "\r\nhello", "", REPLY_CHANGED },
		{ "another status", "HTTP/1.1 503 Busy\r\n" BYTES, OK, REPLY_STATUS },
		{ "half", OK "Content-Length: 5\r\n\r\nhel", "", REPLY_SHORT },
	};

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		struct reply_check check = { .same_reply = true };

		take_template(&check, OK BYTES);
		expect_row(&check, &table[i], "same_reply");
	}
}

/* A reply that never comes in one piece, or is too long for that, is no template. */
Test(reply, one_unlike_the_first_is_changed_also_without_a_template)
{
	static const struct row table[] = {
		{ "the same", OK BYTES, "", REPLY_GOOD },
		{ "another body", OK "Content-Length: 5\r\n\r\nhullo", "", REPLY_CHANGED },
		{ "another length", OK "Content-Length: 4\r\n\r\nhell", "", REPLY_CHANGED },
		{ "another status", "HTTP/1.1 503 Busy\r\n" BYTES, "", REPLY_STATUS },
	};
	static const char first[] = OK BYTES;

	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		struct reply_check check = { .same_reply = true };
		struct reply reply = { 0 };
		size_t used;

		cr_expect_eq(feed_all(&check, &reply, first, sizeof(first) - 1, 9, &used),
			     REPLY_GOOD);
		cr_expect_eq(check.template_length, 0);
		reply_clear(&check, &reply);
		expect_row(&check, &table[i], "same_reply, cut");
	}
}

Test(reply, no_bytes_are_neither_an_end_nor_a_reply)
{
	static const char *const begun[] = { "", OK, OK "\r\nhello", OK BYTES };

	for (size_t i = 0; i < ROW_COUNT(begun); i++) {
		struct reply_check check = { 0 };
		struct reply reply = { 0 };
		size_t length = strlen(begun[i]) - (i == ROW_COUNT(begun) - 1);
		size_t used = 1;

		cr_expect_eq(reply_feed(&check, &reply, begun[i], length, &used), REPLY_MORE);
		cr_expect_eq(reply_feed(&check, &reply, "", 0, &used), REPLY_MORE);
		cr_expect_eq(used, 0);
		reply_clear(&check, &reply);
	}
}

/* All but the last byte, then that one, on a head of `length` bytes. */
static enum reply_outcome feed_head(size_t length, size_t cut)
{
	static const char start[] = OK "Content-Length: 0\r\nX: ";
	static struct reply_check check;
	static char bytes[2 * HTTP_HEAD_MAX];
	struct reply reply = { 0 };
	enum reply_outcome outcome;
	size_t used;

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, start, sizeof(start) - 1);
	memcpy(bytes + length - 4, "\r\n\r\n", 4);
	memset(&check, 0, sizeof(check));
	outcome = feed_all(&check, &reply, bytes, length, cut, &used);
	reply_clear(&check, &reply);
	return outcome;
}

Test(reply, a_head_is_no_longer_than_its_limit_however_it_is_cut)
{
	for (size_t cut = 0; cut < HTTP_HEAD_MAX; cut += cut < 8 ? 1 : 509) {
		cr_expect_eq(feed_head(HTTP_HEAD_MAX, cut), REPLY_GOOD, "cut at %zu", cut);
		cr_expect_eq(feed_head(HTTP_HEAD_MAX + 1, cut), REPLY_MALFORMED, "cut at %zu", cut);
	}
	cr_expect_eq(feed_head(HTTP_HEAD_MAX, HTTP_HEAD_MAX - 1), REPLY_GOOD);
	cr_expect_eq(feed_head(HTTP_HEAD_MAX + 1, HTTP_HEAD_MAX), REPLY_MALFORMED);
}
