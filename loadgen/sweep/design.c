#include "loadgen/sweep/design.h"
#include "common/random.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Points whose load is the same: what is measured next to each other. */
static bool are_contenders(const struct run *a, const struct run *b)
{
	struct run alike = *b;

	memcpy(alike.arch, a->arch, sizeof(alike.arch));
	alike.threads = a->threads;
	alike.connections = a->connections;
	return strcmp(a->case_name, b->case_name) == 0 && run_same_point(a, &alike);
}

/* Put the point, and all that contend with it and follow it in the plan, into a group. */
static void add_group(struct design *design, bool *taken, size_t leader, size_t *used)
{
	const struct plan *plan = design->plan;
	struct design_group *group = &design->groups[design->group_count++];

	*group = (struct design_group){ .first = *used };
	for (size_t i = leader; i < plan->count; i++) {
		if (taken[i] ||
		    !are_contenders(&plan->points[leader].asked, &plan->points[i].asked))
			continue;
		taken[i] = true;
		design->members[(*used)++] = i;
		group->count++;
	}
}

int design_begin(struct design *design, const struct plan *plan, int64_t seed)
{
	size_t room = plan->count + 1;
	bool *taken = calloc(room, sizeof(*taken));
	size_t used = 0;

	*design = (struct design){
		.plan = plan,
		.seed = seed,
		.members = calloc(room, sizeof(*design->members)),
		.groups = calloc(room, sizeof(*design->groups)),
		.order = calloc(room, sizeof(*design->order)),
		.contenders = calloc(room, sizeof(*design->contenders)),
	};
	if (!taken || !design->members || !design->groups || !design->order ||
	    !design->contenders) {
		free(taken);
		return -ENOMEM;
	}
	for (size_t i = 0; i < plan->count; i++)
		if (!taken[i])
			add_group(design, taken, i, &used);
	free(taken);
	return 0;
}

void design_end(struct design *design)
{
	free(design->members);
	free(design->groups);
	free(design->order);
	free(design->contenders);
	*design = (struct design){ .plan = NULL };
}

/* Orders */

/* Fisher and Yates: all orders are as likely as each other. */
static void shuffle(size_t *items, size_t count, uint64_t seed)
{
	struct random random = { .state = seed };

	for (size_t i = count; i > 1; i--) {
		size_t other = (size_t)(random_bits(&random) % i);
		size_t item = items[i - 1];

		items[i - 1] = items[other];
		items[other] = item;
	}
}

/* A round's seed gives that of its order and, behind it, that of each group's. */
static uint64_t seed_of(const struct design *design, int64_t round, size_t index)
{
	return random_seed(random_seed((uint64_t)design->seed, (uint64_t)round), index);
}

void design_order(const struct design *design, int64_t round, size_t *order)
{
	for (size_t i = 0; i < design->group_count; i++)
		order[i] = i;
	shuffle(order, design->group_count, seed_of(design, round, 0));
}

void design_contenders(const struct design *design, size_t group, int64_t round, size_t *points)
{
	const struct design_group *members = &design->groups[group];

	memcpy(points, design->members + members->first, members->count * sizeof(*points));
	shuffle(points, members->count, seed_of(design, round, 1 + group));
}

/* What comes next */

bool design_takes_part(const struct design *design, const struct ledger *ledger, size_t group,
		       int64_t round)
{
	const struct design_group *members = &design->groups[group];
	int64_t before = round * DESIGN_BLOCK_REPETITIONS;

	if (members->left_out)
		return false;
	for (size_t i = 0; i < members->count; i++) {
		size_t point = design->members[members->first + i];
		const struct plan_timing *timing = &design->plan->points[point].timing;

		if (before < timing->repetitions || (before < timing->repetitions_most &&
						     !ledger_is_precise(ledger, point, before)))
			return true;
	}
	return false;
}

/* The number of the group's block in that round, or -1 if it is not begun. */
static int64_t find_block(const struct design *design, const struct ledger *ledger, size_t group,
			  int64_t round)
{
	const struct design_group *members = &design->groups[group];

	for (size_t i = 0; i < members->count; i++) {
		size_t point = design->members[members->first + i];

		for (int64_t half = 0; half < DESIGN_BLOCK_REPETITIONS; half++) {
			const struct ledger_repetition *known =
				ledger_find(ledger, point, round * DESIGN_BLOCK_REPETITIONS + half);

			if (known)
				return known->block;
		}
	}
	return -1;
}

/* The first repetition of the group's block that is not done; false if all are. */
static bool next_in_block(const struct design *design, const struct ledger *ledger, size_t group,
			  struct design_step *step)
{
	const struct design_group *members = &design->groups[group];
	size_t *points = design->contenders;

	design_contenders(design, group, step->round, points);
	for (size_t i = 0; i < members->count * DESIGN_BLOCK_REPETITIONS; i++) {
		bool back = i >= members->count;
		size_t point = points[back ? 2 * members->count - 1 - i : i];
		int64_t repetition = step->round * DESIGN_BLOCK_REPETITIONS + back;
		const struct ledger_repetition *known = ledger_find(ledger, point, repetition);

		if (repetition >= design->plan->points[point].timing.repetitions_most ||
		    ledger_is_done(ledger, point, repetition))
			continue;
		step->group = group;
		step->point = point;
		step->repetition = repetition;
		step->attempt = known ? known->attempts : 0;
		step->block = find_block(design, ledger, group, step->round);
		step->begins_block = step->block < 0;
		if (step->begins_block)
			step->block = ledger->block;
		return true;
	}
	return false;
}

static bool round_is_begun(const struct design *design, const struct ledger *ledger, int64_t round)
{
	for (size_t group = 0; group < design->group_count; group++)
		if (find_block(design, ledger, group, round) >= 0)
			return true;
	return false;
}

bool design_next(const struct design *design, const struct ledger *ledger, struct design_step *step)
{
	bool any = true;

	for (step->round = 0; any; step->round++) {
		any = false;
		design_order(design, step->round, design->order);
		for (size_t i = 0; i < design->group_count; i++) {
			size_t group = design->order[i];

			if (!design_takes_part(design, ledger, group, step->round))
				continue;
			any = true;
			if (!next_in_block(design, ledger, group, step))
				continue;
			step->begins_round = !round_is_begun(design, ledger, step->round);
			return true;
		}
	}
	return false;
}
