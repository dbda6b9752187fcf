#include "tests/designs.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(design, .timeout = 60);

enum { LOADS = 5, CONTENDERS = 4, SEEDS = 200 };

/* A plan, its design and what was done of it. */
struct sketch {
	struct plan plan;
	struct design design;
	struct ledger ledger;
	struct design_step steps[DESIGNS_STEPS_MAX];
	size_t count;
};

static struct sketch *begin(struct plan plan, int64_t seed)
{
	struct sketch *sketch = calloc(1, sizeof(*sketch));

	cr_assert_not_null(sketch);
	sketch->plan = plan;
	cr_assert_eq(design_begin(&sketch->design, &sketch->plan, seed), 0);
	cr_assert_eq(ledger_begin(&sketch->ledger, &sketch->plan), 0);
	return sketch;
}

static void run(struct sketch *sketch, designs_measure *measure)
{
	sketch->count = designs_run(&sketch->design, &sketch->ledger, measure, sketch->steps);
}

static void end(struct sketch *sketch)
{
	ledger_end(&sketch->ledger);
	design_end(&sketch->design);
	plan_free(&sketch->plan);
	free(sketch);
}

static struct plan_timing repetitions(int64_t least, int64_t most)
{
	return (struct plan_timing){ .repetitions = least, .repetitions_most = most, .windows = 1 };
}

static struct sketch *run_plan(struct plan_timing timing, int64_t seed, designs_measure *measure)
{
	struct sketch *sketch = begin(designs_plan(LOADS, CONTENDERS, timing), seed);

	run(sketch, measure);
	return sketch;
}

/* Groups */

static void set_case(struct run *run)
{
	snprintf(run->case_name, RUN_NAME_MAX, "another");
}
static void set_service(struct run *run)
{
	snprintf(run->service, RUN_WORD_MAX, "proxy");
}
static void set_wait(struct run *run)
{
	snprintf(run->wait, RUN_WORD_MAX, "backend");
}
static void set_work(struct run *run)
{
	snprintf(run->work, RUN_WORD_MAX, "ops");
}
static void set_cpu(struct run *run)
{
	run->cpu_ns++;
}
static void set_wall(struct run *run)
{
	run->wall_ns++;
}
static void set_footprint(struct run *run)
{
	run->footprint_bytes++;
}
static void set_idle(struct run *run)
{
	run->idle++;
}
static void set_requests(struct run *run)
{
	run->requests_per_connection++;
}
static void set_times(struct run *run)
{
	snprintf(run->distribution, RUN_WORD_MAX, "exponential");
}
static void set_arch(struct run *run)
{
	snprintf(run->arch, ARCHS_VARIANT_MAX, "loop");
}
static void set_threads(struct run *run)
{
	run->threads += 5;
}
static void set_connections(struct run *run)
{
	run->connections += 5;
}

