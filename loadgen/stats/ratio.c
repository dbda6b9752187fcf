#include "loadgen/stats/ratio.h"
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdbool.h>

/* Of logarithms. */
struct moments {
	double mean;
	double variance; /* 0 with one value */
	double freedom;
	double count;
};

static bool is_above_zero(double value)
{
	return isfinite(value) && value > 0;
}

static int take_moments(const double *values, size_t count, struct moments *moments)
{
	double squares = 0;

	*moments = (struct moments){ .freedom = (double)count - 1, .count = (double)count };
	if (count == 0)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (!is_above_zero(values[i]))
			return -EINVAL;
		moments->mean += log(values[i]) / (double)count;
	}
	for (size_t i = 0; i < count; i++)
		squares += pow(log(values[i]) - moments->mean, 2);
	if (count > 1)
		moments->variance = squares / moments->freedom;
	return 0;
}

/* Welch and Satterthwaite's; where nothing scatters, as if both did alike. */
static double welch_freedom(const struct moments *a, const struct moments *b)
{
	double of_a = a->variance / a->count;
	double of_b = b->variance / b->count;

	if (of_a + of_b == 0)
		return a->freedom + b->freedom;
	return pow(of_a + of_b, 2) / (of_a * of_a / a->freedom + of_b * of_b / b->freedom);
}

int ratio_of_means(const double *base, size_t bases, const double *newer, size_t newers,
		   struct ratio *result)
{
	struct moments a;
	struct moments b;

	*result = (struct ratio){ 0 };
	if (take_moments(base, bases, &a) != 0 || take_moments(newer, newers, &b) != 0)
		return -EINVAL;
	if (a.freedom > 0 && b.freedom > 0) {
		double common =
			(a.freedom * a.variance + b.freedom * b.variance) / (a.freedom + b.freedom);

		result->freedom = welch_freedom(&a, &b);
		result->common_error = sqrt(common / a.count + common / b.count);
		result->common_freedom = a.freedom + b.freedom;
	} else {
		result->freedom = a.freedom + b.freedom;
		a.variance = b.variance = a.variance + b.variance;
	}
	result->log = b.mean - a.mean;
	result->error = sqrt(a.variance / a.count + b.variance / b.count);
	return 0;
}

int ratio_of_pairs(const double *base, const double *newer, size_t pairs, struct ratio *result)
{
	double mean = 0;
	double squares = 0;

	*result = (struct ratio){ 0 };
	if (pairs == 0)
		return -EINVAL;
	for (size_t i = 0; i < pairs; i++) {
		if (!is_above_zero(base[i]) || !is_above_zero(newer[i]))
			return -EINVAL;
		mean += (log(newer[i]) - log(base[i])) / (double)pairs;
	}
	for (size_t i = 0; i < pairs; i++)
		squares += pow(log(newer[i]) - log(base[i]) - mean, 2);
	result->log = mean;
	result->freedom = (double)pairs - 1;
	if (pairs > 1)
		result->error = sqrt(squares / result->freedom / (double)pairs);
	return 0;
}

static double half_of(double error, double freedom, double confidence)
{
	return freedom > 0 ? error * gsl_cdf_tdist_Pinv(0.5 + confidence / 2, freedom) : 0;
}

double ratio_half(const struct ratio *ratio, double confidence)
{
	if (ratio->freedom <= 0)
		return INFINITY;
	return ratio->resolution +
	       fmax(half_of(ratio->error, ratio->freedom, confidence),
		    half_of(ratio->common_error, ratio->common_freedom, confidence));
}

static double p_of(double beyond, double error, double freedom)
{
	if (error == 0)
		return beyond > 0 ? 0 : 1;
	return gsl_cdf_tdist_Q(beyond / error, freedom);
}

/* Of a distance beyond the edge: that of the interval that is the wider there. */
static double p_of_ratio(const struct ratio *ratio, double distance)
{
	double beyond = distance - ratio->resolution;
	double p;

	if (ratio->freedom <= 0)
		return 1;
	p = p_of(beyond, ratio->error, ratio->freedom);
	if (ratio->common_freedom > 0)
		p = fmax(p, p_of(beyond, ratio->common_error, ratio->common_freedom));
	return p;
}

double ratio_p_above(const struct ratio *ratio, double edge)
{
	return p_of_ratio(ratio, ratio->log - edge);
}

double ratio_p_below(const struct ratio *ratio, double edge)
{
	return p_of_ratio(ratio, edge - ratio->log);
}
