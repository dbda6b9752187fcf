#include "loadgen/model/findings.h"
#include "loadgen/model/model.h"
#include "tests/runs.h"
#include "tests/spaces.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct sweep_runs sweep;
static struct point *points;
static int64_t count;
static struct findings findings;

/* Judge the full factorial, with that share of the model's X. */
static void find(sweep_share *share)
{
	sweep_full(&sweep, share);
	count = verdict_of_runs(sweep.runs, sweep.count, &points);
	cr_assert_gt(count, 100);
	cr_assert_eq(findings_of_points(points, count, &findings), 0);
}

static void teardown(void)
{
	findings_free(&findings);
	free(points);
}

TestSuite(space, .fini = teardown);

Test(space, runs_made_from_the_model_have_no_residual)
{
	find(NULL);
	for (int64_t i = 0; i < count; i++) {
		cr_expect_eq(points[i].verdict, VERDICT_HOLDS, "%s: %s", points[i].first.arch,
			     points[i].why);
		cr_expect_float_eq(points[i].residual, 0, 1e-9);
	}
	cr_expect_eq(findings.space.points, count);
	cr_expect_eq(findings.space.judged, count);
	cr_expect_eq(findings.space.cells, findings.space.judged_cells);
	cr_expect_eq(findings.region_counts[CAUSE_OF_CALIBRATED], 0);
	for (int i = 0; i < SPACE_CLAIMS; i++) {
		cr_expect(findings.space.claims[i].met, "%s", findings.space.claims[i].what);
		cr_expect_float_eq(findings.space.claims[i].figure, 0, 1e-9);
		cr_expect_gt(findings.space.claims[i].points, 0);
	}
	for (int64_t i = 0; i < findings.space.spread_count; i++) {
		cr_expect_float_eq(findings.space.spreads[i].worst, 0, 1e-9);
		cr_expect_float_eq(findings.space.spreads[i].median, 0, 1e-9);
	}
}

Test(space, min_fits_constant_times_everywhere_and_exponential_ones_not_in_the_knee)
{
	find(NULL);
	for (int ruler = 0; ruler < 2; ruler++) {
		cr_expect_float_eq(findings.space.fits[SPACE_CONSTANT][ruler].of_points, 1, 1e-9);
		cr_expect_float_eq(findings.space.fits[SPACE_CONSTANT][ruler].of_space, 1, 1e-9);
		cr_expect_lt(findings.space.fits[SPACE_EXPONENTIAL][ruler].of_points, 1);
	}
	cr_expect_float_eq(findings.space.fits[SPACE_EXPONENTIAL][SPACE_CURVE].of_points, 1, 1e-9);
	cr_expect_lt(findings.space.fits[SPACE_CONSTANT][SPACE_CURVE].of_points, 1);
	/* All of what is left is the softness of the knee. */
	cr_expect_gt(findings.region_counts[CAUSE_OF_NOMINAL], 0);
	for (int64_t i = 0; i < findings.region_counts[CAUSE_OF_NOMINAL]; i++) {
		const struct region *region = &findings.regions[CAUSE_OF_NOMINAL][i];

		cr_expect_eq(region->why.cause, CAUSE_QUEUEING, "%s", region->why.why);
		cr_expect_eq(region->place, SPACE_KNEE);
		cr_expect(run_is_exponential(&region->worst_at->first));
	}
}

static bool is_planted(const struct run *run)
{
	return strcmp(run->distribution, "constant") == 0 && strcmp(run->arch, "pool") == 0 &&
	       run->cpu_ns == 1000000 && run->wall_ns == 100000000 && run->threads >= 1000;
}

static double a_tenth_less_in_a_corner(const struct run *asked)
{
	return is_planted(asked) ? 0.9 : 1;
}

