/* Which t to measure next, from what was measured: a pure function. */
#pragma once
#include "loadgen/tune/curve.h"

struct next_settings {
	int64_t least; /* the range of t */
	int64_t most;
	double guess;     /* where the model has t*, or 0 */
	double share;     /* of the plateau that is looked for */
	double precision; /* half of the interval, as a share of t, that is good enough */
	size_t runs;      /* at least so many at the points that matter */
};

/*
 * First around the guess; then further up while throughput grows; then between the points that
 * enclose the crossing, until they are neighbours or near enough; then those and the plateau again,
 * until each has its runs and the interval is narrow enough. 0: nothing is left to be known.
 */
int64_t next_t(const struct curve *curve, const struct next_settings *settings, uint64_t seed);
