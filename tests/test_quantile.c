#include "loadgen/engine/quantile_interval.h"
#include "loadgen/stats/quantile.h"
#include <criterion/criterion.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>

Test(quantile, the_ranks_are_those_of_the_published_tables)
{
	/* Of the median, at 95 %: Conover, Practical Nonparametric Statistics; Hahn and Meeker. */
	static const struct {
		uint64_t n;
		double q;
		uint64_t low;
		uint64_t high;
	} table[] = {
		{ 6, 0.5, 1, 6 },   { 10, 0.5, 2, 9 },   { 15, 0.5, 4, 12 },  { 20, 0.5, 6, 15 },
		{ 25, 0.5, 8, 18 }, { 30, 0.5, 10, 21 }, { 50, 0.5, 18, 33 }, { 100, 0.5, 40, 61 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct quantile_ranks ranks = quantile_ranks(table[i].n, table[i].q, 0.95);

		cr_expect_eq(ranks.low, table[i].low, "n = %d: %d", (int)table[i].n,
			     (int)ranks.low);
		cr_expect_eq(ranks.high, table[i].high, "n = %d: %d", (int)table[i].n,
			     (int)ranks.high);
		cr_expect(ranks.has_low && ranks.has_high);
	}
}

Test(quantile, a_bound_that_so_few_samples_cannot_give_is_missing)
{
	/* Above p99 of n samples is none of them with probability 0.99^n: 2.5 % at 368. */
	static const struct {
		uint64_t n;
		double q;
		bool has_low;
		bool has_high;
	} table[] = {
		{ 5, 0.5, false, false },      { 6, 0.5, true, true },
		{ 50, 0.99, true, false },     { 367, 0.99, true, false },
		{ 368, 0.99, true, true },     { 367, 0.01, false, true },
		{ 368, 0.01, true, true },     { 3687, 0.999, true, false },
		{ 3688, 0.999, true, true },   { 1, 0.5, false, false },
		{ 36887, 0.9999, true, true }, { 368877, 0.99999, true, false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct quantile_ranks ranks = quantile_ranks(table[i].n, table[i].q, 0.95);

		cr_expect_eq(ranks.has_low, table[i].has_low, "row %zu", i);
		cr_expect_eq(ranks.has_high, table[i].has_high, "row %zu", i);
		cr_expect(ranks.has_low || ranks.low == 1);
		cr_expect(ranks.has_high || ranks.high == table[i].n);
	}
	cr_expect_eq(quantile_ranks(0, 0.5, 0.95).high, 0);
}

/* The probability of at most k - 1 of n, summed term by term from the far end. */
static double summed(uint64_t n, double q, uint64_t k)
{
	double sum = 0;

	for (uint64_t j = k; j-- > 0;) {
		double term = exp(lgamma((double)n + 1) - lgamma((double)j + 1) -
				  lgamma((double)(n - j) + 1) + (double)j * log(q) +
				  (double)(n - j) * log1p(-q));

		sum += term;
		if (term < 1e-18 * sum)
			break;
	}
	return sum;
}

Test(quantile, outside_of_the_ranks_is_at_most_half_the_rest_on_either_side)
{
	/* On both sides of 100,000, and of the normal distribution's use. */
	static const uint64_t counts[] = {
		40, 1000, 20000, 100000, 100001, 300000, 1000000, 5000000
	};
	static const double quantiles[] = { 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (size_t j = 0; j < sizeof(quantiles) / sizeof(quantiles[0]); j++) {
			uint64_t n = counts[i];
			double q = quantiles[j];
			struct quantile_ranks ranks = quantile_ranks(n, q, 0.95);
			/* One rank, where it is approximate. */
			double error = n > 100000 ? 0.5 / sqrt((double)n * q * (1 - q)) : 0;
			double under = ranks.has_low ? summed(n, q, ranks.low) : 0;
			double over = ranks.has_high ? 1 - summed(n, q, ranks.high) : 0;

			cr_expect_leq(under, 0.025 + 0.1 * error + 1e-7, "%d, %g: %g below", (int)n,
				      q, under);
			cr_expect_leq(over, 0.025 + 0.1 * error + 1e-7, "%d, %g: %g above", (int)n,
				      q, over);
			/* And no wider than it must be. */
			if (ranks.has_low)
				cr_expect_geq(summed(n, q, ranks.low + 1),
					      0.025 - 0.1 * error - 1e-7, "%d, %g", (int)n, q);
			if (ranks.has_high && ranks.high > 1)
				cr_expect_geq(1 - summed(n, q, ranks.high - 1),
					      0.025 - 0.1 * error - 1e-7, "%d, %g", (int)n, q);
		}
}

Test(quantile, the_interval_covers_the_true_quantile_as_often_as_it_says)
{
	static const struct {
		size_t n;
		double q;
	} table[] = { { 20, 0.5 }, { 100, 0.5 }, { 100, 0.9 }, { 1000, 0.99 }, { 4000, 0.999 } };
	enum { RUNS = 1000 };
	gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
	static struct histogram histogram;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double truth = -log(1 - table[i].q) * 1e6;
		int covered = 0;

		for (int run = 0; run < RUNS; run++) {
			int64_t low;
			int64_t high;

			histogram_reset(&histogram);
			for (size_t j = 0; j < table[i].n; j++)
				histogram_record(&histogram,
						 (int64_t)gsl_ran_exponential(random, 1e6));
			cr_assert_eq(quantile_interval(&histogram, table[i].q, 0.95, &low, &high),
				     0);
			covered += (double)low <= truth && truth <= (double)high;
		}
		/* Three deviations of a count below 95 %; ranks are whole, so above is more. */
		cr_expect_geq(covered, 950 - 21, "%zu, %g: %d", table[i].n, table[i].q, covered);
		cr_expect_leq(covered, 995, "%zu, %g: %d", table[i].n, table[i].q, covered);
	}
	gsl_rng_free(random);
}

Test(quantile, the_order_statistics_themselves_are_inside)
{
	static struct histogram histogram;
	int64_t low;
	int64_t high;

	/* Ranks 40 and 61 of 100; each value in a bucket of its own, but not at its middle. */
	for (int edge = 0; edge < 2; edge++) {
		histogram_reset(&histogram);
		for (int64_t i = 1; i <= 100; i++)
			histogram_record(&histogram, (1000000LL + i * 65536) * 16 + edge * 65535);
		cr_expect_eq(quantile_interval(&histogram, 0.5, 0.95, &low, &high), 0);
		cr_expect_leq(low, (1000000LL + 40 * 65536) * 16 + edge * 65535);
		cr_expect_geq(high, (1000000LL + 61 * 65536) * 16 + edge * 65535);
		cr_expect_geq(low, (1000000LL + 39 * 65536) * 16);
		cr_expect_leq(high, (1000000LL + 62 * 65536) * 16 + 65535);
	}
}

Test(quantile, a_missing_bound_is_the_outermost_record_and_is_said)
{
	static struct histogram histogram;
	int64_t low;
	int64_t high;

	histogram_reset(&histogram);
	cr_expect_eq(quantile_interval(&histogram, 0.5, 0.95, &low, &high),
		     QUANTILE_NO_LOW | QUANTILE_NO_HIGH);
	cr_expect_eq(high, 0);
	for (int64_t i = 1; i <= 50; i++)
		histogram_record(&histogram, i * 1000003);
	cr_expect_eq(quantile_interval(&histogram, 0.99, 0.95, &low, &high), QUANTILE_NO_HIGH);
	cr_expect_eq(high, 50 * 1000003);
	cr_expect_lt(low, 50 * 1000003);
	cr_expect_eq(quantile_interval(&histogram, 0.01, 0.95, &low, &high), QUANTILE_NO_LOW);
	cr_expect_eq(low, 1000003);
	histogram_record(&histogram, INT64_MAX);
	cr_expect_eq(quantile_interval(&histogram, 0.99, 0.95, &low, &high), QUANTILE_NO_HIGH);
	cr_expect_eq(high, INT64_MAX);
}
