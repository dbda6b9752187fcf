#include "loadgen/stats/agree.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>

enum { RUNS = 20000, PAIRS_MAX = 16 };

/* Pairs whose log ratios are mean - spread, mean, mean + spread: their deviation is the spread. */
static struct agree agree_of_three(double mean, double spread, double tolerance)
{
	double a[3];
	static const double b[3] = { 200, 1, 0.001 };
	struct agree result = { 0 };

	for (int i = 0; i < 3; i++)
		a[i] = b[i] * exp(mean + spread * (i - 1));
	cr_assert_eq(agree_of(a, b, 3, tolerance, &result), 0);
	return result;
}

Test(agree, the_interval_is_students_on_the_logarithms_of_the_ratios)
{
	struct agree result = agree_of_three(0.25, 0.01, 0.05);

	/* t(0.975) with 2 degrees of freedom is 4.303, as printed in any table. */
	cr_expect_eq(result.pairs, 3);
	cr_expect_float_eq(log(result.ratio), 0.25, 1e-9);
	cr_expect_float_eq(log(result.high), 0.25 + 4.303 * 0.01 / sqrt(3), 1e-5);
	cr_expect_float_eq(log(result.low), 0.25 - 4.303 * 0.01 / sqrt(3), 1e-5);
	cr_expect_eq(result.tolerance, 0.05);
}

Test(agree, the_verdict_follows_from_where_the_interval_lies)
{
	/* Half an interval is 2.484 spreads; the edges are at ±ln 1.05 = ±0.0488. */
	static const struct {
		double mean;
		double spread;
		enum agree_verdict verdict;
	} table[] = {
		{ 0, 0, AGREE_AGREE },
		{ 0, 0.019, AGREE_AGREE },
		{ 0, 0.020, AGREE_INCONCLUSIVE },
		{ 0.04, 0.003, AGREE_AGREE },
		{ -0.04, 0.003, AGREE_AGREE },
		{ 0.04, 0.004, AGREE_INCONCLUSIVE },
		{ -0.04, 0.004, AGREE_INCONCLUSIVE },
		{ 0.06, 0.005, AGREE_INCONCLUSIVE },
		{ 0.06, 0.004, AGREE_DIFFER },
		{ -0.06, 0.005, AGREE_INCONCLUSIVE },
		{ -0.06, 0.004, AGREE_DIFFER },
		{ 3, 0.5, AGREE_DIFFER },
		{ 3, 2, AGREE_INCONCLUSIVE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		cr_expect_eq(agree_of_three(table[i].mean, table[i].spread, 0.05).verdict,
			     table[i].verdict, "row %zu", i);
}

Test(agree, a_ratio_that_surely_differs_from_one_may_agree)
{
	struct agree result = agree_of_three(0.02, 0.001, 0.05);

	cr_expect_gt(result.low, 1);
	cr_expect_eq(result.verdict, AGREE_AGREE);
}

Test(agree, which_of_the_two_comes_first_is_no_matter)
{
	static const double a[] = { 10, 11, 9.7, 10.2 };
	static const double b[] = { 10.3, 10.9, 9.9, 10.8 };

	for (double tolerance = 0.01; tolerance < 0.2; tolerance *= 1.1) {
		struct agree there;
		struct agree back;

		cr_assert_eq(agree_of(a, b, 4, tolerance, &there), 0);
		cr_assert_eq(agree_of(b, a, 4, tolerance, &back), 0);
		cr_expect_eq(there.verdict, back.verdict);
		cr_expect_float_eq(there.ratio * back.ratio, 1, 1e-12);
		cr_expect_float_eq(there.low * back.high, 1, 1e-12);
	}
}

Test(agree, what_a_pair_has_in_common_cancels_out)
{
	/* The machine slows down tenfold meanwhile: a is always 1 % above b. */
	static const double b[] = { 1000, 500, 300, 100 };
	double a[4];
	struct agree result;

	for (int i = 0; i < 4; i++)
		a[i] = 1.01 * b[i];
	cr_assert_eq(agree_of(a, b, 4, 0.02, &result), 0);
	cr_expect_float_eq(result.low, 1.01, 1e-9);
	cr_expect_float_eq(result.high, 1.01, 1e-9);
	cr_expect_eq(result.verdict, AGREE_AGREE);
}

Test(agree, what_cannot_be_compared_is_refused)
{
	static const struct {
		double a[4];
		size_t pairs;
		double tolerance;
		int rc;
	} table[] = {
		{ { 1, 2, 3, 4 }, 4, 0.05, 0 },
		{ { 1, 2, 3 }, 3, 0.05, 0 },
		{ { 1, 2 }, 2, 0.05, -EINVAL },
		{ { 1 }, 1, 0.05, -EINVAL },
		{ { 1 }, 0, 0.05, -EINVAL },
		{ { 1, 0, 3 }, 3, 0.05, -EINVAL },
		{ { 1, -2, 3 }, 3, 0.05, -EINVAL },
		{ { 1, NAN, 3 }, 3, 0.05, -EINVAL },
		{ { 1, INFINITY, 3 }, 3, 0.05, -EINVAL },
		{ { 1, 2, 3 }, 3, 0, -EINVAL },
		{ { 1, 2, 3 }, 3, -0.1, -EINVAL },
		{ { 1, 2, 3 }, 3, NAN, -EINVAL },
		{ { 1, 2, 3 }, 3, INFINITY, -EINVAL },
	};
	static const double ones[] = { 1, 1, 1, 1 };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct agree result;

		cr_expect_eq(
			agree_of(table[i].a, ones, table[i].pairs, table[i].tolerance, &result),
			table[i].rc, "row %zu", i);
		cr_expect_eq(
			agree_of(ones, table[i].a, table[i].pairs, table[i].tolerance, &result),
			table[i].rc, "row %zu, the other way", i);
	}
}

Test(agree, every_verdict_has_a_name)
{
	cr_expect_str_eq(agree_verdict_names[AGREE_AGREE], "agree");
	cr_expect_str_eq(agree_verdict_names[AGREE_DIFFER], "differ");
	cr_expect_str_eq(agree_verdict_names[AGREE_INCONCLUSIVE], "inconclusive");
}

/* Uniform in (0, 1), the same in every run: splitmix64. */
static double uniform(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return ((double)(z >> 11) + 0.5) / 0x1p53;
}

/* Box and Muller's. */
static double normal(uint64_t *state)
{
	double radius = sqrt(-2 * log(uniform(state)));

	return radius * cos(2 * M_PI * uniform(state));
}

struct frequencies {
	double covered; /* the true ratio lay within the interval */
	double verdict[AGREE_VERDICTS];
};

/* How often what comes out, if the true ratio is exp(mean) and each value scatters by `spread`. */
static struct frequencies simulate(size_t pairs, double mean, double spread, double tolerance)
{
	struct frequencies result = { 0 };
	uint64_t state = 42;

	for (int run = 0; run < RUNS; run++) {
		double a[PAIRS_MAX];
		double b[PAIRS_MAX];
		struct agree one;

		for (size_t i = 0; i < pairs; i++) {
			double common = 1000 * exp(normal(&state));

			a[i] = common * exp(mean + spread * normal(&state));
			b[i] = common * exp(spread * normal(&state));
		}
		cr_assert_eq(agree_of(a, b, pairs, tolerance, &one), 0);
		result.covered += one.low <= exp(mean) && exp(mean) <= one.high;
		result.verdict[one.verdict]++;
	}
	result.covered /= RUNS;
	for (int i = 0; i < AGREE_VERDICTS; i++)
		result.verdict[i] /= RUNS;
	return result;
}

/* Of 20,000 a frequency of 5 % is known to within ±0.6 %, four standard errors. */
Test(agree, the_interval_holds_the_true_ratio_95_times_of_100)
{
	static const size_t pairs[] = { 3, 4, 5, 8, 16 };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		double covered = simulate(pairs[i], 0.3, 0.05, 0.05).covered;

		cr_expect_float_eq(covered, 0.95, 0.0062, "%zu pairs: %g", pairs[i], covered);
	}
}

