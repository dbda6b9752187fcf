#include "servers/work.h"
#include "common/clock.h"
#include <stdbool.h>

enum {
	SLICE_OPS = 256,   /* between two looks at the clock: some 0.3 us */
	SLICES_PER_US = 2, /* or more: for how often memory has to be touched */
	LINE_BYTES = 64,
	LINES_LEAST = 8, /* of memory that a slice touches, if there is any */
};

/* Where a request's work stands: the operations' last result, and the next line of its memory. */
struct walk {
	uint64_t x;
	char *memory;
	int64_t line;
	int64_t lines;
	int64_t lines_per_slice;
};

static struct walk start(const struct work *work, char *memory)
{
	struct walk walk = { .x = 1, .memory = memory, .lines = work->footprint / LINE_BYTES };
	int64_t slices = work->ns * SLICES_PER_US / NS_PER_US + 1;

	if (!memory || walk.lines == 0)
		return walk;
	walk.lines_per_slice = walk.lines / slices + 1;
	if (walk.lines_per_slice < LINES_LEAST)
		walk.lines_per_slice = LINES_LEAST;
	return walk;
}

/* `count` steps of a linear congruential generator: each needs the last one's result. */
static uint64_t operate(int64_t count, uint64_t x)
{
	for (int64_t i = 0; i < count; i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		__asm__ volatile("" : "+r"(x)); /* keep the compiler from folding steps */
	}
	return x;
}

/* Some operations, and the lines of memory that go with them. */
static void slice(struct walk *walk, int64_t ops)
{
	walk->x = operate(ops, walk->x);
	for (int64_t i = 0; i < walk->lines_per_slice; i++) {
		walk->memory[walk->line * LINE_BYTES] += (char)walk->x;
		if (++walk->line == walk->lines)
			walk->line = 0;
	}
}

struct work work_make(enum work_kind kind, int64_t ns, int64_t footprint)
{
	struct work work = { .kind = kind, .ns = ns, .footprint = footprint };

	if (kind == WORK_OPS)
		work.ops = ns / NS_PER_US * WORK_OPS_PER_US +
			   ns % NS_PER_US * WORK_OPS_PER_US / NS_PER_US;
	return work;
}

/*
 * Stop at the look at the clock that comes nearest to the end: the last step was as long as the
 * next would be, so go on only if at least half of one is left.
 */
static void spend(int64_t ns, struct walk *walk)
{
	int64_t begun = clock_thread_cpu_ns();
	int64_t spent = 0;
	int64_t step;

	do {
		int64_t before = spent;

		slice(walk, SLICE_OPS);
		spent = clock_thread_cpu_ns() - begun;
		step = spent - before;
	} while (spent + step / 2 < ns);
}

void work_do(const struct work *work, char *memory)
{
	struct walk walk = start(work, memory);

	if (work->ns <= 0)
		return;
	if (work->kind == WORK_CLOCK) {
		spend(work->ns, &walk);
		return;
	}
	for (int64_t left = work->ops; left > 0; left -= SLICE_OPS)
		slice(&walk, left < SLICE_OPS ? left : SLICE_OPS);
}
