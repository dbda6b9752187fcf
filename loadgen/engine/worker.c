#include "loadgen/engine/worker.h"
#include "common/clock.h"
#include "loadgen/engine/traffic.h"
#include "loadgen/engine/window.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>

enum {
	PROGRESS_NS = 100 * NS_PER_MS,
	/* As often all connections are looked through for late replies; a short time-out: more
	   often. */
	SCAN_NS = 100 * NS_PER_MS,
	SCAN_SLICES = 16,
	SLICE_LEAST_NS = NS_PER_MS,
	CONNECT_GAP_NS = 50 * NS_PER_US, /* of a ramp: 20,000 connections a second at the most */
	CONNECTS_AT_ONCE = 64,
	START_MARGIN_NS = 20 * NS_PER_MS, /* for all threads to hear of the start before it is */
	LISTEN_NS = 5 * NS_PER_MS,        /* as often they look for it meanwhile */
	DEAD_NS = 3LL * NS_PER_S,         /* a target that refuses all for so long has died */
	MARGIN_STEP_NS = 2 * NS_PER_US,
	SPIN_PIECE_MOST_NS = 10 * NS_PER_US,
};

/* Making one */

int worker_new(struct shared *shared, int index, struct load_result *result, struct worker **made)
{
	const struct load_config *config = shared->config;
	int64_t count = config->connections / shared->threads +
			(index < config->connections % shared->threads);
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->shared = shared;
	w->config = config;
	w->result = result;
	w->index = index;
	w->count = (uint32_t)count;
	w->transport = config->transport ? config->transport : &transport_epoll;
	w->slots = calloc((size_t)count, sizeof(*w->slots));
	w->flights = calloc((size_t)count * (size_t)shared->pipeline, sizeof(*w->flights));
	w->free = calloc((size_t)count, sizeof(*w->free));
	w->checks = calloc((size_t)config->requests->count, sizeof(*w->checks));
	if (!w->slots || !w->flights || !w->free || !w->checks ||
	    timers_init(&w->timers, w->count) != 0) {
		worker_free(w);
		return -ENOMEM;
	}
	for (int i = 0; i < config->requests->count; i++) {
		w->checks[i].head_request = config->requests->requests[i].is_head;
		w->checks[i].same_reply = config->same_reply;
	}
	w->random.state = random_seed(config->seed, (uint64_t)index);
	w->next_ns = w->window_start_ns = w->window_end_ns = INT64_MAX;
	w->margin_ns = config->spin_ns / 2;
	*made = w;
	return 0;
}

void worker_free(struct worker *w)
{
	if (w->slots && w->checks)
		for (uint32_t i = 0; i < w->count; i++)
			reply_clear(&w->checks[0], &w->slots[i].reply);
	timers_deinit(&w->timers);
	free(w->checks);
	free(w->free);
	free(w->flights);
	free(w->slots);
	free(w);
}

/* The ramp */

/* When the ramp starts this thread's connection: they are dealt out to the threads in turn. */
static int64_t open_at(const struct worker *w, uint32_t slot)
{
	const struct shared *shared = w->shared;
	double share = ((double)slot * shared->threads + w->index) / (double)w->config->connections;

	return shared->ramp_start_ns + (int64_t)((double)shared->ramp_ns * share);
}

/* The first reply has told how long the ramp is to be. */
static void know_ramp(struct worker *w)
{
	struct shared *shared = w->shared;

	if (shared->ramp_ns == LOAD_RAMP_AUTO) {
		shared->ramp_ns = w->last_reply_ns - shared->ramp_start_ns;
		shared->ramp_start_ns = w->last_reply_ns;
	}
	shared->ramp_ns = greatest(shared->ramp_ns, w->config->connections * CONNECT_GAP_NS);
	w->knows_ramp = true;
	w->rc = shared->start_others(shared);
}

/* All connections of all threads have been started: when does what begin? */
static void set_start(struct worker *w)
{
	struct shared *shared = w->shared;
	/* A ramp of thousands may take longer than it was meant to. */
	int64_t start_ns = greatest(shared->ramp_start_ns + shared->ramp_ns, w->now_ns);

	if (shared->threads > 1)
		start_ns += START_MARGIN_NS;
	shared->window_start_ns = start_ns + w->config->warmup_ns;
	shared->schedule_start_ns = start_ns;
}

static void hear_start(struct worker *w)
{
	int64_t start_ns = w->shared->schedule_start_ns;

	if (start_ns == INT64_MAX)
		return;
	w->window_start_ns = w->shared->window_start_ns;
	w->window_end_ns = w->window_start_ns + w->config->window_ns;
	if (worker_is_open_loop(w)) {
		schedule_start(&w->schedule, w->config->schedule, w->index, w->shared->threads);
		w->next_ns = start_ns + schedule_next(&w->schedule);
	}
}

