/* One side of a comparison: the folders of one or more sweeps. */
#pragma once
#include "loadgen/sweep/plan.h"
#include <jansson.h>
#include <limits.h>

enum { SIDE_SWEEPS_MAX = 32, SIDE_WHY_MAX = PATH_MAX + 640 };

struct side_sweep {
	char path[PATH_MAX]; /* of the folder */
	struct run *runs;
	int64_t count;
	json_t *machine; /* machine.json; NULL if there is none that can be read */
	struct plan plan;
	bool has_plan;               /* plan.ini is there, and can be read */
	char plan_why[PLAN_WHY_MAX]; /* what is wrong with it, or empty */
	char note[SIDE_WHY_MAX]; /* what has to be told of runs.csv, though it was read; or empty */
};

struct side {
	struct side_sweep *sweeps;
	size_t count;
};

/*
 * Read the sweeps of the list "DIR" or "DIR,DIR...". Returns 0; -ENOENT if a folder, or its
 * runs.csv, is not there; -ENODATA if that has no run; -E2BIG for more than SIDE_SWEEPS_MAX;
 * -EINVAL if it is damaged, or another -errno; with a sentence in `why` that names the file, and
 * the line where there is one. The caller ends it with side_free(), also after a failure.
 */
int side_read(const char *list, struct side *side, char why[SIDE_WHY_MAX]);

void side_free(struct side *side);

/* How the sweep's plan has that point measured; NULL if it does not say. */
const struct plan_timing *side_timing(const struct side_sweep *sweep, const struct run *point);
