/* When slots are due, each at one time at the most: a binary heap. */
#pragma once
#include <stdint.h>

struct timer {
	int64_t due_ns;
	uint32_t slot;
};

struct timers {
	struct timer *heap;
	uint32_t count;
};

/* Returns 0 or -ENOMEM. */
int timers_init(struct timers *timers, uint32_t slots);
void timers_deinit(struct timers *timers);

/* The slot must not be in already. */
void timers_add(struct timers *timers, uint32_t slot, int64_t due_ns);

/* When the next is due; INT64_MAX if none is. */
int64_t timers_next_ns(const struct timers *timers);

/* Take out the next, which there must be. Returns its slot. */
uint32_t timers_take(struct timers *timers);
