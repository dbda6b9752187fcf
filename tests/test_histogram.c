#include "loadgen/engine/histogram.h"
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static struct histogram h;

static void setup(void)
{
	histogram_reset(&h);
}

TestSuite(histogram, .init = setup);

/* The promise of the header, which also is within the 1 % that a latency needs. */
#define SHARE (1.0 / 256)

enum { SAMPLES = 20000 };

static uint64_t state = 88172645463325252ULL;

/* xorshift64: the same numbers in every run. */
static double uniform(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static double draw_uniform(void)
{
	return uniform() * 1e6;
}

static double draw_exponential(void)
{
	return -log(uniform()) * 5e6;
}

static double draw_pareto(void)
{
	return 1e4 / pow(uniform(), 1.2);
}

static double draw_two_peaks(void)
{
	return uniform() < 0.9 ? 3e5 + uniform() * 1e3 : 1.37e8 + uniform() * 1e5;
}

static double draw_small(void)
{
	return uniform() * 300;
}

static double draw_long(void)
{
	return 1e10 + uniform() * 1e12;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

Test(histogram, its_quantiles_are_those_of_the_sorted_values)
{
	static const struct {
		const char *name;
		double (*draw)(void);
	} table[] = {
		{ "uniform", draw_uniform }, { "exponential", draw_exponential },
		{ "pareto", draw_pareto },   { "two peaks", draw_two_peaks },
		{ "below 300", draw_small }, { "minutes", draw_long },
	};
	static const double fractions[] = { 0,   0.0001, 0.01, 0.1,   0.25,   0.5,     0.75,
					    0.9, 0.95,   0.99, 0.999, 0.9999, 0.99999, 1 };
	static int64_t values[SAMPLES];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double sum = 0;

		histogram_reset(&h);
		for (size_t j = 0; j < SAMPLES; j++) {
			values[j] = (int64_t)table[i].draw();
			sum += (double)values[j];
			histogram_record(&h, values[j]);
		}
		qsort(values, SAMPLES, sizeof(values[0]), compare);
		cr_expect_eq(h.count, SAMPLES);
		cr_expect_float_eq(histogram_mean(&h), sum / SAMPLES, 1e-9 * sum / SAMPLES);
		for (size_t j = 0; j < sizeof(fractions) / sizeof(fractions[0]); j++) {
			double rank = ceil(fractions[j] * SAMPLES);
			int64_t exact = values[rank < 1 ? 0 : (size_t)rank - 1];
			int64_t got = histogram_quantile(&h, fractions[j]);

			cr_expect_leq(fabs((double)(got - exact)), (double)exact * SHARE,
				      "%s, %g: %" PRId64 ", not %" PRId64, table[i].name,
				      fractions[j], got, exact);
		}
		cr_expect_eq(histogram_quantile(&h, 0), values[0]);
		cr_expect_eq(histogram_quantile(&h, 1), values[SAMPLES - 1]);
	}
}

Test(histogram, one_value_is_every_quantile_of_itself)
{
	static const int64_t table[] = { 0,   1,   127, 128,   255,     256,      257,
					 511, 512, 513, 65535, 1000000, INT64_MAX };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		histogram_reset(&h);
		histogram_record(&h, table[i]);
		for (double fraction = 0; fraction <= 1; fraction += 0.25)
			cr_expect_eq(histogram_quantile(&h, fraction), table[i], "%" PRId64,
				     table[i]);
		cr_expect_eq(h.least, table[i]);
		cr_expect_eq(h.most, table[i]);
		cr_expect_float_eq(histogram_mean(&h), (double)table[i], 1);
	}
}

/* A value between two extremes, so that its bucket answers and not the exact ends. */
static int64_t middle_of_three(int64_t value)
{
	histogram_reset(&h);
	histogram_record(&h, 0);
	histogram_record(&h, value);
	histogram_record(&h, INT64_MAX);
	return histogram_quantile(&h, 0.5);
}

Test(histogram, small_values_are_exact)
{
	for (int64_t value = 0; value < 256; value++)
		cr_expect_eq(middle_of_three(value), value, "%" PRId64, value);
}

Test(histogram, no_value_is_off_by_more_than_a_256th_up_to_the_largest)
{
	for (int bit = 7; bit < 63; bit++)
		for (int64_t step = -3; step <= 3; step++) {
			int64_t value = ((int64_t)1 << bit) + step;
			int64_t got = middle_of_three(value);

			cr_expect_leq(fabs((double)(got - value)), (double)value * SHARE,
				      "%" PRId64 " became %" PRId64, value, got);
		}
	for (int64_t value = INT64_MAX; value > INT64_MAX - 3; value--)
		cr_expect_leq((double)(INT64_MAX - middle_of_three(value)), 9.3e18 * SHARE);
}

