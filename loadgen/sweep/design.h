/*
 * The order in which a sweep measures: randomised blocks, so that neither the machine's drift nor
 * the order itself speaks for an architecture (Fisher, "The Design of Experiments", 1935; for
 * computers: Kalibera & Jones, ISMM 2013).
 *
 *   group   contenders: points of a case with the same load that differ in architecture, t or N
 *   block   a group's contenders in a random order and then in the reverse order, A B C C B A, two
 *           repetitions of each: what drifts evenly meanwhile adds the same to all of them
 *   round   a block of each group, in an order that is drawn anew
 *
 * A group takes part in a round while one of its points lacks repetitions or, up to the most that
 * it may have, precision. That is known from the rounds before, so the order is a pure function of
 * seed, plan and what is done; a sweep that goes on after a kill asks for what is missing of it.
 */
#pragma once
#include "loadgen/sweep/ledger.h"

enum { DESIGN_BLOCK_REPETITIONS = 2 };

struct design_group {
	size_t first; /* in design->members */
	size_t count;
	bool left_out; /* of a budget */
};

struct design {
	const struct plan *plan;
	int64_t seed;
	size_t *members; /* indices of points, group by group, in the order of the plan */
	struct design_group *groups;
	size_t group_count;
	size_t *order;      /* room for an order of groups */
	size_t *contenders; /* and of points */
};

/* A repetition that is to be measured, or to be tried again. */
struct design_step {
	int64_t round;
	size_t group;
	int64_t block;
	size_t point;
	int64_t repetition;
	int64_t attempt;
	bool begins_block;
	bool begins_round;
};

/* Returns 0 or -ENOMEM; design_end() ends it, also after a failure. */
int design_begin(struct design *design, const struct plan *plan, int64_t seed);
void design_end(struct design *design);

/* What comes next; false if nothing is left. */
bool design_next(const struct design *design, const struct ledger *ledger,
		 struct design_step *step);

/* Whether the group takes part in that round, by what the rounds before have shown. */
bool design_takes_part(const struct design *design, const struct ledger *ledger, size_t group,
		       int64_t round);

/* Write a round's order of all group_count groups. */
void design_order(const struct design *design, int64_t round, size_t *order);

/* Write the order of a group's contenders, points, in the first half of its block. */
void design_contenders(const struct design *design, size_t group, int64_t round, size_t *points);
