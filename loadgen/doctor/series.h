/* How much a series spreads. */
#pragma once
#include "loadgen/doctor/facts.h"

struct series_spread {
	size_t count; /* of values: seconds, or samples */
	bool by_second;
	double median;
	double low;  /* 5 % are below */
	double high; /* and 5 % above */
	double half; /* (high - low) / 2 as a share of the median; 0 with fewer than two values */
};

/*
 * Of the means of each second; of the samples themselves if there are not five seconds of them. The
 * series is in the order of time.
 */
struct series_spread series_spread_by_second(const struct facts_series *series);
