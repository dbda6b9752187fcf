/*
 * What is metered before a point is measured, in runs of its own: o_ref, o and w_cal (model.h).
 * o_ref and o serve for a block, w alone for the sweep, or for the run where it is short.
 */
#pragma once
#include "loadgen/sweep/measure.h"

/*
 * Fill in what is metered beforehand and the work, as far as the point has any. Returns 0, -EINTR
 * when it was told to stop, or -errno with a sentence in measure->why.
 */
int beforehand_meter(struct measure *measure, struct run *run);

/*
 * Take w alone from a run that was measured before, so that it is metered once for a sweep, also
 * for one that is resumed; but not a short one, which is metered for each run. Returns 0 or
 * -ENOMEM.
 */
int beforehand_recall(struct measure *measure, const struct run *run);

/*
 * How long a request waits while o is metered, in ns: as in the run, as far as the server stays
 * busy, which is three fifths of a turn of all connections at the most. What waits has a timer or a
 * call, and is switched away from elsewhere than what does not; without it, o came out 6 to 10 us
 * too high for a pool, and 1 to 3 too low for a loop.
 */
int64_t beforehand_wait_ns(const struct run *run);

/* Whether w is so short that how late a wait is matters, which follows the machine's state. */
bool beforehand_is_short(const struct run *asked);

/* How long metering takes, in ns; 0 where there is nothing to meter. */
int64_t beforehand_estimate_reference(const struct run *asked); /* o_ref */
int64_t beforehand_estimate_overhead(const struct run *asked);  /* o; of `loop` that is o_ref */
int64_t beforehand_estimate_alone(const struct run *asked);     /* w */
