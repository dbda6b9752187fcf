/* What is compared, how, and what is made of it: in memory, with runs as the model has them. */
#include "loadgen/compare/compare.h"
#include "loadgen/compare/provenance.h"
#include "loadgen/compare/trials.h"
#include "tests/runs.h"
#include "common/random.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 256 };

static const struct compare_settings usual = { QUANTITY_THROUGHPUT, 0.02 };

/* A side of up to three sweeps, filled by put(). */
struct shelf {
	struct run runs[3][RUNS_MAX];
	struct side_sweep sweeps[3];
	struct side side;
};

static void open_shelf(struct shelf *shelf, size_t sweeps)
{
	memset(shelf, 0, sizeof(*shelf));
	for (size_t i = 0; i < 3; i++)
		shelf->sweeps[i].runs = shelf->runs[i];
	strcpy(shelf->sweeps[0].path, "one");
	strcpy(shelf->sweeps[1].path, "two");
	strcpy(shelf->sweeps[2].path, "three");
	shelf->side = (struct side){ shelf->sweeps, sweeps };
}

static struct run *put(struct shelf *shelf, size_t sweep, struct run run)
{
	struct run *place = &shelf->runs[sweep][shelf->sweeps[sweep].count++];

	*place = run;
	return place;
}

static struct run heavy(double x)
{
	struct run run = lawful_run(10, 5000000, 100000000, x);

	strcpy(run.distribution, "constant");
	return run;
}

/* A request without work, at so much CPU, with that way between the cores. */
static struct run without_work(double cpu_ns, int64_t way_ns)
{
	struct run run = heavy(1000);

	run.cpu_ns = run.wall_ns = run.work_ns = 0;
	run.server_cpu_ns = (int64_t)(cpu_ns * (double)run.requests);
	run.ping_pong_before_ns = run.ping_pong_after_ns = way_ns;
	return run;
}

static struct comparison compared(const struct shelf *base, const struct shelf *newer,
				  const struct compare_settings *settings)
{
	struct comparison comparison;

	cr_assert_eq(compare_sides(&base->side, &newer->side, settings, &comparison), 0);
	return comparison;
}

/* The verdict on one point: both sides have repetitions at x, x·(1 - scatter), x·(1 + scatter). */
static struct compare_point verdict_of(double base_x, double new_x, double scatter)
{
	static struct shelf base;
	static struct shelf newer;
	struct comparison comparison;
	struct compare_point point;

	open_shelf(&base, 1);
	open_shelf(&newer, 1);
	for (int i = -1; i <= 1; i++) {
		put(&base, 0, heavy(base_x * (1 + scatter * i)));
		put(&newer, 0, heavy(new_x * (1 + scatter * i)));
	}
	comparison = compared(&base, &newer, &usual);
	cr_assert_eq(comparison.count, 1);
	point = comparison.points[0];
	compare_free(&comparison);
	return point;
}

