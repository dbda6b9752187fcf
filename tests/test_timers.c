#include "loadgen/engine/timers.h"
#include "common/random.h"
#include <criterion/criterion.h>

enum { SLOTS = 200, STEPS = 20000, TIMES = 50 };

/* What the heap must do, done simply: a time for each slot that is in. */
static int64_t due_of[SLOTS];

static int64_t least_due(void)
{
	int64_t least_ns = INT64_MAX;

	for (int i = 0; i < SLOTS; i++)
		if (due_of[i] < least_ns)
			least_ns = due_of[i];
	return least_ns;
}

static void empty(struct timers *timers)
{
	cr_assert_eq(timers_init(timers, SLOTS), 0);
	for (int i = 0; i < SLOTS; i++)
		due_of[i] = INT64_MAX;
}

static void take(struct timers *timers)
{
	int64_t least_ns = least_due();
	uint32_t slot;

	cr_assert_eq(timers_next_ns(timers), least_ns);
	slot = timers_take(timers);
	cr_assert_lt(slot, SLOTS);
	cr_assert_eq(due_of[slot], least_ns);
	due_of[slot] = INT64_MAX;
}

/* Few different times, so that many are due at the same one. */
Test(timers, slots_come_in_the_order_in_which_they_are_due)
{
	struct random random = { 1 };
	struct timers timers;
	uint32_t count = 0;

	empty(&timers);
	for (int i = 0; i < STEPS; i++) {
		uint32_t slot = (uint32_t)(random_bits(&random) % SLOTS);

		/* A quarter of the draws adds for a thousand steps, then three quarters do. */
		uint64_t share = i / 1000 % 2 == 0 ? 1 : 3;

		if (due_of[slot] == INT64_MAX && random_bits(&random) % 4 < share) {
			due_of[slot] = (int64_t)(random_bits(&random) % TIMES);
			timers_add(&timers, slot, due_of[slot]);
			count++;
		} else if (count > 0) {
			take(&timers);
			count--;
		}
		cr_assert_eq(timers.count, count);
	}
	while (count-- > 0)
		take(&timers);
	timers_deinit(&timers);
}

Test(timers, none_is_due_when_there_is_none)
{
	struct timers timers;

	empty(&timers);
	cr_expect_eq(timers_next_ns(&timers), INT64_MAX);
	timers_add(&timers, SLOTS - 1, -5);
	cr_expect_eq(timers_next_ns(&timers), -5);
	cr_expect_eq(timers_take(&timers), SLOTS - 1);
	cr_expect_eq(timers_next_ns(&timers), INT64_MAX);
	timers_deinit(&timers);
}

Test(timers, all_slots_fit_whatever_the_order_they_come_in)
{
	for (int step = 1; step < 8; step += 2) {
		struct timers timers;

		empty(&timers);
		for (uint32_t i = 0; i < SLOTS; i++) {
			due_of[i] = (int64_t)(i * (uint32_t)step % 128) * (step % 4 == 1 ? 1 : -1);
			timers_add(&timers, i, due_of[i]);
		}
		for (uint32_t i = 0; i < SLOTS; i++)
			take(&timers);
		timers_deinit(&timers);
	}
}
