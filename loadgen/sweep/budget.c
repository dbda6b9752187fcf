#include "loadgen/sweep/budget.h"
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In decades. */
struct place {
	double cpu;
	double ratio;
	double threads; /* the mean over contenders that have a limit */
	double knee;    /* from the contender that is nearest to it: how far its load is from 1 */
};

static double log_of(double value)
{
	return value > 0 ? log10(value) : 0;
}

/* How far the load n c/(k w) of a point is from the knee's middle; 0 where there is no model. */
static double knee_distance(const struct run *asked)
{
	double n = (double)asked->connections;

	if (asked->threads > 0 && asked->threads < asked->connections)
		n = (double)asked->threads;
	if (!run_is_predicted(asked))
		return 0;
	return fabs(log_of(n * (double)asked->cpu_ns /
			   ((double)asked->cores * (double)asked->wall_ns)));
}

static const struct run *member(const struct design *design, size_t group, size_t i)
{
	size_t point = design->members[design->groups[group].first + i];

	return &design->plan->points[point].asked;
}

static struct place find_place(const struct design *design, size_t group)
{
	const struct run *load = member(design, group, 0);
	struct place place = { .cpu = log_of((double)load->cpu_ns), .knee = DBL_MAX };
	size_t limited = 0;

	if (load->cpu_ns > 0)
		place.ratio = log_of((double)load->wall_ns / (double)load->cpu_ns);
	for (size_t i = 0; i < design->groups[group].count; i++) {
		const struct run *asked = member(design, group, i);

		place.knee = fmin(place.knee, knee_distance(asked));
		if (asked->threads == 0)
			continue;
		place.threads += log_of((double)asked->threads);
		limited++;
	}
	if (limited > 0)
		place.threads /= (double)limited;
	return place;
}

/* In how many respects the loads are of another kind. */
static int kinds_between(const struct run *a, const struct run *b)
{
	return (strcmp(a->service, b->service) != 0) + (strcmp(a->wait, b->wait) != 0) +
	       (strcmp(a->work, b->work) != 0) + (strcmp(a->distribution, b->distribution) != 0) +
	       (a->footprint_bytes != b->footprint_bytes) + (a->idle != b->idle) +
	       (a->requests_per_connection != b->requests_per_connection);
}

struct candidate {
	struct place place;
	double cost_ns;
	double gap; /* to the nearest group that is chosen; 1 while none is */
};

static double distance(const struct design *design, const struct candidate *candidates, size_t a,
		       size_t b)
{
	const struct place *first = &candidates[a].place;
	const struct place *second = &candidates[b].place;
	double kinds = kinds_between(member(design, a, 0), member(design, b, 0));

	return sqrt(pow(first->cpu - second->cpu, 2) + pow(first->ratio - second->ratio, 2) +
		    pow(first->threads - second->threads, 2) + kinds);
}

/* The group that adds most for its time, of those that fit; group_count if none does. */
static size_t find_best(const struct design *design, const struct candidate *candidates,
			double left_ns)
{
	size_t best = design->group_count;
	double most = -1;

	for (size_t i = 0; i < design->group_count; i++) {
		size_t group = design->order[i];
		const struct candidate *candidate = &candidates[group];
		double worth = candidate->gap / (1 + candidate->place.knee) / candidate->cost_ns;

		if (!design->groups[group].left_out || candidate->cost_ns > left_ns ||
		    worth <= most)
			continue;
		most = worth;
		best = group;
	}
	return best;
}

static void choose(struct design *design, struct candidate *candidates, size_t chosen, bool first)
{
	design->groups[chosen].left_out = false;
	for (size_t i = 0; i < design->group_count; i++) {
		double away = distance(design, candidates, i, chosen);

		candidates[i].gap = first ? away : fmin(candidates[i].gap, away);
	}
}

/*
 * What each costs beside those that are chosen, whose w alone may be its own too. Returns what
 * those cost, or -ENOMEM.
 */
static int64_t find_costs(struct candidate *candidates, const struct design *design,
			  const struct ledger *empty)
{
	struct estimate estimate;
	int64_t chosen_ns = estimate_begin(&estimate, design);

	for (size_t i = 0; chosen_ns >= 0 && i < design->group_count; i++) {
		int64_t ns = estimate_group(&estimate, empty, i, ESTIMATE_LEAST).ns;

		candidates[i].cost_ns = (double)ns;
		if (!design->groups[i].left_out)
			chosen_ns += ns;
	}
	estimate_end(&estimate);
	return chosen_ns;
}

static double find_least(const struct candidate *candidates, size_t count)
{
	double least = DBL_MAX;

	for (size_t i = 0; i < count; i++)
		least = fmin(least, candidates[i].cost_ns);
	return least;
}

/* Choose what fits; and again, as with every choice others may have become cheaper. */
static int64_t fill(struct design *design, struct candidate *candidates, const struct ledger *empty,
		    double budget_ns)
{
	int64_t count = 0;
	int64_t before;

	do {
		int64_t chosen_ns = find_costs(candidates, design, empty);
		double left_ns = budget_ns - (double)chosen_ns;
		size_t best;

		if (chosen_ns < 0)
			return chosen_ns;
		before = count;
		while ((best = find_best(design, candidates, left_ns)) < design->group_count) {
			choose(design, candidates, best, count == 0);
			left_ns -= candidates[best].cost_ns;
			count++;
		}
	} while (count > before);
	return count;
}

int64_t budget_choose(struct design *design, const struct ledger *empty, int64_t budget_ns,
		      int64_t *least_ns)
{
	struct candidate *candidates = calloc(design->group_count + 1, sizeof(*candidates));
	int64_t count;

	if (!candidates)
		return -ENOMEM;
	for (size_t i = 0; i < design->group_count; i++) {
		design->groups[i].left_out = true;
		candidates[i] = (struct candidate){ .place = find_place(design, i), .gap = 1 };
	}
	design_order(design, -1, design->order); /* of two alike the seed says which */
	count = find_costs(candidates, design, empty);
	*least_ns = (int64_t)ceil(find_least(candidates, design->group_count) / BUDGET_SHARE);
	if (count == 0)
		count = fill(design, candidates, empty, BUDGET_SHARE * (double)budget_ns);
	free(candidates);
	return count;
}
