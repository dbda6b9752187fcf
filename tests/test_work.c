/* The CPU work of a request: how much it is, and that it touches the memory that it should. */
#include "common/clock.h"
#include "servers/work.h"
#include <criterion/criterion.h>
#include <stdlib.h>

enum { LINE = 64, FOOTPRINT = 256 << 10 };

static int64_t cpu_of(const struct work *work, char *memory)
{
	int64_t before = clock_thread_cpu_ns();

	work_do(work, memory);
	return clock_thread_cpu_ns() - before;
}

/* How many of the lines differ from what they were, in percent: a line's byte may come out equal.
 */
static int touched_percent(const char *memory, int64_t length)
{
	int64_t touched = 0;

	for (int64_t at = 0; at < length; at += LINE)
		touched += memory[at] != 0;
	return (int)(100 * touched / (length / LINE));
}

Test(work, clock_work_spends_what_it_says)
{
	struct work work = work_make(WORK_CLOCK, 2 * NS_PER_MS, 0);
	int64_t spent = cpu_of(&work, NULL);

	cr_expect_geq(spent, 2 * NS_PER_MS * 99 / 100);
}

Test(work, none_is_none)
{
	struct work clock = work_make(WORK_CLOCK, 0, 0);
	struct work ops = work_make(WORK_OPS, 0, 0);

	cr_expect_eq(ops.ops, 0);
	cr_expect_lt(cpu_of(&clock, NULL), NS_PER_MS);
	cr_expect_lt(cpu_of(&ops, NULL), NS_PER_MS);
}

/* Also when the work is so short that each part of it has to touch many lines. */
Test(work, a_number_of_operations_touches_all_of_its_memory)
{
	static const int64_t times_ns[] = { NS_PER_US, 20 * NS_PER_US, 5 * NS_PER_MS };

	for (size_t i = 0; i < sizeof(times_ns) / sizeof(times_ns[0]); i++) {
		struct work work = work_make(WORK_OPS, times_ns[i], FOOTPRINT);
		char *memory = calloc(1, FOOTPRINT);

		cr_assert_not_null(memory);
		work_do(&work, memory);
		cr_expect_geq(touched_percent(memory, FOOTPRINT), 95, "%lld ns: %d %%",
			      (long long)times_ns[i], touched_percent(memory, FOOTPRINT));
		free(memory);
	}
}

Test(work, clock_work_touches_what_it_has_time_for)
{
	struct work work = work_make(WORK_CLOCK, 5 * NS_PER_MS, FOOTPRINT);
	char *memory = calloc(1, FOOTPRINT);
	int64_t spent;

	cr_assert_not_null(memory);
	spent = cpu_of(&work, memory);
	cr_expect_geq(spent, 5 * NS_PER_MS * 99 / 100);
	cr_expect_geq(touched_percent(memory, FOOTPRINT), 95);
	free(memory);
}

Test(work, the_same_number_of_operations_everywhere)
{
	cr_expect_eq(work_make(WORK_OPS, 100 * NS_PER_US, 0).ops, 75000);
	cr_expect_eq(work_make(WORK_OPS, 1500, 0).ops, 1125);
	cr_expect_eq(work_make(WORK_OPS, 3600LL * NS_PER_S, 0).ops, 2700000000000);
}
