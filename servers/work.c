#include "servers/work.h"
#include "common/clock.h"
#include <stdbool.h>

enum {
	SLICE_OPS = 256, /* between two looks at the clock: some 0.3 us */
	CALIBRATION_NS = 4 * NS_PER_MS,
	CALIBRATION_ROUNDS = 5,
};

/* `count` steps of a linear congruential generator: each needs the last one's result. */
static uint64_t operate(int64_t count, uint64_t x)
{
	for (int64_t i = 0; i < count; i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		__asm__ volatile("" : "+r"(x)); /* keep the compiler from folding steps */
	}
	return x;
}

/* Operations per ns: the fastest of some rounds, as disturbance only ever slows one down. */
static double measure_speed(void)
{
	double best = 0;

	for (int round = 0; round < CALIBRATION_ROUNDS; round++) {
		int64_t start = clock_thread_cpu_ns();
		int64_t spent;
		int64_t done = 0;

		do {
			operate(SLICE_OPS * 16, (uint64_t)done);
			done += SLICE_OPS * 16;
			spent = clock_thread_cpu_ns() - start;
		} while (spent < CALIBRATION_NS);
		if ((double)done / (double)spent > best)
			best = (double)done / (double)spent;
	}
	return best;
}

struct work work_make(enum work_kind kind, int64_t ns)
{
	struct work work = { .kind = kind, .ns = ns };

	if (kind == WORK_OPS && ns > 0)
		work.ops = (int64_t)(measure_speed() * (double)ns);
	return work;
}

/*
 * Stop at the look at the clock that comes nearest to the end: the last step was as long as the
 * next would be, so go on only if at least half of one is left.
 */
static void spend(int64_t ns)
{
	int64_t start = clock_thread_cpu_ns();
	int64_t spent = 0;
	int64_t step;

	do {
		int64_t before = spent;

		operate(SLICE_OPS, (uint64_t)spent);
		spent = clock_thread_cpu_ns() - start;
		step = spent - before;
	} while (spent + step / 2 < ns);
}

void work_do(const struct work *work)
{
	if (work->ns <= 0)
		return;
	if (work->kind == WORK_OPS)
		operate(work->ops, 1);
	else
		spend(work->ns);
}
