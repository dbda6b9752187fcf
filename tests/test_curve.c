/* The least t near the plateau, found on servers that are formulas with noise. */
#include "common/random.h"
#include "loadgen/model/model.h"
#include "loadgen/tune/next.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>

enum { RUNS_MOST = 60, TRIALS = 100 };

static const double share = 0.95;

/* A server: c and w in s, and how X falls past t*. */
struct server {
	double cpu_s;
	double wall_s;
	bool exponential; /* the closed network; else min() */
	double fall;      /* share of X that each further thread costs */
	double noise;
};

static double rate(const struct server *server, double t)
{
	double x = server->exponential ? model_closed_network(t, server->cpu_s, server->wall_s, 1)
				       : model_nominal(t, server->cpu_s, server->wall_s, 1);
	double past = t - server->wall_s / server->cpu_s;

	return past > 0 ? x * exp(-server->fall * past) : x;
}

static double plateau(const struct server *server)
{
	double most = 0;

	for (int t = 1; t <= 2000; t++)
		most = fmax(most, rate(server, t));
	return most;
}

/* By the formula: a dense sweep without noise. */
static double truth(const struct server *server)
{
	double target = share * plateau(server);
	int t = 1;
	double x0;
	double x1;

	while (rate(server, t) < target)
		t++;
	if (t == 1)
		return 1;
	x0 = rate(server, t - 1);
	x1 = rate(server, t);
	return t - 1 + (target - x0) / (x1 - x0);
}

/* As `cwt tune` does it. Returns the number of runs. */
static int tune(const struct server *server, double guess, struct random *random,
		struct curve_answer *answer)
{
	struct next_settings settings = { .least = 1,
					  .most = 2000,
					  .guess = guess,
					  .share = share,
					  .precision = 0.1,
					  .runs = 3 };
	static struct curve curve;
	int runs = 0;
	int64_t t;

	curve.count = 0;
	while (runs < RUNS_MOST && (t = next_t(&curve, &settings, 1)) != 0) {
		double noise = 1 + server->noise * random_normal(random);

		cr_assert_geq(t, settings.least);
		cr_assert_leq(t, settings.most);
		cr_assert_eq(curve_add(&curve, t, rate(server, (double)t) * noise), 0);
		runs++;
	}
	cr_assert_eq(curve_answer(&curve, share, 1, answer), 0);
	return runs;
}

static const struct server servers[] = {
	{ 5e-3, 100e-3, false, 0, 0.003 },    { 5e-3, 100e-3, true, 0, 0.003 },
	{ 2e-3, 2e-3, false, 0, 0.003 },      { 2e-3, 10e-3, true, 0, 0.005 },
	{ 1e-3, 50e-3, false, 0, 0.005 },     { 1e-3, 50e-3, true, 0, 0.01 },
	{ 1e-3, 500e-3, false, 0, 0.005 },    { 1e-3, 300e-3, true, 0, 0.005 },
	{ 10e-3, 35e-3, false, 0, 0.005 },    { 2e-3, 80e-3, false, 0.001, 0.005 },
	{ 5e-3, 100e-3, true, 0.002, 0.005 }, { 0.5e-3, 20e-3, true, 0, 0.01 },
};

enum { SERVERS = sizeof(servers) / sizeof(servers[0]) };

Test(curve, the_interval_holds_the_true_t_and_is_narrow)
{
	for (size_t i = 0; i < SERVERS; i++) {
		struct random random = { 7 + i };
		double t = truth(&servers[i]);
		int held = 0;
		int narrow = 0;

		for (int j = 0; j < TRIALS; j++) {
			struct curve_answer answer;

			tune(&servers[i], servers[i].wall_s / servers[i].cpu_s, &random, &answer);
			held += floor(answer.low) <= t && t <= ceil(answer.high);
			narrow += answer.high - answer.low <= 0.3 * answer.crossing + 1;
		}
		cr_expect_geq(held, 90, "server %zu, t %.2f: %d", i, t, held);
		cr_expect_geq(narrow, 90, "server %zu, t %.2f: %d", i, t, narrow);
	}
}

