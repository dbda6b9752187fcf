/*
 * The requests that a run sends, made beforehand: each is one piece of memory, ready to be sent by
 * one call (RFC 9112). Which of them goes next is chosen by weight, at random and anew for each:
 * threads need not agree on a turn then, no pattern comes to beat with the number of connections,
 * and of a Poisson stream of requests, those for each target are a Poisson stream again.
 */
#pragma once
#include "loadgen/engine/alias.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUESTS_WHY_MAX = 256 };

/* Bytes of all bodies together; body.h has the bound of one. */
#define REQUESTS_BYTES_MOST ((int64_t)4 << 30)

struct requests_target {
	const char *target; /* as url.h has it: path and query */
	double weight;      /* positive */
};

struct requests_config {
	const char *method;                    /* a token, such as GET; HEAD has no reply body */
	const struct requests_target *targets; /* one request each */
	int target_count;
	const char *host;           /* what goes into Host:, as url.h has it */
	const char *const *headers; /* lines "Name: value"; a Host among them replaces ours */
	int header_count;
	const char *body;   /* or NULL: a filling of printable text, of body_bytes */
	int64_t body_bytes; /* 0 with a body is one that is empty, without one is none */
	bool with_last;     /* make the variants for a connection's last request too */
};

struct request {
	const char *bytes;
	size_t length;
	/* The same with "Connection: close", so that the server closes first; or NULL and 0. */
	const char *last_bytes;
	size_t last_length;
	bool is_head; /* its reply has no body */
	double weight;
};

/* All zero is a set of none. */
struct request_set {
	struct request *requests; /* in the order of the targets */
	struct alias_column *columns;
	int count;
};

/*
 * Make the set; nothing of `config` is kept. Returns 0, or -errno with a sentence in `why`
 * (REQUESTS_WHY_MAX is enough) and an empty set: -EINVAL (what cannot be sent, or would not be
 * one well-formed request), -EFBIG (bodies that are too large), -ENOMEM.
 */
int requests_make(struct request_set *set, const struct requests_config *config, char *why,
		  size_t size);

void requests_free(struct request_set *set);

/* The request to send next: an index. With one request it takes no number from `random`. */
static inline int requests_pick(const struct request_set *set, struct random *random)
{
	return set->count == 1 ? 0 : alias_pick(set->columns, set->count, random);
}
