#include "loadgen/stats/steady.h"
#include "loadgen/stats/interval.h"
#include "loadgen/stats/trend.h"
#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { BATCHES_MAX = 20, BATCH_LEAST = 3, PART_LEAST = 3 };

#define CHANGE_MOST    0.10  /* less than that is not worth an alarm */
#define STEP_VARIANCE  0.90  /* of noise alone, not one series in a thousand */
#define DRIFT_P_VALUE  0.001 /* of noise alone, by definition */
#define DRIFT_OF_HALF  0.10
#define PART_SHARE     0.2
#define TRIMMED_SHARE  0.1
#define INTERVAL_UPPER 0.975

/*
 * Medians of neighbours, if there are many values: at least three, so that one that sticks out is
 * not in it. Returns their number.
 */
static size_t batch(const double *values, size_t n, double batches[BATCHES_MAX])
{
	size_t size =
		n <= BATCHES_MAX ? 1 : (size_t)fmax(BATCH_LEAST, ceil((double)n / BATCHES_MAX));
	size_t count = n / size;

	for (size_t i = 0; i < count; i++) {
		size_t from = i * n / count;
		size_t length = (i + 1) * n / count - from;
		double sorted[STEADY_VALUES_MAX];

		memcpy(sorted, values + from, length * sizeof(*values));
		batches[i] = median_of(sorted, length);
	}
	return count;
}

/* By the logarithms, as levels are a factor apart, and scatter in proportion. */
static bool find_step(const double *values, size_t n, struct steadiness *steadiness)
{
	size_t least = (size_t)fmax(PART_LEAST, ceil(PART_SHARE * (double)n));
	double logs[BATCHES_MAX];
	double remaining;
	double all;
	double begin;
	double end;
	size_t step = 0;

	for (size_t i = 0; i < n; i++)
		logs[i] = log(fmax(values[i], DBL_MIN));
	remaining = all = gsl_stats_tss(logs, 1, n);
	for (size_t at = least; at + least <= n; at++) {
		double parts = gsl_stats_tss(logs, 1, at) + gsl_stats_tss(logs + at, 1, n - at);

		if (parts < remaining) {
			remaining = parts;
			step = at;
		}
	}
	if (step == 0 || remaining > (1 - STEP_VARIANCE) * all)
		return false;
	begin = gsl_stats_mean(values, 1, step);
	end = gsl_stats_mean(values + step, 1, n - step);
	if (fmax(begin, end) <= (1 + CHANGE_MOST) * fmin(begin, end))
		return false;
	steadiness->begin = begin;
	steadiness->end = end;
	steadiness->begin_for = (double)step / (double)n;
	steadiness->change = end / begin - 1;
	return true;
}

static bool find_drift(const double *values, size_t n, struct steadiness *steadiness)
{
	struct trend trend = trend_of(values, n);
	double rise = trend.slope * (double)(n - 1);
	size_t half = n / 2;
	double sorted[STEADY_VALUES_MAX];
	double median;

	if (trend.p_value >= DRIFT_P_VALUE || fabs(trend_change(values, n)) <= CHANGE_MOST ||
	    trend_of(values, half).slope * (double)(half - 1) / rise < DRIFT_OF_HALF ||
	    trend_of(values + n - half, half).slope * (double)(half - 1) / rise < DRIFT_OF_HALF)
		return false;
	memcpy(sorted, values, n * sizeof(*values));
	median = median_of(sorted, n);
	steadiness->begin = fmax(0, median - rise / 2);
	steadiness->end = fmax(0, median + rise / 2);
	steadiness->change = rise / fmax(steadiness->begin, median / 2);
	return true;
}

/*
 * Half of the 95 % interval of the mean, as a share of it: the narrower one of Student's, which one
 * value can widen, and that of the trimmed mean, which is wide when few values are left.
 */
static double half_share(const double *values, size_t n)
{
	struct interval plain = interval_of(values, n);
	size_t trimmed = (size_t)fmax(1, floor(TRIMMED_SHARE * (double)n));
	size_t kept = n - 2 * trimmed;
	double sorted[STEADY_VALUES_MAX];
	double mean;

	memcpy(sorted, values, n * sizeof(*values));
	gsl_sort(sorted, 1, n);
	mean = gsl_stats_mean(sorted + trimmed, 1, kept);
	for (size_t i = 0; i < trimmed; i++) {
		sorted[i] = sorted[trimmed];
		sorted[n - 1 - i] = sorted[n - 1 - trimmed];
	}
	return fmin(plain.half / plain.mean,
		    gsl_cdf_tdist_Pinv(INTERVAL_UPPER, (double)(kept - 1)) *
			    gsl_stats_sd(sorted, 1, n) * sqrt((double)n) / (double)kept / mean);
}

struct steadiness steady_judge(const double *values, size_t n, double scatter_most)
{
	struct steadiness steadiness = { .kind = STEADY_TOO_FEW };
	double batches[BATCHES_MAX];
	size_t count;

	if (n > STEADY_VALUES_MAX)
		n = STEADY_VALUES_MAX;
	if (n < STEADY_VALUES_LEAST)
		return steadiness;
	count = batch(values, n, batches);
	steadiness.half = half_share(batches, count);
	if (find_step(batches, count, &steadiness))
		steadiness.kind = STEADY_STEP;
	else if (find_drift(batches, count, &steadiness))
		steadiness.kind = STEADY_DRIFT;
	else if (steadiness.half > scatter_most)
		steadiness.kind = STEADY_SCATTER;
	else
		steadiness.kind = STEADY;
	return steadiness;
}
