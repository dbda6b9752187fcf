#include "loadgen/engine/timers.h"
#include <errno.h>
#include <stdlib.h>

int timers_init(struct timers *timers, uint32_t slots)
{
	timers->count = 0;
	timers->heap = calloc(slots, sizeof(*timers->heap));
	return timers->heap ? 0 : -ENOMEM;
}

void timers_deinit(struct timers *timers)
{
	free(timers->heap);
}

void timers_add(struct timers *timers, uint32_t slot, int64_t due_ns)
{
	struct timer *heap = timers->heap;
	uint32_t at = timers->count++;

	while (at > 0 && heap[(at - 1) / 2].due_ns > due_ns) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = (struct timer){ due_ns, slot };
}

int64_t timers_next_ns(const struct timers *timers)
{
	return timers->count > 0 ? timers->heap[0].due_ns : INT64_MAX;
}

uint32_t timers_take(struct timers *timers)
{
	struct timer *heap = timers->heap;
	uint32_t slot = heap[0].slot;
	struct timer last = heap[--timers->count];
	uint32_t at = 0;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < timers->count && heap[child + 1].due_ns < heap[child].due_ns)
			child++;
		if (child >= timers->count || heap[child].due_ns >= last.due_ns)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
	return slot;
}