Test(design, contenders_differ_in_architecture_t_and_n_alone)
{
	static const struct {
		const char *what;
		void (*change)(struct run *run);
		size_t groups;
	} table[] = {
		{ "case", set_case, 2 },
		{ "service", set_service, 2 },
		{ "wait", set_wait, 2 },
		{ "work", set_work, 2 },
		{ "c", set_cpu, 2 },
		{ "w", set_wall, 2 },
		{ "footprint", set_footprint, 2 },
		{ "idle", set_idle, 2 },
		{ "requests", set_requests, 2 },
		{ "distribution", set_times, 2 },
		{ "arch", set_arch, 1 },
		{ "t", set_threads, 1 },
		{ "N", set_connections, 1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct plan plan = designs_plan(1, 2, repetitions(2, 2));
		struct design design;

		table[i].change(&plan.points[1].asked);
		cr_assert_eq(design_begin(&design, &plan, 1), 0);
		cr_expect_eq(design.group_count, table[i].groups, "%s", table[i].what);
		design_end(&design);
		plan_free(&plan);
	}
}

/* Order */

Test(design, a_block_has_each_contender_there_and_in_the_reverse_order_back)
{
	struct sketch *sketch = run_plan(repetitions(4, 4), 1, designs_steady);
	const struct design_step *steps = sketch->steps;

	cr_assert_eq(sketch->count, (size_t)LOADS * CONTENDERS * 4);
	for (size_t i = 0; i < sketch->count; i += CONTENDERS * 2) {
		bool seen[LOADS * CONTENDERS] = { false };

		for (size_t j = 0; j < CONTENDERS; j++) {
			const struct design_step *there = &steps[i + j];
			const struct design_step *back = &steps[i + 2 * CONTENDERS - 1 - j];

			cr_expect_eq(there->point, back->point);
			cr_expect_eq(there->repetition, 2 * there->round);
			cr_expect_eq(back->repetition, 2 * there->round + 1);
			cr_expect_eq(there->group, steps[i].group);
			cr_expect_eq(back->group, steps[i].group);
			cr_expect_not(seen[there->point]);
			seen[there->point] = true;
		}
	}
	end(sketch);
}

Test(design, every_repetition_of_every_point_is_asked_for_once)
{
	struct sketch *sketch = run_plan(repetitions(3, 5), 7, designs_restless);
	int times[LOADS * CONTENDERS][5] = { 0 };

	cr_assert_eq(sketch->count, (size_t)LOADS * CONTENDERS * 5);
	for (size_t i = 0; i < sketch->count; i++)
		times[sketch->steps[i].point][sketch->steps[i].repetition]++;
	for (size_t i = 0; i < LOADS * CONTENDERS; i++)
		for (size_t j = 0; j < 5; j++)
			cr_expect_eq(times[i][j], 1, "point %zu, repetition %zu", i, j);
	end(sketch);
}

Test(design, blocks_are_numbered_in_the_order_of_measuring)
{
	struct sketch *sketch = run_plan(repetitions(4, 4), 3, designs_steady);
	int64_t block = -1;

	for (size_t i = 0; i < sketch->count; i++) {
		const struct design_step *step = &sketch->steps[i];

		cr_expect_eq(step->begins_block, i % (CONTENDERS * 2) == 0);
		cr_expect_eq(step->begins_round, i % (CONTENDERS * 2 * LOADS) == 0);
		block += step->begins_block;
		cr_expect_eq(step->block, block);
	}
	end(sketch);
}

Test(design, the_last_block_of_an_odd_maximum_is_its_first_half)
{
	struct sketch *sketch = run_plan(repetitions(3, 3), 1, designs_restless);
	bool seen[LOADS * CONTENDERS] = { false };

	cr_assert_eq(sketch->count, (size_t)LOADS * CONTENDERS * 3);
	for (size_t i = (size_t)LOADS * CONTENDERS * 2; i < sketch->count; i++) {
		cr_expect_eq(sketch->steps[i].repetition, 2);
		cr_expect_not(seen[sketch->steps[i].point]);
		seen[sketch->steps[i].point] = true;
	}
	end(sketch);
}

static bool same_order(const struct sketch *a, const struct sketch *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->steps[i].point != b->steps[i].point ||
		    a->steps[i].repetition != b->steps[i].repetition ||
		    a->steps[i].block != b->steps[i].block)
			return false;
	return true;
}

Test(design, the_same_seed_gives_the_same_order_and_another_another)
{
	struct sketch *a = run_plan(repetitions(4, 4), 5, designs_steady);
	struct sketch *b = run_plan(repetitions(4, 4), 5, designs_steady);
	struct sketch *c = run_plan(repetitions(4, 4), 6, designs_steady);

	cr_expect(same_order(a, b));
	cr_expect_not(same_order(a, c));
	end(a);
	end(b);
	end(c);
}

/* Of n! orders; by chance two of them are the same once in 120, or in 24. */
Test(design, each_round_has_an_order_of_its_own)
{
	int same_groups = 0;
	int same_contenders = 0;

	for (int64_t seed = 1; seed <= SEEDS; seed++) {
		struct sketch *sketch =
			begin(designs_plan(LOADS, CONTENDERS, repetitions(4, 4)), seed);
		size_t groups[2][LOADS];
		size_t points[2][CONTENDERS];

		for (int64_t round = 0; round < 2; round++) {
			design_order(&sketch->design, round, groups[round]);
			design_contenders(&sketch->design, 2, round, points[round]);
		}
		same_groups += memcmp(groups[0], groups[1], sizeof(groups[0])) == 0;
		same_contenders += memcmp(points[0], points[1], sizeof(points[0])) == 0;
		end(sketch);
	}
	cr_expect_leq(same_groups, 10, "%d of %d", same_groups, SEEDS);
	cr_expect_leq(same_contenders, 25, "%d of %d", same_contenders, SEEDS);
}

