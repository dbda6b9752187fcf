/*
 * The load generator. Closed loop: each of N connections sends its next request when a reply is in
 * (and, if asked, some time to think has passed). Open loop: requests are sent by a schedule that
 * knows nothing of replies; one that finds every connection busy waits here, and its latency counts
 * from when it was meant to go.
 *
 *   ├──── ramp ────┤── warm-up ──┤────────────── window ──────────────┤─ drain ─┤
 *                                 └ edge(START)       edge(END) ┘   edge(DONE) ┘
 *
 * Connections start one after the other over the ramp, so that they do not beat together. In the
 * window it is measured: of a closed loop the replies that come in it, of an open loop the requests
 * that are meant to go in it, so that their number is the schedule's. The drain waits for the last
 * of those, while the schedule goes on.
 *
 *   load      the run: threads, what is common to them, what becomes of it
 *   worker    one thread's loop: what is due, and the wait until then
 *   traffic   what its connections do
 *   schedule  when requests are meant to go
 *   transport how bytes travel: epoll, io_uring, or null, which is nothing
 *
 * Every reply is checked: framing, status, and (same_reply) that it is byte for byte the first.
 */
#pragma once
#include "common/net.h"
#include "loadgen/engine/histogram.h"
#include "loadgen/engine/requests.h"
#include "loadgen/engine/schedule.h"
#include "loadgen/engine/transport.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum load_error {
	LOAD_ERROR_REFUSED,   /* nothing listens there */
	LOAD_ERROR_CONNECT,   /* no connection, for another reason */
	LOAD_ERROR_RESET,     /* the connection broke, before or in a reply */
	LOAD_ERROR_CLOSED,    /* it was closed before a reply, or in its head */
	LOAD_ERROR_SHORT,     /* it was closed in a reply's body */
	LOAD_ERROR_TIMEOUT,   /* no connection, or no complete reply, in time */
	LOAD_ERROR_STATUS,    /* a status other than 2xx or 3xx */
	LOAD_ERROR_MALFORMED, /* not HTTP, or more than the reply */
	LOAD_ERROR_CHANGED,   /* same_reply: a good reply, but not the first one's bytes */
	LOAD_ERRORS,
};

extern const char *const load_error_names[LOAD_ERRORS];

enum { LOAD_RAMP_AUTO = -1, LOAD_THREADS_MAX = 64, LOAD_PIPELINE_MAX = 64 };

enum load_phase { LOAD_RAMP, LOAD_WARM_UP, LOAD_WINDOW, LOAD_DRAIN };
enum load_edge { LOAD_EDGE_START, LOAD_EDGE_END, LOAD_EDGE_DONE };

/* How a connection ends that has carried as many requests as it was to. */
enum load_close {
	LOAD_CLOSE_RESET,  /* by a reset, so that no port stays in TIME_WAIT */
	LOAD_CLOSE_CLIENT, /* in order, this side first, which then has the TIME_WAIT */
	LOAD_CLOSE_SERVER, /* the last request says so; the server closes first */
};

struct load_progress {
	enum load_phase phase;
	int64_t left_ns; /* until the window ends; of an automatic ramp, a guess */
	int64_t connections;
	uint64_t requests; /* since the start */
	uint64_t errors;
	double throughput; /* requests per second of the last part of the window; 0: none yet */
	int64_t p99_ns;    /* from send, of that part */
};

/* One of the equal parts of the window. */
struct load_part {
	uint64_t requests; /* good replies that came in it */
	uint64_t errors;
	double mean_ns; /* of their latencies from send */
	int64_t p50_ns;
	int64_t p99_ns;
	int64_t most_ns;
};

