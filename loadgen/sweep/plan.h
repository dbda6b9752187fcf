/*
 * A plan: which points to measure, and how. An INI file: [plan] holds what is common, and each
 * [case NAME] a grid whose points are all combinations of its lists. docs/plans.md has the keys.
 */
#pragma once
#include "loadgen/sweep/run.h"
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	PLAN_WHY_MAX = 640,
	PLAN_POINTS_MAX = 4096,
	PLAN_CLAIM_MAX = 512,
	PLAN_PANELS_MAX = 3,
	PLAN_WINDOWS_MAX = 64,
	PLAN_REPETITIONS_MAX = 10000,
};

/* What a plan's evidence is drawn over, and what is drawn. Names as in the file. */
enum plan_x { PLAN_X_CONNECTIONS, PLAN_X_THREADS, PLAN_X_IDLE, PLAN_X_WALL, PLAN_X_ARCH };
enum plan_y {
	PLAN_Y_THROUGHPUT,
	PLAN_Y_CPU,
	PLAN_Y_SWITCHES,
	PLAN_Y_MEMORY,
	PLAN_Y_AVAILABLE,
	PLAN_Y_LATENCY,
};

extern const char *const plan_x_names[]; /* ended by NULL */
extern const char *const plan_y_names[];

/* What the plan is to show: a claim, and the figure that speaks for or against it. */
struct plan_evidence {
	char claim[PLAN_CLAIM_MAX];
	enum plan_x x;
	bool has_x; /* it is given; the three go together */
	enum plan_y panels[PLAN_PANELS_MAX];
	size_t panel_count; /* 0: the plan has none */
};

/* How a point is measured. */
struct plan_timing {
	int64_t repetitions;      /* the least */
	int64_t repetitions_most; /* while the figure is known less well than the plan asks; not
				     less */
	int64_t window_ns;        /* of each of the windows, at the least */
	int64_t window_most_ns;   /* 0: no bound */
	int64_t requests;         /* that a window is to hold by the model; it is longer for them */
	int64_t requests_exponential; /* the same, where times are drawn; 0: as `requests` */
	int64_t windows;              /* one after the other in a repetition */
	int64_t warmup_ns;
	int64_t ramp_ns; /* 0: a turn of all connections, w or N c/k, and 50 us for each at the
			    least */
};

struct plan_point {
	struct run asked; /* the fields of what was asked, up to requests_per_connection */
	struct plan_timing timing;
};

/* A server that is not installed, and so not measured: plan_leave_out_absent(). */
struct plan_absent {
	char arch[ARCHS_VARIANT_MAX];
	char why[RECIPE_WHY_MAX]; /* what is missing, and the remedy */
};

struct plan {
	char name[RUN_NAME_MAX];
	cpu_set_t server_cpus;
	cpu_set_t load_cpus; /* of generator and backend */
	int64_t tries;       /* at a repetition that fails an audit */
	int64_t seed;        /* 0: the sweep takes one, and records it */
	enum plan_y figure;  /* repetitions go on until its 95 % interval ... */
	double precision;    /* ... is within so much of its mean, to either side */
	size_t skipped;      /* points left out, as their windows would exceed window_most_ns */
	struct plan_absent absent[ARCHS_RECIPES_MAX];
	size_t absent_count;
	struct plan_evidence evidence;
	struct plan_point *points;
	size_t count;
};

/*
 * Read the plan. Returns 0, or -errno with a sentence in `why` that names file and line. The
 * caller ends it with plan_free(), also after a failure.
 */
int plan_read(const char *path, struct plan *plan, char why[PLAN_WHY_MAX]);

/*
 * Take out the points whose servers are not installed here, and note these in plan->absent. For who
 * is going to measure; who reads what was measured has them all. Returns how many points are left.
 */
size_t plan_leave_out_absent(struct plan *plan);

void plan_free(struct plan *plan);
