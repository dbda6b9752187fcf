/*
 * The part of a plan that says most in a given time. Groups are places in the space of log c,
 * log w/c and log t; kinds of load that differ are a decade apart. Each choice takes the group that
 * adds most for its time: the distance to what is chosen already (maximin designs: Johnson, Moore &
 * Ylvisaker, J. Stat. Plan. Inference 1990), the less the farther it is from the knee, over what it
 * costs (the greedy rule for a budget: Khuller, Moss & Naor, Inf. Process. Lett. 1999). So the
 * space is covered evenly and its knee first, and of two points with the same w/c the faster twin.
 */
#pragma once
#include "loadgen/sweep/estimate.h"

/* Of a budget, what the least repetitions of the chosen groups may take; the rest is for tries. */
#define BUDGET_SHARE 0.97

/* How far past its budget a sweep may go, so that nothing is cut short that is nearly done. */
#define BUDGET_MOST 1.1

/*
 * Leave out of the design what is not chosen. A pure function of the design's plan and seed, and
 * of the budget. Returns the number of groups that are left in, or -ENOMEM; *least_ns is the
 * smallest budget that would leave one in. `empty` is a ledger with nothing done.
 */
int64_t budget_choose(struct design *design, const struct ledger *empty, int64_t budget_ns,
		      int64_t *least_ns);
