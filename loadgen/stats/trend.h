/*
 * Whether a short series rises or falls: the Mann-Kendall test (Mann 1945; Kendall, Rank
 * Correlation Methods), and by how much: the Theil-Sen slope (Sen 1968). Both go by order, so that
 * a few values that stick out change little. The values are taken to be independent but for the
 * trend.
 */
#pragma once
#include <stddef.h>

enum { TREND_VALUES_MAX = 64 };

struct trend {
	double s;       /* pairs that rise, less pairs that fall */
	double p_value; /* two-sided: how often |s| is at least that without a trend; 1 if n < 2 */
	double slope;   /* the median of all pairs' slopes, per step; 0 if n < 2 */
};

/*
 * The trend of n values, at most TREND_VALUES_MAX (the rest is not looked at). Up to 18 values
 * p_value is exact, ties or not: every order of these values is as likely. Beyond, it is from the
 * normal distribution, with the variance corrected for ties and s for continuity.
 */
struct trend trend_of(const double *values, size_t n);

/*
 * The change over the whole series as a share of its median, by the Theil-Sen slope: 0.3 if it
 * rises by 30 % of the median from the first value to the last. 0 if the median is 0, or n < 2.
 */
double trend_change(const double *values, size_t n);
