/*
 * What a run measures of a worker: when its window begins and ends, which replies and failures
 * count, in which of its parts, and how far sending was behind the schedule.
 */
#pragma once
#include "loadgen/engine/worker.h"

void window_begin(struct worker *worker);
void window_end(struct worker *worker);

/* Open loop: a request is meant to go in the window, and so counts. */
bool window_counts(const struct worker *worker, int64_t intended_ns);

/* A reply that is complete and good. */
void window_take_reply(struct worker *worker, const struct flight *flight);

/* Open loop: a request failed. What was waited for in vain took at least as long. */
void window_lose(struct worker *worker, const struct flight *flight, enum load_error error);

/* Errors, in the part of the window that is now. */
void window_take_errors(struct worker *worker, uint64_t count);

/* Open loop: note how far sending is behind the schedule, from the window's middle on. */
void window_watch_backlog(struct worker *worker);

/* Open loop: from here what was meant to go in the window is waited for. */
void window_begin_drain(struct worker *worker);

/* All that was owed is there, and a backlog, if there was one, is on its way to be gone; or it was
 * waited for long enough. */
bool window_is_drained(struct worker *worker);

/* Open loop: count what was still owed when the run ended. */
void window_settle(struct worker *worker);
