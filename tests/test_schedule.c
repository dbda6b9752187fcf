#include "common/clock.h"
#include "loadgen/engine/schedule.h"
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { SAMPLES = 20000, WINDOWS = 500, SHARES_MAX = 5 };

/* k·10^9 / rate in ns, to the nearest, of a rate of dividend / divisor. */
static int64_t constant_at(int64_t k, int64_t dividend, int64_t divisor)
{
	__int128 doubled = (__int128)2 * k * NS_PER_S * divisor + dividend;

	return (int64_t)(doubled / (2 * (__int128)dividend));
}

static const struct {
	int64_t dividend;
	int64_t divisor;
} rates[] = {
	{ 1000, 1 },       { 3, 1 }, { 7, 1 }, { 6000, 1 },         { 999983, 1 },
	{ 1000000000, 1 }, { 5, 2 }, { 1, 8 }, { 123456789, 1024 },
};

Test(schedule, constant_arrival_k_is_exactly_at_k_over_the_rate)
{
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct schedule_plan plan = { SCHEDULE_CONSTANT };
		struct schedule schedule;

		plan.rate = (double)rates[i].dividend / (double)rates[i].divisor;
		schedule_start(&schedule, &plan, 0, 1);
		for (int64_t k = 0; k < 50000; k++)
			cr_assert_eq(schedule_next(&schedule),
				     constant_at(k, rates[i].dividend, rates[i].divisor),
				     "rate %g, arrival %" PRId64, plan.rate, k);
	}
}

Test(schedule, it_still_is_after_ten_thousand_million_arrivals)
{
	/* One share of so many comes that far in a few steps. */
	static const int shares = (1 << 30) - 1;

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct schedule_plan plan = { SCHEDULE_CONSTANT };
		struct schedule schedule;

		plan.rate = (double)rates[i].dividend / (double)rates[i].divisor;
		if (plan.rate < 3)
			continue; /* that would be a century */
		schedule_start(&schedule, &plan, 12345, shares);
		for (int64_t k = 12345; k < 20000000000; k += shares)
			cr_assert_eq(schedule_next(&schedule),
				     constant_at(k, rates[i].dividend, rates[i].divisor),
				     "rate %g, arrival %" PRId64, plan.rate, k);
	}
}

Test(schedule, rates_at_both_ends_of_the_range_are_exact_too)
{
	/* 10^-6 itself is no double. */
	struct schedule_plan plan = { SCHEDULE_CONSTANT, .rate = 0x1p-19 };
	struct schedule schedule;

	cr_assert_gt(plan.rate, SCHEDULE_RATE_LEAST);
	schedule_start(&schedule, &plan, 2, 4096);
	cr_expect_eq(schedule_next(&schedule), 2 * 524288LL * NS_PER_S);
	cr_expect_eq(schedule_next(&schedule), 4098 * 524288LL * NS_PER_S);
	plan.rate = SCHEDULE_RATE_MOST;
	schedule_start(&schedule, &plan, 2, 4096);
	cr_expect_eq(schedule_next(&schedule), 2);
	cr_expect_eq(schedule_next(&schedule), 4098);
}

static const int64_t gaps_ns[] = { 0, 5, 10, 0, 0, 1000000007, 3 };

static const struct schedule_plan plans[] = {
	{ SCHEDULE_CONSTANT, .rate = 999983 },
	{ SCHEDULE_CONSTANT, .rate = 0.7 },
	{ SCHEDULE_POISSON, .rate = 1234567, .seed = 1 },
	{ SCHEDULE_POISSON, .rate = 0.01, .seed = 42 },
	{ SCHEDULE_TRACE, .gaps_ns = gaps_ns, .gap_count = 7 },
	{ SCHEDULE_TRACE, .gaps_ns = gaps_ns + 1, .gap_count = 1 },
};

Test(schedule, its_shares_together_are_the_schedule_that_one_alone_would_have)
{
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		for (int shares = 1; shares <= SHARES_MAX; shares++) {
			struct schedule whole;
			struct schedule parts[SHARES_MAX];

			schedule_start(&whole, &plans[i], 0, 1);
			for (int share = 0; share < shares; share++)
				schedule_start(&parts[share], &plans[i], share, shares);
			for (int k = 0; k < 1000; k++) {
				int64_t at_ns = schedule_next(&whole);

				cr_assert_eq(schedule_next(&parts[k % shares]), at_ns,
					     "plan %zu, arrival %d of %d shares", i, k, shares);
			}
		}
}

