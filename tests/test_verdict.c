#include "loadgen/model/model.h"
#include "loadgen/model/verdict.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* c, w and t of a load, in seconds; what docs/model.md says of it is computed here. */
struct load {
	double c, w;
	int64_t t;
};

static const struct load thread_bound = { 5e-3, 100e-3, 10 };
static const struct load cpu_bound = { 5e-3, 100e-3, 100 };
static const struct load knee = { 5e-3, 100e-3, 20 };
static const struct load small_cpu = { 0.1e-3, 10e-3, 25 };

static double bound(const struct load *load)
{
	return fmin(1 / load->c, (double)load->t / load->w);
}

static struct run run_at(const struct load *load, double x)
{
	return lawful_run(load->t, (int64_t)round(load->c * 1e9), (int64_t)round(load->w * 1e9), x);
}

/* Judge runs of one point. */
static struct point judge(const struct run *runs, int64_t count)
{
	struct point *points;
	struct point point;

	cr_assert_eq(verdict_of_runs(runs, count, &points), 1);
	point = points[0];
	free(points);
	return point;
}

/* Three repetitions at x, with so much between them that the interval's half is `half` of x. */
static struct point judge_at(const struct load *load, double x, double half)
{
	/* Of {-d, 0, d}: the deviation is d, and t of 2 degrees of freedom 4.303. */
	double d = half * x * sqrt(3) / 4.303;
	struct run runs[] = { run_at(load, x - d), run_at(load, x), run_at(load, x + d) };

	return judge(runs, 3);
}

Test(verdict, a_point_is_held_against_its_prediction)
{
	static const struct {
		const char *name;
		const struct load *load;
		double share; /* of min() */
		double half;  /* of the interval, as a share of X */
		enum verdict verdict;
	} table[] = {
		{ "thread-bound, exact", &thread_bound, 1, 0.001, VERDICT_HOLDS },
		{ "thread-bound, within", &thread_bound, 0.975, 0.001, VERDICT_HOLDS },
		{ "thread-bound, below", &thread_bound, 0.96, 0.001, VERDICT_BELOW },
		{ "thread-bound, above", &thread_bound, 1.04, 0.001, VERDICT_ABOVE },
		{ "thread-bound, high within", &thread_bound, 1.025, 0.001, VERDICT_HOLDS },
		/* The run's own interval widens the band. */
		{ "low, but wide enough", &thread_bound, 0.96, 0.02, VERDICT_HOLDS },
		{ "high, but wide enough", &thread_bound, 1.04, 0.02, VERDICT_HOLDS },
		{ "too wide", &thread_bound, 1, 0.04, VERDICT_INCONCLUSIVE },
		{ "too wide to be below", &thread_bound, 0.9, 0.04, VERDICT_INCONCLUSIVE },
		{ "CPU-bound, exact", &cpu_bound, 1, 0.001, VERDICT_HOLDS },
		{ "CPU-bound, below", &cpu_bound, 0.96, 0.001, VERDICT_BELOW },
		{ "CPU-bound, above", &cpu_bound, 1.04, 0.001, VERDICT_ABOVE },
		/* c is 0.1 ms: 6 %. */
		{ "small c, within", &small_cpu, 0.95, 0.001, VERDICT_HOLDS },
		{ "small c, high within", &small_cpu, 1.05, 0.001, VERDICT_HOLDS },
		{ "small c, below", &small_cpu, 0.93, 0.001, VERDICT_BELOW },
		{ "small c, above", &small_cpu, 1.07, 0.001, VERDICT_ABOVE },
		{ "small c, wide", &small_cpu, 1, 0.05, VERDICT_HOLDS },
		{ "small c, too wide", &small_cpu, 1, 0.07, VERDICT_INCONCLUSIVE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct point point = judge_at(table[i].load, table[i].share * bound(table[i].load),
					      table[i].half);

		cr_expect_eq(point.verdict, table[i].verdict, "%s: %s (%s)", table[i].name,
			     verdict_names[point.verdict], point.why);
		cr_expect_eq(point.why[0] == '\0', point.verdict == VERDICT_HOLDS, "%s: '%s'",
			     table[i].name, point.why);
		cr_expect_eq(point.runs, 3);
		cr_expect_eq(point.valid_runs, 3);
		cr_expect_float_eq(point.nominal_rps, bound(table[i].load), 1e-6);
		cr_expect_float_eq(point.calibrated_rps, bound(table[i].load), 1e-6);
		cr_expect_float_eq(point.measured.half / point.measured.mean, table[i].half, 1e-4);
		cr_expect_not(point.knee);
	}
}

Test(verdict, in_the_knee_the_band_reaches_down_to_the_closed_network)
{
	double curve = model_closed_network(20, 5e-3, 100e-3, 1);
	static const struct {
		double of_curve; /* 0: of min() */
		double of_bound;
		enum verdict verdict;
	} table[] = {
		{ 0, 1, VERDICT_HOLDS },    { 1, 0, VERDICT_HOLDS },    { 0, 0.95, VERDICT_HOLDS },
		{ 0.98, 0, VERDICT_HOLDS }, { 0.96, 0, VERDICT_BELOW }, { 0, 1.02, VERDICT_HOLDS },
		{ 0, 1.04, VERDICT_ABOVE },
	};

	/* w/c = 20 at t*: the published softness, so the test's own ruler is right. */
	cr_assert_float_eq(curve / bound(&knee), 0.866, 0.0005);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double x = table[i].of_curve * curve + table[i].of_bound * bound(&knee);
		struct point point = judge_at(&knee, x, 0.001);

		cr_expect(point.knee);
		cr_expect_float_eq(point.load, 1, 1e-9);
		cr_expect_float_eq(point.curve_rps, curve, 1e-6);
		cr_expect_eq(point.verdict, table[i].verdict, "row %zu: %s (%s)", i,
			     verdict_names[point.verdict], point.why);
	}
}

