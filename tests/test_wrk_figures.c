#include "loadgen/target/wrk_figures.h"
#include "common/clock.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIGURES(duration, replies, errors, latencies)                                              \
	"cwt-wrk: {\"duration_us\":" duration ",\"replies\":" replies "," errors                   \
	",\"latency_us\":" latencies "}\n"
#define NO_ERRORS "\"connect\":0,\"read\":0,\"write\":0,\"status\":0,\"timeout\":0"

Test(wrk_figures, what_is_no_figures_is_refused)
{
	static const struct {
		const char *text;
		int rc;
	} table[] = {
		{ FIGURES("1000000", "3", NO_ERRORS, "[[10,2],[20,1]]"), 0 },
		{ "Running 1s test\n" FIGURES("1000000", "0", NO_ERRORS, "[]") "more\n", 0 },
		{ FIGURES("1000000", "3",
			  "\"connect\":1,\"read\":2,\"write\":3,\"status\":3,"
			  "\"timeout\":2",
			  "[[10,1]]"),
		  0 },
		{ "", -EPROTO },
		{ "\n\n\n", -EPROTO },
		{ "cwt-wrk:", -EPROTO },
		{ "cwt-wrk: ", -EPROTO },
		{ "cwt-wrk: \n", -EPROTO },
		{ "cwt-wrk: 1\n", -EPROTO },
		{ "cwt-wrk: []\n", -EPROTO },
		{ "cwt-wrk: {}\n", -EPROTO },
		{ "cwt-wrk: {\"duration_us\":1}\n", -EPROTO },
		{ "x" FIGURES("1000000", "3", NO_ERRORS, "[[10,2],[20,1]]"), -EPROTO },
		{ FIGURES("0", "3", NO_ERRORS, "[[10,2],[20,1]]"), -EPROTO },
		{ FIGURES("-1", "3", NO_ERRORS, "[[10,2],[20,1]]"), -EPROTO },
		{ FIGURES("1.5", "3", NO_ERRORS, "[[10,2],[20,1]]"), -EPROTO },
		{ FIGURES("9223372036854775807", "3", NO_ERRORS, "[[10,2],[20,1]]"), -EPROTO },
		{ FIGURES("1000000", "-3", NO_ERRORS, "[[10,2],[20,1]]"), -EPROTO },
		{ FIGURES("1000000", "nan", NO_ERRORS, "[]"), -EPROTO },
		{ FIGURES("1000000", "4", NO_ERRORS, "[[10,2],[20,1]]"), -EPROTO },
		{ FIGURES("1000000", "2", NO_ERRORS, "[[10,2],[20,1]]"), -EPROTO },
		{ FIGURES("1000000", "3", "\"connect\":0", "[[10,2],[20,1]]"), -EPROTO },
		{ FIGURES("1000000", "3",
			  "\"connect\":0,\"read\":0,\"write\":0,\"status\":4,"
			  "\"timeout\":0",
			  "[[10,3]]"),
		  -EPROTO },
		{ FIGURES("1000000", "3",
			  "\"connect\":0,\"read\":0,\"write\":0,\"status\":0,"
			  "\"timeout\":4",
			  "[]"),
		  -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "3"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[3]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[[10,3,1]]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[[10]]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[[-10,3]]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[[10.0,3]]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[[10,0],[20,3]]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[[20,1],[10,2]]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[[10,1],[10,2]]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[[9223372036854775807,3]]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS, "[[10,9223372036854775807]]"), -EPROTO },
		{ FIGURES("1000000", "3", NO_ERRORS,
			  "[[10,9223372036854775807],[11,9223372036854775807],[12,5]]"),
		  -EPROTO },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct wrk_result result;
		char why[WRK_WHY_MAX] = "";

		cr_expect_eq(wrk_figures_read(table[i].text, 2, &result, why, sizeof(why)),
			     table[i].rc, "row %zu: %s", i, why);
		cr_expect_eq(why[0] == '\0', table[i].rc == 0, "row %zu: %s", i, why);
	}
}