Test(curve, a_guess_that_is_far_off_is_made_good)
{
	static const double errors[] = { 0.1, 0.3, 3, 10 };

	for (size_t i = 0; i < SERVERS; i++)
		for (size_t j = 0; j < sizeof(errors) / sizeof(errors[0]); j++) {
			struct random random = { 3 };
			struct curve_answer answer;
			double t = truth(&servers[i]);
			int runs =
				tune(&servers[i], errors[j] * servers[i].wall_s / servers[i].cpu_s,
				     &random, &answer);

			cr_expect_lt(runs, RUNS_MOST, "server %zu, guess x%g", i, errors[j]);
			cr_expect_lt(fabs(answer.crossing - t), 0.15 * t + 1,
				     "%zu, x%g: %g, not %g", i, errors[j], answer.crossing, t);
		}
}

Test(curve, points_are_kept_by_t_and_samples_by_point)
{
	struct curve curve = { 0 };

	cr_expect_eq(curve_add(&curve, 8, 80), 0);
	cr_expect_eq(curve_add(&curve, 2, 20), 0);
	cr_expect_eq(curve_add(&curve, 8, 84), 0);
	cr_expect_eq(curve_add(&curve, 4, 40), 0);
	cr_assert_eq(curve.count, 3);
	cr_expect_eq(curve.points[0].t, 2);
	cr_expect_eq(curve.points[1].t, 4);
	cr_expect_float_eq(curve_find(&curve, 8)->mean, 82, 1e-9);
	cr_expect_eq(curve_find(&curve, 8)->count, 2);
	cr_expect_null(curve_find(&curve, 3));
	for (int i = 0; i < CURVE_SAMPLES_MAX - 2; i++)
		cr_expect_eq(curve_add(&curve, 8, 82), 0);
	cr_expect_eq(curve_add(&curve, 8, 82), -ENOSPC);
}

Test(curve, between_points_it_is_a_line_over_the_logarithm_of_t)
{
	struct curve curve = { 0 };
	bool below;

	curve_add(&curve, 10, 100);
	curve_add(&curve, 40, 200);
	cr_expect_float_eq(curve_value(&curve, 20), 150, 1e-9);
	cr_expect_float_eq(curve_value(&curve, 5), 100, 1e-9);
	cr_expect_float_eq(curve_value(&curve, 80), 200, 1e-9);
	cr_expect_float_eq(curve_crossing(&curve, 0.75, 0, &below), 20, 1e-9);
	cr_expect_not(below);
	cr_expect_float_eq(curve_crossing(&curve, 0.5, 0, &below), 10, 1e-9);
	cr_expect(below);
}

/* The curve bends in between: a line is far too low there, and runs that agree say nothing of it.
 */
Test(curve, all_between_points_far_apart_is_possible)
{
	static const struct {
		int64_t t[3];
		double low;
		double high;
	} table[] = {
		{ { 12, 24, 48 }, 24, 48 },
		{ { 12, 40, 48 }, 40, 48 },
		{ { 12, 44, 48 }, 43.7, 48.3 }, /* near enough for a line */
		{ { 1, 2, 3 }, 2.33, 2.57 },    /* neighbours */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		static const double rates[] = { 240, 450, 500 };
		struct curve curve = { 0 };
		struct curve_answer answer;

		for (int run = 0; run < 3; run++)
			for (int j = 0; j < 3; j++)
				curve_add(&curve, table[i].t[j], rates[j]);
		cr_assert_eq(curve_answer(&curve, share, 1, &answer), 0);
		cr_expect_float_eq(answer.low, table[i].low, 0.05, "row %zu: %g", i, answer.low);
		cr_expect_float_eq(answer.high, table[i].high, 0.05, "row %zu: %g", i, answer.high);
	}
}

Test(curve, nothing_measured_is_no_answer)
{
	struct curve curve = { 0 };
	struct curve_answer answer;

	cr_expect_eq(curve_answer(&curve, share, 1, &answer), -ENODATA);
}
