/*
 * What a request becomes. A service is a constant that every connection shares: which work is
 * done, what is waited for, and what the answer is. `conn` carries it out.
 *
 *   app    reads and drops the body, works, waits (timer or a call to the backend), answers
 *   proxy  works, then relays the request to the backend and its response to the client
 *   delay  answers after the time that the path names: the backend of the other two
 */
#pragma once
#include "common/http.h"
#include "servers/work.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum service_kind { SERVICE_APP, SERVICE_PROXY, SERVICE_DELAY };
enum service_wait { WAIT_BACKEND, WAIT_TIMER, WAIT_NONE };
enum delay_distribution { DELAY_CONSTANT, DELAY_EXPONENTIAL };

struct service {
	enum service_kind kind;
	enum service_wait wait;
	struct work work;
	int64_t wait_ns; /* WAIT_TIMER */
	char call[128];  /* app with WAIT_BACKEND: the request it sends */
	size_t call_length;
	int64_t body_most;                    /* bytes of request content; more is 413 */
	enum delay_distribution distribution; /* delay: for requests that name none */
};

/* What is particular to one request. */
struct service_plan {
	int status;         /* 200, or the status that refuses it */
	int64_t wait_ns;    /* before the reply */
	int64_t body_bytes; /* of the reply; -1: the service's own short text */
};

/* Fill in call and call_length for an app that waits `wait_ns` for its backend. */
void service_set_call(struct service *service, int64_t wait_ns);

/*
 * What the request whose complete head this is asks for. `random` is the state of the generator
 * that exponential delays are drawn from.
 */
struct service_plan service_plan(const struct service *service, const struct http_message *request,
				 const char *head, size_t length, uint64_t *random);

/* The content of replies without a body_bytes of their own. */
#define SERVICE_TEXT "Hello, world.\n"
enum { SERVICE_TEXT_LENGTH = sizeof(SERVICE_TEXT) - 1 };

/* Content of any length is this block again and again. */
enum { SERVICE_FILL_LENGTH = 16384 };
const char *service_fill(void);
