#include "loadgen/stats/steady.h"
#include <criterion/criterion.h>
#include <math.h>

Test(steady, a_series_is_named_after_what_most_of_its_values_do)
{
	static const struct {
		const char *name;
		size_t n;
		double values[20];
		enum steady_kind kind;
		double change; /* step, drift */
	} table[] = {
		{ "too few", 4, { 1, 2, 3, 4 }, STEADY_TOO_FEW, 0 },
		{ "equal", 5, { 3, 3, 3, 3, 3 }, STEADY, 0 },
		{ "noise", 10, { 100, 103, 98, 101, 97, 102, 99, 104, 96, 100 }, STEADY, 0 },
		{ "one that sticks out",
		  10,
		  { 1, 1.1, 1, 0.9, 500, 1, 1.1, 0.9, 1, 1 },
		  STEADY,
		  0 },
		{ "one that is nothing", 10, { 9, 9, 9, 0, 9, 9, 9, 9, 9, 9 }, STEADY, 0 },
		{ "a small step",
		  10,
		  { 100, 100, 100, 100, 100, 108, 108, 108, 108, 108 },
		  STEADY,
		  0 },
		{ "a step up",
		  10,
		  { 100, 101, 99, 100, 151, 149, 150, 150, 151, 149 },
		  STEADY_STEP,
		  0.5 },
		{ "a step down",
		  10,
		  { 30, 31, 29, 30, 30, 30, 31, 10, 10, 10 },
		  STEADY_STEP,
		  -0.67 },
		{ "a step of two values",
		  10,
		  { 30, 31, 29, 30, 30, 30, 31, 30, 10, 10 },
		  STEADY,
		  0 },
		{ "a small drift",
		  10,
		  { 100, 101, 102, 103, 104, 105, 106, 107, 108, 109 },
		  STEADY,
		  0 },
		{ "a drift up",
		  10,
		  { 100, 103, 106, 109, 112, 115, 118, 121, 124, 127 },
		  STEADY_DRIFT,
		  0.27 },
		{ "a drift down",
		  10,
		  { 127, 124, 121, 118, 115, 112, 109, 106, 103, 100 },
		  STEADY_DRIFT,
		  -0.21 },
		{ "what has come to rest in the first half",
		  10,
		  { 200, 180, 160, 140, 121, 120.5, 120.4, 120.3, 120.2, 120.1 },
		  STEADY,
		  0 },
		{ "to and fro", 10, { 1, 3, 1, 3, 1, 3, 1, 3, 1, 3 }, STEADY_SCATTER, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct steadiness steadiness = steady_judge(table[i].values, table[i].n, 0.25);

		cr_expect_eq(steadiness.kind, table[i].kind, "%s: %d", table[i].name,
			     (int)steadiness.kind);
		cr_expect_float_eq(steadiness.change, table[i].change, 0.011, "%s: %g",
				   table[i].name, steadiness.change);
	}
}

Test(steady, a_step_says_when_and_between_which_levels)
{
	static const double values[] = { 10, 10, 10, 20, 20, 20, 20, 20, 20, 20 };
	struct steadiness steadiness = steady_judge(values, 10, 0.25);

	cr_expect_eq(steadiness.kind, STEADY_STEP);
	cr_expect_float_eq(steadiness.begin, 10, 1e-9);
	cr_expect_float_eq(steadiness.end, 20, 1e-9);
	cr_expect_float_eq(steadiness.begin_for, 0.3, 1e-9);
}

Test(steady, scatter_is_no_reason_where_it_is_not_asked_for)
{
	static const double values[] = { 1, 3, 1, 3, 1, 3, 1, 3, 1, 3 };

	cr_expect_eq(steady_judge(values, 10, INFINITY).kind, STEADY);
}

Test(steady, of_many_values_neighbours_are_taken_together)
{
	/* One in ten sticks out, as a stall of 1 s in 10 s would. */
	for (size_t n = 20; n <= STEADY_VALUES_MAX; n += 4) {
		double values[STEADY_VALUES_MAX];

		for (size_t i = 0; i < n; i++)
			values[i] = i % 10 == 7 ? 500 : 1 + 0.01 * (double)(i % 3);
		cr_expect_eq(steady_judge(values, n, 0.25).kind, STEADY, "n = %zu", n);
		for (size_t i = 0; i < n; i++)
			values[i] = (i % 10 == 7 ? 500 : 1) + 0.3 * (double)i / (double)n;
		cr_expect_eq(steady_judge(values, n, 0.25).kind, STEADY_DRIFT, "n = %zu", n);
	}
}
