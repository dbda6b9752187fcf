/*
 * The CPU work of a request: `clock` work spends an amount of the calling thread's own CPU time,
 * `ops` work does a fixed number of dependent operations (model.md: the first checks the model,
 * the second makes architectures comparable instruction for instruction).
 */
#pragma once
#include <stdint.h>

enum work_kind { WORK_CLOCK, WORK_OPS };

struct work {
	enum work_kind kind;
	int64_t ns;  /* what a request spends; 0 is none */
	int64_t ops; /* WORK_OPS: the same as a number of operations */
};

/*
 * Work of `ns` CPU time. For WORK_OPS this measures how fast an operation is now, for some 20 ms;
 * how fast it will be later is the machine's affair.
 */
struct work work_make(enum work_kind kind, int64_t ns);

/* Do it, on the calling thread. */
void work_do(const struct work *work);