/* As judge_at(), with exponential times. */
static struct point judge_exponential(const struct load *load, double x, double half)
{
	double d = half * x * sqrt(3) / 4.303;
	struct run runs[] = { run_at(load, x - d), run_at(load, x), run_at(load, x + d) };

	for (int i = 0; i < 3; i++)
		strcpy(runs[i].distribution, "exponential");
	return judge(runs, 3);
}

Test(verdict, exponential_times_must_lie_on_the_closed_networks_curve_everywhere)
{
	static const struct load *const loads[] = { &thread_bound, &cpu_bound, &knee, &small_cpu };
	static const struct {
		double share; /* of the curve */
		double half;
		enum verdict verdict;
		double residual;
	} table[] = {
		{ 1, 0.001, VERDICT_HOLDS, 0 },
		{ 0.96, 0.001, VERDICT_HOLDS, -0.04 },
		{ 1.04, 0.001, VERDICT_HOLDS, 0.04 },
		{ 0.94, 0.001, VERDICT_BELOW, -0.06 },
		{ 1.06, 0.001, VERDICT_ABOVE, 0.06 },
		/* The interval leaves it open. */
		{ 0.94, 0.02, VERDICT_HOLDS, -0.06 },
		{ 1.06, 0.02, VERDICT_HOLDS, 0.06 },
		{ 0.94, 0.06, VERDICT_INCONCLUSIVE, -0.06 },
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		double t = (double)loads[i]->t;
		double curve = model_closed_network(t, loads[i]->c, loads[i]->w, 1);

		for (size_t j = 0; j < sizeof(table) / sizeof(table[0]); j++) {
			struct point point =
				judge_exponential(loads[i], table[j].share * curve, table[j].half);

			cr_expect_eq(point.verdict, table[j].verdict, "load %zu, row %zu: %s (%s)",
				     i, j, verdict_names[point.verdict], point.why);
			cr_expect_float_eq(point.residual, table[j].residual, 1e-9);
			cr_expect_float_eq(point.lower_rps, curve, 1e-6);
			cr_expect_float_eq(point.upper_rps, curve, 1e-6);
		}
	}
}

Test(verdict, exponential_times_that_keep_to_min_in_the_knee_are_above)
{
	/* w/c = 20 at t*: min() is 1/0.866 of the curve; no coincidence passes. */
	struct point point = judge_exponential(&knee, bound(&knee), 0.001);

	cr_expect_eq(point.verdict, VERDICT_ABOVE);
	cr_expect_float_eq(point.residual, 1 / 0.866 - 1, 0.001);
	cr_expect_not_null(strstr(point.why, "above the closed network's curve"), "%s", point.why);
}

