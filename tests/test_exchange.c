/*
 * The backend's side of a conn, with backends that say what the script says: what is passed on,
 * what is kept back, what is tried again, and what the client is told when the backend fails.
 */
#include "tests/conversations.h"
#include "tests/play.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define GET                   "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
#define HEAD                  "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST                  "POST /x HTTP/1.1\r\nHost: h\r\n"
#define PUT                   "PUT /x HTTP/1.1\r\nHost: h\r\n"
#define OLD                   "GET /x HTTP/1.0\r\n\r\n"
#define OK                    "HTTP/1.1 200 OK\r\n"
#define HI                    OK "Content-Length: 2\r\n\r\nhi"
#define REPLY(status, length) REPLY_HEAD(status, length, "") status "\n"

static const struct service relays = { .kind = SERVICE_PROXY,
				       .wait = WAIT_BACKEND,
				       .body_most = CONVERSATION_BODY_MOST };

static struct service calls(void)
{
	struct service service = { .kind = SERVICE_APP, .wait = WAIT_BACKEND };

	service_set_call(&service, 0);
	return service;
}

struct exchange {
	const char *name;
	const char *client;
	struct play_backend backends[PLAY_LINKS_MAX];
	const char *reply;                /* what the client gets */
	const char *sent[PLAY_LINKS_MAX]; /* what each backend gets; NULL: it doesn't matter */
	int links;                        /* backend connections opened */
	int kept;
};

static void expect_exchange(const struct service *service, const struct exchange *row,
			    const struct play_pieces *pieces, size_t *backend_bytes)
{
	struct play script = { .service = service,
			       .client = row->client,
			       .backends = row->backends };
	struct play_result result;

	play(&script, pieces, &result);
	cr_assert_str_eq(result.client.bytes, row->reply,
			 "%s (client cut %zu, backend cut %zu, reads of %zu):\n%s\ninstead of\n%s",
			 row->name, pieces->client_cut, pieces->backend_cut, pieces->read_most,
			 result.client.bytes, row->reply);
	cr_assert_eq(result.link_count, row->links, "%s: %d links", row->name, result.link_count);
	cr_assert_eq(result.kept, row->kept, "%s: kept %d", row->name, result.kept);
	for (int i = 0; i < row->links; i++)
		if (row->sent[i])
			cr_assert_str_eq(result.links[i].bytes ? result.links[i].bytes : "",
					 row->sent[i], "%s, sent to %d:\n%s", row->name, i,
					 result.links[i].bytes);
	if (backend_bytes)
		*backend_bytes = result.backend_bytes;
	play_free(&result);
}

static void expect_exchanges(const struct service *service, const struct exchange *rows,
			     size_t count)
{
	for (const struct exchange *row = rows; row < rows + count; row++) {
		size_t back;

		expect_exchange(service, row, &(struct play_pieces){ 0 }, &back);
		for (size_t cut = 1; cut < strlen(row->client); cut++)
			expect_exchange(service, row, &(struct play_pieces){ .client_cut = cut },
					NULL);
		for (size_t cut = 1; cut < back; cut++)
			expect_exchange(service, row, &(struct play_pieces){ .backend_cut = cut },
					NULL);
		for (size_t most = 1; most <= 3; most++)
			expect_exchange(service, row,
					&(struct play_pieces){ .read_most = most,
							       .write_most = most,
							       .shy = most == 1 },
					NULL);
	}
}

/* What a proxy passes on. */

