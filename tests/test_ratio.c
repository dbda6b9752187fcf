#include "loadgen/stats/ratio.h"
#include "common/random.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

enum { RUNS = 20000, VALUES_MAX = 32 };

Test(ratio, is_welchs_test_on_logarithms)
{
	/* Given as logarithms. With t, its degrees of freedom and p as in tables of this example:
	 * -1.57, 9.9, 0.149. */
	static const double newer[] = {
		17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8
	};
	static const double base[] = { 21.5, 22.8, 21.0, 23.0, 21.6, 23.6, 22.5, 20.7, 23.4, 21.8,
				       20.7, 21.7, 21.5, 22.5, 23.6, 21.5, 22.5, 23.5, 21.5, 21.8 };
	double a[20];
	double b[10];
	struct ratio ratio;

	for (size_t i = 0; i < 20; i++)
		a[i] = exp(base[i]);
	for (size_t i = 0; i < 10; i++)
		b[i] = exp(newer[i]);
	cr_assert_eq(ratio_of_means(a, 20, b, 10, &ratio), 0);
	cr_expect_float_eq(ratio.log, 20.61 - 22.135, 1e-9);
	cr_expect_float_eq(ratio.log / ratio.error, -1.57, 0.005);
	cr_expect_float_eq(ratio.freedom, 9.9, 0.05);
	ratio.common_freedom = 0; /* it is not looked at, then */
	cr_expect_float_eq(2 * ratio_p_below(&ratio, 0), 0.149, 0.0005);
}

Test(ratio, of_three_and_three_follows_from_a_table_of_t)
{
	/* Both sides scatter by 0.01, so there are 4 degrees of freedom: t(0.975) is 2.776. */
	static const double base[] = { 100 * 0.99004983374916811, 100, 100 * 1.0100501670841679 };
	double newer[3];
	struct ratio ratio;

	for (int i = 0; i < 3; i++)
		newer[i] = 1.05 * base[i];
	cr_assert_eq(ratio_of_means(base, 3, newer, 3, &ratio), 0);
	cr_expect_float_eq(exp(ratio.log), 1.05, 1e-9);
	cr_expect_float_eq(ratio.freedom, 4, 1e-9);
	cr_expect_float_eq(ratio_half(&ratio, 0.95), 2.776 * 0.01 * sqrt(2.0 / 3), 2e-5);
	cr_expect_float_eq(ratio_half(&ratio, 0.99), 4.604 * 0.01 * sqrt(2.0 / 3), 2e-5);
}

Test(ratio, of_sides_of_different_size_takes_the_wider_interval)
{
	static const double many[] = { 99, 101, 98, 102, 99, 101, 98, 102, 99, 101 };
	static const double few[] = { 100, 100.1, 99.9 };
	struct ratio ratio;
	double wide;

	/* The few scatter little, by chance or not; t(0.975) is 2.201 with 11 degrees of freedom.
	 */
	cr_assert_eq(ratio_of_means(many, 10, few, 3, &ratio), 0);
	wide = ratio_half(&ratio, 0.95);
	cr_expect_float_eq(wide, 2.201 * ratio.common_error, 1e-5);
	cr_expect_float_eq(ratio_p_above(&ratio, ratio.log - wide), 0.025, 1e-9);
	cr_expect_float_eq(ratio_p_below(&ratio, ratio.log + wide), 0.025, 1e-9);
	ratio.common_freedom = 0;
	cr_expect_gt(wide, 1.5 * ratio_half(&ratio, 0.95));
}

Test(ratio, of_base_and_new_changed_over_is_the_reciprocal)
{
	static const double base[] = { 10, 11, 9.7, 10.2 };
	static const double newer[] = { 10.3, 10.9, 12 };
	struct ratio there;
	struct ratio back;

	cr_assert_eq(ratio_of_means(base, 4, newer, 3, &there), 0);
	cr_assert_eq(ratio_of_means(newer, 3, base, 4, &back), 0);
	cr_expect_float_eq(there.log, -back.log, 1e-12);
	cr_expect_float_eq(ratio_half(&there, 0.95), ratio_half(&back, 0.95), 1e-12);
}

Test(ratio, of_a_single_value_takes_the_other_sides_scatter)
{
	static const double base[] = { 100 * 0.99004983374916811, 100, 100 * 1.0100501670841679 };
	static const double one[] = { 100 };
	struct ratio ratio;

	cr_assert_eq(ratio_of_means(base, 3, one, 1, &ratio), 0);
	cr_expect_float_eq(ratio.freedom, 2, 1e-9);
	cr_expect_float_eq(ratio.error, 0.01 * sqrt(1 + 1.0 / 3), 1e-9);
	cr_assert_eq(ratio_of_means(one, 1, one, 1, &ratio), 0);
	cr_expect_eq(ratio.freedom, 0);
	cr_expect(isinf(ratio_half(&ratio, 0.95)));
	cr_expect_eq(ratio_p_above(&ratio, -1), 1);
}