Test(space, a_planted_region_is_found_and_located)
{
	const struct region *region;

	find(a_tenth_less_in_a_corner);
	cr_assert_eq(findings.region_counts[CAUSE_OF_CALIBRATED], 1);
	region = &findings.regions[CAUSE_OF_CALIBRATED][0];
	cr_expect_eq(region->points, 2);
	cr_expect_float_eq(region->median, -0.1, 1e-3);
	cr_expect_float_eq(region->worst, -0.1, 1e-3);
	cr_expect_eq(region->ratio_least, 100);
	cr_expect_eq(region->ratio_most, 100);
	cr_expect_eq(region->n_least, 1000);
	cr_expect_eq(region->n_most, 10000);
	cr_expect_eq(region->place, SPACE_CPU_BOUND);
	cr_expect(is_planted(&region->worst_at->first));
	/* A tenth of the time it did nothing: a request's CPU time is as metered. */
	cr_expect_eq(region->why.cause, CAUSE_IDLE, "%s", region->why.why);
	cr_expect_not_null(strstr(region->why.why, "90 % of the time"), "%s", region->why.why);
}

Test(space, a_planted_region_breaks_the_claim_that_is_about_it_alone)
{
	find(a_tenth_less_in_a_corner);
	for (int i = 0; i < SPACE_CLAIMS; i++) {
		const struct space_claim *claim = &findings.space.claims[i];
		bool is_broken = strstr(claim->what, "c of 1 ms and more") != NULL;

		cr_expect_eq(claim->met, !is_broken, "%s: %g", claim->what, claim->figure);
		if (is_broken)
			cr_expect_float_eq(claim->figure, 0.1, 1e-3);
	}
	for (int64_t i = 0; i < findings.space.spread_count; i++) {
		const struct space_spread *spread = &findings.space.spreads[i];
		bool is_there = spread->times == SPACE_CONSTANT &&
				spread->region == SPACE_CPU_BOUND && spread->cpu_ns == 1000000;

		cr_expect_float_eq(spread->worst, is_there ? -0.1 : 0, 1e-3);
	}
}

static double all_of_one_cell(const struct run *asked)
{
	return is_planted(asked) && asked->threads == 1000 ? 0.9 : 1;
}

Test(space, each_cell_of_the_space_counts_the_same)
{
	const struct space_fit *fit = &findings.space.fits[SPACE_CONSTANT][SPACE_CALIBRATED];
	int64_t more;

	find(all_of_one_cell);
	cr_expect_float_eq(fit->of_points, 1 - 1 / (double)fit->points, 1e-9);
	cr_expect_float_eq(fit->of_space, 1 - 1 / (double)fit->cells, 1e-9);
	teardown();
	/* Eight more points in that cell, t of 900...1,100, all wrong: the same share of the space.
	 */
	sweep_full(&sweep, all_of_one_cell);
	for (int64_t t = 900; t <= 1100; t += 25)
		if (t != 1000)
			for (int i = 0; i < 3; i++)
				sweep.runs[sweep.count++] = lawful_run(t, 1000000, 100000000, 900);
	more = verdict_of_runs(sweep.runs, sweep.count, &points);
	cr_assert_eq(more, count + 8);
	cr_assert_eq(findings_of_points(points, more, &findings), 0);
	cr_expect_float_eq(fit->of_points, 1 - 9 / (double)fit->points, 1e-9);
	cr_expect_float_eq(fit->of_space, 1 - 1 / (double)fit->cells, 1e-9);
}

Test(space, what_is_not_judged_counts_neither_for_nor_against)
{
	struct run runs[9];

	for (int i = 0; i < 9; i++)
		runs[i] = lawful_run(i < 3   ? 10
				     : i < 6 ? 1000
					     : 1,
				     1000000, 100000000,
				     i < 3   ? 100
				     : i < 6 ? 1000
					     : 10);
	runs[3].error_reset = runs[4].error_reset = runs[5].error_reset = 1;
	runs[6].throughput_rps = 5; /* too far apart to tell */
	count = verdict_of_runs(runs, 9, &points);
	cr_assert_eq(findings_of_points(points, count, &findings), 0);
	cr_expect_eq(findings.space.points, 3);
	cr_expect_eq(findings.space.judged, 1);
	cr_expect_eq(findings.space.invalid, 1);
	cr_expect_eq(findings.space.inconclusive, 1);
	cr_expect_eq(findings.space.cells, 3);
	cr_expect_eq(findings.space.judged_cells, 1);
	cr_expect_eq(findings.space.fits[SPACE_TIMES][SPACE_NOMINAL].of_points, 1);
	/* But an invalid point is told, with its reason. */
	cr_assert_eq(findings.region_counts[CAUSE_OF_CALIBRATED], 1);
	cr_expect(findings.regions[CAUSE_OF_CALIBRATED][0].is_invalid);
}