Test(schedule, time_never_goes_back)
{
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct schedule schedule;
		int64_t before_ns = 0;

		schedule_start(&schedule, &plans[i], 0, 1);
		for (int k = 0; k < 1000; k++) {
			int64_t at_ns = schedule_next(&schedule);

			cr_assert_geq(at_ns, before_ns);
			before_ns = at_ns;
		}
	}
}

Test(schedule, a_trace_begins_again_when_it_ends)
{
	static const int64_t trace_ns[] = { 2, 0, 10 };
	static const int64_t expected_ns[] = { 2, 2, 12, 14, 14, 24, 26, 26, 36 };
	struct schedule_plan plan = { SCHEDULE_TRACE, .gaps_ns = trace_ns, .gap_count = 3 };
	struct schedule schedule;

	schedule_start(&schedule, &plan, 0, 1);
	for (size_t k = 0; k < sizeof(expected_ns) / sizeof(expected_ns[0]); k++)
		cr_expect_eq(schedule_next(&schedule), expected_ns[k], "arrival %zu", k);
}

/* Poisson */

/* Kolmogorov's distribution: sqrt(n) D is above it once in a thousand times. */
#define KOLMOGOROV_MOST 1.949

/* sqrt(n) times the largest distance from the exponential distribution, of gaps that get sorted. */
static double distance(double *gaps, size_t count, double mean)
{
	double most = 0;

	gsl_sort(gaps, 1, count);
	for (size_t i = 0; i < count; i++) {
		double expected = gsl_cdf_exponential_P(gaps[i], mean);

		most = fmax(most, expected - (double)i / (double)count);
		most = fmax(most, (double)(i + 1) / (double)count - expected);
	}
	return most * sqrt((double)count);
}

/*
 * Of a Poisson process, the counts of WINDOWS equal times have a variance like their mean: their
 * index of dispersion times WINDOWS - 1 is chi-squared. How likely is a larger one?
 */
static double dispersion_tail(const double *gaps, size_t count, double mean)
{
	/* All end before the last arrival does: that is 14 deviations away. */
	double window = mean * (double)count * 0.9 / WINDOWS;
	double counts[WINDOWS] = { 0 };
	double at = 0;

	for (size_t i = 0; i < count; i++) {
		at += gaps[i];
		if (at < window * WINDOWS)
			counts[(size_t)(at / window)]++;
	}
	return gsl_cdf_chisq_Q(gsl_stats_variance(counts, 1, WINDOWS) /
				       gsl_stats_mean(counts, 1, WINDOWS) * (WINDOWS - 1),
			       WINDOWS - 1);
}

static bool is_dispersed(const double *gaps, double mean)
{
	double tail = dispersion_tail(gaps, SAMPLES, mean);

	return tail > 0.0005 && tail < 0.9995;
}

static double *poisson_gaps(double rate, uint64_t seed)
{
	static double gaps[SAMPLES];
	struct schedule_plan plan = { SCHEDULE_POISSON, .rate = rate, .seed = seed };
	struct schedule schedule;
	int64_t before_ns = 0;

	schedule_start(&schedule, &plan, 0, 1);
	for (int i = 0; i < SAMPLES; i++) {
		int64_t at_ns = schedule_next(&schedule);

		gaps[i] = (double)(at_ns - before_ns);
		before_ns = at_ns;
	}
	return gaps;
}

Test(schedule, poisson_gaps_are_exponential_and_independent)
{
	static const double some_rates[] = { 0.01, 1, 100, 12345 };

	for (size_t i = 0; i < sizeof(some_rates) / sizeof(some_rates[0]); i++)
		for (uint64_t seed = 0; seed < 10; seed++) {
			double mean = NS_PER_S / some_rates[i];
			double *gaps = poisson_gaps(some_rates[i], seed);

			cr_expect(is_dispersed(gaps, mean), "rate %g, seed %" PRIu64, some_rates[i],
				  seed);
			cr_expect_lt(distance(gaps, SAMPLES, mean), KOLMOGOROV_MOST,
				     "rate %g, seed %" PRIu64, some_rates[i], seed);
		}
}

/* What these tests are there to catch, they do. */

static void make_constant(double *gaps, double mean)
{
	for (int i = 0; i < SAMPLES; i++)
		gaps[i] = mean;
}