Test(ratio, of_pairs_leaves_out_what_they_share)
{
	static const double base[] = { 1000, 500, 300, 100 };
	double newer[4];
	struct ratio ratio;

	for (int i = 0; i < 4; i++)
		newer[i] = (i % 2 ? 1.02 : 1.03) * base[i];
	cr_assert_eq(ratio_of_pairs(base, newer, 4, &ratio), 0);
	cr_expect_float_eq(ratio.log, (log(1.02) + log(1.03)) / 2, 1e-12);
	cr_expect_eq(ratio.freedom, 3);
	cr_expect_lt(ratio_half(&ratio, 0.95), 0.02);
	cr_assert_eq(ratio_of_means(base, 4, newer, 4, &ratio), 0);
	cr_expect_gt(ratio_half(&ratio, 0.95), 1);
}

Test(ratio, of_what_is_no_number_above_0_is_refused)
{
	static const double bad[] = { 0, -1, NAN, INFINITY };
	static const double good[] = { 1, 2, 3 };
	struct ratio ratio;

	for (size_t i = 0; i < 4; i++) {
		double values[] = { 1, bad[i], 3 };

		cr_expect_eq(ratio_of_means(values, 3, good, 3, &ratio), -EINVAL, "%zu", i);
		cr_expect_eq(ratio_of_means(good, 3, values, 3, &ratio), -EINVAL, "%zu", i);
		cr_expect_eq(ratio_of_pairs(values, good, 3, &ratio), -EINVAL, "%zu", i);
		cr_expect_eq(ratio_of_pairs(good, values, 3, &ratio), -EINVAL, "%zu", i);
	}
	cr_expect_eq(ratio_of_means(good, 0, good, 3, &ratio), -EINVAL);
	cr_expect_eq(ratio_of_means(good, 3, good, 0, &ratio), -EINVAL);
	cr_expect_eq(ratio_of_pairs(good, good, 0, &ratio), -EINVAL);
}

Test(ratio, p_is_below_a_fortieth_just_if_the_whole_95_percent_interval_lies_beyond)
{
	struct ratio ratio = { .error = 0.01, .freedom = 4, .resolution = 0.002 };
	double half = ratio_half(&ratio, 0.95);

	ratio.common_error = 0.008;
	ratio.common_freedom = 7;
	cr_expect_eq(ratio_half(&ratio, 0.95), half);
	for (double beyond = -0.001; beyond < 0.0011; beyond += 0.002) {
		ratio.log = 0.05 + half + beyond;
		cr_expect_eq(ratio_p_above(&ratio, 0.05) < 0.025, beyond > 0);
		ratio.log = -0.05 - half - beyond;
		cr_expect_eq(ratio_p_below(&ratio, -0.05) < 0.025, beyond > 0);
	}
}

Test(ratio, what_does_not_scatter_is_known_to_its_resolution)
{
	/* 25 requests in each window, and then 24: that may be one window's edge. */
	static const double base[] = { 2.5, 2.5, 2.5 };
	static const double newer[] = { 2.4, 2.4, 2.4 };
	struct ratio ratio;

	cr_assert_eq(ratio_of_means(base, 3, newer, 3, &ratio), 0);
	cr_expect_eq(ratio.freedom, 4);
	cr_expect_eq(ratio_p_below(&ratio, -0.02), 0);
	ratio.resolution = 1.0 / 25 + 1.0 / 24;
	cr_expect_eq(ratio_p_below(&ratio, -0.02), 1);
	cr_expect_float_eq(ratio_half(&ratio, 0.95), ratio.resolution, 1e-12);
}

/* Fieller's interval of the ratio of means, with both sides' common variance. */
static void fieller(const double *base, const double *newer, size_t n, double *low, double *high)
{
	double freedom = 2 * (double)n - 2;
	double t = gsl_cdf_tdist_Pinv(0.975, freedom);
	double a = gsl_stats_mean(base, 1, n);
	double b = gsl_stats_mean(newer, 1, n);
	double variance =
		(gsl_stats_variance(base, 1, n) + gsl_stats_variance(newer, 1, n)) / 2 / (double)n;
	double bottom = a * a - t * t * variance;
	double root = sqrt(a * a * b * b - bottom * (b * b - t * t * variance));

	*low = (a * b - root) / bottom;
	*high = (a * b + root) / bottom;
}

Test(ratio, is_nearly_fiellers_where_both_sides_scatter_alike_and_by_little)
{
	static const double scatters[] = { 0.01, 0.03, 0.1 };
	static const double shape[] = { -1.2, -0.4, 0.1, 0.5, 1.0 };

	for (size_t i = 0; i < 3; i++) {
		double base[5];
		double newer[5];
		double low;
		double high;
		struct ratio ratio;

		for (int j = 0; j < 5; j++) {
			base[j] = 1000 * exp(scatters[i] * shape[j]);
			newer[j] = 1040 * exp(scatters[i] * shape[4 - j]);
		}
		fieller(base, newer, 5, &low, &high);
		cr_assert_eq(ratio_of_means(base, 5, newer, 5, &ratio), 0);
		cr_expect_float_eq(ratio.log - ratio_half(&ratio, 0.95), log(low),
				   (high - low) / 20);
		cr_expect_float_eq(ratio.log + ratio_half(&ratio, 0.95), log(high),
				   (high - low) / 20);
	}
}

