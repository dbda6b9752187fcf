/*
 * Faults on purpose: what a backend does so that the verdicts of a load generator can be provoked.
 * A pause of the whole process, as by a garbage collector or a lock, is what closed loops do not
 * see most of (coordinated omission: Tene, "How NOT to Measure Latency"); a latency that creeps is
 * a run without a steady state; resets and bad statuses are errors that must be counted.
 *
 * Time counts from the process's first request, so that who sends it knows when: the stalls are
 * the ends of periods.
 *
 *   first request
 *   ├────── answers ──────┤ stall ├────── answers ──────┤ stall ├──
 *   ├────────── every_ns ─────────┼────────── every_ns ─────────┤
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* All zero: none. */
struct faults {
	int64_t stall_ns;     /* nothing is read, written or accepted for so long ... */
	int64_t every_ns;     /* ... at the end of each period of this length, which is longer */
	double drift;         /* share of itself by which a delay grows for each second */
	int64_t reset_every;  /* each request with a number divisible by this gets a reset, */
	int64_t status_every; /* and each reply with such a number is 503 */
};

/* What there is instead of a request's answer. */
enum fault { FAULT_NONE, FAULT_STATUS, FAULT_RESET };

/* How many were answered so far. All zero to begin with. */
struct faults_count {
	int64_t requests;
	int64_t replies;
};

bool faults_are_any(const struct faults *faults);

/* A share as people write it, "10%" or "0.1", more than 0. Returns 0 or -EINVAL. */
int faults_parse_drift(const char *text, double *drift);

/* The delay that a request gets which came so long after the first. */
int64_t faults_delay_ns(const struct faults *faults, int64_t delay_ns, int64_t since_first_ns);

/*
 * When the stall ends that is under way, or comes next, so long after the first request. It began,
 * or begins, stall_ns before that. There must be stalls.
 */
int64_t faults_stall_end_ns(const struct faults *faults, int64_t since_first_ns);

/* Count one more request that is to be answered; what becomes of it. */
enum fault faults_answer(const struct faults *faults, struct faults_count *count);
