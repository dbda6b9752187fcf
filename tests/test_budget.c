#include "common/clock.h"
#include "loadgen/sweep/beforehand.h"
#include "loadgen/sweep/budget.h"
#include "loadgen/sweep/measure.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(budget, .timeout = 60);

static const int64_t cpus_ns[] = { NS_PER_MS / 10, NS_PER_MS, 10 * NS_PER_MS };
static const int64_t ratios[] = { 1, 10, 100, 1000 };
static const int64_t threads[] = { 1, 10, 100, 1000 };

enum { CPUS = 3, RATIOS = 4, THREADS = 4, POINTS = CPUS * RATIOS * THREADS };

/* What is chosen of a grid in which each point is a group: its cases differ. */
struct choice {
	struct plan plan;
	struct ledger empty;
	struct design design;
	struct estimate estimate;
	int64_t count;
	int64_t least_ns;
};

static struct plan make_grid(void)
{
	struct plan plan = { .tries = 1, .points = calloc(POINTS, sizeof(*plan.points)) };

	cr_assert_not_null(plan.points);
	for (size_t i = 0; i < POINTS; i++) {
		struct plan_point *point = &plan.points[plan.count++];
		int64_t t = threads[i % THREADS];
		int64_t c = cpus_ns[i / THREADS / RATIOS];

		*point = (struct plan_point){
			.asked = { .service = "app",
				   .wait = "timer",
				   .work = "clock",
				   .arch = "pool",
				   .distribution = "constant",
				   .cores = 1,
				   .cpu_ns = c,
				   .wall_ns = c * ratios[i / THREADS % RATIOS],
				   .threads = t,
				   .connections = t },
			.timing = { .repetitions = 2,
				    .repetitions_most = 4,
				    .windows = 1,
				    .window_ns = NS_PER_S },
		};
		snprintf(point->asked.case_name, sizeof(point->asked.case_name), "%zu", i);
	}
	return plan;
}

static struct choice *choose_of(struct plan plan, int64_t budget_ns, int64_t seed)
{
	struct choice *choice = calloc(1, sizeof(*choice));

	cr_assert_not_null(choice);
	choice->plan = plan;
	cr_assert_eq(ledger_begin(&choice->empty, &choice->plan), 0);
	cr_assert_eq(design_begin(&choice->design, &choice->plan, seed), 0);
	cr_assert_eq(choice->design.group_count, choice->plan.count);
	choice->count =
		budget_choose(&choice->design, &choice->empty, budget_ns, &choice->least_ns);
	cr_assert_eq(estimate_begin(&choice->estimate, &choice->design), 0);
	return choice;
}

static struct choice *choose(int64_t budget_ns, int64_t seed)
{
	return choose_of(make_grid(), budget_ns, seed);
}

static void end(struct choice *choice)
{
	estimate_end(&choice->estimate);
	design_end(&choice->design);
	ledger_end(&choice->empty);
	plan_free(&choice->plan);
	free(choice);
}

static int64_t time_of(const struct choice *choice)
{
	return estimate_left(&choice->estimate, &choice->empty, ESTIMATE_LEAST).ns;
}

Test(budget, what_is_chosen_fits_and_nothing_more_would)
{
	static const int64_t minutes[] = { 1, 3, 10, 30 };

	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		int64_t budget_ns = minutes[i] * 60 * NS_PER_S;
		struct choice *choice = choose(budget_ns, 1);
		int64_t chosen_ns = time_of(choice);

		cr_expect_leq((double)chosen_ns, BUDGET_SHARE * (double)budget_ns);
		for (size_t j = 0; j < choice->design.group_count; j++) {
			int64_t ns =
				estimate_group(&choice->estimate, &choice->empty, j, ESTIMATE_LEAST)
					.ns;

			if (choice->design.groups[j].left_out)
				cr_expect_gt((double)(chosen_ns + ns),
					     BUDGET_SHARE * (double)budget_ns);
		}
		end(choice);
	}
}

Test(budget, all_is_chosen_when_there_is_time_for_it)
{
	struct choice *choice = choose(24LL * 3600 * NS_PER_S, 1);

	cr_expect_eq(choice->count, POINTS);
	for (size_t i = 0; i < choice->design.group_count; i++)
		cr_expect_not(choice->design.groups[i].left_out);
	end(choice);
}

Test(budget, nothing_is_chosen_of_what_takes_longer)
{
	struct choice *choice = choose(NS_PER_S, 1);
	struct choice *least;

	cr_expect_eq(choice->count, 0);
	cr_expect_gt(choice->least_ns, NS_PER_S);
	least = choose(choice->least_ns, 1);
	cr_expect_eq(least->count, 1);
	end(least);
	least = choose(choice->least_ns - 2, 1);
	cr_expect_eq(least->count, 0);
	end(least);
	end(choice);
}

Test(budget, the_choice_is_a_function_of_plan_seed_and_budget)
{
	struct choice *a = choose(180LL * NS_PER_S, 5);
	struct choice *b = choose(180LL * NS_PER_S, 5);

	cr_expect_gt(a->count, 0);
	cr_expect_lt(a->count, POINTS);
	for (size_t i = 0; i < a->design.group_count; i++)
		cr_expect_eq(a->design.groups[i].left_out, b->design.groups[i].left_out);
	end(a);
	end(b);
}

