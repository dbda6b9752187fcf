#include "loadgen/doctor/series.h"
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

enum { SECONDS_LEAST = 5 };

/* The means of the samples of each second; returns their number. */
static size_t by_second(const struct facts_series *series, double *means)
{
	size_t count = 0;

	for (size_t i = 0; i < series->count;) {
		double second = floor(series->at_s[i]);
		size_t from = i;

		while (i < series->count && floor(series->at_s[i]) == second)
			i++;
		means[count++] = gsl_stats_mean(series->values + from, 1, i - from);
	}
	return count;
}

struct series_spread series_spread_by_second(const struct facts_series *series)
{
	double values[FACTS_SAMPLES_MAX];
	struct series_spread spread = { .count = by_second(series, values) };

	spread.by_second = spread.count >= SECONDS_LEAST;
	if (!spread.by_second) {
		spread.count = series->count;
		memcpy(values, series->values, series->count * sizeof(values[0]));
	}
	if (spread.count == 0)
		return spread;
	gsl_sort(values, 1, spread.count);
	spread.median = gsl_stats_median_from_sorted_data(values, 1, spread.count);
	spread.low = gsl_stats_quantile_from_sorted_data(values, 1, spread.count, 0.05);
	spread.high = gsl_stats_quantile_from_sorted_data(values, 1, spread.count, 0.95);
	if (spread.median > 0)
		spread.half = (spread.high - spread.low) / 2 / spread.median;
	return spread;
}
