/*
 * How well a quantile of a histogram's records is known: the interval of stats/quantile.h, in
 * values instead of ranks.
 */
#pragma once
#include "loadgen/engine/histogram.h"

enum { QUANTILE_NO_LOW = 1, QUANTILE_NO_HIGH = 2 };

/*
 * The values between which the quantile q (0 < q < 1) of what was recorded from lies with a
 * probability of at least `level`, if the records are independent (see there: requests of one run
 * are so only in part). Wider by what the histogram doesn't know of its records (1/256), so that
 * the order statistics themselves are inside.
 *
 * Returns 0, or which bound is missing, as there are too few records for it: QUANTILE_NO_LOW (*low
 * is then the smallest record), QUANTILE_NO_HIGH (*high is then the largest one), or both. Of an
 * empty histogram both are missing, and 0.
 */
int quantile_interval(const struct histogram *histogram, double q, double level, int64_t *low,
		      int64_t *high);
