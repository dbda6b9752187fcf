#include "loadgen/stats/interval.h"
#include <criterion/criterion.h>
#include <math.h>

Test(interval, the_half_width_is_students_t_by_the_standard_error)
{
	/* t(0.975) by degrees of freedom, as printed in any table. */
	static const struct {
		size_t count;
		double t;
	} table[] = {
		{ 2, 12.706 }, { 3, 4.303 },  { 4, 3.182 },  { 5, 2.776 },  { 6, 2.571 },
		{ 10, 2.262 }, { 11, 2.228 }, { 21, 2.086 }, { 31, 2.042 }, { 61, 2.000 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double samples[64];
		size_t n = table[i].count;
		struct interval result;
		double deviation;

		for (size_t j = 0; j < n; j++)
			samples[j] = 100 + (double)j;
		/* Of n whole numbers in a row the variance is n(n + 1)/12. */
		deviation = sqrt((double)n * ((double)n + 1) / 12);
		result = interval_of(samples, n);
		cr_expect_eq(result.count, n);
		cr_expect_float_eq(result.mean, 100 + ((double)n - 1) / 2, 1e-9);
		cr_expect_float_eq(result.half * sqrt((double)n) / deviation, table[i].t, 0.0006,
				   "n = %zu", n);
		cr_expect_eq(result.least, 100);
		cr_expect_eq(result.most, 100 + (double)n - 1);
	}
}

Test(interval, a_published_example_comes_out)
{
	/* 95 % of five values with mean 10 and deviation sqrt(2.5): 10 ± 2.776·0.7071. */
	double samples[] = { 12, 8, 10, 9, 11 };
	struct interval result = interval_of(samples, 5);

	cr_expect_float_eq(result.mean, 10, 1e-12);
	cr_expect_float_eq(result.half, 1.963, 0.001);
	cr_expect_eq(samples[0], 12, "the samples are left as they are");
}

Test(interval, fewer_than_two_samples_tell_nothing_of_the_spread)
{
	double one = 42;
	struct interval none = interval_of(NULL, 0);
	struct interval single = interval_of(&one, 1);

	cr_expect_eq(none.count, 0);
	cr_expect_eq(none.mean, 0);
	cr_expect_eq(none.half, 0);
	cr_expect_eq(single.count, 1);
	cr_expect_eq(single.mean, 42);
	cr_expect_eq(single.half, 0);
	cr_expect_eq(single.least, 42);
	cr_expect_eq(single.most, 42);
}

Test(interval, equal_samples_have_no_width)
{
	double samples[] = { 200, 200, 200 };

	cr_expect_float_eq(interval_of(samples, 3).half, 0, 1e-12);
}

Test(interval, the_median_is_the_middle_or_the_mean_of_the_middle_two)
{
	static const struct {
		double samples[5];
		size_t count;
		double median;
	} table[] = {
		{ { 0 }, 0, 0 },
		{ { 7 }, 1, 7 },
		{ { 9, 1 }, 2, 5 },
		{ { 9, 1, 4 }, 3, 4 },
		{ { 1000, 1, 4, 2 }, 4, 3 },
		{ { 5, 4, 3, 2, 1 }, 5, 3 },
		{ { -1, -1, 8, 8, 8 }, 5, 8 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double samples[5];

		for (size_t j = 0; j < 5; j++)
			samples[j] = table[i].samples[j];
		cr_expect_eq(median_of(samples, table[i].count), table[i].median, "row %zu", i);
	}
}