Test(compare, the_verdict_follows_from_where_the_interval_lies)
{
	/* Half of the interval is 2.267 scatters, and 0.2 % for the requests being whole. */
	static const struct {
		double ratio;
		double scatter;
		enum compare_verdict verdict;
		bool improved;
	} table[] = {
		{ 1, 0.0005, COMPARE_PASS, false },
		{ 1, 0.007, COMPARE_PASS, false },
		{ 1, 0.009, COMPARE_INCONCLUSIVE, false },
		{ 0.985, 0.0005, COMPARE_PASS, false },
		{ 0.981, 0.001, COMPARE_INCONCLUSIVE, false },
		{ 0.97, 0.002, COMPARE_REGRESSION, false },
		{ 0.97, 0.004, COMPARE_INCONCLUSIVE, false },
		{ 0.5, 0.01, COMPARE_REGRESSION, false },
		{ 1.03, 0.025, COMPARE_INCONCLUSIVE, false },
		{ 1.02, 0.005, COMPARE_PASS, false },
		{ 1.04, 0.003, COMPARE_PASS, true },
		{ 2, 0.01, COMPARE_PASS, true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct compare_point point = verdict_of(95, 95 * table[i].ratio, table[i].scatter);

		cr_expect_eq(point.verdict, table[i].verdict, "row %zu: %s, %s", i,
			     compare_verdict_names[point.verdict], point.why);
		cr_expect_eq(point.improved, table[i].improved, "row %zu", i);
		cr_expect_eq(point.why[0] == '\0', point.verdict == COMPARE_PASS, "row %zu", i);
		cr_expect_float_eq(compare_ratio(&point), table[i].ratio, 1e-6);
		cr_expect_lt(compare_low(&point), table[i].ratio);
		cr_expect_gt(compare_high(&point), table[i].ratio);
	}
}

/* What is worse, and in which field it is. */
Test(compare, each_figure_is_worse_in_its_own_direction)
{
	static const struct {
		enum quantity quantity;
		double factor;
		enum compare_verdict verdict;
	} table[] = {
		{ QUANTITY_THROUGHPUT, 0.9, COMPARE_REGRESSION },
		{ QUANTITY_THROUGHPUT, 1.1, COMPARE_PASS },
		{ QUANTITY_CPU, 0.9, COMPARE_PASS },
		{ QUANTITY_CPU, 1.1, COMPARE_REGRESSION },
		{ QUANTITY_LATENCY, 0.9, COMPARE_PASS },
		{ QUANTITY_LATENCY, 1.1, COMPARE_REGRESSION },
		{ QUANTITY_MEMORY, 0.9, COMPARE_PASS },
		{ QUANTITY_MEMORY, 1.1, COMPARE_REGRESSION },
		{ QUANTITY_SWITCHES, 0.9, COMPARE_PASS },
		{ QUANTITY_SWITCHES, 1.1, COMPARE_REGRESSION },
	};
	static struct shelf base;
	static struct shelf newer;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct compare_settings settings = { table[i].quantity, 0.02 };
		struct comparison comparison;

		open_shelf(&base, 1);
		open_shelf(&newer, 1);
		for (int j = 0; j < 3; j++) {
			double x = table[i].quantity == QUANTITY_THROUGHPUT ? table[i].factor : 1;
			double factor =
				table[i].quantity == QUANTITY_THROUGHPUT ? 1 : table[i].factor;
			struct run *run = put(&base, 0, heavy(100));

			run->work_ns = run->cpu_ns; /* keeps within the utilisation law */
			run->pss_bytes = 10000000;
			run->voluntary_switches = 4 * run->all_requests;
			run = put(&newer, 0, heavy(100 * x));
			run->pss_bytes = (int64_t)(10000000 * factor);
			run->voluntary_switches = (int64_t)(4 * factor * (double)run->all_requests);
			run->p99_ns = (int64_t)((double)run->p99_ns * factor);
			if (table[i].quantity == QUANTITY_CPU) {
				run->server_cpu_ns = (int64_t)((double)run->server_cpu_ns * factor);
				run->work_ns = (int64_t)((double)run->work_ns * factor);
				run->cpu_alone_ns = run->work_ns;
			}
		}
		comparison = compared(&base, &newer, &settings);
		cr_assert_eq(comparison.count, 1);
		cr_expect_eq(comparison.points[0].verdict, table[i].verdict, "row %zu: %s: %s", i,
			     compare_verdict_names[comparison.points[0].verdict],
			     comparison.points[0].why);
		compare_free(&comparison);
	}
}

Test(compare, next_to_no_switches_are_no_ratio)
{
	static struct shelf base;
	static struct shelf newer;
	struct compare_settings settings = { QUANTITY_SWITCHES, 0.2 };
	struct comparison comparison;

	open_shelf(&base, 1);
	open_shelf(&newer, 1);
	for (int i = 0; i < 3; i++) {
		put(&base, 0, heavy(100))->voluntary_switches = 0;
		put(&newer, 0, heavy(100))->voluntary_switches = 1;
	}
	comparison = compared(&base, &newer, &settings);
	cr_expect_eq(comparison.points[0].verdict, COMPARE_PASS);
	compare_free(&comparison);
}

