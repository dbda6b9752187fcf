#include "loadgen/stats/quantile.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

/* GSL's continued fraction converges up to some 10^6. */
enum { EXACT_MOST = 100000 };

#define NORMAL_VARIANCE 1000

/* The distribution function of the binomial (n, q). */
static double below(uint64_t n, double q, uint64_t k)
{
	double count = (double)n;
	double variance = count * q * (1 - q);

	if (k >= n)
		return 1;
	if (n <= EXACT_MOST)
		return gsl_cdf_binomial_P((unsigned)k, q, (unsigned)n);
	if (variance > NORMAL_VARIANCE)
		return gsl_cdf_ugaussian_P(((double)k + 0.5 - count * q) / sqrt(variance));
	if (q < 0.5)
		return k > EXACT_MOST ? 1 : gsl_cdf_poisson_P((unsigned)k, count * q);
	/* At most k below is at least n - k above. */
	return n - k - 1 > EXACT_MOST ? 0
				      : gsl_cdf_poisson_Q((unsigned)(n - k - 1), count * (1 - q));
}

/* The smallest k whose distribution function is at least (`strictly`: above) p. */
static uint64_t smallest(uint64_t n, double q, double p, bool strictly)
{
	uint64_t from = 0;
	uint64_t to = n;

	while (from < to) {
		uint64_t middle = from + (to - from) / 2;
		double there = below(n, q, middle);

		if (strictly ? there > p : there >= p)
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}

struct quantile_ranks quantile_ranks(uint64_t n, double q, double level)
{
	double outside = (1 - level) / 2;
	struct quantile_ranks ranks = { .low = 0 };

	if (n == 0)
		return ranks;
	/* The quantile is below the sample of rank r if fewer than r samples are below it. */
	ranks.low = smallest(n, q, outside, true);
	ranks.high = smallest(n, q, 1 - outside, false) + 1;
	ranks.has_low = ranks.low >= 1;
	ranks.has_high = ranks.high <= n;
	if (!ranks.has_low)
		ranks.low = 1;
	if (!ranks.has_high)
		ranks.high = n;
	return ranks;
}