static void ramp(struct worker *w)
{
	struct shared *shared = w->shared;
	bool is_first = w->index == 0;

	if (is_first && w->opened == 0)
		traffic_open(w, w->opened++, w->now_ns);
	if (is_first && !w->knows_ramp && w->rc == 0 &&
	    (shared->ramp_ns != LOAD_RAMP_AUTO || w->any_reply))
		know_ramp(w);
	if (shared->ramp_ns == LOAD_RAMP_AUTO)
		return;
	for (int i = 0;
	     i < CONNECTS_AT_ONCE && w->opened < w->count && open_at(w, w->opened) <= w->now_ns;
	     i++)
		traffic_open(w, w->opened++, w->now_ns);
	if (w->opened < w->count)
		return;
	if (!w->is_ready)
		shared->ready++;
	w->is_ready = true;
	if (is_first && shared->ready == shared->threads && shared->schedule_start_ns == INT64_MAX)
		set_start(w);
	hear_start(w);
}

/* What is due */

static void report_progress(struct worker *w)
{
	const struct shared *shared = w->shared;
	struct load_part newest = parts_newest(&w->shared->parts);
	int64_t end_ns = w->window_end_ns;
	struct load_progress progress = {
		.phase = w->draining                      ? LOAD_DRAIN
			 : w->in_window                   ? LOAD_WINDOW
			 : w->window_start_ns < INT64_MAX ? LOAD_WARM_UP
							  : LOAD_RAMP,
		.p99_ns = newest.p99_ns,
		.throughput = (double)newest.requests * w->config->part_count * NS_PER_S /
			      (double)w->config->window_ns,
	};

	for (int i = 0; i < shared->threads && shared->workers[i]; i++) {
		progress.connections += shared->workers[i]->opened_told;
		progress.requests += shared->workers[i]->requests_told;
		progress.errors += shared->workers[i]->errors_told;
	}
	if (end_ns == INT64_MAX)
		end_ns = shared->ramp_start_ns + greatest(shared->ramp_ns, 0) +
			 w->config->warmup_ns + w->config->window_ns;
	progress.left_ns = greatest(end_ns - w->now_ns, 0);
	w->config->on_progress(w->config->context, &progress);
	w->next_progress_ns = w->now_ns + PROGRESS_NS;
}

/* Look through a slice of the connections that the ramp has started. */
static void scan(struct worker *w)
{
	uint32_t slice = (w->opened + SCAN_SLICES - 1) / SCAN_SLICES;

	if (w->scan_from >= w->opened)
		w->scan_from = 0;
	if (slice > w->opened - w->scan_from)
		slice = w->opened - w->scan_from;
	traffic_expire(w, w->scan_from, slice);
	w->scan_from += slice;
	w->next_scan_ns =
		w->now_ns +
		greatest(least(SCAN_NS, w->config->timeout_ns / 4) / SCAN_SLICES, SLICE_LEAST_NS);
}

static void tell_others(struct worker *w)
{
	atomic_store_explicit(&w->requests_told, w->result->all_requests, memory_order_relaxed);
	atomic_store_explicit(&w->errors_told, w->result->error_count, memory_order_relaxed);
	atomic_store_explicit(&w->opened_told, w->opened, memory_order_relaxed);
}

/* Do what is due; returns when there is something to do that need not be done to the point. */
static int64_t keep_time(struct worker *w)
{
	int64_t next_ns;

	if (w->window_start_ns == INT64_MAX)
		ramp(w);
	if (!w->in_window && !w->draining && w->now_ns >= w->window_start_ns)
		window_begin(w);
	if (w->in_window && worker_is_open_loop(w) && w->now_ns >= w->window_end_ns) {
		window_end(w);
		window_begin_drain(w);
	}
	if (w->in_window)
		window_watch_backlog(w);
	if (w->now_ns >= w->next_scan_ns)
		scan(w);
	next_ns = w->next_scan_ns;
	if (w->index == 0 && w->config->on_progress) {
		tell_others(w);
		if (w->now_ns >= w->next_progress_ns)
			report_progress(w);
		next_ns = least(next_ns, w->next_progress_ns);
	} else if (w->index > 0) {
		tell_others(w);
	}
	if (w->window_start_ns == INT64_MAX && w->shared->ramp_ns != LOAD_RAMP_AUTO)
		next_ns = least(next_ns, w->opened < w->count ? open_at(w, w->opened)
							      : w->now_ns + LISTEN_NS);
	if (w->draining)
		return least(next_ns, w->drain_end_ns);
	return least(next_ns, w->in_window ? w->window_end_ns : w->window_start_ns);
}

/* Requests that are due to the point; returns when the next is. */
static int64_t keep_schedule(struct worker *w)
{
	while (timers_next_ns(&w->timers) <= w->now_ns) {
		int64_t due_ns = timers_next_ns(&w->timers);

		traffic_resume(w, timers_take(&w->timers), due_ns);
	}
	if (w->next_ns <= w->now_ns)
		traffic_launch(w);
	return least(timers_next_ns(&w->timers), w->free_count > 0 ? w->next_ns : INT64_MAX);
}

/* Waiting */