Test(compare, only_repetitions_that_pass_the_audits_count)
{
	static const struct {
		int rejected_in_base; /* of four */
		int rejected_in_new;
		enum compare_verdict verdict;
		const char *word;
	} table[] = {
		{ 0, 0, COMPARE_REGRESSION, "worse by" },
		{ 1, 1, COMPARE_REGRESSION, "worse by" },
		{ 2, 0, COMPARE_INCONCLUSIVE, "2 valid repetitions in BASE" },
		{ 0, 3, COMPARE_INCONCLUSIVE, "1 in NEW" },
		{ 4, 0, COMPARE_INVALID, "no valid repetition in BASE: completeness" },
		{ 0, 4, COMPARE_INVALID, "no valid repetition in NEW: completeness" },
	};
	static struct shelf base;
	static struct shelf newer;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct comparison comparison;

		open_shelf(&base, 1);
		open_shelf(&newer, 1);
		for (int j = 0; j < 4; j++) {
			/* Those that fail would turn the verdict. */
			bool in_base = j < table[i].rejected_in_base;
			bool in_new = j < table[i].rejected_in_new;

			put(&base, 0, heavy(in_base ? 10 : 100))->error_reset = in_base;
			put(&newer, 0, heavy(in_new ? 1000 : 90))->error_reset = in_new;
		}
		comparison = compared(&base, &newer, &usual);
		cr_expect_eq(comparison.points[0].verdict, table[i].verdict, "row %zu: %s", i,
			     compare_verdict_names[comparison.points[0].verdict]);
		cr_expect_not_null(strstr(comparison.points[0].why, table[i].word), "row %zu: %s",
				   i, comparison.points[0].why);
		cr_expect_eq(comparison.points[0].base.valid_runs, 4 - table[i].rejected_in_base);
		cr_expect_eq(comparison.points[0].newer.runs, 4);
		compare_free(&comparison);
	}
}

Test(compare, what_was_rejected_when_it_was_measured_does_not_count)
{
	static struct shelf base;
	static struct shelf newer;
	struct comparison comparison;

	open_shelf(&base, 1);
	open_shelf(&newer, 1);
	for (int i = 0; i < 3; i++) {
		put(&base, 0, heavy(100));
		strcpy(put(&newer, 0, heavy(90))->rejected, i > 0 ? "steady state" : "-");
	}
	comparison = compared(&base, &newer, &usual);
	cr_expect_eq(comparison.points[0].newer.valid_runs, 1);
	compare_free(&comparison);
}

Test(compare, a_few_requests_do_not_show_a_regression)
{
	static struct shelf base;
	static struct shelf newer;
	struct comparison comparison;

	open_shelf(&base, 1);
	open_shelf(&newer, 1);
	for (int i = 0; i < 3; i++) {
		put(&base, 0, lawful_run(25, 1000000, 10000000000, 2.5));
		put(&newer, 0, lawful_run(25, 1000000, 10000000000, 2.4));
	}
	comparison = compared(&base, &newer, &usual);
	cr_expect_eq(comparison.points[0].verdict, COMPARE_INCONCLUSIVE, "%s",
		     comparison.points[0].why);
	compare_free(&comparison);
}

/* Without work */

static const struct compare_settings cpu_figure = { QUANTITY_CPU, 0.02 };

