#include "loadgen/engine/quantile_interval.h"
#include "loadgen/stats/quantile.h"

/* The value of a rank: at the middle between two ranks, rounding cannot reach another one. */
static int64_t record_of(const struct histogram *histogram, uint64_t rank)
{
	return histogram_quantile(histogram, ((double)rank - 0.5) / (double)histogram->count);
}

int quantile_interval(const struct histogram *histogram, double q, double level, int64_t *low,
		      int64_t *high)
{
	struct quantile_ranks ranks = quantile_ranks(histogram->count, q, level);
	int64_t above;

	*low = *high = 0;
	if (histogram->count == 0)
		return QUANTILE_NO_LOW | QUANTILE_NO_HIGH;
	/* What reads v, to within a 256th of itself, is between v·256/257 and v·256/255. */
	*low = record_of(histogram, ranks.low);
	*low -= *low / 257;
	if (*low < histogram->least)
		*low = histogram->least;
	*high = record_of(histogram, ranks.high);
	above = *high / 255;
	*high = above < histogram->most - *high ? *high + above : histogram->most;
	return (ranks.has_low ? 0 : QUANTILE_NO_LOW) | (ranks.has_high ? 0 : QUANTILE_NO_HIGH);
}