/*
 * A wait in the kernel ends late, on an idle virtual processor by some 50 us. What is due to the
 * point is therefore slept for less long, by a margin that follows the 99th percentile of that
 * lateness (stochastic approximation, Robbins & Monro 1951), and the rest is spun.
 */
static void learn_margin(struct worker *w, int64_t late_ns)
{
	if (late_ns > w->margin_ns)
		w->margin_ns += MARGIN_STEP_NS * 99 / 100;
	else
		w->margin_ns -= MARGIN_STEP_NS / 100;
	w->margin_ns = least(greatest(w->margin_ns, 0), w->config->spin_ns);
}

static int await(struct worker *w, int64_t next_ns, int64_t due_ns)
{
	int64_t margin_ns = due_ns < INT64_MAX ? w->margin_ns : 0;
	int64_t until_ns = least(next_ns, due_ns - margin_ns);
	int64_t woke_ns = 0;
	int64_t now_ns = clock_now_ns();
	int told = w->transport->wait(w->made, greatest(until_ns - now_ns, 0), &woke_ns);

	if (told > 0) {
		if (w->in_window)
			histogram_record_times(&w->result->lag, clock_now_ns() - woke_ns,
					       (uint64_t)told);
	} else if (told == 0 && until_ns <= now_ns && due_ns > now_ns) {
		if (w->in_window)
			/* A piece that took longer was not spun, but waited for the processor. */
			w->result->spin_ns += least(clock_now_ns() - now_ns, SPIN_PIECE_MOST_NS);
	} else if (told == 0 && until_ns > now_ns && until_ns == due_ns - margin_ns) {
		learn_margin(w, clock_now_ns() - until_ns);
	}
	return told < 0 ? told : 0;
}

/* The end */

static bool is_stopped(const struct worker *w)
{
	return w->shared->over ||
	       (w->config->stop && atomic_load_explicit(w->config->stop, memory_order_relaxed));
}

/* A target that has never answered, nor will: the error to end with, or 0. */
static int is_hopeless(const struct worker *w)
{
	const uint64_t *errors = w->result->errors;

	if (w->shared->answered || w->result->error_count == 0)
		return 0;
	if (errors[LOAD_ERROR_REFUSED] + errors[LOAD_ERROR_CONNECT] > 0)
		return w->result->last_error;
	if (w->shared->ramp_ns == LOAD_RAMP_AUTO)
		return errors[LOAD_ERROR_TIMEOUT] > 0 ? -ETIMEDOUT : -EPROTO;
	return 0;
}

/* One that did answer, and has refused every thread everything for some time. */
static bool has_died(struct worker *w)
{
	struct shared *shared = w->shared;
	bool is_refused = w->connected == 0 && w->refused_ns - w->refused_since_ns > DEAD_NS;

	if (is_refused != w->is_refused)
		shared->refused += is_refused ? 1 : -1;
	w->is_refused = is_refused;
	return shared->answered && shared->refused == shared->threads;
}

static bool is_over(struct worker *w)
{
	if (is_stopped(w))
		return true;
	if (w->draining)
		return window_is_drained(w);
	if (w->in_window && w->now_ns >= w->window_end_ns && !worker_is_open_loop(w))
		return true;
	w->result->target_died = has_died(w);
	return w->result->target_died;
}

/* By the thread that runs it: an io_uring takes operations from no other. */
static int open_transport(struct worker *w)
{
	int64_t before = w->config->connections / w->shared->threads * w->index +
			 least(w->index, w->config->connections % w->shared->threads);
	struct transport_setup setup = {
		.slots = w->count,
		.address = &w->config->address,
		.sources = w->config->sources,
		.source_count = w->config->source_count,
		.first_source = (uint32_t)before, /* the connections of the threads before */
		.client = traffic_client(w),
	};

	return w->transport->create(&setup, &w->made);
}

static void close_transport(struct worker *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		w->transport->close(w->made, i, TRANSPORT_RESET);
	w->transport->destroy(w->made);
}

void worker_run(struct worker *w)
{
	prctl(PR_SET_TIMERSLACK, 1);
	w->rc = open_transport(w);
	if (w->rc != 0) {
		w->shared->over = true;
		return;
	}
	w->now_ns = clock_now_ns();
	w->next_scan_ns = w->next_progress_ns = w->now_ns + PROGRESS_NS;
	while (w->rc == 0 && !is_over(w)) {
		int64_t next_ns = keep_time(w);
		int64_t due_ns = keep_schedule(w);

		if (w->rc == 0)
			w->rc = await(w, next_ns, due_ns);
		if (w->rc == 0)
			w->rc = is_hopeless(w);
		w->now_ns = clock_now_ns();
	}
	if (w->in_window)
		window_end(w);
	if (w->rc != 0 || w->result->target_died)
		w->shared->over = true;
	window_settle(w);
	if (w->index == 0 && w->config->on_edge && w->result->window_ns > 0)
		w->config->on_edge(w->config->context, LOAD_EDGE_DONE);
	tell_others(w);
	close_transport(w);
}
