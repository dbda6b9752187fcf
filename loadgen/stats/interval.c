#include "loadgen/stats/interval.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

struct interval interval_of(const double *samples, size_t count)
{
	struct interval result = { .count = count };

	if (count == 0)
		return result;
	result.mean = gsl_stats_mean(samples, 1, count);
	gsl_stats_minmax(&result.least, &result.most, samples, 1, count);
	if (count >= 2)
		result.half = gsl_cdf_tdist_Pinv(0.975, (double)(count - 1)) *
			      gsl_stats_sd(samples, 1, count) / sqrt((double)count);
	return result;
}

double median_of(double *samples, size_t count)
{
	if (count == 0)
		return 0;
	gsl_sort(samples, 1, count);
	return gsl_stats_median_from_sorted_data(samples, 1, count);
}
