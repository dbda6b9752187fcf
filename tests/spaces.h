/* Whole sweeps as the model would have them, for the tests of what is found over the space. */
#pragma once
#include "loadgen/model/verdict.h"

enum { SWEEP_RUNS_MAX = 2048 };

struct sweep_runs {
	struct run runs[SWEEP_RUNS_MAX];
	int64_t count;
};

/* What becomes of X at a point: the factor, 1 for the model's own. */
typedef double sweep_share(const struct run *asked);

/*
 * Three runs of each point of the full factorial: c of 0.1, 1 and 10 ms, w/c and t of 1, 10 ...
 * 10,000, constant and exponential times, pool, and loop with 1.3 w/c + 10 connections. Left out
 * is what has less than 5 requests in 10 s. X is min() for constant times, and the closed
 * network's for exponential ones, times share(), which may be NULL.
 */
void sweep_full(struct sweep_runs *sweep, sweep_share *share);
