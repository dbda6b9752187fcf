/*
 * What a request becomes. A service is a constant that every connection shares: which work is
 * done, what is waited for, and what the answer is. `conn` carries it out.
 *
 *   app    reads and drops the body, works, waits (timer or a call to the backend), answers
 *   proxy  works, then relays the request to the backend and its response to the client
 *   delay  answers after the time that the path names: the backend of the other two
 *
 * Times are constant, or drawn anew for each request from an exponential distribution with that
 * mean: what the closed queueing network is exact for (docs/model.md).
 */
#pragma once
#include "common/http.h"
#include "common/random.h"
#include "servers/work.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum service_kind { SERVICE_APP, SERVICE_PROXY, SERVICE_DELAY };
enum service_wait { WAIT_BACKEND, WAIT_TIMER, WAIT_NONE };
enum service_distribution { SERVICE_CONSTANT, SERVICE_EXPONENTIAL };

struct service {
	enum service_kind kind;
	enum service_wait wait;
	struct work work; /* its mean, where it is drawn */
	int64_t wait_ns;  /* WAIT_TIMER, likewise */
	char call[128];   /* app with WAIT_BACKEND: the request it sends */
	size_t call_length;
	int64_t body_most; /* bytes of request content; more is 413 */
	/* Of work and wait; of a delay whose request names none. */
	enum service_distribution distribution;
};

/* What is particular to one request. */
struct service_plan {
	int status; /* 200, or the status that refuses it */
	struct work work;
	int64_t wait_ns;    /* before the reply */
	int64_t body_bytes; /* of the reply; -1: the service's own short text */
};

/*
 * Fill in call and call_length for an app that waits `wait_ns` for its backend. Which draws it,
 * when the service's distribution says so: the call stays the same bytes.
 */
void service_set_call(struct service *service, int64_t wait_ns);

/*
 * What the request whose complete head this is asks for. `random` is what exponential times are
 * drawn from; constant ones leave it as it is.
 */
struct service_plan service_plan(const struct service *service, const struct http_message *request,
				 const char *head, size_t length, struct random *random);

/* The content of replies without a body_bytes of their own. */
#define SERVICE_TEXT "Hello, world.\n"
enum { SERVICE_TEXT_LENGTH = sizeof(SERVICE_TEXT) - 1 };

/* Content of any length is this block again and again. */
enum { SERVICE_FILL_LENGTH = 16384 };
const char *service_fill(void);