/* As a timer does that ticks each ms; the mean stays. */
static void round_to_ms(double *gaps, double mean)
{
	double at = 0;
	double ticked_before = 0;

	(void)mean;
	for (int i = 0; i < SAMPLES; i++) {
		double ticked;

		at += gaps[i];
		ticked = ceil(at / NS_PER_MS) * NS_PER_MS;
		gaps[i] = ticked - ticked_before;
		ticked_before = ticked;
	}
}

/* Bursts: the right gaps in the wrong order. */
static void sort_in_parts(double *gaps, double mean)
{
	(void)mean;
	for (int i = 0; i < SAMPLES; i += SAMPLES / 20)
		gsl_sort(gaps + i, 1, SAMPLES / 20);
}

static void add_a_fiftieth(double *gaps, double mean)
{
	for (int i = 0; i < SAMPLES; i++)
		gaps[i] += mean / 50;
}

Test(schedule, the_tests_of_poisson_gaps_tell_them_from_others)
{
	static const struct {
		void (*spoil)(double *gaps, double mean);
		bool is_exponential;
		bool is_dispersed;
	} table[] = {
		{ make_constant, false, false },
		{ round_to_ms, false, true },
		{ sort_in_parts, true, false },
		{ add_a_fiftieth, false, true },
	};
	const double mean = 10 * NS_PER_MS;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double *gaps = poisson_gaps(100, 3);

		table[i].spoil(gaps, mean);
		cr_expect_eq(is_dispersed(gaps, mean), table[i].is_dispersed, "%zu", i);
		cr_expect_eq(distance(gaps, SAMPLES, mean) < KOLMOGOROV_MOST,
			     table[i].is_exponential, "%zu", i);
	}
}

Test(schedule, poisson_arrivals_lose_no_time_in_centuries)
{
	/* A double would hold their time to 2 ns only, and lose one at each of them. */
	struct schedule_plan plan = { SCHEDULE_POISSON, .rate = 0.01, .seed = 7 };
	struct random random = { 7 };
	struct schedule schedule;
	__int128 sum = 0; /* in units of 2^-30 ns, which is exact enough */
	int64_t at_ns = 0;

	schedule_start(&schedule, &plan, 0, 1);
	for (int k = 0; k < 200000; k++) {
		at_ns = schedule_next(&schedule);
		sum += (__int128)(random_exponential(&random) * 1e11 * 0x1p30);
	}
	cr_expect_gt(at_ns, 1LL << 53);
	cr_expect_leq(llabs(at_ns - (int64_t)(sum >> 30)), 1);
}

Test(schedule, another_seed_is_another_schedule_and_the_same_the_same)
{
	struct schedule_plan one = { SCHEDULE_POISSON, .rate = 1, .seed = 1 };
	struct schedule_plan other = { SCHEDULE_POISSON, .rate = 1, .seed = 2 };
	struct schedule schedules[3];

	schedule_start(&schedules[0], &one, 0, 1);
	schedule_start(&schedules[1], &one, 0, 1);
	schedule_start(&schedules[2], &other, 0, 1);
	for (int k = 0; k < 100; k++) {
		int64_t at_ns = schedule_next(&schedules[0]);

		cr_expect_eq(schedule_next(&schedules[1]), at_ns);
		cr_expect_neq(schedule_next(&schedules[2]), at_ns);
	}
}

/* Random numbers */

Test(random, its_numbers_are_those_of_splitmix64)
{
	/* Those of the reference implementation. */
	static const uint64_t expected[] = { 6457827717110365317u, 3203168211198807973u,
					     9817491932198370423u, 4593380528125082431u,
					     16408922859458223821u };
	struct random random = { 1234567 };

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		cr_expect_eq(random_seed(1234567, i), expected[i]);
		cr_expect_eq(random_bits(&random), expected[i]);
	}
}

Test(random, think_times_are_exponential_with_the_mean_that_was_asked_for)
{
	static const int64_t means_ns[] = { 100 * NS_PER_US, NS_PER_S, 86400LL * NS_PER_S };
	static double times[SAMPLES];
	struct random random = { 99 };

	for (size_t i = 0; i < sizeof(means_ns) / sizeof(means_ns[0]); i++) {
		for (int j = 0; j < SAMPLES; j++)
			times[j] = (double)random_exponential_ns(&random, means_ns[i]);
		cr_expect_lt(distance(times, SAMPLES, (double)means_ns[i]), KOLMOGOROV_MOST,
			     "%" PRId64, means_ns[i]);
	}
	cr_expect_eq(random_exponential_ns(&random, 0), 0);
}
