/*
 * A closed network with exponential times, simulated: n jobs that queue for one processor in the
 * order in which they come, and then wait. What a window of it would show a generator and a meter.
 */
#pragma once
#include <gsl/gsl_rng.h>
#include <stdint.h>

enum { CLOSED_NETWORK_JOBS_MAX = 256 };

struct closed_network {
	int jobs;
	double cpu_s;
	double wait_s;
	gsl_rng *random;
	double free_s; /* when the processor is done with what has come so far */
	double arrivals_s[CLOSED_NETWORK_JOBS_MAX]; /* when each job comes next */
};

struct closed_window {
	int64_t requests;
	double latencies_s; /* the sum of theirs */
	double busy_s;      /* of the processor */
};

/* Add what happens in each of `count` windows of `window_s`, the first of which starts at time 0.
 */
void closed_network_run(struct closed_network *network, double window_s,
			struct closed_window *windows, int count);
