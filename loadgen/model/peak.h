/*
 * t_max, "the t past which X falls": measured, not assumed. Of points that differ in t alone, the
 * peak is the one of the highest X. X falls where a later point's 95 % interval lies wholly below
 * the peak's, and by 0.1 % at the least; t_max is the t before that. That it was not reached is an
 * answer too.
 */
#pragma once
#include "loadgen/model/verdict.h"

struct peak {
	const struct point *first; /* of the least t */
	const struct point *best;  /* of the highest X */
	const struct point
		*last_level;        /* t_max, if X falls: the last whose interval meets best's */
	const struct point *fallen; /* the first past it; NULL: not reached up to `last` */
	const struct point *last;   /* of the largest t */
	int64_t points;
	double loss; /* of X from `best` to `fallen`, as a share */
};

/*
 * The peaks of all series of two points or more that are valid and have an interval. Returns their
 * number in *peaks, which the caller frees, or -ENOMEM. They point into `points`.
 */
int64_t peaks_find(const struct point *points, int64_t count, struct peak **peaks);
