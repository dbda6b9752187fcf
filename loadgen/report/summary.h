/* A sweep's folder as what it says: its points, judged, and the machine they were measured on. */
#pragma once
#include "loadgen/model/findings.h"
#include "loadgen/report/fitness.h"
#include "loadgen/sweep/plan.h"
#include <jansson.h>
#include <limits.h>

enum { SUMMARY_WHY_MAX = PATH_MAX + 512, SUMMARY_SCHEMA = 2 };

struct summary {
	struct point *points;
	int64_t count;
	struct run *run_list; /* as they were measured */
	int64_t runs;
	struct findings findings;
	char note[SUMMARY_WHY_MAX]; /* what has to be told of runs.csv, though it was read; or empty
				     */
	json_t *machine;            /* machine.json, or an empty object */
	json_t *doctor;             /* doctor.json (fitness.h), or NULL */
	json_t *absent; /* of sweep.json: [{"target", "why"}...], what was not installed; or NULL */
	struct plan_evidence evidence; /* of plan.ini; with no panel if there is none */
};

/*
 * Read DIR/runs.csv, machine.json and plan.ini, of which the last two may be missing, and judge.
 * Returns 0, or -errno with a sentence in `why`: -EINVAL if something is wrong in a file, which it
 * names with the line. The caller ends it with summary_free().
 */
int summary_read(const char *directory, struct summary *summary, char why[SUMMARY_WHY_MAX]);

/*
 * All of it as docs/summary.schema.json has it. A new reference.
 */
json_t *summary_to_json(const struct summary *summary);

/* Write DIR/summary.json. Returns 0, or -errno with a sentence in `why`. */
int summary_write(const char *directory, const struct summary *summary, char why[SUMMARY_WHY_MAX]);

/* The points as a list, with the names that scripts rely on. A new reference. */
json_t *summary_points_json(const struct summary *summary);

void summary_free(struct summary *summary);
