#include "loadgen/stats/holm.h"
#include "common/random.h"
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>

enum { COUNT_MAX = 64 };

Test(holm, values_are_adjusted_as_published)
{
	/* As R's p.adjust() has them. */
	static const struct {
		size_t count;
		double p[8];
		double adjusted[8];
	} table[] = {
		{ 5, { 0.01, 0.02, 0.03, 0.04, 0.05 }, { 0.05, 0.08, 0.09, 0.09, 0.09 } },
		{ 4, { 0.01, 0.04, 0.03, 0.005 }, { 0.03, 0.06, 0.06, 0.02 } },
		{ 1, { 0.03 }, { 0.03 } },
		{ 3, { 0.5, 0.6, 0.001 }, { 1, 1, 0.003 } },
		{ 2, { 0.02, 0.02 }, { 0.04, 0.04 } },
		{ 0, { 0 }, { 0 } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double adjusted[8];

		cr_assert_eq(holm_adjust(table[i].p, table[i].count, adjusted), 0);
		for (size_t j = 0; j < table[i].count; j++)
			cr_expect_float_eq(adjusted[j], table[i].adjusted[j], 1e-12,
					   "row %zu, %zu: %g", i, j, adjusted[j]);
	}
}

Test(holm, nothing_is_found_that_bonferroni_would_not_have_found_or_less)
{
	struct random random = { 1 };

	for (int run = 0; run < 100; run++) {
		double p[COUNT_MAX];
		double adjusted[COUNT_MAX];

		for (int i = 0; i < COUNT_MAX; i++)
			p[i] = pow(random_uniform(&random), 3);
		cr_assert_eq(holm_adjust(p, COUNT_MAX, adjusted), 0);
		for (int i = 0; i < COUNT_MAX; i++) {
			cr_expect_geq(adjusted[i], p[i]);
			cr_expect_leq(adjusted[i], fmin(1, COUNT_MAX * p[i]) + 1e-12);
		}
	}
}

/*
 * How often at least one of 50 is found that is not so, if each has that share in common with all
 * others.
 */
static double false_alarms(double common)
{
	enum { TESTS = 50, RUNS = 4000 };
	struct random random = { 7 };
	int alarms = 0;

	for (int run = 0; run < RUNS; run++) {
		double shared = random_normal(&random);
		double p[TESTS];
		double adjusted[TESTS];
		bool found = false;

		for (int i = 0; i < TESTS; i++)
			p[i] = gsl_cdf_ugaussian_Q(sqrt(common) * shared +
						   sqrt(1 - common) * random_normal(&random));
		cr_assert_eq(holm_adjust(p, TESTS, adjusted), 0);
		for (int i = 0; i < TESTS; i++)
			found = found || adjusted[i] <= 0.05;
		alarms += found;
	}
	return (double)alarms / RUNS;
}

Test(holm, even_one_false_alarm_among_50_is_as_rare_as_the_level_says)
{
	/* Of 4,000, 5 % are known to within ±1.4 %, four standard errors. */
	static const double commons[] = { 0, 0.5, 0.99 };

	for (size_t i = 0; i < 3; i++)
		cr_expect_lt(false_alarms(commons[i]), 0.064, "%g: %g", commons[i],
			     false_alarms(commons[i]));
}
