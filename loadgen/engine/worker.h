/*
 * One thread of the load generator: its share of the connections and of the schedule, and a loop
 * that does what is due and waits for what comes next. What its connections do is in traffic.c.
 * Threads share nothing that is written in a request's way.
 */
#pragma once
#include "common/random.h"
#include "loadgen/engine/load.h"
#include "loadgen/engine/parts.h"
#include "loadgen/engine/reply.h"
#include "loadgen/engine/timers.h"
#include <stdatomic.h>

/* A request that is under way, or waits for its connection. */
struct flight {
	int64_t intended_ns; /* when it was meant to go */
	int64_t sent_ns;     /* when it went; the first on a connection: when that began */
	int request;         /* of the set */
};

enum slot_state {
	SLOT_CLOSED,
	SLOT_CONNECTING,
	SLOT_OPEN,
	SLOT_ENDING, /* waits for the server to close */
};

/* A connection's place; the flights are a ring. */
struct slot {
	enum slot_state state;
	bool served;
	bool is_free;  /* it is in the ring of those that can take a request */
	bool is_timed; /* it is among the timers */
	bool sending;  /* the transport has the last one sent pending */
	uint32_t first;
	uint32_t count;
	uint32_t unsent;     /* of them, the last ones, that the transport has not been given */
	int64_t carried;     /* requests that this connection was given */
	int64_t since_ns;    /* start of connecting, or of waiting for the end */
	int64_t intended_ns; /* of the request that it is opened for */
	struct reply reply;
};

/* What the threads of a run share. The times are absolute; INT64_MAX until they are known. */
struct shared {
	const struct load_config *config;
	int threads;
	int pipeline;
	atomic_int ready; /* threads that have started all of their connections */
	_Atomic int64_t schedule_start_ns;
	_Atomic int64_t window_start_ns;
	atomic_bool over;     /* one has ended before its time: all do */
	atomic_bool answered; /* the target has, some thread */
	atomic_int refused;   /* threads that are refused everything for some time */
	/* Called by the first thread once the ramp is known: starts the others. 0 or -errno. */
	int (*start_others)(struct shared *shared);
	int64_t ramp_start_ns;
	int64_t ramp_ns;
	struct parts parts;
	struct worker **workers;
};

struct worker {
	struct shared *shared;
	const struct load_config *config;
	struct load_result *result; /* this thread's */
	int index;
	int rc;

	const struct transport *transport;
	void *made; /* its instance, in the run */
	struct slot *slots;
	struct flight *flights;     /* `pipeline` for each slot */
	uint32_t count;             /* of slots */
	uint32_t opened;            /* that the ramp has started */
	uint32_t connected;         /* that are open now */
	struct reply_check *checks; /* one for each of the requests */
	struct timers timers; /* closed loop: of slots that think, or are to be opened again */
	struct random random;

	/* Open loop: slots that can take a request, in the order in which they became so. */
	uint32_t *free;
	uint32_t free_first;
	uint32_t free_count;
	int64_t free_since_ns; /* when the ring became more than empty */
	struct schedule schedule;
	int64_t next_ns; /* of the schedule: the next request that has not gone; INT64_MAX: none */
	uint64_t owed;   /* requests of the window that are under way */
	int64_t last_sent_ns; /* of those of the window, when the last went */
	int64_t longest_ns;   /* latency from send, since the start */

	int64_t now_ns; /* not long ago */
	bool any_reply;
	int64_t last_reply_ns;
	int64_t refused_since_ns; /* first refusal since a connection or a reply; 0: none */
	int64_t refused_ns;       /* the latest */
	bool is_refused;          /* counted among shared->refused */
	bool knows_ramp;          /* the first thread */
	bool is_ready;
	bool in_window;
	bool draining;
	int64_t window_start_ns; /* open loop: as planned; closed: as it was */
	int64_t window_end_ns;
	int64_t drain_end_ns;
	int64_t cpu_start_ns;
	int64_t waiting_start_ns;
	int64_t next_scan_ns;
	uint32_t scan_from;
	int64_t next_progress_ns;
	int64_t margin_ns; /* waits end so much early, the rest is spun */
	int part;          /* of the window, the one that is being counted */
	uint64_t part_errors;
	struct histogram part_latency;

	/* For the first thread, which tells the progress. */
	_Atomic uint64_t requests_told;
	_Atomic uint64_t errors_told;
	_Atomic uint32_t opened_told;
};

static inline int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t greatest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static inline bool worker_is_open_loop(const struct worker *worker)
{
	return worker->config->schedule;
}

/* The flight of a slot: 0 is the oldest. */
static inline struct flight *worker_flight(struct worker *worker, uint32_t index, uint32_t which)
{
	uint32_t pipeline = (uint32_t)worker->shared->pipeline;

	return &worker->flights[(size_t)index * pipeline +
				(worker->slots[index].first + which) % pipeline];
}

/* Make one; free it with worker_free(). Returns 0 or -errno. */
int worker_new(struct shared *shared, int index, struct load_result *result,
	       struct worker **worker);
void worker_free(struct worker *worker);

/* Load until the end. Sets worker->rc: 0, or why there is nothing to report. */
void worker_run(struct worker *worker);