Test(space, nothing_is_found_in_nothing)
{
	cr_assert_eq(findings_of_points(NULL, 0, &findings), 0);
	cr_expect_eq(findings.space.points, 0);
	cr_expect_eq(findings.space.fits[SPACE_TIMES][0].of_points, 0);
	for (int i = 0; i < SPACE_CLAIMS; i++)
		cr_expect_not(findings.space.claims[i].met);
	cr_expect_eq(findings.peak_count + findings.lead_count + findings.end_count, 0);
}

/* t_max */

enum { SERIES_MAX = 6 };

/* A series over t of 1, 10, 100 ... with these X, each to within `half` of it. */
static void find_series(const double *x, int length, double half)
{
	struct run runs[SERIES_MAX * 3];
	int64_t t = 1;

	for (int i = 0; i < length; i++, t *= 10) {
		double d = half * x[i] * sqrt(3) / 4.303; /* as in test_verdict.c */

		for (int j = 0; j < 3; j++)
			runs[3 * i + j] = lawful_run(t, 1000000, 10000000, x[i] + (j - 1) * d);
	}
	count = verdict_of_runs(runs, length * 3, &points);
	cr_assert_eq(findings_of_points(points, count, &findings), 0);
}

Test(space, t_max_is_the_last_t_before_X_falls_by_more_than_the_intervals)
{
	static const struct {
		const char *name;
		double x[SERIES_MAX];
		int length;
		double half;
		int64_t t_max; /* 0: not reached */
		int64_t fallen;
		double loss;
	} table[] = {
		{ "falls", { 100, 990, 1000, 900 }, 4, 0.001, 100, 1000, 0.1 },
		{ "level", { 100, 990, 1000, 999.5 }, 4, 0.001, 0, 0, 0 },
		{ "rises", { 100, 990, 1000, 1010 }, 4, 0.001, 0, 0, 0 },
		{ "level, then falls", { 100, 1000, 999, 700 }, 4, 0.001, 100, 1000, 0.3 },
		{ "falls slowly", { 100, 1000, 998.5, 996.5, 990 }, 5, 0.001, 100, 1000, 0.0035 },
		{ "within the intervals", { 100, 990, 1000, 900 }, 4, 0.06, 0, 0, 0 },
		{ "rises again", { 1000, 900, 990, 995 }, 4, 0.001, 1, 10, 0.1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct peak *peak;

		find_series(table[i].x, table[i].length, table[i].half);
		cr_assert_eq(findings.peak_count, 1, "%s", table[i].name);
		peak = findings.peaks;
		cr_expect_eq(peak->points, table[i].length);
		cr_expect_eq(peak->first->first.threads, 1);
		cr_expect_eq(peak->fallen != NULL, table[i].t_max > 0, "%s", table[i].name);
		if (peak->fallen && table[i].t_max > 0) {
			cr_expect_eq(peak->last_level->first.threads, table[i].t_max, "%s: %lld",
				     table[i].name, (long long)peak->last_level->first.threads);
			cr_expect_eq(peak->fallen->first.threads, table[i].fallen, "%s",
				     table[i].name);
			cr_expect_float_eq(peak->loss, table[i].loss, 1e-6, "%s", table[i].name);
		}
		teardown();
	}
	find_series(table[0].x, 1, 0.001);
	cr_expect_eq(findings.peak_count, 0, "one point is no series");
}

Test(space, series_over_t_are_of_one_load_each)
{
	find(NULL);
	/* Three c, five w/c, two kinds of times; of the largest w some have one t or none left. */
	cr_expect_gt(findings.peak_count, 20);
	cr_expect_leq(findings.peak_count, 30);
	for (int64_t i = 0; i < findings.peak_count; i++) {
		cr_expect_null(findings.peaks[i].fallen);
		cr_expect_lt(findings.peaks[i].first->first.threads,
			     findings.peaks[i].last->first.threads);
	}
}

/* The crossover */

Test(space, the_loop_is_ahead_by_the_ratio_and_until_t_reaches_it)
{
	find(NULL);
	cr_expect_gt(findings.lead_count, 100);
	for (int64_t i = 0; i < findings.lead_count; i++) {
		const struct lead *lead = &findings.leads[i];
		const struct run *pool = &lead->pool->first;
		double ratio = (double)pool->wall_ns / (double)pool->cpu_ns;

		cr_expect(run_same_load(pool, &lead->loop->first));
		cr_expect_float_eq(lead->predicted, fmax(1, ratio / (double)pool->threads), 1e-6);
		if (!run_is_exponential(pool))
			cr_expect_float_eq(lead->ratio / lead->predicted, 1, 1e-6);
	}
	for (int64_t i = 0; i < findings.end_count; i++) {
		const struct lead_end *end = &findings.ends[i];
		const struct run *pool = &end->first->pool->first;
		int64_t t_star = pool->wall_ns / pool->cpu_ns;

		cr_expect_null(end->pool_ahead);
		if (run_is_exponential(pool))
			continue;
		cr_assert_not_null(end->first_level);
		cr_expect_eq(end->first_level->pool->first.threads, t_star);
		cr_expect_eq(end->last_ahead != NULL, end->first->pool->first.threads < t_star);
	}
}

/* 250 requests at once, of which each waits for 10,000 times its work: both serve them all. */
Test(space, there_is_no_lead_where_there_is_too_little_to_do)
{
	static const int64_t connections[] = { 250, 251, 13010 };

	for (int i = 0; i < 3; i++) {
		int64_t n = connections[i];
		struct lead *leads;

		sweep.count = 0;
		for (int j = 0; j < 6; j++) {
			struct run *run = &sweep.runs[sweep.count++];

			*run = j < 3 ? lawful_run(250, 1000000, 10000000000, 25)
				     : lawful_run(n, 1000000, 10000000000,
						  fmin(1000, (double)n / 10));
			strcpy(run->arch, j < 3 ? "pool" : "loop");
			run->threads = j < 3 ? 250 : 0;
			run->repetition = j % 3;
		}
		count = verdict_of_runs(sweep.runs, sweep.count, &points);
		cr_assert_eq(count, 2);
		cr_expect_eq(leads_find(points, count, &leads), i > 0, "%lld", (long long)n);
		free(leads);
		if (i < 2)
			free(points);
	}
}

static double pool_is_slow_with_many(const struct run *asked)
{
	return asked->threads == 10000 ? 0.8 : strcmp(asked->arch, "loop") == 0 ? 0.9 : 1;
}

Test(space, a_lead_that_comes_back_has_not_ended_and_the_pool_may_be_ahead)
{
	find(pool_is_slow_with_many);
	for (int64_t i = 0; i < findings.end_count; i++) {
		const struct lead_end *end = &findings.ends[i];
		const struct run *pool = &end->first->pool->first;

		if (run_is_exponential(pool) || pool->wall_ns > 100 * pool->cpu_ns)
			continue;
		/* At 10,000 threads the pool has 0.8, the loop 0.9; before, 1 and 0.9. */
		cr_expect_null(end->first_level);
		cr_assert_not_null(end->last_ahead);
		cr_expect_eq(end->last_ahead->pool->first.threads, 10000);
		cr_assert_not_null(end->pool_ahead);
		cr_expect_float_eq(end->pool_ahead->ratio, 0.9, 1e-6);
	}
}
