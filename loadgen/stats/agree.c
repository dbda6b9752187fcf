#include "loadgen/stats/agree.h"
#include "loadgen/stats/interval.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

const char *const agree_verdict_names[AGREE_VERDICTS] = {
	[AGREE_INCONCLUSIVE] = "inconclusive",
	[AGREE_AGREE] = "agree",
	[AGREE_DIFFER] = "differ",
};

static bool is_above_zero(double value)
{
	return isfinite(value) && value > 0;
}

static enum agree_verdict verdict_of(double low, double high, double edge)
{
	if (low >= -edge && high <= edge)
		return AGREE_AGREE;
	if (low > edge || high < -edge)
		return AGREE_DIFFER;
	return AGREE_INCONCLUSIVE;
}

int agree_of(const double *a, const double *b, size_t pairs, double tolerance, struct agree *result)
{
	struct interval interval;
	double *ratios;

	if (pairs < AGREE_PAIRS_MIN || !is_above_zero(tolerance))
		return -EINVAL;
	for (size_t i = 0; i < pairs; i++)
		if (!is_above_zero(a[i]) || !is_above_zero(b[i]))
			return -EINVAL;
	ratios = calloc(pairs, sizeof(*ratios));
	if (!ratios)
		return -ENOMEM;
	/* The quotient may be too large or too small for a number where its logarithm is not. */
	for (size_t i = 0; i < pairs; i++)
		ratios[i] = log(a[i]) - log(b[i]);
	interval = interval_of(ratios, pairs);
	free(ratios);
	*result = (struct agree){
		.pairs = pairs,
		.ratio = exp(interval.mean),
		.low = exp(interval.mean - interval.half),
		.high = exp(interval.mean + interval.half),
		.tolerance = tolerance,
		.verdict = verdict_of(interval.mean - interval.half, interval.mean + interval.half,
				      log1p(tolerance)),
	};
	return 0;
}