/* Simulations */

struct setting {
	size_t base_count;
	size_t new_count;
	double base_scatter;
	double new_scatter;
};

static void fill(double *values, size_t count, double mean, double scatter, struct random *random)
{
	for (size_t i = 0; i < count; i++)
		values[i] = mean * (1 + scatter * random_normal(random));
}

/* How often the interval holds the true ratio. */
static double coverage(const struct setting *setting)
{
	struct random random = { 42 };
	int held = 0;

	for (int run = 0; run < RUNS; run++) {
		double base[VALUES_MAX];
		double newer[VALUES_MAX];
		struct ratio ratio;

		fill(base, setting->base_count, 1000, setting->base_scatter, &random);
		fill(newer, setting->new_count, 1100, setting->new_scatter, &random);
		cr_assert_eq(ratio_of_means(base, setting->base_count, newer, setting->new_count,
					    &ratio),
			     0);
		held += fabs(ratio.log - log(1.1)) <= ratio_half(&ratio, 0.95);
	}
	return (double)held / RUNS;
}

/* Of 20,000 a frequency of 5 % is known to within ±0.6 %, four standard errors. */
Test(ratio, the_interval_holds_the_true_ratio_95_times_of_100)
{
	static const struct setting table[] = {
		{ 3, 3, 0.02, 0.02 },   { 3, 3, 0.02, 0.002 },    { 3, 3, 0.01, 0.03 },
		{ 5, 5, 0.02, 0.02 },   { 5, 5, 0.01, 0.03 },     { 10, 10, 0.02, 0.02 },
		{ 10, 10, 0.02, 0.06 }, { 3, 10, 0.02, 0.02 },    { 10, 3, 0.02, 0.02 },
		{ 5, 10, 0.03, 0.01 },  { 3, 3, 0.0005, 0.0005 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double held = coverage(&table[i]);

		cr_expect_geq(held, 0.94, "row %zu: %g", i, held);
		cr_expect_leq(held, 0.985, "row %zu: %g", i, held);
	}
}

static double mean_of_resample(const double *values, size_t count, struct random *random)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += values[random_bits(random) % count];
	return sum / (double)count;
}

/* The percentile bootstrap's. */
static double bootstrap_coverage(size_t n)
{
	enum { TRIES = 1000, RESAMPLES = 400 };
	struct random random = { 43 };
	int held = 0;

	for (int run = 0; run < TRIES; run++) {
		double base[VALUES_MAX];
		double newer[VALUES_MAX];
		double ratios[RESAMPLES];

		fill(base, n, 1000, 0.02, &random);
		fill(newer, n, 1100, 0.02, &random);
		for (int i = 0; i < RESAMPLES; i++)
			ratios[i] = mean_of_resample(newer, n, &random) /
				    mean_of_resample(base, n, &random);
		gsl_sort(ratios, 1, RESAMPLES);
		held += gsl_stats_quantile_from_sorted_data(ratios, 1, RESAMPLES, 0.025) <= 1.1 &&
			gsl_stats_quantile_from_sorted_data(ratios, 1, RESAMPLES, 0.975) >= 1.1;
	}
	return (double)held / TRIES;
}

Test(ratio, a_bootstrap_of_three_would_hold_the_truth_far_less_often)
{
	cr_expect_lt(bootstrap_coverage(3), 0.87);
	cr_expect_lt(bootstrap_coverage(5), 0.93);
}

/* Sweeps whose level varies by as much as repetitions do within. */
Test(ratio, of_sweeps_means_has_in_it_what_differs_from_sweep_to_sweep)
{
	enum { SWEEPS = 3, EACH = 5, TRIES = 4000 };
	struct random random = { 44 };
	int held = 0;
	int held_flat = 0;

	for (int run = 0; run < TRIES; run++) {
		double flat[2][SWEEPS * EACH];
		double means[2][SWEEPS];
		struct ratio ratio;

		for (int i = 0; i < 2 * SWEEPS; i++) {
			double level = 1000 * exp(0.02 * random_normal(&random));
			double *values = &flat[i / SWEEPS][i % SWEEPS * EACH];

			fill(values, EACH, level, 0.02, &random);
			means[i / SWEEPS][i % SWEEPS] = gsl_stats_mean(values, 1, EACH);
		}
		cr_assert_eq(ratio_of_means(means[0], SWEEPS, means[1], SWEEPS, &ratio), 0);
		held += fabs(ratio.log) <= ratio_half(&ratio, 0.95);
		cr_assert_eq(ratio_of_means(flat[0], SWEEPS * EACH, flat[1], SWEEPS * EACH, &ratio),
			     0);
		held_flat += fabs(ratio.log) <= ratio_half(&ratio, 0.95);
	}
	cr_expect_geq((double)held / TRIES, 0.94, "%d", held);
	cr_expect_lt((double)held_flat / TRIES, 0.8, "%d", held_flat);
}