/* The first one is at the knee: t = w/c, at any of the three c. */
Test(budget, of_one_group_it_is_the_knee)
{
	for (int64_t seed = 1; seed <= 5; seed++) {
		struct choice *choice = choose(8LL * NS_PER_S, seed);

		cr_assert_gt(choice->count, 0);
		for (size_t i = 0; i < choice->design.group_count; i++) {
			size_t point = choice->design.members[choice->design.groups[i].first];
			const struct run *asked = &choice->plan.points[point].asked;

			if (!choice->design.groups[i].left_out && choice->count == 1)
				cr_expect_eq(asked->wall_ns / asked->cpu_ns, asked->threads);
		}
		end(choice);
	}
}

/* The space is covered: whatever is left out has a chosen one near it, at most one step along each
 * axis. */
Test(budget, what_is_left_out_has_something_chosen_near_it)
{
	struct choice *choice = choose(90LL * NS_PER_S, 1);

	cr_expect_lt(choice->count, POINTS / 2);
	for (size_t i = 0; i < POINTS; i++) {
		const struct run *a = &choice->plan.points[i].asked;
		double nearest = HUGE_VAL;

		for (size_t j = 0; j < choice->design.group_count; j++) {
			const struct run *b = &choice->plan.points[choice->design.members[j]].asked;

			if (choice->design.groups[j].left_out)
				continue;
			nearest =
				fmin(nearest,
				     sqrt(pow(log10((double)a->cpu_ns / (double)b->cpu_ns), 2) +
					  pow(log10((double)a->wall_ns / (double)a->cpu_ns *
						    (double)b->cpu_ns / (double)b->wall_ns),
					      2) +
					  pow(log10((double)a->threads / (double)b->threads), 2)));
		}
		cr_expect_leq(nearest, sqrt(3) + 1e-9, "c=%lld w=%lld t=%lld: %f",
			      (long long)a->cpu_ns, (long long)a->wall_ns, (long long)a->threads,
			      nearest);
	}
	end(choice);
}

/* Two at the knee, all but with the same load, and one a decade away from it. */
static struct plan make_alike(void)
{
	struct plan plan = make_grid();
	const struct run knee = plan.points[THREADS * (RATIOS + 1) + 1].asked;

	for (plan.count = 0; plan.count < 3; plan.count++)
		plan.points[plan.count].asked = knee;
	snprintf(plan.points[1].asked.case_name, RUN_NAME_MAX, "the same");
	plan.points[1].asked.threads++;
	snprintf(plan.points[2].asked.case_name, RUN_NAME_MAX, "another");
	plan.points[2].asked.wall_ns *= 10;
	return plan;
}

Test(budget, of_two_that_say_the_same_one_is_enough)
{
	for (int64_t seed = 1; seed <= 5; seed++) {
		struct choice *choice = choose_of(make_alike(), 3600LL * NS_PER_S, seed);
		int64_t two_ns;

		two_ns =
			time_of(choice) -
			estimate_group(&choice->estimate, &choice->empty, 0, ESTIMATE_LEAST).ns / 2;
		end(choice);

		choice = choose_of(make_alike(), two_ns, seed);
		cr_expect_eq(choice->count, 2);
		cr_expect_not(choice->design.groups[2].left_out);
		end(choice);
	}
}

/*
 * o is metered for a block, and for each run where c is small; w alone for all that share it, and
 * for each run where it is short.
 */
Test(budget, an_estimate_counts_windows_and_what_is_metered)
{
	struct choice *choice = choose(24LL * 3600 * NS_PER_S, 1);
	int64_t sum = 0;
	int short_count = 0;

	for (size_t i = 0; i < POINTS; i++) {
		int64_t first = estimate_repetition_ns(&choice->estimate, i, 0);
		int64_t second = estimate_repetition_ns(&choice->estimate, i, 1);
		int64_t third = estimate_repetition_ns(&choice->estimate, i, 2);
		const struct plan_point *point = &choice->plan.points[i];
		bool small = point->asked.cpu_ns < NS_PER_MS;
		bool is_short = point->asked.wall_ns <= 10 * NS_PER_MS;

		short_count += is_short;
		cr_expect_gt(second, NS_PER_S);
		cr_expect_eq(first > third, i % THREADS == 0 && !is_short,
			     "w alone is metered for the first");
		if (is_short)
			cr_expect_geq(second,
				      measure_estimate(point) +
					      beforehand_estimate_alone(&point->asked),
				      "or for each run");
		cr_expect_eq(third > second, !small, "o is metered for each block");
		if (small)
			cr_expect_gt(second, NS_PER_S + NS_PER_S / 2, "or for each run");
		sum += first + second;
	}
	cr_expect_eq(time_of(choice), sum);
	cr_expect(short_count > 0 && short_count < POINTS, "both kinds: %d", short_count);
	end(choice);
}
