/*
 * The closed-loop load generator: N connections over one epoll instance, each of which sends its
 * next request when the last reply is in. Connections start one after the other over the ramp,
 * so that they do not beat together; then a warm-up, then the window that is measured.
 *
 *   ├──── ramp ────┤── warm-up ──┤────────────── window ──────────────┤
 *                                 └ edge(START)       edge(END) ┘
 *
 * Every reply is checked: framing, status, and (same_reply) that it is byte for byte the first.
 * Connections end with a reset, so that no port stays in TIME_WAIT.
 */
#pragma once
#include "common/net.h"
#include "loadgen/engine/histogram.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum load_error {
	LOAD_ERROR_CONNECT,   /* no connection */
	LOAD_ERROR_RESET,     /* the connection broke, before or in a reply */
	LOAD_ERROR_CLOSED,    /* it was closed before the reply was complete */
	LOAD_ERROR_TIMEOUT,   /* no complete reply in time */
	LOAD_ERROR_STATUS,    /* a status other than 2xx or 3xx */
	LOAD_ERROR_MALFORMED, /* not HTTP, or more than the reply */
	LOAD_ERROR_CHANGED,   /* same_reply: a good reply, but not the first one's bytes */
	LOAD_ERRORS,
};

extern const char *const load_error_names[LOAD_ERRORS];

enum { LOAD_WINDOWS_MAX = 64, LOAD_RAMP_AUTO = -1 };

enum load_phase { LOAD_RAMP, LOAD_WARM_UP, LOAD_WINDOW };
enum load_edge { LOAD_EDGE_START, LOAD_EDGE_END };

struct load_progress {
	enum load_phase phase;
	int64_t left_ns; /* until the window ends; of an automatic ramp, a guess */
	int64_t connections;
	uint64_t requests; /* since the start */
	uint64_t errors;
};

struct load_config {
	struct net_address address;
	const char *request; /* the bytes of one request */
	size_t request_length;
	bool head_request; /* it is HEAD: replies have no body */
	bool same_reply;
	int64_t connections; /* N */
	/* After so many replies the connection is closed, and a new one opened; 0: no bound. */
	int64_t requests_per_connection;
	int64_t ramp_ns; /* or LOAD_RAMP_AUTO: the first reply's latency */
	int64_t warmup_ns;
	int64_t window_ns;
	int windows;        /* equal parts of the window that are counted apart, 1...64 */
	int64_t timeout_ns; /* for a reply; the first on a connection: for both */
	/* At the window's edges; what it does delays the load, so it must be quick. */
	void (*on_edge)(void *context, enum load_edge edge);
	/* Some ten times a second, or NULL. */
	void (*on_progress)(void *context, const struct load_progress *progress);
	void *context;
	const atomic_bool *stop; /* ends the run early, or NULL */
};

struct load_result {
	uint64_t requests;     /* complete good replies in the window */
	uint64_t all_requests; /* since the start of the ramp */
	int64_t window_ns;     /* as it was */
	double throughput;     /* requests per second */
	uint64_t window_requests[LOAD_WINDOWS_MAX];
	int windows;
	uint64_t errors[LOAD_ERRORS]; /* since the start of the ramp */
	uint64_t error_count;
	uint64_t connects;     /* connections that were had, since the start of the ramp */
	int64_t never_served;  /* connections without one good reply until the end */
	int64_t client_cpu_ns; /* this process, in the window */
	bool interrupted;
	/*
	 * Of the requests in the window, from send to reply. The first on a connection counts from
	 * the start of connect(): that is what a client with one request per connection waits for.
	 */
	struct histogram latency;
	struct histogram lag; /* how long a reply waited for this program's attention, at most */
};

/*
 * What stands against N connections from this process, as a sentence that names the limit and the
 * setting; NULL if nothing does. Raises the soft limit of descriptors if that helps.
 */
const char *load_refusal(int64_t connections, char *text, size_t size);

/*
 * Run it on the calling thread. Returns 0 (what went wrong with single requests is in the
 * result), -ECONNREFUSED and the like when not one connection could be had, -ETIMEDOUT when
 * there was no first reply, -ENOMEM.
 */
int load_run(const struct load_config *config, struct load_result *result);
