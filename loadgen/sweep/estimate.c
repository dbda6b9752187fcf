#include "loadgen/sweep/estimate.h"
#include "loadgen/sweep/beforehand.h"
#include "loadgen/sweep/measure.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether w is metered for one of them with the other: of exponential times it is the mean. */
static bool share_alone(const struct run *a, const struct run *b)
{
	struct run alike = *b;

	alike.connections = a->connections;
	alike.idle = a->idle;
	alike.threads = (b->threads > 0) == (a->threads > 0) ? a->threads : b->threads;
	memcpy(alike.distribution, a->distribution, sizeof(alike.distribution));
	return run_is_predicted(a) && run_is_predicted(b) && run_same_point(a, &alike);
}

/* Whether another contender's o_ref is this one's: that depends on N alone. */
static bool has_reference(const struct design *design, const struct design_group *group, size_t i)
{
	const size_t *members = design->members + group->first;
	const struct plan_point *points = design->plan->points;

	for (size_t j = 0; j < i; j++)
		if (points[members[j]].asked.connections == points[members[i]].asked.connections)
			return true;
	return false;
}

static void set_cost(struct estimate *estimate, const struct design_group *group, size_t i)
{
	const struct design *design = estimate->design;
	size_t index = design->members[group->first + i];
	const struct plan_point *point = &design->plan->points[index];
	struct estimate_cost *cost = &estimate->costs[index];

	cost->run_ns = measure_estimate(point);
	cost->each_run = point->asked.cpu_ns < RUN_SMALL_CPU_NS;
	if (cost->each_run || !has_reference(design, group, i))
		cost->metering_ns = beforehand_estimate_reference(&point->asked);
	cost->metering_ns += beforehand_estimate_overhead(&point->asked);
	cost->alone_ns = beforehand_estimate_alone(&point->asked);
	if (beforehand_is_short(&point->asked)) {
		cost->run_ns += cost->alone_ns;
		cost->alone_ns = 0;
	}
}

/* w alone is metered for the first of the points that share it. */
static void share_costs(struct estimate *estimate, size_t group, size_t i)
{
	const struct design *design = estimate->design;
	size_t index = design->members[design->groups[group].first + i];
	const struct plan_point *points = design->plan->points;

	for (size_t other = 0; other <= group; other++) {
		const struct design_group *before = &design->groups[other];

		if (before->left_out && other != group)
			continue;
		for (size_t j = 0; j < (other == group ? i : before->count); j++)
			if (share_alone(&points[design->members[before->first + j]].asked,
					&points[index].asked))
				estimate->costs[index].alone_ns = 0;
	}
}

int estimate_begin(struct estimate *estimate, const struct design *design)
{
	*estimate = (struct estimate){
		.design = design,
		.costs = calloc(design->plan->count + 1, sizeof(*estimate->costs)),
	};
	if (!estimate->costs)
		return -ENOMEM;
	for (size_t group = 0; group < design->group_count; group++) {
		for (size_t i = 0; i < design->groups[group].count; i++) {
			set_cost(estimate, &design->groups[group], i);
			share_costs(estimate, group, i);
		}
	}
	return 0;
}

void estimate_end(struct estimate *estimate)
{
	free(estimate->costs);
	estimate->costs = NULL;
}

int64_t estimate_repetition_ns(const struct estimate *estimate, size_t point, int64_t repetition)
{
	const struct estimate_cost *cost = &estimate->costs[point];
	int64_t ns = cost->run_ns;

	if (cost->each_run || repetition % DESIGN_BLOCK_REPETITIONS == 0)
		ns += cost->metering_ns;
	return repetition == 0 ? ns + cost->alone_ns : ns;
}

/*
 * How many repetitions the spread so far asks for: an interval narrows with the root of their
 * number, and Student's t makes up for the rest as they become more.
 */
static int64_t expect(const struct ledger *ledger, size_t point)
{
	const struct plan *plan = ledger->plan;
	const struct plan_timing *timing = &plan->points[point].timing;
	struct interval interval = ledger_interval(ledger, point, timing->repetitions_most);
	double target = plan->precision * fabs(interval.mean);
	double asked;

	if (interval.count < 2 || interval.half <= target || timing->repetitions_most == 1)
		return timing->repetitions;
	asked = ceil((double)interval.count * pow(interval.half / target, 2));
	return asked >= (double)timing->repetitions_most ? timing->repetitions_most
	       : asked > (double)timing->repetitions     ? (int64_t)asked
							 : timing->repetitions;
}

/* The rounds in which the group takes part. */
static int64_t rounds_of(const struct design *design, const struct ledger *ledger, size_t group,
			 enum estimate_reach reach)
{
	const struct design_group *members = &design->groups[group];
	int64_t most = 0;

	for (size_t i = 0; i < members->count; i++) {
		size_t point = design->members[members->first + i];
		const struct plan_timing *timing = &design->plan->points[point].timing;
		int64_t repetitions = reach == ESTIMATE_MOST    ? timing->repetitions_most
				      : reach == ESTIMATE_LEAST ? timing->repetitions
								: expect(ledger, point);

		if (repetitions > most)
			most = repetitions;
	}
	return (most + DESIGN_BLOCK_REPETITIONS - 1) / DESIGN_BLOCK_REPETITIONS;
}

static struct estimate_sum sum_block(const struct estimate *estimate, const struct ledger *ledger,
				     size_t group, int64_t round)
{
	const struct design *design = estimate->design;
	const struct design_group *members = &design->groups[group];
	struct estimate_sum sum = { 0 };

	for (size_t i = 0; i < members->count; i++) {
		size_t point = design->members[members->first + i];
		int64_t most = design->plan->points[point].timing.repetitions_most;

		for (int64_t half = 0; half < DESIGN_BLOCK_REPETITIONS; half++) {
			int64_t repetition = round * DESIGN_BLOCK_REPETITIONS + half;

			if (repetition >= most || ledger_is_done(ledger, point, repetition))
				continue;
			sum.repetitions++;
			sum.ns += estimate_repetition_ns(estimate, point, repetition);
		}
	}
	return sum;
}

struct estimate_sum estimate_group(const struct estimate *estimate, const struct ledger *ledger,
				   size_t group, enum estimate_reach reach)
{
	int64_t rounds = rounds_of(estimate->design, ledger, group, reach);
	struct estimate_sum sum = { 0 };

	for (int64_t round = 0; round < rounds; round++) {
		struct estimate_sum block = sum_block(estimate, ledger, group, round);

		sum.repetitions += block.repetitions;
		sum.ns += block.ns;
	}
	return sum;
}

int64_t estimate_block_ns(const struct estimate *estimate, const struct ledger *ledger,
			  size_t group, int64_t round)
{
	return sum_block(estimate, ledger, group, round).ns;
}

int64_t estimate_round_ns(const struct estimate *estimate, const struct ledger *ledger,
			  int64_t round)
{
	const struct design *design = estimate->design;
	int64_t ns = 0;

	for (size_t group = 0; group < design->group_count; group++)
		if (design_takes_part(design, ledger, group, round))
			ns += estimate_block_ns(estimate, ledger, group, round);
	return ns;
}

struct estimate_sum estimate_left(const struct estimate *estimate, const struct ledger *ledger,
				  enum estimate_reach reach)
{
	struct estimate_sum sum = { 0 };

	for (size_t i = 0; i < estimate->design->group_count; i++) {
		struct estimate_sum group;

		if (estimate->design->groups[i].left_out)
			continue;
		group = estimate_group(estimate, ledger, i, reach);
		sum.repetitions += group.repetitions;
		sum.ns += group.ns;
	}
	return sum;
}