Test(compare, without_work_repetitions_of_the_same_state_make_pairs)
{
	static struct shelf base;
	static struct shelf newer;
	struct comparison comparison;
	const struct compare_point *point;

	/* BASE was measured mostly in the fast state, NEW in the slow one, and is as it was. */
	open_shelf(&base, 1);
	open_shelf(&newer, 1);
	for (int i = 0; i < 8; i++) {
		bool base_slow = i < 3;
		bool new_slow = i < 5;

		put(&base, 0,
		    without_work((base_slow ? 5500 : 1700) * (1 + 0.001 * (i % 3)),
				 base_slow ? 200 + i : 60 + i));
		put(&newer, 0,
		    without_work((new_slow ? 5500 : 1700) * (1 + 0.001 * (i % 3)),
				 new_slow ? 210 + i : 62 + i));
	}
	comparison = compared(&base, &newer, &cpu_figure);
	point = &comparison.points[0];
	cr_expect_eq(point->unit, SAMPLES_PAIRS);
	cr_expect_eq(point->base.units, 6); /* 3 slow ones and 3 fast ones */
	cr_expect_eq(point->verdict, COMPARE_PASS, "%s", point->why);
	cr_expect_float_eq(compare_ratio(point), 1, 0.002);
	compare_free(&comparison);
}

Test(compare, without_work_and_without_a_state_in_common_there_is_no_verdict)
{
	static struct shelf base;
	static struct shelf newer;
	struct comparison comparison;

	open_shelf(&base, 1);
	open_shelf(&newer, 1);
	for (int i = 0; i < 5; i++) {
		put(&base, 0, without_work(1700, 60));
		put(&newer, 0, without_work(5500, i < 2 ? 65 : 200));
	}
	comparison = compared(&base, &newer, &cpu_figure);
	cr_expect_eq(comparison.points[0].verdict, COMPARE_INCONCLUSIVE);
	cr_expect_not_null(strstr(comparison.points[0].why, "2 pairs were measured in the same"),
			   "%s", comparison.points[0].why);
	compare_free(&comparison);
}

Test(compare, without_work_two_sweeps_on_each_side_pair_in_their_order)
{
	static struct shelf base;
	static struct shelf newer;
	struct comparison comparison;

	open_shelf(&base, 2);
	open_shelf(&newer, 2);
	for (int i = 0; i < 6; i++) {
		size_t sweep = (size_t)i % 2;

		put(&base, sweep, without_work(sweep ? 5500 : 1700, sweep ? 200 : 60));
		put(&newer, sweep, without_work(sweep ? 5506 : 1701, sweep ? 210 : 63));
	}
	comparison = compared(&base, &newer, &cpu_figure);
	cr_expect_eq(comparison.points[0].unit, SAMPLES_SWEEP_PAIRS);
	cr_expect_eq(comparison.points[0].newer.units, 2);
	cr_expect_eq(comparison.points[0].verdict, COMPARE_PASS, "%s", comparison.points[0].why);
	compare_free(&comparison);
	/* One too few, and one too many: it would not count, which is not to go unsaid. */
	put(&newer, 2, without_work(1700, 60));
	for (newer.side.count = 1; newer.side.count <= 3; newer.side.count += 2) {
		comparison = compared(&base, &newer, &cpu_figure);
		cr_expect_eq(comparison.points[0].verdict, COMPARE_INCONCLUSIVE);
		cr_expect_not_null(strstr(comparison.points[0].why, "as many sweeps"));
		compare_free(&comparison);
	}
}

Test(compare, a_generator_that_is_the_limit_tells_nothing_of_the_servers_throughput)
{
	static struct shelf base;
	static struct shelf newer;
	struct comparison comparison;

	open_shelf(&base, 1);
	open_shelf(&newer, 1);
	for (int i = 0; i < 3; i++) {
		struct run *run = put(&base, 0, without_work(1700, 60));

		put(&newer, 0, without_work(1700, 60));
		run->client_cpu_ns = run->window_ns;
	}
	comparison = compared(&base, &newer, &usual);
	cr_expect_eq(comparison.points[0].verdict, COMPARE_INCONCLUSIVE);
	cr_expect_not_null(strstr(comparison.points[0].why, "--figure cpu"));
	compare_free(&comparison);
	comparison = compared(&base, &newer, &cpu_figure);
	cr_expect_eq(comparison.points[0].verdict, COMPARE_PASS);
	compare_free(&comparison);
}

