/*
 * A plan: which points to measure, and how. An INI file: [plan] holds what is common, and each
 * [case NAME] a grid whose points are all combinations of its lists. docs/plans.md has the keys.
 */
#pragma once
#include "loadgen/sweep/run.h"
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

enum { PLAN_WHY_MAX = 320 };

/* How a point is measured. */
struct plan_timing {
	int64_t repetitions;
	int64_t window_ns; /* of each of the windows */
	int64_t windows;   /* one after the other in a repetition */
	int64_t warmup_ns;
};

struct plan_point {
	struct run asked; /* the fields of what was asked, up to connections */
	struct plan_timing timing;
};

struct plan {
	char name[RUN_NAME_MAX];
	cpu_set_t server_cpus;
	cpu_set_t load_cpus; /* of generator and backend */
	int64_t tries;       /* at a repetition that fails an audit */
	struct plan_point *points;
	size_t count;
};

/*
 * Read the plan. Returns 0, or -errno with a sentence in `why` that names file and line. The
 * caller ends it with plan_free(), also after a failure.
 */
int plan_read(const char *path, struct plan *plan, char why[PLAN_WHY_MAX]);

void plan_free(struct plan *plan);

/*
 * N for a point whose plan names none. A limited server gets as many connections as it can hold,
 * t. An evented one gets 1.3 w/c, which keeps its processors busy; for small w/c some more, up to
 * 2 w/c, to be past the knee. Not more than needed, as a loop answers in bursts as long as the
 * queue before its processor, and they blur the window's edges.
 */
int64_t plan_connections(int64_t threads, int64_t cpu_ns, int64_t wall_ns, int64_t cores);