static const struct exchange relayed[] = {
	{ "a response with a length",
	  GET GET,
	  { { .answers = { HI, HI } } },
	  HI HI,
	  { GET GET },
	  1,
	  2 },
	{ "no content",
	  GET GET,
	  { { .answers = { OK "Content-Length: 0\r\n\r\n", HI } } },
	  OK "Content-Length: 0\r\n\r\n" HI,
	  { GET GET },
	  1,
	  2 },
	{ "chunks, their extensions and trailers",
	  GET GET,
	  { { .answers = { OK "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nT: 1\r\n\r\n",
			   HI } } },
	  OK "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nT: 1\r\n\r\n" HI,
	  { GET GET },
	  1,
	  2 },
	{ "a response that ends with the connection",
	  GET GET,
	  { { .answers = { OK "X: y\r\n\r\nall there is" } } },
	  OK "X: y\r\nConnection: close\r\n\r\nall there is",
	  { GET },
	  1,
	  0 },
	{ "an empty one that ends with the connection",
	  GET,
	  { { .answers = { OK "\r\n" } } },
	  OK "Connection: close\r\n\r\n",
	  { GET },
	  1,
	  0 },
	{ "the version becomes this hop's",
	  GET,
	  { { .answers = { "HTTP/1.0 404 Not Found\r\n\r\ngone" } } },
	  "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\ngone",
	  { GET },
	  1,
	  0 },
	{ "a backend that closes doesn't close the client's connection",
	  GET GET,
	  { { .answers = { OK "Connection: close\r\nContent-Length: 2\r\n\r\nhi" } },
	    { .answers = { HI } } },
	  HI HI,
	  { GET, GET },
	  2,
	  1 },
	{ "an old backend that keeps the connection",
	  GET GET,
	  { { .answers = { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n"
			   "\r\nhi",
			   HI } } },
	  HI HI,
	  { GET GET },
	  1,
	  2 },
	{ "HEAD",
	  HEAD GET,
	  { { .answers = { OK "Content-Length: 999\r\n\r\n", HI } } },
	  OK "Content-Length: 999\r\n\r\n" HI,
	  { HEAD GET },
	  1,
	  2 },
	{ "HEAD of chunks",
	  HEAD GET,
	  { { .answers = { OK "Transfer-Encoding: chunked\r\n\r\n", HI } } },
	  OK "Transfer-Encoding: chunked\r\n\r\n" HI,
	  { HEAD GET },
	  1,
	  2 },
	{ "204",
	  GET GET,
	  { { .answers = { "HTTP/1.1 204 No Content\r\n\r\n", HI } } },
	  "HTTP/1.1 204 No Content\r\n\r\n" HI,
	  { GET GET },
	  1,
	  2 },
	{ "304 has no content, whatever its length says",
	  GET GET,
	  { { .answers = { "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", HI } } },
	  "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n" HI,
	  { GET GET },
	  1,
	  2 },
	{ "interim responses are dropped",
	  GET GET,
	  { { .answers = { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
			   "a\r\n\r\n" HI,
			   HI } } },
	  HI HI,
	  { GET GET },
	  1,
	  2 },
	{ "hop-by-hop headers stay on their hop",
	  "GET /x HTTP/1.1\r\nConnection: Secret, keep-alive\r\nHost: h\r\nSecret: s\r\nTE: "
	  "trailers\r\n"
	  "Kept: k\r\nUpgrade: h2c\r\n\r\n",
	  { { .answers = { OK
			   "Connection: Mine\r\nMine: m\r\nContent-Length: 2\r\nKeep-Alive: 5\r\n"
			   "Yours: y\r\n\r\nhi" } } },
	  OK "Content-Length: 2\r\nYours: y\r\n\r\nhi",
	  { "GET /x HTTP/1.1\r\nHost: h\r\nKept: k\r\n\r\n" },
	  1,
	  1 },
	{ "the client's close is its own",
	  "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" GET,
	  { { .answers = { HI } } },
	  OK "Content-Length: 2\r\nConnection: close\r\n\r\nhi",
	  { GET },
	  1,
	  1 },
	{ "an old client",
	  OLD,
	  { { .answers = { "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi" } } },
	  OK "Content-Length: 2\r\nConnection: close\r\n\r\nhi",
	  { OLD },
	  1,
	  0 },
	{ "an old client that keeps the connection",
	  "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET,
	  { { .answers = { HI, HI } } },
	  OK "Content-Length: 2\r\nConnection: keep-alive\r\n\r\nhi" HI,
	  { OLD GET },
	  1,
	  2 },
	{ "an old client can't be sent chunks",
	  OLD,
	  { { .answers = { OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" } } },
	  REFUSAL("502 Bad Gateway", "16"),
	  { OLD },
	  1,
	  0 },
	{ "a request body with a length",
	  POST "Content-Length: 5\r\n\r\nhello" GET,
	  { { .answers = { HI, HI } } },
	  HI HI,
	  { POST "Content-Length: 5\r\n\r\nhello" GET },
	  1,
	  2 },
	{ "a request body in chunks, verbatim",
	  POST "Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: 1\r\n\r\n" GET,
	  { { .answers = { HI, HI } } },
	  HI HI,
	  { POST "Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: 1\r\n\r\n" GET },
	  1,
	  2 },
	{ "an expectation is met here",
	  POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n" AWAIT "hello" GET,
	  { { .answers = { HI, HI } } },
	  "HTTP/1.1 100 Continue\r\n\r\n" HI HI,
	  { POST "Content-Length: 5\r\n\r\nhello" GET },
	  1,
	  2 },
};

Test(exchange, a_proxy_passes_on_what_is_end_to_end_and_nothing_else)
{
	expect_exchanges(&relays, relayed, ROW_COUNT(relayed));
}

/* What a proxy says for a backend that fails. */

static const struct exchange failed[] = {
	{ "refused",
	  GET GET,
	  { { .refused = -ECONNREFUSED }, { .answers = { HI } } },
	  REPLY("502 Bad Gateway", "16") HI,
	  { NULL, GET },
	  2,
	  1 },
	{ "unreachable in time",
	  GET GET,
	  { { .refused = -ETIMEDOUT }, { .answers = { HI } } },
	  REPLY("504 Gateway Timeout", "20") HI,
	  { NULL, GET },
	  2,
	  1 },
	{ "closed without a word",
	  GET GET,
	  { { .then = PLAY_CLOSES }, { .answers = { HI } } },
	  REPLY("502 Bad Gateway", "16") HI,
	  { GET, GET },
	  2,
	  1 },
	{ "reset",
	  GET GET,
	  { { .then = PLAY_RESETS }, { .answers = { HI } } },
	  REPLY("502 Bad Gateway", "16") HI,
	  { GET, GET },
	  2,
	  1 },
	{ "silent",
	  GET GET,
	  { { .then = PLAY_IS_SILENT }, { .answers = { HI } } },
	  REPLY("504 Gateway Timeout", "20") HI,
	  { GET, GET },
	  2,
	  1 },
	{ "deaf and mute",
	  GET,
	  { { .deaf = true } },
	  REPLY("502 Bad Gateway", "16"),
	  { "" },
	  1,
	  0 },
	{ "deaf, but says why",
	  GET GET,
	  { { .deaf = true, .answers = { HI } }, { .answers = { HI } } },
	  HI HI,
	  { "", GET },
	  2,
	  1 },
	{ "garbage",
	  GET GET,
	  { { .answers = { "SSH-2.0-x\r\n" } }, { .answers = { HI } } },
	  REPLY("502 Bad Gateway", "16") HI,
	  { GET, GET },
	  2,
	  1 },
	{ "switching protocols unasked",
	  GET,
	  { { .answers = { "HTTP/1.1 101 Switching Protocols\r\n\r\n" } } },
	  REPLY("502 Bad Gateway", "16"),
	  { GET },
	  1,
	  0 },
	{ "two framings",
	  GET,
	  { { .answers = { OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" } } },
	  REPLY("502 Bad Gateway", "16"),
	  { GET },
	  1,
	  0 },
	{ "half a head",
	  GET,
	  { { .answers = { OK "Content-Le" } } },
	  REPLY("502 Bad Gateway", "16"),
	  { GET },
	  1,
	  0 },
	{ "half a head, then silence",
	  GET,
	  { { .answers = { OK "Content-Le" }, .then = PLAY_IS_SILENT } },
	  REPLY("504 Gateway Timeout", "20"),
	  { GET },
	  1,
	  0 },
	{ "interim, then closed",
	  GET,
	  { { .answers = { "HTTP/1.1 100 Continue\r\n\r\n" } } },
	  REPLY("502 Bad Gateway", "16"),
	  { GET },
	  1,
	  0 },
	/* Part of it is out already: all that is left is to break off. */
	{ "half the content",
	  GET GET,
	  { { .answers = { OK "Content-Length: 9\r\n\r\nhalf" } } },
	  OK "Content-Length: 9\r\n\r\nhalf",
	  { GET },
	  1,
	  0 },
	{ "half the content, then silence",
	  GET GET,
	  { { .answers = { OK "Content-Length: 9\r\n\r\nhalf" }, .then = PLAY_IS_SILENT } },
	  OK "Content-Length: 9\r\n\r\nhalf",
	  { GET },
	  1,
	  0 },
	{ "half the content, then reset",
	  GET GET,
	  { { .answers = { OK "Content-Length: 9\r\n\r\nhalf" }, .then = PLAY_RESETS } },
	  OK "Content-Length: 9\r\n\r\nhalf",
	  { GET },
	  1,
	  0 },
	{ "half the chunks",
	  GET GET,
	  { { .answers = { OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n" } } },
	  OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
	  { GET },
	  1,
	  0 },
	{ "all that can end with the connection, reset",
	  GET GET,
	  { { .answers = { OK "\r\nhalf" }, .then = PLAY_RESETS } },
	  OK "Connection: close\r\n\r\nhalf",
	  { GET },
	  1,
	  0 },
};

Test(exchange, a_proxy_answers_for_a_backend_that_fails_or_breaks_off)
{
	expect_exchanges(&relays, failed, ROW_COUNT(failed));
}

Test(exchange, a_connection_that_said_more_than_its_response_is_not_used_again)
{
	static const struct exchange row = { "more than it should say",
					     GET GET,
					     { { .answers = { HI "!" } }, { .answers = { HI } } },
					     HI HI,
					     { GET, GET },
					     2,
					     1 };

	expect_exchange(&relays, &row, &(struct play_pieces){ 0 }, NULL);
}

Test(exchange, a_failure_before_the_request_was_read_closes_the_client_after_the_answer)
{
	static const struct exchange row = { "a body under way",
					     POST "Content-Length: 5\r\n\r\n"
						  "hello" GET,
					     { { .refused = -ECONNREFUSED } },
					     REFUSAL("502 Bad Gateway", "16"),
					     { NULL },
					     1,
					     0 };
	size_t head = strlen(POST "Content-Length: 5\r\n\r\n");

	expect_exchange(&relays, &row, &(struct play_pieces){ .client_cut = head }, NULL);
	expect_exchange(&relays, &row, &(struct play_pieces){ .client_cut = head + 2 }, NULL);
}

Test(exchange, garbage_inside_a_body_never_looks_like_the_end_of_a_response)
{
	static const char answer[] = OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nnonsense";
	static const struct play_backend backends[PLAY_LINKS_MAX] = { { .answers = { answer } },
								      { .answers = { HI } } };
	struct play script = { .service = &relays, .client = GET GET, .backends = backends };

	/* What of it came in the same read as the head decides how much the client sees. */
	for (size_t cut = 0; cut < sizeof(answer) - 1; cut++) {
		struct play_result result;

		play(&script, &(struct play_pieces){ .backend_cut = cut }, &result);
		if (strncmp(result.client.bytes, OK, strlen(OK)) == 0) {
			cr_expect_null(strstr(result.client.bytes, "\r\n0\r\n"));
			cr_expect_eq(result.link_count, 1, "went on after half a response");
		} else {
			cr_expect_eq(strncmp(result.client.bytes + 9, "502", 3), 0);
		}
		cr_expect_eq(result.kept, result.link_count - 1);
		play_free(&result);
	}
}

/* Kept-alive connections that turn out to be stale. */

#define PUT_BODY     PUT "Content-Length: 2\r\n\r\nhi"
#define POST_NOTHING POST "Content-Length: 0\r\n\r\n"

static const struct exchange stale[] = {
	{ "GET is sent again, on a fresh connection",
	  GET GET GET,
	  { { .answers = { HI } }, { .answers = { HI, HI } } },
	  HI HI HI,
	  { GET GET, GET GET },
	  2,
	  3 },
	{ "a reset is as good as a close",
	  GET GET,
	  { { .answers = { HI }, .then = PLAY_RESETS }, { .answers = { HI } } },
	  HI HI,
	  { GET GET, GET },
	  2,
	  2 },
	{ "HEAD, too",
	  GET HEAD,
	  { { .answers = { HI } }, { .answers = { OK "Content-Length: 2\r\n\r\n" } } },
	  HI OK "Content-Length: 2\r\n\r\n",
	  { GET HEAD, HEAD },
	  2,
	  2 },
	{ "never twice",
	  GET GET GET,
	  { { .answers = { HI } }, { .then = PLAY_CLOSES }, { .answers = { HI } } },
	  HI REPLY("502 Bad Gateway", "16") HI,
	  { GET GET, GET, GET },
	  3,
	  2 },
	{ "a fresh connection is not tried again",
	  GET GET,
	  { { .then = PLAY_CLOSES }, { .answers = { HI } } },
	  REPLY("502 Bad Gateway", "16") HI,
	  { GET, GET },
	  2,
	  1 },
	{ "POST is not",
	  GET POST_NOTHING GET,
	  { { .answers = { HI } }, { .answers = { HI } } },
	  HI REPLY("502 Bad Gateway", "16") HI,
	  { GET POST_NOTHING, GET },
	  2,
	  2 },
	{ "POST with a body is not",
	  GET POST "Content-Length: 2\r\n\r\nhi" GET,
	  { { .answers = { HI } }, { .answers = { HI } } },
	  HI REPLY("502 Bad Gateway", "16") HI,
	  { GET POST "Content-Length: 2\r\n\r\nhi", GET },
	  2,
	  2 },
	{ "silence is no staleness",
	  GET GET,
	  { { .answers = { HI }, .then = PLAY_IS_SILENT }, { .answers = { HI } } },
	  HI REPLY("504 Gateway Timeout", "20"),
	  { GET GET },
	  1,
	  1 },
	{ "nor is half a response",
	  GET GET,
	  { { .answers = { HI, OK "Content-" } }, { .answers = { HI } } },
	  HI REPLY("502 Bad Gateway", "16"),
	  { GET GET },
	  1,
	  1 },
	{ "nor an interim one",
	  GET GET,
	  { { .answers = { HI, "HTTP/1.1 100 Continue\r\n\r\n" } }, { .answers = { HI } } },
	  HI REPLY("502 Bad Gateway", "16"),
	  { GET GET },
	  1,
	  1 },
};

Test(exchange, a_stale_connection_is_replaced_once_where_that_is_safe)
{
	expect_exchanges(&relays, stale, ROW_COUNT(stale));
}

Test(exchange, a_body_that_is_no_longer_in_hand_cannot_be_sent_again)
{
	static const struct play_backend backends[PLAY_LINKS_MAX] = { { .answers = { HI } },
								      { .answers = { HI } } };
	struct play script = { .service = &relays, .client = GET PUT_BODY, .backends = backends };
	struct play_result result;

	play(&script, &(struct play_pieces){ 0 }, &result);
	cr_expect_str_eq(result.client.bytes, HI HI, "all of it in hand: %s", result.client.bytes);
	play_free(&result);
	play(&script, &(struct play_pieces){ .client_cut = strlen(GET PUT_BODY) - 1 }, &result);
	cr_expect_str_eq(result.client.bytes, HI REPLY("502 Bad Gateway", "16"), "in part: %s",
			 result.client.bytes);
	play_free(&result);
}

Test(exchange, a_link_whose_writes_fail_is_not_kept_though_it_answered)
{
	static const struct play_backend backends[PLAY_LINKS_MAX] = {
		{ .deaf = true, .answers = { HI } }, { .answers = { HI } }
	};
	struct play script = { .service = &relays,
			       .client = POST_NOTHING GET,
			       .backends = backends };
	struct play_result result;

	play(&script, &(struct play_pieces){ 0 }, &result);
	cr_expect_str_eq(result.client.bytes, HI HI);
	cr_expect_eq(result.link_count, 2);
	play_free(&result);
}

/* An app's call: only whether it went well shows. */

static const struct exchange called[] = {
	{ "well", GET GET, { { .answers = { HI, HI } } }, HELLO HELLO, { NULL }, 1, 2 },
	{ "well, in chunks",
	  GET GET,
	  { { .answers = { OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", HI } } },
	  HELLO HELLO,
	  { NULL },
	  1,
	  2 },
	{ "well, in chunks, for an old client",
	  OLD,
	  { { .answers = { OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" } } },
	  HELLO_CLOSE,
	  { NULL },
	  1,
	  1 },
	{ "well, to the end of the connection",
	  GET GET,
	  { { .answers = { OK "\r\nhi" } }, { .answers = { HI } } },
	  HELLO HELLO,
	  { NULL },
	  2,
	  1 },
	{ "well, for HEAD",
	  HEAD GET,
	  { { .answers = { HI, HI } } },
	  REPLY_HEAD("200 OK", "14", "") HELLO,
	  { NULL },
	  1,
	  2 },
	{ "interim first",
	  GET,
	  { { .answers = { "HTTP/1.1 100 Continue\r\n\r\n" HI } } },
	  HELLO,
	  { NULL },
	  1,
	  1 },
	{ "another status",
	  GET GET,
	  { { .answers = { "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", HI } } },
	  REPLY("502 Bad Gateway", "16") HELLO,
	  { NULL },
	  1,
	  2 },
	{ "refused",
	  GET GET,
	  { { .refused = -ECONNREFUSED }, { .answers = { HI } } },
	  REPLY("502 Bad Gateway", "16") HELLO,
	  { NULL },
	  2,
	  1 },
	{ "silent",
	  GET,
	  { { .then = PLAY_IS_SILENT } },
	  REPLY("504 Gateway Timeout", "20"),
	  { NULL },
	  1,
	  0 },
	{ "garbage",
	  GET,
	  { { .answers = { "nonsense" } } },
	  REPLY("502 Bad Gateway", "16"),
	  { NULL },
	  1,
	  0 },
	{ "garbage for content",
	  GET,
	  { { .answers = { OK "Transfer-Encoding: chunked\r\n\r\nx\r\n" } } },
	  REPLY("502 Bad Gateway", "16"),
	  { NULL },
	  1,
	  0 },
	{ "half the content",
	  GET GET,
	  { { .answers = { OK "Content-Length: 9\r\n\r\nhalf" } }, { .answers = { HI } } },
	  REPLY("502 Bad Gateway", "16") HELLO,
	  { NULL },
	  2,
	  1 },
	{ "stale, then well",
	  GET GET,
	  { { .answers = { HI } }, { .answers = { HI } } },
	  HELLO HELLO,
	  { NULL },
	  2,
	  2 },
	{ "stale for a POST, which it isn't to the backend",
	  GET POST_NOTHING,
	  { { .answers = { HI } }, { .answers = { HI } } },
	  HELLO HELLO,
	  { NULL },
	  2,
	  2 },
	{ "half the content on a kept connection is no staleness",
	  GET GET,
	  { { .answers = { HI, OK "Content-Length: 9\r\n\r\nhalf" } }, { .answers = { HI } } },
	  HELLO REPLY("502 Bad Gateway", "16"),
	  { NULL },
	  1,
	  1 },
};

Test(exchange, an_app_answers_200_when_its_call_went_well_and_502_or_504_if_not)
{
	struct service service = calls();

	expect_exchanges(&service, called, ROW_COUNT(called));
}

/* Memory: play() itself asserts that there are never more than two buffers. */

enum { LARGE = 10 << 20 };

static char *make_large(const char *head, size_t *length)
{
	char *bytes = malloc(strlen(head) + LARGE + 1);
	char *end;

	cr_assert_not_null(bytes);
	end = stpcpy(bytes, head);
	for (size_t i = 0; i < LARGE; i++)
		*end++ = (char)('a' + i % 23);
	*end = '\0';
	*length = (size_t)(end - bytes);
	return bytes;
}

Test(exchange, a_large_request_passes_through_two_buffers)
{
	static const struct service large = { .kind = SERVICE_PROXY,
					      .wait = WAIT_BACKEND,
					      .body_most = LARGE };
	static const struct play_backend backends[PLAY_LINKS_MAX] = { { .answers = { HI } } };
	struct play script = { .service = &large, .backends = backends };
	struct play_result result;
	char *client = make_large(POST "Content-Length: 10485760\r\n\r\n", &script.client_length);

	script.client = client;
	play(&script, &(struct play_pieces){ 0 }, &result);
	cr_expect_str_eq(result.client.bytes, HI);
	cr_expect_eq(result.links[0].length, script.client_length);
	cr_expect_eq(memcmp(result.links[0].bytes, client, script.client_length), 0);
	cr_expect_leq(result.buffers, 2);
	play_free(&result);
	free(client);
}

Test(exchange, a_large_response_passes_through_two_buffers)
{
	static const char *const heads[] = { OK "Content-Length: 10485760\r\n\r\n",
					     OK "Connection: close\r\n\r\n" };

	for (size_t i = 0; i < ROW_COUNT(heads); i++) {
		size_t length;
		char *answer = make_large(heads[i], &length);
		struct play_backend backends[PLAY_LINKS_MAX] = { { .answers = { answer } } };
		struct play script = { .service = &relays, .client = GET, .backends = backends };
		struct play_result result;

		play(&script, &(struct play_pieces){ 0 }, &result);
		cr_expect_eq(result.client.length, length);
		cr_expect_eq(memcmp(result.client.bytes, answer, length), 0);
		cr_expect_leq(result.buffers, 2);
		play_free(&result);
		free(answer);
	}
}