Test(histogram, a_larger_value_never_reads_smaller)
{
	int64_t before = 0;

	for (int64_t value = 0; value < 70000; value++) {
		int64_t got;

		got = middle_of_three(value);
		cr_assert_geq(got, before, "%" PRId64, value);
		before = got;
	}
}

Test(histogram, quantiles_never_fall_as_the_fraction_rises)
{
	int64_t before = 0;

	for (int i = 0; i < 1000; i++)
		histogram_record(&h, (int64_t)draw_exponential());
	for (int i = 0; i <= 5000; i++) {
		int64_t got = histogram_quantile(&h, i / 5000.0);

		cr_assert_geq(got, before);
		before = got;
	}
}

Test(histogram, a_quantile_is_the_smallest_value_that_so_many_records_do_not_exceed)
{
	static const struct {
		double fraction;
		int64_t value;
	} table[] = { { 0, 10 },    { 0.1, 10 }, { 0.11, 20 },  { 0.2, 20 }, { 0.5, 50 },
		      { 0.51, 60 }, { 0.9, 90 }, { 0.91, 100 }, { 1, 100 } };

	for (int64_t value = 100; value > 0; value -= 10)
		histogram_record(&h, value);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		cr_expect_eq(histogram_quantile(&h, table[i].fraction), table[i].value, "%g",
			     table[i].fraction);
}

Test(histogram, an_empty_one_is_all_zero)
{
	cr_expect_eq(histogram_quantile(&h, 0), 0);
	cr_expect_eq(histogram_quantile(&h, 0.5), 0);
	cr_expect_eq(histogram_quantile(&h, 1), 0);
	cr_expect_eq(histogram_mean(&h), 0);
}

Test(histogram, a_negative_value_counts_as_zero)
{
	histogram_record(&h, -1);
	histogram_record(&h, INT64_MIN);
	cr_expect_eq(h.count, 2);
	cr_expect_eq(h.least, 0);
	cr_expect_eq(h.most, 0);
	cr_expect_eq(histogram_mean(&h), 0);
}

Test(histogram, a_reset_forgets_everything)
{
	histogram_record(&h, 5);
	histogram_reset(&h);
	histogram_record(&h, 7);
	cr_expect_eq(h.count, 1);
	cr_expect_eq(histogram_quantile(&h, 0), 7);
}

Test(histogram, a_fraction_that_binary_makes_larger_asks_for_no_record_more)
{
	for (int64_t value = 1; value <= 100; value++)
		histogram_record(&h, value);
	for (int percent = 1; percent <= 100; percent++)
		cr_expect_eq(histogram_quantile(&h, percent / 100.0), percent, "%d", percent);
}

Test(histogram, a_value_recorded_many_times_is_as_many_records)
{
	static struct histogram other;

	for (int i = 0; i < 1000; i++)
		histogram_record(&h, 123456);
	histogram_reset(&other);
	histogram_record_times(&other, 1, 0);
	histogram_record_times(&other, 123456, 1000);
	cr_expect_arr_eq(&other, &h, sizeof(h));
}

Test(histogram, a_sum_is_as_if_all_had_been_recorded_in_one)
{
	static const struct {
		int64_t into[4]; /* up to -1 */
		int64_t from[4];
	} table[] = {
		{ { -1 }, { -1 } },
		{ { 5, -1 }, { -1 } },
		{ { -1 }, { 5, 7, -1 } },
		{ { 5, 300, -1 }, { 1, -1 } },
		{ { 5, -1 }, { INT64_MAX, -1 } },
		{ { 1000, -1 }, { 1000, 5000, -1 } },
	};
	static struct histogram from;
	static struct histogram all;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		histogram_reset(&h);
		histogram_reset(&from);
		histogram_reset(&all);
		for (const int64_t *value = table[i].into; *value >= 0; value++) {
			histogram_record(&h, *value);
			histogram_record(&all, *value);
		}
		for (const int64_t *value = table[i].from; *value >= 0; value++) {
			histogram_record(&from, *value);
			histogram_record(&all, *value);
		}
		histogram_add(&h, &from);
		cr_expect_arr_eq(&h, &all, sizeof(h), "%zu", i);
	}
}