/* Over many seeds each contender is at each place equally often: 50 of 200, sd 6. */
Test(design, no_contender_has_a_place_of_its_own)
{
	int places[CONTENDERS][CONTENDERS] = { 0 };

	for (int64_t seed = 1; seed <= SEEDS; seed++) {
		struct sketch *sketch =
			begin(designs_plan(LOADS, CONTENDERS, repetitions(2, 2)), seed);
		size_t points[CONTENDERS];

		design_contenders(&sketch->design, 0, 0, points);
		for (size_t i = 0; i < CONTENDERS; i++)
			places[points[i]][i]++;
		end(sketch);
	}
	for (size_t i = 0; i < CONTENDERS; i++)
		for (size_t j = 0; j < CONTENDERS; j++)
			cr_expect(places[i][j] >= 25 && places[i][j] <= 75, "%zu at %zu: %d", i, j,
				  places[i][j]);
}

/* Rounds */

static double restless_last(const struct plan *plan, const struct design_step *step)
{
	return step->point + 1 == plan->count ? designs_restless(plan, step) : 100;
}

/* Contenders whose levels differ as much as can be, or not at all. */
static double spread_levels(const struct plan *plan, const struct design_step *step)
{
	return designs_steady(plan, step) * (1 + (double)step->point);
}

