#include "loadgen/compare/side.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for the folder and a file's name. */
enum { FILE_PATH_MAX = PATH_MAX + 32 };

static void read_plan(struct side_sweep *sweep)
{
	char path[FILE_PATH_MAX];

	snprintf(path, sizeof(path), "%s/plan.ini", sweep->path);
	if (access(path, F_OK) != 0)
		return;
	sweep->has_plan = plan_read(path, &sweep->plan, sweep->plan_why) == 0;
	if (sweep->has_plan)
		sweep->plan_why[0] = '\0';
}

static int read_sweep(struct side_sweep *sweep, char why[SIDE_WHY_MAX])
{
	char path[FILE_PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/targets", sweep->path);
	rc = archs_add_folder(path, why, SIDE_WHY_MAX);
	if (rc != 0)
		return rc;
	snprintf(path, sizeof(path), "%s/runs.csv", sweep->path);
	sweep->count = run_read_all(path, &sweep->runs, sweep->note, sizeof(sweep->note));
	if (sweep->count == -ENOTDIR)
		sweep->count = -ENOENT;
	if (sweep->count < 0) {
		memcpy(why, sweep->note, sizeof(sweep->note));
		sweep->note[0] = '\0';
		return (int)sweep->count;
	}
	if (sweep->count == 0) {
		snprintf(why, SIDE_WHY_MAX, "%s: no run in it (was the sweep interrupted?)", path);
		return -ENODATA;
	}
	snprintf(path, sizeof(path), "%s/machine.json", sweep->path);
	sweep->machine = json_load_file(path, 0, NULL);
	read_plan(sweep);
	return 0;
}

/* The folders' names, of which none is read yet. */
static int split(const char *list, struct side *side, char why[SIDE_WHY_MAX])
{
	for (const char *at = list; at;) {
		size_t length = strcspn(at, ",");
		struct side_sweep *sweep = &side->sweeps[side->count];

		if (side->count == SIDE_SWEEPS_MAX) {
			snprintf(why, SIDE_WHY_MAX, "more than %d folders on a side",
				 SIDE_SWEEPS_MAX);
			return -E2BIG;
		}
		if (length == 0 || length >= sizeof(sweep->path)) {
			snprintf(why, SIDE_WHY_MAX,
				 "'%.200s': a folder's name is missing or too long", list);
			return -E2BIG;
		}
		memcpy(sweep->path, at, length);
		side->count++;
		at = at[length] == ',' ? at + length + 1 : NULL;
	}
	return 0;
}

int side_read(const char *list, struct side *side, char why[SIDE_WHY_MAX])
{
	int rc;

	*side = (struct side){ .sweeps = calloc(SIDE_SWEEPS_MAX, sizeof(*side->sweeps)) };
	if (!side->sweeps) {
		snprintf(why, SIDE_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	rc = split(list, side, why);
	for (size_t i = 0; rc == 0 && i < side->count; i++)
		rc = read_sweep(&side->sweeps[i], why);
	return rc;
}

void side_free(struct side *side)
{
	for (size_t i = 0; side->sweeps && i < side->count; i++) {
		free(side->sweeps[i].runs);
		json_decref(side->sweeps[i].machine);
		plan_free(&side->sweeps[i].plan);
	}
	free(side->sweeps);
	*side = (struct side){ 0 };
}

const struct plan_timing *side_timing(const struct side_sweep *sweep, const struct run *point)
{
	for (size_t i = 0; sweep->has_plan && i < sweep->plan.count; i++)
		if (run_same_point(&sweep->plan.points[i].asked, point))
			return &sweep->plan.points[i].timing;
	return NULL;
}
