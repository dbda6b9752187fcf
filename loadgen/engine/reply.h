/*
 * Checks replies: framing and status, however the bytes come in pieces. Most replies are byte for
 * byte like one before, and are then compared rather than parsed.
 */
#pragma once
#include "common/http.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPLY_TEMPLATE_BYTES = 16384 };

enum reply_outcome {
	REPLY_MORE, /* it goes on */
	REPLY_GOOD,
	REPLY_CLOSED,    /* the input ended before the head was complete */
	REPLY_SHORT,     /* it ended behind the head, before the body was complete */
	REPLY_STATUS,    /* a status other than 2xx or 3xx */
	REPLY_MALFORMED, /* not HTTP */
	REPLY_CHANGED,   /* same_reply: a good one, but not the first one's bytes */
	REPLY_NO_MEMORY,
};

/* What all connections have in common. All zero but for the first two, to begin with. */
struct reply_check {
	bool head_request; /* it is HEAD: replies have no body */
	bool same_reply;
	bool has_first;
	bool template_keeps;
	uint32_t template_length;
	uint64_t first_hash; /* same_reply: of the first good reply */
	int64_t partial;     /* replies that are like the template, as far as they have come */
	char template[REPLY_TEMPLATE_BYTES]; /* a good reply */
};

/* The reply that one connection is receiving. All zero to begin with. */
struct reply {
	uint32_t matched;             /* bytes so far, all like the template's */
	bool keep_alive;              /* after REPLY_GOOD: the connection may be used again */
	struct http_message *message; /* parsing one that is not like the template */
	uint64_t hash;                /* same_reply: of what was parsed */
};

/*
 * Feed what came in. After any outcome but REPLY_MORE, call reply_clear() before the next.
 *
 * *used is how many of the bytes are the reply's: all of them while it goes on. After REPLY_GOOD,
 * REPLY_STATUS and REPLY_CHANGED it is where the reply ended, and what the rest is, the next reply
 * or one too many, is the caller's to tell. After the others it says nothing.
 */
enum reply_outcome reply_feed(struct reply_check *check, struct reply *reply, const char *bytes,
			      size_t length, size_t *used);

/*
 * The peer has closed: REPLY_GOOD (or REPLY_STATUS, REPLY_CHANGED) if that ends the reply well,
 * else REPLY_CLOSED or REPLY_SHORT.
 */
enum reply_outcome reply_end_of_input(struct reply_check *check, struct reply *reply);

/* Forget the reply, finished or not, and release what it holds. */
void reply_clear(struct reply_check *check, struct reply *reply);
