/* Stacks that one thread switches between. */
#include "servers/fiber.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

enum { STACK = 256 << 10, FIBERS = 100, ROUNDS = 50, DEPTH = 20 };

struct counter {
	struct fiber fiber;
	int count;
	int step;
};

/* Leaves from the bottom of some calls, so that what is on the stack has to survive. */
static int descend(struct counter *counter, int depth)
{
	volatile char frame[512];
	int sum;

	memset((char *)frame, depth, sizeof(frame));
	if (depth == 0) {
		fiber_leave(&counter->fiber);
		return 0;
	}
	sum = descend(counter, depth - 1);
	return sum + (frame[0] == depth && frame[sizeof(frame) - 1] == depth);
}

static void count_on(void *context)
{
	struct counter *counter = context;

	for (;;)
		counter->count += counter->step * descend(counter, DEPTH);
}

Test(fiber, each_goes_on_where_it_left_with_its_stack_as_it_was)
{
	static struct counter counters[FIBERS];

	for (int i = 0; i < FIBERS; i++) {
		counters[i].step = i;
		cr_assert_eq(fiber_create(&counters[i].fiber, STACK, count_on, &counters[i]), 0);
		cr_expect_eq(counters[i].count, 0, "nothing of it has run");
	}
	for (int round = 0; round <= ROUNDS; round++)
		for (int i = 0; i < FIBERS; i++)
			fiber_enter(&counters[(i * 37 + round) % FIBERS].fiber);
	for (int i = 0; i < FIBERS; i++) {
		cr_expect_eq(counters[i].count, ROUNDS * DEPTH * i);
		fiber_destroy(&counters[i].fiber);
	}
}

#if !defined(__SANITIZE_ADDRESS__)
static int fall(struct counter *counter, int depth)
{
	volatile char frame[4096];

	frame[0] = (char)depth;
	return depth > STACK ? 0 : fall(counter, depth + 1) + frame[0];
}

static void overflow(void *context)
{
	struct counter *counter = context;

	counter->count = fall(counter, 0);
	for (;;)
		fiber_leave(&counter->fiber);
}

Test(fiber, a_stack_that_overflows_is_caught, .signal = SIGSEGV)
{
	static struct counter counter;

	cr_assert_eq(fiber_create(&counter.fiber, STACK, overflow, &counter), 0);
	fiber_enter(&counter.fiber);
}
#endif