Test(agree, at_the_edge_each_wrong_verdict_comes_once_in_40_at_most)
{
	for (int side = -1; side <= 1; side += 2) {
		double edge = side * log1p(0.05);
		double agree = simulate(5, edge, 0.005, 0.05).verdict[AGREE_AGREE];
		double differ = simulate(5, edge, 0.005, 0.05).verdict[AGREE_DIFFER];

		cr_expect_float_eq(agree, 0.025, 0.0045, "%g", agree);
		cr_expect_float_eq(differ, 0.025, 0.0045, "%g", differ);
	}
}

Test(agree, few_and_wild_pairs_are_inconclusive_rather_than_wrong)
{
	static const struct {
		double mean;
		enum agree_verdict wrong;
	} table[] = {
		{ 0, AGREE_DIFFER },
		{ 0.0953, AGREE_AGREE },
		{ -0.0953, AGREE_AGREE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct frequencies wild = simulate(3, table[i].mean, 0.2, 0.05);

		cr_expect_gt(wild.verdict[AGREE_INCONCLUSIVE], 0.9, "row %zu", i);
		cr_expect_lt(wild.verdict[table[i].wrong], 0.05, "row %zu", i);
	}
}

Test(agree, enough_calm_pairs_come_to_a_verdict)
{
	cr_expect_gt(simulate(5, 0, 0.01, 0.05).verdict[AGREE_AGREE], 0.99);
	cr_expect_gt(simulate(5, 0.0953, 0.01, 0.05).verdict[AGREE_DIFFER], 0.95);
	cr_expect_gt(simulate(5, -0.0953, 0.01, 0.05).verdict[AGREE_DIFFER], 0.95);
}
