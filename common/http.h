/*
 * HTTP/1.1 framing (RFC 9112) over bytes that the caller holds: where a message's head and body
 * end, and whether they are well formed. The parser is http-parser; nothing outside this pair of
 * files knows that.
 *
 * A head must lie in one piece in the caller's buffer. Bodies may be fed in any pieces and are
 * not kept.
 */
#pragma once
#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_HEAD_MAX = 8192,   /* bytes of request line and headers; more is 431 (or 414) */
	HTTP_HEADERS_MAX = 100, /* header lines; more is 431 */
};

enum http_kind { HTTP_KIND_REQUEST, HTTP_KIND_RESPONSE };

enum http_progress {
	HTTP_FED_MORE, /* every byte was used; the message goes on */
	HTTP_FED_HEAD, /* the head ends here; if `done`, so does the message */
	HTTP_FED_DONE, /* the message ends here */
	HTTP_FED_BAD,  /* not HTTP; http_bad_status() says what to answer */
};

struct http_message {
	struct http_parser parser;
	size_t fed;         /* bytes taken so far, up to the one that is bad if one is */
	int64_t body_bytes; /* of content seen so far, chunk framing left out */
	bool head_reply;    /* a response to HEAD: whatever its headers say, it has no body */
	bool head_done;
	bool done;
	bool keep_alive; /* after the head: the connection may carry another message */
};

void http_init(struct http_message *message, enum http_kind kind);

/*
 * Feed `length` bytes. Stops after the byte that ends the head, and after the byte that ends the
 * message; *used says how many bytes were taken.
 */
enum http_progress http_feed(struct http_message *message, const char *bytes, size_t length,
			     size_t *used);

/*
 * The peer has closed: does that end the message well (a body without other framing), as opposed
 * to cutting it short?
 */
bool http_ends_with_close(const struct http_message *message);

/*
 * The status that answers a request which was HTTP_FED_BAD, given all bytes since its start; 0 when
 * more bytes are needed to tell a method that is unknown (501) from a malformed one (400).
 */
int http_bad_status(const struct http_message *message, const char *start, size_t length);

/*
 * What the framing layer doesn't check of a request's complete head: one Host (RFC 9112, 3.2), a
 * known transfer coding, no folded lines, the version, the number of headers. Returns 0 or the
 * status to refuse it with; *expects_continue tells whether the client waits for a 100.
 */
int http_check_request(const struct http_message *message, const char *head, size_t length,
		       bool *expects_continue);

/*
 * Take the hop-by-hop headers (RFC 9110, 7.6.1), those that Connection names, and Expect out of a
 * complete head, in place. What stays is moved to the head's end, so that it still touches the
 * body behind it. Returns the offset at which the head now starts.
 */
size_t http_strip_hop_by_hop(char *head, size_t length);

/* The request target in a complete request head, in *target and *target_length. */
void http_target(const char *head, size_t length, const char **target, size_t *target_length);

bool http_is_head(const struct http_message *request);

/* A method that may be sent again when its fate is unknown (RFC 9110, 9.2.2). */
bool http_is_idempotent(const struct http_message *request);

/* "404 Not Found\n": the code and the reason phrase of a status, as a line. */
const char *http_status_text(int status);

/* The response's body is in chunks. Valid once the head is done. */
bool http_is_chunked(const struct http_message *message);
