/*
 * When the requests of an open loop are meant to go: a sequence of arrivals that does not depend
 * on what becomes of them. (Schroeder, Wierman and Harchol-Balter, "Open versus closed: a
 * cautionary tale", NSDI 2006.) It is a pure iterator: it knows no clock, and waits for nothing.
 *
 * Threads share one schedule: share i of n has its arrivals i, i + n, i + 2n, ... Each walks the
 * same sequence and keeps its own, so that what all of them send is what one would have sent, and
 * no thread asks another for the next arrival.
 *
 *   arrival   0   1   2   3   4   5   6
 *   share 0   x       x       x       x
 *   share 1       x       x       x
 */
#pragma once
#include "common/random.h"
#include <stddef.h>
#include <stdint.h>

enum schedule_kind {
	SCHEDULE_CONSTANT, /* arrival k at k / rate, the first at 0 */
	SCHEDULE_POISSON,  /* independent exponential gaps, one of them before the first */
	SCHEDULE_TRACE,    /* given gaps, each of which is the time before an arrival */
};

/* What SCHEDULE_CONSTANT and SCHEDULE_POISSON can count to the nanosecond. */
#define SCHEDULE_RATE_LEAST 1e-6
#define SCHEDULE_RATE_MOST  1e9

/* Shared by all threads, which only read it; it and `gaps_ns` outlive their schedules. */
struct schedule_plan {
	enum schedule_kind kind;
	double rate;            /* requests per second; constant and Poisson */
	uint64_t seed;          /* Poisson */
	const int64_t *gaps_ns; /* trace: repeated from its start when it ends */
	size_t gap_count;
};

/* One share's place in the sequence. To be copied freely; its fields are the iterator's own. */
struct schedule {
	const struct schedule_plan *plan;
	uint64_t skip;   /* Poisson, trace: from here to the next arrival of this share */
	uint64_t shares; /* from there to each further one */
	/*
	 * The time of where it is, as whole nanoseconds and a part of one: its size does not grow
	 * with the time that has passed, so neither does what is lost in rounding.
	 */
	int64_t at_ns;
	double part_ns;     /* Poisson: 0 <= part_ns < 1 */
	uint64_t remainder; /* constant: the part in units of 1/divisor ns */
	uint64_t divisor;
	int64_t step_ns; /* constant: what the next arrival of this share comes later by */
	uint64_t step_remainder;
	double mean_ns; /* Poisson: 1 / rate */
	struct random random;
	size_t gap; /* trace: the next one */
};

/* Begin with the first arrival of share `share` (0 <= share < shares) of `plan`. */
void schedule_start(struct schedule *schedule, const struct schedule_plan *plan, int share,
		    int shares);

/*
 * When this share's next arrival is, in ns since the schedule's start; never less than the time
 * before. It never ends.
 */
int64_t schedule_next(struct schedule *schedule);