Test(wrk_figures, errors_and_moments_are_read)
{
	static const char text[] = FIGURES("2000000", "7",
					   "\"connect\":1,\"read\":2,\"write\":3,\"status\":4,"
					   "\"timeout\":3",
					   "[[10,1],[20,2],[40,1]]");
	struct wrk_result result;
	char why[WRK_WHY_MAX] = "";

	/* Seven connections with one reply each: the mean interval is the whole run. */
	cr_assert_eq(wrk_figures_read(text, 7, &result, why, sizeof(why)), 0, "%s", why);
	for (int i = 0; i < WRK_ERROR_TIMEOUT; i++)
		cr_expect_eq(result.errors[i], i + 1);
	cr_expect_eq(result.errors[WRK_ERROR_TIMEOUT], 3);
	cr_expect_eq(result.replies, 7);
	cr_expect_eq(result.requests, 3);
	cr_expect_float_eq(result.throughput, 1.5, 1e-9);
	cr_expect_eq(result.duration_ns, 2LL * NS_PER_S);
	cr_expect_eq(result.latency.count, 4);
	cr_expect_eq(result.latency.least, 10 * NS_PER_US);
	cr_expect_eq(result.latency.most, 40 * NS_PER_US);
	cr_expect_float_eq(histogram_mean(&result.latency), 22.5 * NS_PER_US, 1e-6);
	/* 10, 20, 20, 40: the squares of what is off the mean sum up to 475. */
	cr_expect_float_eq(result.latency_deviation_ns, sqrt(475.0 / 3) * NS_PER_US, 1e-6);
	cr_expect_eq(result.invented, 0);
}

enum { MOST_US = 2000 };

/* What wrk does: for each latency above two intervals, more of them, each an interval less. */
static void correct(int64_t counts[MOST_US + 1], int interval_us)
{
	for (int us = 2 * interval_us; us <= MOST_US; us++)
		for (int less = us - interval_us; less > interval_us; less -= interval_us)
			counts[less] += counts[us];
}

Test(wrk_figures, the_latencies_are_those_before_the_correction)
{
	/* Which latencies, so that they meet, miss and touch multiples of the interval. */
	static const struct {
		int replies; /* in 20 ms on one connection: the interval is 20,000 / replies µs */
		int first_us;
		int step_us;
	} table[] = {
		{ 200, 1, 9 },   { 200, 100, 1 }, { 200, 1800, 1 }, { 200, 5, 0 },
		{ 200, 100, 0 }, { 200, 101, 0 }, { 200, 199, 0 },  { 200, 200, 0 },
		{ 200, 201, 0 }, { 200, 300, 0 }, { 200, 301, 0 },  { 200, 2000, 0 },
		{ 666, 1, 3 },   { 666, 300, 2 }, { 1, 1500, 0 },   { 3, 1000, 500 },
		{ 1999, 1, 1 },  { 200, 0, 10 },  { 50, 400, 32 },  { 19, 1053, 50 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t counts[MOST_US + 1] = { 0 };
		int64_t invented = -table[i].replies;
		struct histogram expected;
		struct wrk_result result;
		char why[WRK_WHY_MAX] = "";
		char *text;
		size_t length;
		FILE *file = open_memstream(&text, &length);
		const char *comma = "";

		histogram_reset(&expected);
		for (int reply = 0; reply < table[i].replies; reply++) {
			int us = (table[i].first_us + reply * table[i].step_us) % (MOST_US + 1);

			counts[us]++;
			histogram_record(&expected, us * (int64_t)NS_PER_US);
		}
		correct(counts, 20000 / table[i].replies);
		fprintf(file,
			"cwt-wrk: {\"duration_us\":20000,\"replies\":%d," NO_ERRORS
			",\"latency_us\":[",
			table[i].replies);
		for (int us = 0; us <= MOST_US; us++) {
			if (counts[us] == 0)
				continue;
			fprintf(file, "%s[%d,%" PRId64 "]", comma, us, counts[us]);
			comma = ",";
			invented += counts[us];
		}
		fprintf(file, "]}\n");
		fclose(file);
		cr_expect_eq(wrk_figures_read(text, 1, &result, why, sizeof(why)), 0, "row %zu: %s",
			     i, why);
		cr_expect_eq(result.invented, (uint64_t)invented, "row %zu", i);
		cr_expect_eq(result.latency.count, expected.count, "row %zu", i);
		cr_expect_eq(result.latency.least, expected.least, "row %zu", i);
		cr_expect_eq(result.latency.most, expected.most, "row %zu", i);
		cr_expect_eq(result.latency.sum, expected.sum, "row %zu", i);
		cr_expect_arr_eq(result.latency.buckets, expected.buckets, sizeof(expected.buckets),
				 "row %zu", i);
		free(text);
	}
}
