#include "loadgen/model/model.h"
#include "loadgen/tune/explain.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>

static struct curve usl_curve(double rate, double contention, double coherence)
{
	static const int64_t ts[] = { 1, 2, 4, 8, 16, 32, 64, 128 };
	struct curve curve = { 0 };

	for (size_t i = 0; i < sizeof(ts) / sizeof(ts[0]); i++) {
		double t = (double)ts[i];

		curve_add(&curve, ts[i],
			  rate * t / (1 + contention * (t - 1) + coherence * t * (t - 1)));
	}
	return curve;
}

Test(explain, the_scalability_law_is_found_again)
{
	static const double table[][3] = {
		{ 100, 0.05, 1e-4 },
		{ 10, 0.2, 1e-3 },
		{ 1000, 0.5, 0 },
		{ 50, 0.01, 2e-5 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct curve curve = usl_curve(table[i][0], table[i][1], table[i][2]);
		struct usl usl;

		cr_assert_eq(usl_fit(&curve, 1, &usl), 0);
		cr_expect_float_eq(usl.rate, table[i][0], 1e-6 * table[i][0]);
		cr_expect_float_eq(usl.contention, table[i][1], 1e-6);
		cr_expect_float_eq(usl.coherence, table[i][2], 1e-9);
		if (table[i][2] > 1e-6)
			cr_expect_float_eq(usl.peak, sqrt((1 - table[i][1]) / table[i][2]), 0.01);
	}
}

Test(explain, two_points_are_no_law)
{
	struct curve curve = usl_curve(100, 0.05, 1e-4);
	struct usl usl;

	cr_expect_eq(usl_fit(&curve, 64, &usl), -ENODATA);
	cr_expect_eq(usl_fit(&curve, 32, &usl), 0);
}

/* X = min(k/c, t/w) with c = 5 ms and w = 100 ms. */
static struct curve nominal_curve(double cores, int64_t most)
{
	struct curve curve = { 0 };

	for (int64_t t = 1; t <= most; t *= 2)
		curve_add(&curve, t, fmin(cores * 200, (double)t * 10));
	return curve;
}

Test(explain, the_bound_is_named)
{
	static const struct {
		double cores;
		double busy;
		int64_t most;
		enum explain_bound bound;
	} table[] = {
		{ 1, 0.99, 128, EXPLAIN_CPU },  { 2, 1.97, 128, EXPLAIN_CPU },
		{ 2, 1.0, 128, EXPLAIN_LOCK },  { 4, 0.98, 512, EXPLAIN_LOCK },
		{ 1, 0.5, 128, EXPLAIN_OTHER }, { 2, 1.5, 128, EXPLAIN_OTHER },
		{ 1, 0.4, 8, EXPLAIN_THREADS },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct curve curve = nominal_curve(table[i].cores, table[i].most);
		struct explain_input input = { 5e-3, 100e-3, table[i].cores, 5e-3, table[i].busy };
		struct explanation explanation;
		struct curve_answer answer;

		cr_assert_eq(curve_answer(&curve, 0.95, 1, &answer), 0);
		explain(&curve, &answer, &input, &explanation);
		cr_expect_eq(explanation.bound, table[i].bound, "row %zu: %s", i,
			     explain_bounds[explanation.bound]);
		cr_expect_float_eq(explanation.t_star, table[i].cores * 20, 1e-9);
	}
}

/* Of c = 10 ms and w = 150 ms, times `factor` at t = 30. */
static struct explain_sag sag_of(double (*rate)(double, double, double, double), double factor)
{
	static const int64_t ts[] = { 8, 15, 30, 60, 120 };
	struct curve curve = { 0 };
	struct curve_answer answer;

	for (size_t i = 0; i < sizeof(ts) / sizeof(ts[0]); i++) {
		double x = rate((double)ts[i], 10e-3, 150e-3, 1);

		curve_add(&curve, ts[i], ts[i] == 30 ? factor * x : x);
	}
	cr_assert_eq(curve_answer(&curve, 0.95, 1, &answer), 0);
	return explain_sag(&curve, &answer, 150e-3);
}

Test(explain, a_curve_that_sags_below_the_closed_network_is_seen)
{
	struct explain_sag sag = sag_of(model_nominal, 0.87);
	double t = (double)sag.together_t;

	cr_assert_eq(sag.t, 30);
	cr_expect_float_eq(sag.rps, 87, 1e-9);
	cr_expect_float_eq(sag.random_rps, 99.9, 0.2);
	cr_expect_float_eq(sag.together_rps, t / (150e-3 + (t - 1) * 10e-3), 1);
	cr_expect_eq(sag_of(model_nominal, 0.97).t, 0);
	cr_expect_eq(sag_of(model_closed_network, 1).t, 0);
}

/* Past its plateau X may fall for other reasons; nor is there a wait where w is no more than c. */
Test(explain, neither_a_fall_past_the_plateau_nor_work_without_a_wait_is_a_sag)
{
	struct curve curve = nominal_curve(1, 64);
	struct curve_answer answer;

	curve_add(&curve, 128, 180);
	curve_add(&curve, 256, 120);
	cr_assert_eq(curve_answer(&curve, 0.95, 1, &answer), 0);
	cr_expect_eq(explain_sag(&curve, &answer, 100e-3).t, 0);
	curve_add(&curve, 512, 200); /* it was none past the plateau */
	cr_expect_eq(explain_sag(&curve, &answer, 100e-3).t, 256);
	cr_expect_eq(explain_sag(&curve, &answer, 1 / answer.plateau).t, 0);
}

Test(explain, rules_of_thumb_are_told_with_what_they_lose)
{
	struct curve curve = nominal_curve(1, 128);
	struct explain_input input = { 5e-3, 100e-3, 1, 5e-3, 1 };
	struct explanation explanation;
	struct curve_answer answer;

	cr_assert_eq(curve_answer(&curve, 0.95, 1, &answer), 0);
	explain(&curve, &answer, &input, &explanation);
	cr_expect_eq(explanation.rules[0].t, 3); /* between 20 and 40 of 200/s */
	cr_expect_float_eq(explanation.rules[0].loss, 0.85, 0.02);
	cr_expect_eq(explanation.rules[1].t, 20);
	cr_expect_lt(explanation.rules[1].loss, 0.15);
}

Test(explain, a_shift_is_traced_to_what_has_changed)
{
	static const struct baseline then = { 20, 18, 20, 5e-3, 100e-3, 1, 200 };
	static const struct {
		struct baseline now;
		enum shift_cause cause;
	} table[] = {
		{ { 20, 18, 20, 5e-3, 100e-3, 1, 200 }, SHIFT_NONE },
		{ { 20, 18.5, 20, 5.1e-3, 101e-3, 1, 200 }, SHIFT_NONE },
		{ { 30, 27, 30, 5e-3, 150e-3, 1, 200 }, SHIFT_WALL },
		{ { 15, 14, 15.5, 6.5e-3, 101.5e-3, 1, 154 }, SHIFT_CPU },
		{ { 40, 36, 40, 5e-3, 100e-3, 2, 400 }, SHIFT_CORES },
		{ { 10, 9, 10, 5e-3, 100e-3, 1, 100 }, SHIFT_UNKNOWN },
		{ { 30, 27, 30, 6e-3, 180e-3, 1, 166 }, SHIFT_WALL }, /* c went the other way */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct shift shift = explain_shift(&then, &table[i].now, 0.05);

		cr_expect_eq(shift.cause, table[i].cause, "row %zu: %s", i,
			     shift_causes[shift.cause]);
	}
}