Test(verdict, exponential_times_of_a_loop_are_those_of_its_connections)
{
	struct run runs[3];
	struct point point;

	for (int i = 0; i < 3; i++) {
		runs[i] = run_at(&knee, 172.79);
		runs[i].threads = 0;
		strcpy(runs[i].arch, "loop");
		strcpy(runs[i].distribution, "exponential");
	}
	point = judge(runs, 3);
	cr_expect_eq(point.population, 20);
	cr_expect_eq(point.verdict, VERDICT_HOLDS, "%s", point.why);
	cr_expect_float_eq(point.curve_rps, model_closed_network(20, 5e-3, 100e-3, 1), 1e-9);
}

Test(verdict, the_residual_is_how_far_X_is_outside_the_band)
{
	double curve = model_closed_network(20, 5e-3, 100e-3, 1);
	static const struct {
		const struct load *load;
		double of_curve, of_bound;
		double residual;
	} table[] = {
		{ &thread_bound, 0, 0.98, -0.02 },
		{ &thread_bound, 0, 1.02, 0.02 },
		{ &knee, 0, 1, 0 },
		{ &knee, 1, 0, 0 },
		{ &knee, 0, 0.95, 0 },
		{ &knee, 0.98, 0, -0.02 },
		{ &knee, 0, 1.01, 0.01 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double x = table[i].of_curve * curve + table[i].of_bound * bound(table[i].load);
		struct point point = judge_at(table[i].load, x, 0.001);

		cr_expect_float_eq(point.residual, table[i].residual, 1e-9, "row %zu: %g", i,
				   point.residual);
	}
}

Test(verdict, what_was_counted_is_of_the_valid_runs_and_of_all_if_none_is)
{
	struct run runs[4];
	struct point point;

	for (int i = 0; i < 4; i++) {
		runs[i] = run_at(&thread_bound, 100);
		runs[i].run_delay_ns = (i + 1) * 1000000LL * runs[i].all_requests;
		runs[i].listen_drops = i == 0 ? 7 : 0;
	}
	point = judge(runs, 4);
	cr_expect_eq(point.valid_runs, 3);
	cr_expect_float_eq(point.counts.run_delay_s, 3e-3, 1e-12);
	cr_expect_eq(point.counts.dropped, 0);
	point = judge(runs, 1);
	cr_expect_eq(point.verdict, VERDICT_INVALID);
	cr_expect_float_eq(point.counts.run_delay_s, 1e-3, 1e-12);
	cr_expect_eq(point.counts.dropped, 7);
	cr_expect_eq(point.measured.mean, 0);
}

Test(verdict, the_knee_is_from_three_quarters_to_one_and_a_half_of_t_star)
{
	static const struct {
		int64_t t;
		bool knee;
	} table[] = { { 10, false }, { 14, false }, { 16, true },  { 20, true },
		      { 25, true },  { 29, true },  { 31, false }, { 100, false } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct load load = { 5e-3, 100e-3, table[i].t };
		struct point point = judge_at(&load, bound(&load), 0.001);

		cr_expect_eq(point.knee, table[i].knee, "t = %lld", (long long)table[i].t);
		cr_expect_float_eq(point.load, (double)table[i].t / 20, 1e-9);
	}
}

Test(verdict, too_few_repetitions_are_inconclusive)
{
	struct run runs[] = { run_at(&thread_bound, 100), run_at(&thread_bound, 100) };
	struct point point = judge(runs, 2);

	cr_expect_eq(point.verdict, VERDICT_INCONCLUSIVE);
	cr_expect_neq(point.why[0], '\0');
	/* However wrong they are. */
	runs[0] = runs[1] = run_at(&thread_bound, 50);
	cr_expect_eq(judge(runs, 2).verdict, VERDICT_INCONCLUSIVE);
}

Test(verdict, one_long_run_is_judged_by_its_windows)
{
	static const struct {
		const char *windows;
		double x;
		enum verdict verdict;
	} table[] = {
		{ "250;250;250;250", 100, VERDICT_HOLDS },
		{ "248;252;250;250", 100, VERDICT_HOLDS },
		{ "237;238;238;237", 95, VERDICT_BELOW },
		{ "262;263;263;262", 105, VERDICT_ABOVE },
		{ "200;300;200;300", 100, VERDICT_INCONCLUSIVE },
		{ "333;333;334", 100, VERDICT_HOLDS },
		{ "500;500", 100, VERDICT_INCONCLUSIVE },
		{ "1000", 100, VERDICT_INCONCLUSIVE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run run = run_at(&thread_bound, table[i].x);
		struct point point;

		strcpy(run.window_requests, table[i].windows);
		point = judge(&run, 1);
		cr_expect_eq(point.verdict, table[i].verdict, "%s: %s (%s)", table[i].windows,
			     verdict_names[point.verdict], point.why);
		/* The window is 10 s. */
		cr_expect_float_eq(point.measured.mean, table[i].x, 0.01, "%s", table[i].windows);
	}
}

Test(verdict, rejected_runs_do_not_count)
{
	struct run runs[6];
	struct point point;

	for (int i = 0; i < 6; i++)
		runs[i] = run_at(&thread_bound, i % 2 ? 100 : 50);
	for (int i = 0; i < 6; i += 2)
		runs[i].error_reset = 1;
	point = judge(runs, 6);
	cr_expect_eq(point.runs, 6);
	cr_expect_eq(point.valid_runs, 3);
	cr_expect_eq(point.verdict, VERDICT_HOLDS, "%s", point.why);
	cr_expect_float_eq(point.measured.mean, 100, 1e-9);
}

Test(verdict, a_point_without_a_valid_run_is_invalid_and_says_which_audit)
{
	struct run runs[3];
	struct point point;

	for (int i = 0; i < 3; i++) {
		runs[i] = run_at(&thread_bound, 100);
		runs[i].steal_ns = runs[i].run_ns / 10;
	}
	point = judge(runs, 3);
	cr_expect_eq(point.verdict, VERDICT_INVALID);
	cr_expect_eq(point.valid_runs, 0);
	cr_expect_not_null(strstr(point.why, audit_names[AUDIT_MACHINE]), "%s", point.why);
	cr_expect_float_eq(point.nominal_rps, 100, 1e-9);
}

Test(verdict, runs_are_grouped_into_points_in_the_order_of_their_first)
{
	struct run runs[6];
	struct point *points;

	for (int i = 0; i < 6; i++)
		runs[i] = i % 2 ? run_at(&cpu_bound, 200) : run_at(&thread_bound, 100);
	cr_assert_eq(verdict_of_runs(runs, 6, &points), 2);
	cr_expect_eq(points[0].first.threads, thread_bound.t);
	cr_expect_eq(points[1].first.threads, cpu_bound.t);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(points[i].runs, 3);
		cr_expect_eq(points[i].verdict, VERDICT_HOLDS, "%s", points[i].why);
	}
	free(points);
	cr_expect_eq(verdict_of_runs(NULL, 0, &points), 0);
	free(points);
}

Test(verdict, an_evented_server_is_bound_by_its_clients_alone)
{
	/* Feed fetcher: k/c is 500/s, whatever t is; with 60 connections N/w is 240/s. */
	static const struct {
		int64_t n;
		double calibrated;
	} table[] = { { 60, 240 }, { 250, 500 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run runs[3];
		struct point point;

		for (int j = 0; j < 3; j++) {
			runs[j] = lawful_run(table[i].n, 2000000, 250000000, table[i].calibrated);
			runs[j].threads = 0;
			strcpy(runs[j].arch, "loop");
		}
		point = judge(runs, 3);
		cr_expect_float_eq(point.nominal_rps, 500, 1e-9);
		cr_expect_float_eq(point.calibrated_rps, table[i].calibrated, 1e-6);
		cr_expect_eq(point.verdict, VERDICT_HOLDS, "%s", point.why);
	}
}

Test(verdict, the_calibrated_prediction_is_of_the_architectures_own_c_and_w)
{
	/* o is 0.4 ms above o_ref, so c_cal is 5.4 ms; w_cal is 110 ms. */
	struct load load = { 5.4e-3, 110e-3, 10 };
	struct run runs[3];
	struct point point;

	for (int i = 0; i < 3; i++) {
		runs[i] = run_at(&load, bound(&load));
		runs[i].cpu_ns = 5000000;
		runs[i].wall_ns = 100000000;
		runs[i].work_ns = 5000000 - 10000;
		runs[i].overhead_ns = 410000;
	}
	point = judge(runs, 3);
	cr_expect_float_eq(point.cpu_cal_s, 5.4e-3, 1e-12);
	cr_expect_float_eq(point.wall_cal_s, 110e-3, 1e-12);
	cr_expect_float_eq(point.nominal_rps, 100, 1e-9);
	cr_expect_float_eq(point.calibrated_rps, 10 / 110e-3, 1e-6);
	cr_expect_eq(point.verdict, VERDICT_HOLDS, "%s", point.why);
}

Test(verdict, its_json_has_the_names_that_scripts_rely_on)
{
	static const char *const names[] = {
		"case",
		"arch",
		"service",
		"wait",
		"work",
		"threads",
		"distribution",
		"residual",
		"lower_rps",
		"upper_rps",
		"cores",
		"cpu_ns",
		"wall_ns",
		"connections",
		"measured_rps",
		"interval_rps",
		"nominal_rps",
		"calibrated_rps",
		"closed_network_rps",
		"runs",
		"valid_runs",
		"verdict",
		"why",
	};
	struct point point = judge_at(&thread_bound, 100, 0.001);
	json_t *object = verdict_to_json(&point);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_expect_not_null(json_object_get(object, names[i]), "%s", names[i]);
	cr_expect_str_eq(json_string_value(json_object_get(object, "verdict")), "holds");
	cr_expect_float_eq(json_real_value(json_object_get(object, "measured_rps")), 100, 1e-6);
	cr_expect_float_eq(json_real_value(json_object_get(object, "nominal_rps")), 100, 1e-6);
	cr_expect_eq(json_integer_value(json_object_get(object, "cpu_ns")), 5000000);
	json_decref(object);
}

Test(verdict, a_point_without_work_is_measured_and_has_no_prediction)
{
	struct run runs[3];
	struct point point;

	for (int i = 0; i < 3; i++) {
		runs[i] = run_at(&thread_bound, 100 + 30 * i);
		runs[i].cpu_ns = runs[i].wall_ns = runs[i].work_ns = 0;
		runs[i].client_cpu_ns = runs[i].window_ns * 9 / 10;
		runs[i].pss_bytes = 1000 * (1 + i);
		runs[i].available_before_bytes = 9000;
		runs[i].available_after_bytes = 5000;
	}
	point = judge(runs, 2);
	cr_expect_eq(point.verdict, VERDICT_INCONCLUSIVE);
	point = judge(runs, 3);
	cr_expect_eq(point.verdict, VERDICT_MEASURED, "%s", point.why);
	cr_expect_str_empty(point.why);
	cr_expect_eq(point.nominal_rps, 0);
	cr_expect_eq(point.calibrated_rps, 0);
	cr_expect_not(point.knee);
	cr_expect(verdict_is_client_bound(&point));
	cr_expect_float_eq(point.measured.mean, 130, 1e-9);
	cr_expect_float_eq(point.pss_bytes, 2000, 1e-9);
	cr_expect_float_eq(point.available_bytes, 4000, 1e-9);
	for (int i = 0; i < 3; i++)
		runs[i].error_reset = 1;
	cr_expect_eq(judge(runs, 3).verdict, VERDICT_INVALID);
}

Test(verdict, idle_connections_take_up_threads_only_where_they_have_one_each)
{
	static const struct {
		const char *arch;
		int64_t t;
		double calibrated;
	} table[] = {
		{ "pool", 110, 100 },   { "pool --accept shared", 105, 50 },
		{ "thread", 110, 100 }, { "process", 110, 100 },
		{ "handoff", 10, 100 }, { "followers --active 1", 5, 50 },
		{ "loop", 0, 100 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run runs[3];
		struct point point;

		for (int j = 0; j < 3; j++) {
			runs[j] = lawful_run(10, 5000000, 100000000, table[i].calibrated);
			runs[j].idle = 100;
			runs[j].threads = table[i].t;
			strcpy(runs[j].arch, table[i].arch);
		}
		point = judge(runs, 3);
		cr_expect_float_eq(point.calibrated_rps, table[i].calibrated, 1e-6, "%s: %g",
				   table[i].arch, point.calibrated_rps);
		cr_expect_eq(point.verdict, VERDICT_HOLDS, "%s: %s", table[i].arch, point.why);
	}
}