struct load_config {
	const struct transport *transport; /* NULL: epoll */
	struct net_address address;
	const struct net_address *sources; /* local addresses, taken in turn */
	uint32_t source_count;             /* 0: the kernel's choice */
	const struct request_set *requests;
	bool same_reply;
	int threads;         /* at most N; 0 is 1 */
	int64_t connections; /* N */
	int pipeline;        /* requests under way on a connection, at the most; 0 is 1 */
	/* After so many replies the connection is closed, and a new one opened; 0: no bound. */
	int64_t requests_per_connection;
	enum load_close close;
	const struct schedule_plan *schedule; /* open loop; NULL: closed */
	int64_t spin_ns;  /* before what is due to the point, at most so much is not slept */
	int64_t think_ns; /* closed loop: from a reply to the next request */
	bool think_exponential;
	uint64_t seed;   /* of think times, and of the choice among several requests */
	int64_t ramp_ns; /* or LOAD_RAMP_AUTO: the first reply's latency */
	int64_t warmup_ns;
	int64_t window_ns;
	int64_t timeout_ns;      /* for a reply; the first on a connection: for both */
	struct load_part *parts; /* the window's equal parts, filled in by the run */
	int part_count;
	/*
	 * At the window's edges: what it does delays the load, so it must be quick. And when all is
	 * done, with the connections still there, if the window was reached.
	 */
	void (*on_edge)(void *context, enum load_edge edge);
	/* Some ten times a second, or NULL. */
	void (*on_progress)(void *context, const struct load_progress *progress);
	void *context;
	const atomic_bool *stop; /* ends the run early, or NULL */
};

struct load_result {
	uint64_t requests;     /* that count: complete good replies */
	uint64_t all_requests; /* good replies since the start of the ramp */
	int64_t window_start_unix_ns;
	int64_t window_ns; /* as it was */
	/*
	 * Requests per second: over the window; of an open loop whose last requests went later than
	 * that, over the time until those went.
	 */
	double throughput;
	uint64_t errors[LOAD_ERRORS]; /* since the start of the ramp */
	uint64_t error_count;
	uint64_t connects;     /* connections that were had, since the start of the ramp */
	int64_t never_served;  /* closed loop: connections without one good reply until the end */
	int64_t client_cpu_ns; /* of the threads that load, in the window; spinning included */
	int64_t spin_ns;       /* of that, spent in looking for events until something is due */
	double busy;    /* of the busiest thread: CPU without spinning, a share of the window */
	double waiting; /* of the thread that waited most for a processor, a share likewise */
	bool interrupted;
	bool target_died; /* it answered, then refused all; the run ended before its time */
	int last_error;   /* of a connection that could not be had: -errno, or 0 */
	/* Open loop */
	uint64_t scheduled;     /* requests that were meant to go in the window */
	uint64_t unfinished;    /* of those, neither answered nor failed when the drain had ended */
	int64_t backlog_end_ns; /* how far sending was behind the schedule at the window's end */
	int64_t backlog_left_ns;  /* and the least of it in the drain */
	int64_t backlog_least_ns; /* the least since the window's middle */
	uint64_t failed;          /* requests that were meant to go in the window, and failed */
	/*
	 * Of the requests that count, from when they were meant to go, and from when they went. The
	 * first on a connection that is opened for it counts from the start of connect(): that is
	 * what a client with one request per connection waits for. In an open loop, requests that
	 * are unfinished or timed out are in with their age: theirs is a lower bound.
	 */
	struct histogram latency;
	struct histogram sent_latency;
	struct histogram lag; /* how long a reply waited for this program's attention, at most */
	struct histogram start_lag; /* of what had a free connection: sent after it was meant to */
};

/*
 * Add what another thread or another process had: counts are summed, of lags, backlogs and shares
 * of a processor the greatest is taken. Windows are left as they are.
 */
void load_add_result(struct load_result *sum, const struct load_result *more);

/*
 * What stands against the config's connections from this process, as a sentence that names the
 * limit and the setting; NULL if nothing does. Raises the soft limit of descriptors if that helps.
 */
const char *load_refusal(const struct load_config *config, char *text, size_t size);

/*
 * Run it, on the calling thread and threads - 1 others. Returns 0 (what went wrong with single
 * requests is in the result), -ECONNREFUSED and the like when not one connection could be had,
 * -ETIMEDOUT or -EPROTO when there was no good first reply, -ENOMEM, -EAGAIN (no thread), or what
 * the transport could not be created for.
 */
int load_run(const struct load_config *config, struct load_result *result);
