#include "loadgen/stats/trend.h"
#include "loadgen/stats/interval.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

enum {
	EXACT_MOST = 18, /* 18! is below 2^53, so counts of orders are exact in a double */
	INVERSIONS_MOST = EXACT_MOST * (EXACT_MOST - 1) / 2,
	PAIRS_MAX = TREND_VALUES_MAX * (TREND_VALUES_MAX - 1) / 2,
};

/* Equal values of the series, as the numbers of each. */
struct ties {
	size_t group[TREND_VALUES_MAX];
	size_t groups;
};

static void count_ties(const double *values, size_t n, struct ties *ties)
{
	double sorted[TREND_VALUES_MAX];

	memcpy(sorted, values, n * sizeof(*values));
	gsl_sort(sorted, 1, n);
	ties->groups = 0;
	for (size_t i = 0; i < n; i++)
		if (i > 0 && !(sorted[i] > sorted[i - 1]))
			ties->group[ties->groups - 1]++;
		else
			ties->group[ties->groups++] = 1;
}

/* Multiply by 1 + q + ... + q^(k-1): what a k-th value, put anywhere, adds to the inversions. */
static void multiply(double *counts, size_t k)
{
	for (size_t i = INVERSIONS_MOST; i >= k; i--)
		counts[i] -= counts[i - k];
	for (size_t i = 1; i <= INVERSIONS_MOST; i++)
		counts[i] += counts[i - 1];
}

/* The opposite, of what is a multiple. */
static void divide(double *counts, size_t k)
{
	for (size_t i = INVERSIONS_MOST; i >= 1; i--)
		counts[i] -= counts[i - 1];
	for (size_t i = k; i <= INVERSIONS_MOST; i++)
		counts[i] += counts[i - k];
}

/*
 * Of n different values in any order, the inversions are counted by [n]! = [1][2]...[n], where [k]
 * is 1 + q + ... + q^(k-1); with ties, by [n]! divided by [t]! for each group of t (MacMahon).
 */
static double exact_p_value(double s, size_t n, const struct ties *ties)
{
	double counts[INVERSIONS_MOST + 1] = { 1 };
	double pairs = (double)(n * (n - 1)) / 2;
	double all = 0;
	double as_far = 0;

	for (size_t k = 2; k <= n; k++)
		multiply(counts, k);
	for (size_t i = 0; i < ties->groups; i++) {
		size_t t = ties->group[i];

		pairs -= (double)(t * (t - 1)) / 2;
		for (size_t k = 2; k <= t; k++)
			divide(counts, k);
	}
	for (size_t i = 0; i <= INVERSIONS_MOST; i++) {
		all += counts[i];
		if (fabs(pairs - 2 * (double)i) >= fabs(s))
			as_far += counts[i];
	}
	return as_far / all;
}

static double normal_p_value(double s, size_t n, const struct ties *ties)
{
	double count = (double)n;
	double variance = count * (count - 1) * (2 * count + 5);

	for (size_t i = 0; i < ties->groups; i++) {
		double t = (double)ties->group[i];

		variance -= t * (t - 1) * (2 * t + 5);
	}
	variance /= 18;
	if (variance <= 0 || fabs(s) <= 1)
		return 1;
	return 2 * gsl_cdf_ugaussian_Q((fabs(s) - 1) / sqrt(variance));
}

struct trend trend_of(const double *values, size_t n)
{
	struct trend trend = { .p_value = 1 };
	double slopes[PAIRS_MAX];
	struct ties ties;
	size_t pairs = 0;

	if (n > TREND_VALUES_MAX)
		n = TREND_VALUES_MAX;
	if (n < 2)
		return trend;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++) {
			trend.s += (values[j] > values[i]) - (values[j] < values[i]);
			slopes[pairs++] = (values[j] - values[i]) / (double)(j - i);
		}
	trend.slope = median_of(slopes, pairs);
	count_ties(values, n, &ties);
	trend.p_value = n <= EXACT_MOST ? exact_p_value(trend.s, n, &ties)
					: normal_p_value(trend.s, n, &ties);
	return trend;
}

double trend_change(const double *values, size_t n)
{
	double sorted[TREND_VALUES_MAX];
	double median;

	if (n > TREND_VALUES_MAX)
		n = TREND_VALUES_MAX;
	if (n < 2)
		return 0;
	memcpy(sorted, values, n * sizeof(*values));
	median = median_of(sorted, n);
	return median > 0 || median < 0 ? trend_of(values, n).slope * (double)(n - 1) / median : 0;
}
