#include "loadgen/stats/trend.h"
#include <criterion/criterion.h>
#include <gsl/gsl_permutation.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 0...n-1 in an order of which so many pairs fall. */
static void arrange(double *values, size_t n, size_t falling)
{
	size_t back[TREND_VALUES_MAX];

	for (size_t i = n; i-- > 0;) {
		back[i] = falling < i ? falling : i;
		falling -= back[i];
	}
	for (size_t i = 0; i < n; i++) {
		size_t at = i - back[i];

		memmove(values + at + 1, values + at, (i - at) * sizeof(*values));
		values[at] = (double)i;
	}
}

Test(trend, its_p_value_is_that_of_kendalls_table)
{
	/* The probability of at least s without a trend, one side: Kendall; Gilbert 1987, A18. */
	static const struct {
		size_t n;
		size_t s;
		double p_value;
	} table[] = {
		{ 4, 2, 0.375 },    { 4, 4, 0.167 },     { 4, 6, 0.042 },      { 5, 4, 0.242 },
		{ 5, 8, 0.042 },    { 5, 10, 0.0083 },   { 6, 5, 0.235 },      { 6, 9, 0.068 },
		{ 6, 13, 0.0083 },  { 6, 15, 0.0014 },   { 7, 9, 0.119 },      { 7, 15, 0.015 },
		{ 8, 12, 0.089 },   { 8, 20, 0.0071 },   { 9, 14, 0.090 },     { 9, 24, 0.0063 },
		{ 10, 15, 0.108 },  { 10, 25, 0.014 },   { 10, 27, 0.0083 },   { 10, 31, 0.0023 },
		{ 10, 33, 0.0011 }, { 10, 35, 0.00047 }, { 10, 45, 2.756e-7 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = table[i].n;
		double values[16];
		struct trend trend;

		arrange(values, n, (n * (n - 1) / 2 - table[i].s) / 2);
		trend = trend_of(values, n);
		cr_expect_eq(trend.s, (double)table[i].s);
		/* As printed, with two digits or three. */
		cr_expect_float_eq(trend.p_value / 2, table[i].p_value, 0.04 * table[i].p_value,
				   "n = %zu, s = %zu: %g", n, table[i].s, trend.p_value / 2);
	}
}

Test(trend, with_ties_its_p_value_is_the_share_of_all_orders)
{
	static const struct {
		size_t n;
		double values[7];
	} table[] = {
		{ 5, { 1, 2, 3, 4, 5 } },       { 5, { 1, 1, 2, 3, 3 } },
		{ 6, { 1, 1, 1, 2, 2, 5 } },    { 6, { 3, 3, 3, 3, 3, 9 } },
		{ 7, { 1, 2, 2, 2, 3, 4, 4 } }, { 4, { 7, 7, 7, 7 } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = table[i].n;
		struct trend given = trend_of(table[i].values, n);
		gsl_permutation *order = gsl_permutation_calloc(n);
		int as_far = 0;
		int all = 0;

		do {
			double values[7];
			double s = 0;

			for (size_t j = 0; j < n; j++)
				values[j] = table[i].values[gsl_permutation_get(order, j)];
			for (size_t j = 0; j < n; j++)
				for (size_t k = j + 1; k < n; k++)
					s += (values[k] > values[j]) - (values[k] < values[j]);
			as_far += fabs(s) >= fabs(given.s);
			all++;
		} while (gsl_permutation_next(order) == GSL_SUCCESS);
		gsl_permutation_free(order);
		cr_expect_float_eq(given.p_value, (double)as_far / all, 1e-12,
				   "row %zu: %g, not %g", i, given.p_value, (double)as_far / all);
	}
}

Test(trend, beyond_the_exact_distribution_it_is_the_normal_one)
{
	double values[40];
	struct trend trend;

	/* Of 20 values all rising, s is 190 and its variance 20·19·45/18 = 950: z = 189/30.82. */
	for (int i = 0; i < 20; i++)
		values[i] = i;
	trend = trend_of(values, 20);
	cr_expect_float_eq(trend.p_value, erfc(189 / sqrt(950) / sqrt(2)), 1e-12);
	/* Of 20 pairs of ties, 1...20: s = 4·190, the variance is less by 20·2·1·9/18. */
	for (int i = 0; i < 40; i++)
		values[i] = floor(i / 2.0);
	trend = trend_of(values, 40);
	cr_expect_eq(trend.s, 760);
	cr_expect_float_eq(trend.p_value,
			   erfc(759 / sqrt((40.0 * 39 * 85 - 20 * 18) / 18) / sqrt(2)), 1e-15);
	for (int i = 0; i < 40; i++)
		values[i] = 3;
	cr_expect_eq(trend_of(values, 40).p_value, 1);
}

Test(trend, exact_and_normal_meet_at_the_boundary)
{
	double values[19];

	for (size_t falling = 30; falling < 80; falling += 7) {
		double exact;
		double normal;

		arrange(values, 18, falling);
		exact = trend_of(values, 18).p_value;
		normal = erfc((153.0 - 2 * (double)falling - 1) / sqrt(18.0 * 17 * 41 / 18) /
			      sqrt(2));
		if (normal < 1)
			cr_expect_float_eq(exact, normal, 0.01 + 0.05 * normal, "%zu: %g, %g",
					   falling, exact, normal);
	}
}

Test(trend, without_a_trend_it_is_alarmed_as_often_as_its_level_says)
{
	enum { RUNS = 4000 };
	gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);

	for (size_t n = 10; n <= 50; n += 20) {
		int alarms = 0;

		for (int run = 0; run < RUNS; run++) {
			double values[64];

			for (size_t i = 0; i < n; i++)
				values[i] = gsl_ran_exponential(random, 1);
			alarms += trend_of(values, n).p_value < 0.05;
		}
		/* The level, and four deviations of the count. */
		cr_expect_leq(alarms, RUNS / 20 + 55, "n = %zu: %d", n, alarms);
		cr_expect_geq(alarms, RUNS / 40, "n = %zu: %d", n, alarms);
	}
	gsl_rng_free(random);
}

Test(trend, the_slope_is_the_median_of_all_slopes_and_one_wild_value_does_not_matter)
{
	static const struct {
		size_t n;
		double values[6];
		double slope;
		double change;
	} table[] = {
		{ 0, { 0 }, 0, 0 },
		{ 1, { 5 }, 0, 0 },
		{ 2, { 10, 30 }, 20, 1 },
		{ 5, { 8, 9, 10, 11, 12 }, 1, 0.4 },
		{ 5, { 12, 11, 10, 9, 8 }, -1, -0.4 },
		{ 6, { 10, 11, 12, 1000, 14, 15 }, 1, 5 / 13.0 },
		{ 5, { 7, 7, 7, 7, 7 }, 0, 0 },
		{ 3, { -1, 0, 1 }, 1, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cr_expect_float_eq(trend_of(table[i].values, table[i].n).slope, table[i].slope,
				   1e-12, "row %zu", i);
		cr_expect_float_eq(trend_change(table[i].values, table[i].n), table[i].change,
				   1e-12, "row %zu", i);
	}
	cr_expect_eq(trend_of(table[1].values, 1).p_value, 1);
}
