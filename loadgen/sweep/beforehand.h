/*
 * What is metered before a point is measured, in runs of its own: o_ref, o and w_cal (model.h).
 * Figures that serve for several points are kept.
 */
#pragma once
#include "loadgen/sweep/measure.h"

/* Below it, o is a good part of c, and is metered anew for each run. */
enum { BEFOREHAND_SMALL_CPU_NS = 1000000 };

/*
 * Fill in what is metered beforehand and the work, as far as the point has any. Returns 0, -EINTR
 * when it was told to stop, or -errno with a sentence in measure->why.
 */
int beforehand_meter(struct measure *measure, struct run *run);

/* How long metering o_ref and o takes, in ns; 0 where there is nothing to meter. */
int64_t beforehand_estimate(const struct run *asked);
