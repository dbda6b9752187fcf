/* A case of a plan: lists whose combinations are points. */
#pragma once
#include "loadgen/sweep/plan.h"

enum { GRID_LIST_MAX = 64, GRID_DISTRIBUTIONS_MAX = 2, GRID_WHY_MAX = 240 };

struct grid_list {
	int64_t values[GRID_LIST_MAX];
	size_t count;
};

struct grid {
	char name[RUN_NAME_MAX];
	char service[RUN_WORD_MAX];
	char wait[RUN_WORD_MAX];
	char work[RUN_WORD_MAX];
	char archs[GRID_LIST_MAX][ARCHS_VARIANT_MAX];
	size_t arch_count;
	struct grid_list threads;
	bool threads_match; /* t is N and the idle connections */
	struct grid_list cpu;
	struct grid_list wall;
	struct grid_list ratio; /* w/c, in place of wall */
	struct grid_list footprint;
	struct grid_list idle;
	struct grid_list connections;
	char distributions[GRID_DISTRIBUTIONS_MAX][RUN_WORD_MAX];
	size_t distribution_count;
	int64_t requests_per_connection;
	int64_t twin;
	struct plan_timing timing;
};

/*
 * Append the points of the case to the plan, but for those that it has already. Returns 0, or
 * -EINVAL with what the case lacks or contradicts in `why`.
 */
int grid_expand(const struct grid *grid, struct plan *plan, char why[GRID_WHY_MAX]);

/*
 * N for a point whose plan names none. A limited server gets as many connections as it can hold,
 * t. An evented one gets 1.3 w/c, which keeps its processors busy; for small w/c some more, up to
 * 2 w/c, to be past the knee. Not more than needed, as a loop answers in bursts as long as the
 * queue before its processor, and they blur the window's edges.
 */
int64_t grid_connections(int64_t threads, int64_t cpu_ns, int64_t wall_ns, int64_t cores);
