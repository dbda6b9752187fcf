#include "loadgen/stats/power.h"
#include "loadgen/stats/ratio.h"
#include "common/random.h"
#include <criterion/criterion.h>

Test(power, is_nearly_that_of_students_test_where_there_are_many_values)
{
	/* Two-sided 5 %: as R's power.t.test has them, and Cohen's tables (1988) to two digits. */
	static const struct {
		size_t n;
		double effect;
		double power;
	} table[] = {
		{ 20, 1, 0.8690 },    { 17, 1, 0.8070 },   { 64, 0.5, 0.8015 },
		{ 393, 0.2, 0.8000 }, { 26, 0.8, 0.8075 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		cr_expect_float_eq(power_of(table[i].effect, 1, table[i].n, 0.025), table[i].power,
				   0.003, "row %zu: %g", i,
				   power_of(table[i].effect, 1, table[i].n, 0.025));
}

Test(power, the_least_effect_is_found_just_that_often)
{
	static const size_t counts[] = { 3, 5, 10, 30 };

	for (size_t i = 0; i < 4; i++) {
		double effect = power_least_effect(0.9, 0.02, counts[i], 0.025);

		cr_expect_float_eq(power_of(effect, 0.02, counts[i], 0.025), 0.9, 1e-6);
		cr_expect_gt(effect, power_least_effect(0.8, 0.02, counts[i], 0.025));
		cr_expect_float_eq(power_least_effect(0.9, 0.04, counts[i], 0.025), 2 * effect,
				   1e-9);
	}
}

Test(power, of_no_effect_is_the_level_or_less)
{
	cr_expect_float_eq(power_of(0, 1, 30, 0.025), 0.025, 0.001);
	cr_expect_lt(power_of(0, 1, 3, 0.025), 0.025);
	cr_expect_gt(power_of(0, 1, 3, 0.025), 0.01);
}

Test(power, needs_three_values_and_some_scatter)
{
	cr_expect(isnan(power_of(1, 1, 2, 0.025)));
	cr_expect(isnan(power_of(1, 0, 3, 0.025)));
	cr_expect(isnan(power_of(1, NAN, 3, 0.025)));
	cr_expect(isnan(power_least_effect(0.9, 1, 2, 0.025)));
	cr_expect(isnan(power_least_effect(0.9, -1, 3, 0.025)));
}

static double simulated(double effect, double scatter, size_t n)
{
	enum { RUNS = 10000, VALUES_MAX = 16 };
	struct random random = { 11 };
	int found = 0;

	for (int run = 0; run < RUNS; run++) {
		double base[VALUES_MAX];
		double newer[VALUES_MAX];
		struct ratio ratio;

		for (size_t i = 0; i < n; i++) {
			base[i] = exp(scatter * random_normal(&random));
			newer[i] = exp(0.03 + effect + scatter * random_normal(&random));
		}
		cr_assert_eq(ratio_of_means(base, n, newer, n, &ratio), 0);
		found += ratio_p_above(&ratio, 0.03) <= 0.025;
	}
	return (double)found / RUNS;
}

Test(power, is_that_of_the_comparison_as_it_is_made)
{
	static const size_t counts[] = { 3, 5, 10 };

	/* Of 10,000, 10 % are known to within ±1.2 %, four standard errors. */
	for (size_t i = 0; i < 3; i++)
		for (double power = 0.5; power < 0.95; power += 0.4) {
			double effect = power_least_effect(power, 0.01, counts[i], 0.025);
			double found = simulated(effect, 0.01, counts[i]);

			cr_expect_float_eq(found, power, power < 0.7 ? 0.02 : 0.012, "%zu: %g",
					   counts[i], found);
		}
}