/* Several sweeps */

Test(compare, what_differs_from_sweep_to_sweep_is_in_the_interval)
{
	static struct shelf base;
	static struct shelf newer;
	struct comparison comparison;

	/* Within a sweep nothing scatters; from one to the next, 4 %. */
	open_shelf(&base, 2);
	open_shelf(&newer, 2);
	for (int i = 0; i < 10; i++) {
		put(&base, (size_t)i % 2, heavy(i % 2 ? 96 : 100));
		put(&newer, (size_t)i % 2, heavy(i % 2 ? 92 : 96));
	}
	comparison = compared(&base, &newer, &usual);
	cr_expect_eq(comparison.points[0].unit, SAMPLES_SWEEPS);
	cr_expect_eq(comparison.points[0].base.units, 2);
	cr_expect_eq(comparison.points[0].verdict, COMPARE_INCONCLUSIVE);
	cr_expect_gt(compare_high(&comparison.points[0]), 1);
	compare_free(&comparison);
	/* One of each: nothing is known of that, and what is seen looks certain. */
	base.side.count = newer.side.count = 1;
	comparison = compared(&base, &newer, &usual);
	cr_expect_eq(comparison.points[0].verdict, COMPARE_REGRESSION);
	compare_free(&comparison);
}

/* Points that cannot be compared */

Test(compare, points_on_one_side_alone_are_listed_with_what_keeps_them_apart)
{
	static struct shelf base;
	static struct shelf newer;
	struct comparison comparison;

	open_shelf(&base, 1);
	open_shelf(&newer, 1);
	for (int i = 0; i < 3; i++) {
		put(&base, 0, heavy(100));
		put(&newer, 0, heavy(100));
		strcpy(put(&base, 0, lawful_run(20, 5000000, 100000000, 200))->work, "ops");
		put(&newer, 0, lawful_run(20, 5000000, 100000000, 200));
		put(&base, 0, lawful_run(3, 1000000, 1000000, 900));
	}
	for (int i = 0; i < 9; i++) {
		strcpy(base.runs[0][i].distribution, "constant");
		strcpy(newer.runs[0][i].distribution, "constant");
	}
	comparison = compared(&base, &newer, &usual);
	cr_assert_eq(comparison.count, 1);
	cr_assert_eq(comparison.refused_count, 3);
	cr_expect_str_eq(comparison.refused[0].why,
			 "only in BASE: there work is ops, in NEW clock");
	cr_expect_str_eq(comparison.refused[1].why, "only in BASE");
	cr_expect_str_eq(comparison.refused[2].why,
			 "only in NEW: there work is clock, in BASE ops");
	compare_free(&comparison);
}

static void give_plan(struct shelf *shelf, struct plan_point *point, const struct run *asked,
		      int64_t window_ns, int64_t repetitions)
{
	*point = (struct plan_point){
		.asked = *asked,
		.timing = { .window_ns = window_ns, .windows = 1, .repetitions = repetitions },
	};
	shelf->sweeps[0].has_plan = true;
	shelf->sweeps[0].plan.points = point;
	shelf->sweeps[0].plan.count = 1;
}

Test(compare, points_that_were_measured_in_another_way_are_refused)
{
	static struct shelf base;
	static struct shelf newer;
	struct plan_point points[2];
	struct comparison comparison;
	struct run asked = heavy(100);

	open_shelf(&base, 1);
	open_shelf(&newer, 1);
	for (int i = 0; i < 3; i++) {
		put(&base, 0, heavy(100));
		put(&newer, 0, heavy(100));
	}
	give_plan(&base, &points[0], &asked, 4000000000, 3);
	give_plan(&newer, &points[1], &asked, 4000000000, 30);
	comparison = compared(&base, &newer, &usual);
	cr_expect_eq(comparison.count, 1);
	compare_free(&comparison);
	points[1].timing.window_ns = 500000000;
	comparison = compared(&base, &newer, &usual);
	cr_expect_eq(comparison.count, 0);
	cr_assert_eq(comparison.refused_count, 1);
	cr_expect_not_null(strstr(comparison.refused[0].why, "window is 4s in BASE, 500ms in NEW"),
			   "%s", comparison.refused[0].why);
	compare_free(&comparison);
}

