/*
 * The crossover: by how much the evented server is ahead of the threaded one, point by point, and
 * from which t on it is ahead no more. The model has it ahead by (w/c)/t, and end at t = k·w/c.
 */
#pragma once
#include "loadgen/model/verdict.h"

/* Two servers are level when they are within this share of each other. */
#define LEAD_LEVEL 0.05

struct lead {
	const struct point *pool;
	const struct point *loop; /* of the same load */
	double ratio;             /* X of loop over X of pool */
	double half;              /* of its 95 % interval */
	double predicted;         /* of the nominal model */
};

/* The end of the lead, for all t of one load. */
struct lead_end {
	const struct lead *first;       /* of the least t */
	const struct lead *last_ahead;  /* of the largest t at which the loop is ahead; or NULL */
	const struct lead *first_level; /* of the least t past that; or NULL: not reached */
	const struct lead *pool_ahead;  /* where the pool is most ahead, if it is; or NULL */
};

/*
 * All pairs of `pool` and `loop` that were both measured, by load and t; but for those where the
 * loop has no more requests at once than the pool has threads, and too few to be busy. Returns
 * their number in *leads, which the caller frees, or -ENOMEM. They point into `points`.
 */
int64_t leads_find(const struct point *points, int64_t count, struct lead **leads);

/* The ends, one for each load. Returns their number in *ends, which the caller frees, or -ENOMEM.
 */
int64_t lead_ends_find(const struct lead *leads, int64_t count, struct lead_end **ends);
