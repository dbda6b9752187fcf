#include "loadgen/engine/window.h"
#include "common/clock.h"
#include <stdio.h>

enum { DRAIN_LEAST_NS = NS_PER_S, LITTLE_BEHIND_NS = 20 * NS_PER_MS };

/* Parts */

/* Hand in what was counted in the parts before that one. */
static void hand_in_parts(struct worker *w, int part)
{
	while (w->part < part) {
		parts_hand_in(&w->shared->parts, w->part, &w->part_latency, w->part_errors);
		histogram_reset(&w->part_latency);
		w->part_errors = 0;
		w->part++;
	}
}

/* The part of the window that a time is in; what comes a little late is in the last. */
static int part_at(const struct worker *w, int64_t at_ns)
{
	int last = w->config->part_count - 1;
	double share = (double)(at_ns - w->window_start_ns) / (double)w->config->window_ns;
	double part = share * w->config->part_count;

	return part >= last ? last : part > 0 ? (int)part : 0;
}

/* What is counted from now on belongs to the part of the window that is now. */
static void keep_up_parts(struct worker *w)
{
	if (w->in_window && w->config->part_count > 0)
		hand_in_parts(w, part_at(w, w->now_ns));
}

static void end_parts(struct worker *w)
{
	if (w->config->part_count > 0)
		hand_in_parts(w, part_at(w, w->now_ns) + 1);
}

/* What counts */

bool window_counts(const struct worker *w, int64_t intended_ns)
{
	return intended_ns >= w->window_start_ns && intended_ns < w->window_end_ns;
}

void window_lose(struct worker *w, const struct flight *flight, enum load_error error)
{
	if (!window_counts(w, flight->intended_ns))
		return;
	w->owed--;
	w->result->failed++;
	if (error != LOAD_ERROR_TIMEOUT)
		return;
	histogram_record(&w->result->latency, w->now_ns - flight->intended_ns);
	histogram_record(&w->result->sent_latency, w->now_ns - flight->sent_ns);
}

void window_take_reply(struct worker *w, const struct flight *flight)
{
	int64_t sent_ns = w->now_ns - flight->sent_ns;
	bool is_open = worker_is_open_loop(w);

	if (w->in_window && w->config->part_count > 0) {
		keep_up_parts(w);
		histogram_record(&w->part_latency, sent_ns);
	}
	w->result->all_requests++;
	if (!w->any_reply)
		w->shared->answered = true;
	w->any_reply = true;
	w->last_reply_ns = w->now_ns;
	if (sent_ns > w->longest_ns)
		w->longest_ns = sent_ns;
	w->refused_since_ns = w->refused_ns = 0;
	if (is_open && window_counts(w, flight->intended_ns))
		w->owed--;
	if (is_open ? !window_counts(w, flight->intended_ns) : !w->in_window)
		return;
	w->result->requests++;
	histogram_record(&w->result->latency, w->now_ns - flight->intended_ns);
	if (is_open || w->config->think_ns > 0)
		histogram_record(&w->result->sent_latency, sent_ns);
}

void window_take_errors(struct worker *w, uint64_t count)
{
	keep_up_parts(w);
	w->part_errors += count;
}

/* Edges */

/* How long this thread was ready to run and did not, in ns; 0 if the kernel does not say. */
static int64_t waited_ns(void)
{
	FILE *file = fopen("/proc/thread-self/schedstat", "re");
	long long ran = 0;
	long long waited = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lld %lld", &ran, &waited) != 2)
		waited = 0;
	fclose(file);
	return waited;
}

void window_begin(struct worker *w)
{
	if (w->index == 0 && w->config->on_edge)
		w->config->on_edge(w->config->context, LOAD_EDGE_START);
	w->result->window_start_unix_ns = clock_read_ns(CLOCK_REALTIME);
	w->waiting_start_ns = waited_ns();
	w->cpu_start_ns = clock_thread_cpu_ns();
	if (!worker_is_open_loop(w)) {
		w->window_start_ns = clock_now_ns();
		w->window_end_ns = w->window_start_ns + w->config->window_ns;
	}
	w->part_errors = 0;
	w->result->backlog_least_ns = INT64_MAX;
	w->in_window = true;
}

static int64_t backlog_ns(const struct worker *w)
{
	return w->now_ns > w->next_ns ? w->now_ns - w->next_ns : 0;
}

void window_watch_backlog(struct worker *w)
{
	struct load_result *result = w->result;

	if (w->now_ns >= w->window_start_ns + w->config->window_ns / 2)
		result->backlog_least_ns = least(result->backlog_least_ns, backlog_ns(w));
}

void window_end(struct worker *w)
{
	struct load_result *result = w->result;
	double window_ns;

	result->client_cpu_ns = clock_thread_cpu_ns() - w->cpu_start_ns;
	w->now_ns = clock_now_ns();
	result->window_ns = w->now_ns - w->window_start_ns;
	/* What is counted in an open loop is what was meant to go in the window, as planned. */
	if (worker_is_open_loop(w) && w->now_ns >= w->window_end_ns)
		result->window_ns = w->config->window_ns;
	if (w->index == 0 && w->config->on_edge)
		w->config->on_edge(w->config->context, LOAD_EDGE_END);
	window_ns = (double)greatest(result->window_ns, 1);
	result->busy = (double)(result->client_cpu_ns - result->spin_ns) / window_ns;
	result->waiting = (double)(waited_ns() - w->waiting_start_ns) / window_ns;
	result->backlog_end_ns = result->backlog_left_ns = backlog_ns(w);
	result->backlog_least_ns = least(result->backlog_least_ns, result->backlog_end_ns);
	end_parts(w);
	w->in_window = false;
}

void window_begin_drain(struct worker *w)
{
	int64_t most_ns = greatest(2 * w->longest_ns, DRAIN_LEAST_NS);

	w->drain_end_ns = w->now_ns + least(most_ns, w->config->timeout_ns);
	w->draining = true;
}

bool window_is_drained(struct worker *w)
{
	int64_t behind_ns = backlog_ns(w);

	w->result->backlog_left_ns = least(w->result->backlog_left_ns, behind_ns);
	w->result->backlog_least_ns = least(w->result->backlog_least_ns, behind_ns);
	if (w->now_ns >= w->drain_end_ns)
		return true;
	return w->next_ns >= w->window_end_ns && w->owed == 0 &&
	       (behind_ns <= LITTLE_BEHIND_NS || behind_ns < w->result->backlog_end_ns / 2);
}

void window_settle(struct worker *w)
{
	struct load_result *result = w->result;
	int64_t end_ns = least(w->window_end_ns, w->window_start_ns + result->window_ns);

	if (!worker_is_open_loop(w) || result->window_ns == 0)
		return;
	w->now_ns = clock_now_ns();
	for (uint32_t i = 0; i < w->count; i++) {
		for (uint32_t k = 0; k < w->slots[i].count; k++) {
			const struct flight *flight = worker_flight(w, i, k);

			if (flight->intended_ns < w->window_start_ns ||
			    flight->intended_ns >= end_ns)
				continue;
			result->unfinished++;
			histogram_record(&result->latency, w->now_ns - flight->intended_ns);
			histogram_record(&result->sent_latency, w->now_ns - flight->sent_ns);
		}
	}
	for (; w->next_ns < end_ns;
	     w->next_ns = w->shared->schedule_start_ns + schedule_next(&w->schedule)) {
		if (w->next_ns < w->window_start_ns)
			continue;
		result->scheduled++;
		result->unfinished++;
		histogram_record(&result->latency, w->now_ns - w->next_ns);
	}
}