Test(compare, differences_of_the_machines_are_found_and_some_forbid)
{
	static const struct {
		const char *base;
		const char *newer;
		size_t count;
		const char *what;
		bool forbids;
	} table[] = {
		{ "{\"kernel\": \"6.1\"}", "{\"kernel\": \"6.1\"}", 0, NULL, false },
		{ "{\"kernel\": \"6.1\"}", "{\"kernel\": \"6.2\"}", 1, "kernel", false },
		{ "{\"governor\": \"performance\"}", "{}", 1, "governor", false },
		{ "{\"sysctl\": {\"a\": \"1\"}}", "{\"sysctl\": {\"a\": \"2\"}}", 1, "sysctl a",
		  false },
		{ "{\"versions\": {\"gsl\": \"2.7\"}}", "{\"versions\": {\"gsl\": \"2.8\"}}", 1,
		  "versions gsl", false },
		{ "{\"cpu_model\": \"A\"}", "{\"cpu_model\": \"B\"}", 1, "cpu_model", true },
		{ "{\"cores\": 2}", "{\"cores\": 4}", 1, "cores", true },
		{ "{\"cores\": 2}", "{}", 1, "cores", false },
		/* Measurements of the machine are no provenance. */
		{ "{\"doctor\": {\"way_ns\": 60}}", "{\"doctor\": {\"way_ns\": 200}}", 0, NULL,
		  false },
	};
	static struct shelf base;
	static struct shelf newer;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char why[256] = "";
		json_t *differences;

		open_shelf(&base, 1);
		open_shelf(&newer, 1);
		base.sweeps[0].machine = json_loads(table[i].base, 0, NULL);
		newer.sweeps[0].machine = json_loads(table[i].newer, 0, NULL);
		differences = provenance_differences(&base.side, &newer.side);
		cr_assert_eq(json_array_size(differences), table[i].count, "row %zu", i);
		if (table[i].what)
			cr_expect_str_eq(json_string_value(json_object_get(
						 json_array_get(differences, 0), "what")),
					 table[i].what);
		cr_expect_eq(provenance_forbids(differences, why, sizeof(why)), table[i].forbids,
			     "row %zu", i);
		cr_expect(!table[i].forbids || strstr(why, table[i].what), "%s", why);
		json_decref(differences);
		json_decref(base.sweeps[0].machine);
		json_decref(newer.sweeps[0].machine);
	}
}

/* Simulations */

/* Points that scatter by so much; NEW is worse by `effect`. The share of comparisons with an alarm.
 */
static double alarms(size_t points, size_t repetitions, double scatter, double effect,
		     double threshold)
{
	enum { RUNS = 2000, POINTS_MAX = 32, VALUES_MAX = 16 };
	struct compare_settings settings = { QUANTITY_CPU, threshold };
	struct random random = { 5 };
	int found = 0;

	for (int run = 0; run < RUNS; run++) {
		struct compare_point judged[POINTS_MAX] = { 0 };
		bool alarm = false;

		for (size_t i = 0; i < points; i++) {
			double base[VALUES_MAX];
			double newer[VALUES_MAX];

			for (size_t j = 0; j < repetitions; j++) {
				base[j] = 5000 * exp(scatter * random_normal(&random));
				newer[j] = 5000 * exp(effect + scatter * random_normal(&random));
			}
			judged[i].has_ratio = judged[i].has_interval = true;
			cr_assert_eq(ratio_of_means(base, repetitions, newer, repetitions,
						    &judged[i].ratio),
				     0);
		}
		cr_assert_eq(compare_judge(judged, points, &settings), 0);
		for (size_t i = 0; i < points; i++)
			alarm = alarm || judged[i].verdict == COMPARE_REGRESSION;
		found += alarm;
	}
	return (double)found / RUNS;
}