Test(design, rounds_go_on_until_each_point_is_precise_or_has_the_most)
{
	static const struct {
		const char *what;
		designs_measure *measure;
		int64_t least, most;
		size_t precise; /* repetitions of the points in the first groups */
		size_t last;    /* and of those in the last one */
	} table[] = {
		{ "precise at once", designs_steady, 2, 8, 2, 2 },
		{ "never fewer than the least", designs_steady, 4, 8, 4, 4 },
		{ "whole blocks", designs_steady, 3, 8, 4, 4 },
		{ "but not past the most", designs_steady, 3, 3, 3, 3 },
		{ "never precise", designs_restless, 2, 8, 8, 8 },
		{ "an odd most", designs_restless, 2, 7, 7, 7 },
		{ "contenders go on together, others stop", restless_last, 2, 6, 2, 6 },
		{ "whether contenders differ does not matter", spread_levels, 2, 8, 2, 2 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct sketch *sketch =
			run_plan(repetitions(table[i].least, table[i].most), 1, table[i].measure);
		size_t counts[LOADS * CONTENDERS] = { 0 };

		for (size_t j = 0; j < sketch->count; j++)
			counts[sketch->steps[j].point]++;
		for (size_t j = 0; j < LOADS * CONTENDERS; j++)
			cr_expect_eq(counts[j],
				     j < (LOADS - 1) * CONTENDERS ? table[i].precise
								  : table[i].last,
				     "%s: point %zu has %zu", table[i].what, j, counts[j]);
		end(sketch);
	}
}

/* Student's t, 2.776 for five: mean 100, sd 1.58, so the half is 1.963. */
Test(design, precision_is_the_students_interval_of_the_mean_against_the_share_asked_for)
{
	static const double samples[] = { 98, 99, 100, 101, 102 };
	struct sketch *sketch = begin(designs_plan(1, 1, repetitions(5, 5)), 1);

	for (int64_t i = 0; i < 5; i++) {
		struct design_step step = { .repetition = i };
		struct run row =
			designs_row(&sketch->design, &sketch->ledger, &step, samples[i], true);

		cr_assert_eq(ledger_add(&sketch->ledger, &row), 0);
	}
	cr_expect_float_eq(ledger_interval(&sketch->ledger, 0, 5).half, 1.963, 0.001);
	cr_expect_eq(ledger_interval(&sketch->ledger, 0, 3).count, 3);
	sketch->plan.precision = 0.0197;
	cr_expect(ledger_is_precise(&sketch->ledger, 0, 5));
	sketch->plan.precision = 0.0196;
	cr_expect_not(ledger_is_precise(&sketch->ledger, 0, 5));
	end(sketch);
}

Test(design, the_plan_says_of_which_figure)
{
	static const struct {
		enum plan_y figure;
		double mean;
	} table[] = {
		{ PLAN_Y_THROUGHPUT, 100 }, { PLAN_Y_CPU, 0.002 },      { PLAN_Y_SWITCHES, 3 },
		{ PLAN_Y_MEMORY, 5000 },    { PLAN_Y_AVAILABLE, 7000 }, { PLAN_Y_LATENCY, 0.009 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct sketch *sketch = begin(designs_plan(1, 1, repetitions(2, 2)), 1);

		sketch->plan.figure = table[i].figure;
		for (int64_t j = 0; j < 2; j++) {
			struct design_step step = { .repetition = j };
			struct run row =
				designs_row(&sketch->design, &sketch->ledger, &step, 100, true);

			row.server_cpu_ns = 200000000; /* of 100 requests */
			row.voluntary_switches = 250;
			row.involuntary_switches = 50;
			row.pss_bytes = 5000;
			row.available_before_bytes = 17000;
			row.available_after_bytes = 10000;
			row.p99_ns = 9000000;
			cr_assert_eq(ledger_add(&sketch->ledger, &row), 0);
		}
		cr_expect_float_eq(ledger_interval(&sketch->ledger, 0, 2).mean, table[i].mean, 1e-9,
				   "%s", plan_y_names[table[i].figure]);
		end(sketch);
	}
}

Test(design, a_point_that_is_measured_once_has_its_windows_as_samples)
{
	static const struct {
		const char *windows;
		bool precise;
	} table[] = { { "25;25;25;25", true }, { "20;30;20;30", false } };

	for (size_t i = 0; i < 2; i++) {
		struct sketch *sketch = begin(designs_plan(1, 1, repetitions(1, 1)), 1);
		struct design_step step = { .repetition = 0 };
		struct run row = designs_row(&sketch->design, &sketch->ledger, &step, 100, true);

		snprintf(row.window_requests, sizeof(row.window_requests), "%s", table[i].windows);
		cr_assert_eq(ledger_add(&sketch->ledger, &row), 0);
		cr_expect_eq(ledger_interval(&sketch->ledger, 0, 1).count, 4);
		cr_expect_float_eq(ledger_interval(&sketch->ledger, 0, 1).mean, 100, 1e-9);
		cr_expect_eq(ledger_is_precise(&sketch->ledger, 0, 1), table[i].precise);
		end(sketch);
	}
}

/* Tries */

static double rejected_twice(const struct plan *plan, const struct design_step *step)
{
	return step->attempt < 2 ? -1 : designs_steady(plan, step);
}

static double rejected_always(const struct plan *plan, const struct design_step *step)
{
	(void)plan;
	(void)step;
	return -1;
}

Test(design, what_is_rejected_is_tried_again_at_once_up_to_so_many_times)
{
	static const struct {
		designs_measure *measure;
		size_t tries; /* of each repetition */
		int64_t least, most;
		size_t repetitions;
	} table[] = {
		{ designs_steady, 1, 2, 4, 2 },
		{ rejected_twice, 3, 2, 4, 2 },
		{ rejected_always, 3, 2, 4, 4 }, /* nothing is known, however often */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct sketch *sketch =
			run_plan(repetitions(table[i].least, table[i].most), 1, table[i].measure);

		cr_expect_eq(sketch->count,
			     (size_t)LOADS * CONTENDERS * table[i].repetitions * table[i].tries);
		for (size_t j = 0; j < sketch->count; j++) {
			const struct design_step *step = &sketch->steps[j];
			const struct design_step *first = step - j % table[i].tries;

			cr_expect_eq(step->attempt, (int64_t)(j % table[i].tries));
			cr_expect_eq(step->point, first->point);
			cr_expect_eq(step->repetition, first->repetition);
			cr_expect_eq(step->block, first->block);
		}
		end(sketch);
	}
}

/* Going on */

Test(design, whatever_is_done_already_the_rest_is_asked_for_and_nothing_twice)
{
	struct sketch *whole = run_plan(repetitions(3, 5), 9, designs_restless);

	for (size_t done = 0; done <= whole->count; done++) {
		struct sketch *sketch =
			begin(designs_plan(LOADS, CONTENDERS, repetitions(3, 5)), 9);

		for (size_t i = 0; i < done; i++) {
			struct run row =
				designs_row(&sketch->design, &sketch->ledger, &whole->steps[i],
					    designs_restless(NULL, &whole->steps[i]), true);

			cr_assert_geq(ledger_add(&sketch->ledger, &row), 0);
		}
		run(sketch, designs_restless);
		cr_assert_eq(sketch->count, whole->count - done);
		for (size_t i = 0; i < sketch->count; i++) {
			const struct design_step *a = &sketch->steps[i];
			const struct design_step *b = &whole->steps[done + i];

			cr_assert(a->point == b->point && a->repetition == b->repetition &&
				  a->block == b->block && a->attempt == b->attempt);
		}
		end(sketch);
	}
	end(whole);
}

Test(design, rows_that_cannot_be_of_the_sweep_are_told_apart)
{
	static const struct {
		int64_t threads;
		int64_t repetition;
		int64_t rc;
	} table[] = {
		{ 1, 0, -EEXIST },  { 1, 4, -ERANGE }, { 1, -1, -ERANGE },
		{ 77, 0, -ENOENT }, { 1, 1, 0 },
	};
	struct sketch *sketch = begin(designs_plan(1, 2, repetitions(2, 4)), 1);
	struct design_step step = { .repetition = 0 };
	struct run row = designs_row(&sketch->design, &sketch->ledger, &step, 100, true);

	cr_assert_eq(ledger_add(&sketch->ledger, &row), 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		row.threads = table[i].threads;
		row.repetition = table[i].repetition;
		cr_expect_eq(ledger_add(&sketch->ledger, &row), table[i].rc, "%zu", i);
	}
	end(sketch);
}

/* What a plan says of repetitions */

static int read_plan(const char *text, struct plan *plan, char why[PLAN_WHY_MAX])
{
	char path[] = "/tmp/cwt-test-design-XXXXXX";
	int fd = mkstemp(path);
	int rc;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	rc = plan_read(path, plan, why);
	unlink(path);
	return rc;
}

#define CASE "[case a]\narch = loop\ncpu = 1ms\nwall = 1ms\n"

Test(design, a_plan_has_twice_as_many_repetitions_at_the_most_unless_it_says_otherwise)
{
	static const struct {
		const char *text;
		int64_t least, most; /* 0: refused */
	} table[] = {
		{ CASE, 3, 6 },
		{ CASE "repetitions = 5\n", 5, 10 },
		{ CASE "repetitions = 1\n", 1, 1 }, /* its windows are its samples */
		{ CASE "repetitions = 1\nrepetitions-most = 4\n", 1, 4 },
		{ "[plan]\nrepetitions = 2\nrepetitions-most = 3\n" CASE, 2, 3 },
		{ "[plan]\nrepetitions-most = 4\n" CASE "repetitions = 4\n", 4, 4 },
		{ "[plan]\nrepetitions-most = 4\n" CASE "repetitions = 5\n", 0, 0 },
		{ CASE "repetitions = 10001\n", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char why[PLAN_WHY_MAX] = "";
		struct plan plan;
		int rc = read_plan(table[i].text, &plan, why);

		cr_expect_eq(rc == 0, table[i].most > 0, "%zu: %s", i, why);
		if (rc == 0) {
			cr_expect_eq(plan.points[0].timing.repetitions, table[i].least);
			cr_expect_eq(plan.points[0].timing.repetitions_most, table[i].most, "%zu",
				     i);
		} else {
			cr_expect_not_null(strstr(why, "repetitions"), "%s", why);
		}
		plan_free(&plan);
	}
}
