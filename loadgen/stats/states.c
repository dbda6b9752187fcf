#include "loadgen/stats/states.h"
#include "loadgen/stats/interval.h"
#include <errno.h>
#include <float.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

enum { STATE_LEAST = 3 };

#define STATE_SHARE    0.02
#define STATE_VARIANCE 0.80 /* a drift's is 0.75: that of a uniform distribution */

/*
 * The size of the lower part of sorted logarithms, cut where the parts vary least. *remaining is
 * the variance that is left, as a share.
 */
static size_t cut(const double *sorted, size_t n, size_t least, double *remaining)
{
	double mean = gsl_stats_mean(sorted, 1, n);
	double all = gsl_stats_tss_m(sorted, 1, n, mean);
	double below = 0;
	double most = 0;
	size_t at = 0;

	/* What the cut takes away, from the sum of the lower part's distances to the mean. */
	for (size_t i = 1; i + least <= n; i++) {
		double between;

		below += sorted[i - 1] - mean;
		between = below * below * (double)n / ((double)i * (double)(n - i));
		if (i < least || between <= most)
			continue;
		most = between;
		at = i;
	}
	*remaining = all > 0 ? 1 - most / all : 1;
	return at;
}

/* Changes of side of a threshold. A value whose neighbours both lie on the other side is none. */
static size_t count_changes(const double *values, size_t n, double threshold)
{
	bool high = false;
	size_t changes = 0;

	for (size_t i = 0; i < n; i++) {
		bool here = values[i] > threshold;
		bool before = i > 0 ? values[i - 1] > threshold : here;
		bool after = i + 1 < n ? values[i + 1] > threshold : here;
		bool side = before == after ? before : here;

		changes += i > 0 && side != high;
		high = side;
	}
	return changes;
}

static size_t count_above(const double *values, size_t n, double threshold)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += values[i] > threshold;
	return count;
}

/* The parts of the cut as states, if they are. */
static bool find_two(const double *values, const double *sorted, size_t n, struct states *states)
{
	size_t least = (size_t)fmax(STATE_LEAST, ceil(STATE_SHARE * (double)n));
	double remaining;
	size_t at = n >= 2 * least ? cut(sorted, n, least, &remaining) : 0;
	size_t above;
	double low;
	double high;

	if (at == 0 || remaining > 1 - STATE_VARIANCE)
		return false;
	low = exp(gsl_stats_median_from_sorted_data(sorted, 1, at));
	high = exp(gsl_stats_median_from_sorted_data(sorted + at, 1, n - at));
	/* A part of the least size may be filled up with values of the other level. */
	above = count_above(values, n, sqrt(low * high));
	if (high < STATES_RATIO * low || above < least || n - above < least)
		return false;
	*states = (struct states){
		.two = true,
		.low = low,
		.high = high,
		.high_share = (double)above / (double)n,
		.changes = count_changes(values, n, sqrt(low * high)),
	};
	return true;
}

int states_of(const double *values, size_t n, struct states *states)
{
	double *sorted;

	*states = (struct states){ .two = false };
	if (n == 0)
		return 0;
	sorted = malloc(n * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = log(fmax(values[i], DBL_MIN));
	gsl_sort(sorted, 1, n);
	if (!find_two(values, sorted, n, states))
		states->low = states->high = exp(gsl_stats_median_from_sorted_data(sorted, 1, n));
	free(sorted);
	return 0;
}