Test(compare, of_2000_comparisons_of_what_is_alike_5_percent_at_most_call_a_regression)
{
	static const size_t repetitions[] = { 3, 5, 10 };

	/* A threshold of 0 is the worst case: every point is just at it. */
	for (size_t i = 0; i < 3; i++) {
		cr_expect_leq(alarms(1, repetitions[i], 0.02, 0, 0), 0.04);
		cr_expect_leq(alarms(30, repetitions[i], 0.02, 0, 0), 0.04);
		cr_expect_leq(alarms(30, repetitions[i], 0.02, log(1.02), 0.02), 0.04);
		cr_expect_leq(alarms(30, repetitions[i], 0.02, 0, 0.02), 0.01);
	}
}

Test(compare, a_slow_down_of_5_percent_is_found_nine_times_in_ten_at_the_default_settings)
{
	cr_expect_geq(alarms(1, 3, 0.006, log(1.05), 0.02), 0.9);
	cr_expect_geq(alarms(1, 5, 0.01, log(1.05), 0.02), 0.9);
	cr_expect_geq(alarms(12, 5, 0.01, log(1.05), 0.02), 0.9);
}

/* Trials */

static struct trials_result tried(const double *values, size_t count, double planted)
{
	struct trials trials = {
		.base = values,
		.base_count = count,
		.repetitions = 3,
		.planted = planted,
		.count = 2000,
		.settings = { QUANTITY_THROUGHPUT, 0.02 },
	};
	struct random random = { 3 };
	struct trials_result result;

	cr_assert_eq(trials_run(&trials, &random, &result), 0);
	cr_assert_eq(result.count, 2000);
	return result;
}

Test(compare, trials_see_what_is_planted_and_nothing_else)
{
	struct random random = { 9 };
	double values[60];

	for (int i = 0; i < 60; i++)
		values[i] = 1000 * exp(0.004 * random_normal(&random));
	cr_expect_eq(tried(values, 60, 0).verdicts[COMPARE_REGRESSION], 0);
	cr_expect_gt(tried(values, 60, 0).verdicts[COMPARE_PASS], 1800);
	cr_expect_gt(tried(values, 60, log(1.05)).verdicts[COMPARE_REGRESSION], 1800);
	cr_expect_gt(tried(values, 60, -log(1.05)).improved, 1800);
}

Test(compare, trials_take_no_value_for_both_sides)
{
	/* Of six values, one is far off: it is always on one side, and never on both. */
	static const double values[] = { 1000, 1000, 1000, 1000, 1000, 2000 };
	struct trials trials = { .base = values,
				 .base_count = 6,
				 .repetitions = 3,
				 .count = 500,
				 .settings = { QUANTITY_THROUGHPUT, 0.02 } };
	struct random random = { 3 };
	struct trials_result result;

	cr_assert_eq(trials_run(&trials, &random, &result), 0);
	cr_expect_eq(result.verdicts[COMPARE_INCONCLUSIVE], 500);
	trials.base_count = 5;
	cr_expect_eq(trials_run(&trials, &random, &result), -EINVAL);
}

Test(compare, trials_draw_from_all_values)
{
	double values[60];
	struct trials trials = { .base = values,
				 .base_count = 60,
				 .repetitions = 3,
				 .count = 20,
				 .settings = { QUANTITY_THROUGHPUT, 0.02 } };
	struct random random = { 3 };
	struct trials_result result;

	/* Those that come first are low: three of them on one side are a matter of 1 in 1,000. */
	for (int i = 0; i < 60; i++)
		values[i] = i < 6 ? 900 : 1000;
	cr_assert_eq(trials_run(&trials, &random, &result), 0);
	cr_expect_leq(result.verdicts[COMPARE_REGRESSION], 1);
}
