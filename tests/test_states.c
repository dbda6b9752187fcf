#include "loadgen/stats/states.h"
#include <criterion/criterion.h>
#include <math.h>

enum { VALUES_MAX = 600 };

static double values[VALUES_MAX];
static size_t count;
static unsigned seed;

/* Noise of ±5 %, from a generator of its own: a test does the same each time. */
static double noisy(double level)
{
	seed = seed * 1664525U + 1013904223U;
	return level * (0.95 + 0.1 * (double)(seed >> 8) / (double)(1U << 24));
}

static void add(double level, int times)
{
	for (int i = 0; i < times; i++)
		values[count++] = noisy(level);
}

static struct states judge(void)
{
	struct states states;

	cr_assert_eq(states_of(values, count, &states), 0);
	count = 0;
	return states;
}

Test(states, what_keeps_to_one_level_has_one_state)
{
	static const double levels[] = { 35, 200, 1e6 };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		struct states states;

		add(levels[i], 600);
		states = judge();
		cr_expect_not(states.two, "%g", levels[i]);
		cr_expect_float_eq(states.low, levels[i], 0.02 * levels[i]);
		cr_expect_eq(states.low, states.high);
		cr_expect_eq(states.changes, 0);
		cr_expect_eq(states.high_share, 0);
	}
}

Test(states, two_levels_are_found_with_share_and_changes)
{
	/* Parts in their order, low and high in turn. */
	static const struct {
		double low, high;
		int parts[5];
		bool begins_high;
		size_t changes;
		double high_share;
	} table[] = {
		{ 50, 170, { 300, 300 }, false, 1, 0.5 },
		{ 50, 170, { 300, 300 }, true, 1, 0.5 },
		{ 35, 300, { 100, 100, 100, 100, 100 }, false, 4, 0.4 },
		{ 35, 110, { 540, 60 }, false, 1, 0.1 },
		{ 35, 110, { 15, 15 }, false, 1, 0.5 },
		{ 35, 110, { 200, 10, 200, 10, 180 }, false, 4, 20.0 / 600 },
		{ 35, 110, { 200, 2, 200, 18, 180 }, false, 4, 20.0 / 600 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct states states;
		bool high = table[i].begins_high;

		for (int part = 0; part < 5; part++, high = !high)
			add(high ? table[i].high : table[i].low, table[i].parts[part]);
		states = judge();
		cr_expect(states.two, "row %zu", i);
		cr_expect_float_eq(states.low, table[i].low, 0.05 * table[i].low, "row %zu", i);
		cr_expect_float_eq(states.high, table[i].high, 0.05 * table[i].high, "row %zu", i);
		cr_expect_float_eq(states.high_share, table[i].high_share, 1e-9, "row %zu: %g", i,
				   states.high_share);
		cr_expect_eq(states.changes, table[i].changes, "row %zu: %zu", i, states.changes);
	}
}

Test(states, what_sticks_out_or_is_less_than_the_factor_is_no_state)
{
	struct states states;

	add(50, 590);
	add(500, 10); /* less than 2 % of them */
	states = judge();
	cr_expect_not(states.two);

	add(50, 300);
	add(90, 300);
	states = judge();
	cr_expect_not(states.two, "less than a factor of two");

	add(50, 3);
	add(150, 2);
	states = judge();
	cr_expect_not(states.two, "two values are none");
}

Test(states, a_single_value_in_between_is_no_change)
{
	struct states states;

	add(50, 100);
	add(150, 1);
	add(50, 100);
	add(150, 100);
	add(50, 1);
	add(150, 100);
	states = judge();
	cr_expect(states.two);
	cr_expect_eq(states.changes, 1, "%zu", states.changes);
}

Test(states, a_drift_has_no_two_levels)
{
	static const double factors[] = { 2, 4, 16 };

	for (size_t row = 0; row < sizeof(factors) / sizeof(factors[0]); row++) {
		struct states states;

		for (int i = 0; i < 600; i++)
			add(50 * pow(factors[row], i / 600.0), 1);
		states = judge();
		cr_expect_not(states.two, "%g", factors[row]);
	}
}

Test(states, few_values_or_none_are_one_state)
{
	struct states states = judge();

	cr_expect_not(states.two);
	cr_expect_eq(states.low, 0);
	add(50, 1);
	states = judge();
	cr_expect_not(states.two);
	cr_expect_float_eq(states.low, 50, 3);
	cr_expect_eq(states.low, states.high);
}
