/*
 * The CPU work of a request: `clock` work spends an amount of the calling thread's own CPU time,
 * `ops` work does a fixed number of dependent operations (docs/model.md: the first checks the
 * model, the second makes architectures comparable instruction for instruction). Either can walk
 * through memory meanwhile, again and again, since what a switch costs is mostly what it evicts.
 */
#pragma once
#include <stdint.h>

enum work_kind { WORK_CLOCK, WORK_OPS };

struct work {
	enum work_kind kind;
	int64_t ns;        /* what a request spends; 0 is none */
	int64_t ops;       /* WORK_OPS: the same as a number of operations */
	int64_t footprint; /* bytes of memory that it touches, by lines of 64; 0 is none */
};

/* What `ops` work takes a microsecond for: 4 cycles each, as on many processors, at 3 GHz. */
enum { WORK_OPS_PER_US = 750 };

/*
 * Work of `ns` CPU time that touches `footprint` bytes. WORK_OPS has a fixed number of operations
 * for that, the same on every machine and in every run; what they take is the machine's affair.
 * It touches each line once or more, WORK_CLOCK as many as it has the time for.
 */
struct work work_make(enum work_kind kind, int64_t ns, int64_t footprint);

/* Do it, on the calling thread, in `memory` of work->footprint bytes (NULL if that is 0). */
void work_do(const struct work *work, char *memory);
