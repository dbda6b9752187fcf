/*
 * Where the model fails, as regions with a cause: points of the same architecture, times, c, side
 * of the knee and direction, for which the same cause was found. Of each region, how far it
 * reaches and the figures of its worst point.
 */
#pragma once
#include "loadgen/model/cause.h"
#include "loadgen/model/space.h"

struct region {
	const struct point *worst_at;
	struct explanation why; /* of the worst point */
	enum space_region place;
	bool is_invalid; /* points that could not be judged; residuals are 0 */
	int64_t points;
	double ratio_least; /* of w/c */
	double ratio_most;
	double n_least; /* of t, or of N where there is no t */
	double n_most;
	double median; /* residual, with its sign */
	double worst;
};

/*
 * The regions in which min(k/c, t/w) is off by more than 5 % (SPACE_NEAR), beyond what the interval
 * leaves open, or (CAUSE_OF_CALIBRATED) the verdict is below, above or invalid; those with the
 * most points first. Returns their number in *regions, which the caller frees, or -ENOMEM. They
 * point into `points`.
 */
int64_t regions_find(const struct point *points, int64_t count, enum cause_of of,
		     struct region **regions);
