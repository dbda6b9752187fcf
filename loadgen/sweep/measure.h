/*
 * Measures points of a plan: starts the server on its processors, drives it, meters it from
 * outside, stops it. Holds the backend, and what was metered beforehand and serves for more than
 * one run.
 */
#pragma once
#include "loadgen/engine/load.h"
#include "loadgen/sweep/plan.h"
#include "loadgen/target/process.h"
#include <stdatomic.h>

enum { MEASURE_WHY_MAX = PROCESS_WHY_MAX };

struct metered {
	struct run asked; /* the fields that the figures depend on; the others are 0 */
	int64_t cpu_ns;   /* of a request */
	int64_t latency_ns;
};

struct metered_list {
	struct metered *items;
	size_t count;
	size_t room;
};

struct measure {
	const struct plan *plan;
	const char *log; /* the servers' stderr goes there */
	const atomic_bool *stop;
	void (*on_progress)(void *context, const struct load_progress *progress);
	void *context;
	const char *target;         /* what is asked for instead of what the points say; or NULL */
	char why[MEASURE_WHY_MAX];  /* of the last failure */
	char note[MEASURE_WHY_MAX]; /* of the last run, if its server had to be killed; or "" */

	struct process backend;
	struct metered_list
		overheads;         /* o_ref and o, of the block, or of the run where c is small */
	struct metered_list alone; /* w, of the sweep */
};

/*
 * Bind this process to the plan's load_cpus and start the backend. The first six fields of
 * *measure are the caller's to set. Returns 0, or -errno with a sentence in measure->why.
 */
int measure_begin(struct measure *measure);

/*
 * One repetition: meters what is to be known beforehand, then fills in *run, whose asked fields,
 * repetition, sequence, block and attempt are set. Returns 0, -EINTR when it was told to stop, or
 * -errno with a sentence in measure->why.
 */
int measure_run(struct measure *measure, const struct plan_point *point, struct run *run);

/* The same without anything metered beforehand: the work is what run->overhead_ref_ns makes it. */
int measure_drive(struct measure *measure, const struct plan_point *point, struct run *run);

/* How long a repetition will take, without what has to be metered before it, in ns. */
int64_t measure_estimate(const struct plan_point *point);

void measure_end(struct measure *measure);
