#include "loadgen/report/summary.h"
#include "loadgen/report/space_json.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Points in the plan's order, then those that it does not have: they were measured in another. */
static int order_points(struct summary *summary, const struct plan *plan)
{
	struct point *ordered = calloc((size_t)summary->count + 1, sizeof(*ordered));
	bool *taken = calloc((size_t)summary->count + 1, sizeof(*taken));
	int64_t count = 0;
	int rc = ordered && taken ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i <= plan->count; i++)
		for (int64_t j = 0; j < summary->count; j++) {
			if (taken[j] ||
			    (i < plan->count &&
			     !run_same_point(&plan->points[i].asked, &summary->points[j].first)))
				continue;
			taken[j] = true;
			ordered[count++] = summary->points[j];
		}
	if (rc == 0)
		memcpy(summary->points, ordered, (size_t)count * sizeof(*ordered));
	free(ordered);
	free(taken);
	return rc;
}

/* What the plan is to show, and its order. A folder without a plan has neither. -ENOMEM says
 * nothing in `why`. */
static int read_plan(const char *directory, struct summary *summary, char *why)
{
	char path[PATH_MAX];
	char wrong[PLAN_WHY_MAX];
	struct plan plan;
	int rc;

	snprintf(path, sizeof(path), "%s/plan.ini", directory);
	if (access(path, F_OK) != 0)
		return 0;
	rc = plan_read(path, &plan, wrong);
	if (rc == 0) {
		summary->evidence = plan.evidence;
		rc = order_points(summary, &plan);
	} else {
		snprintf(why, SUMMARY_WHY_MAX, "%s", wrong);
	}
	plan_free(&plan);
	return rc;
}

/* What the sweep left out, as it was not installed. */
static json_t *read_absent(const char *directory)
{
	char path[PATH_MAX];
	json_t *settings;
	json_t *absent;

	snprintf(path, sizeof(path), "%s/sweep.json", directory);
	settings = json_load_file(path, 0, NULL);
	absent = json_incref(json_object_get(settings, "absent"));
	json_decref(settings);
	return absent;
}

int summary_read(const char *directory, struct summary *summary, char why[SUMMARY_WHY_MAX])
{
	char path[PATH_MAX];
	int rc;

	*summary = (struct summary){ 0 };
	snprintf(path, sizeof(path), "%s/targets", directory);
	rc = archs_add_folder(path, why, SUMMARY_WHY_MAX);
	if (rc != 0)
		return rc;
	snprintf(path, sizeof(path), "%s/runs.csv", directory);
	summary->runs = run_read_all(path, &summary->run_list, why, SUMMARY_WHY_MAX);
	if (summary->runs < 0)
		return (int)summary->runs;
	snprintf(summary->note, sizeof(summary->note), "%s", why);
	if (summary->runs == 0) {
		snprintf(why, SUMMARY_WHY_MAX, "%s: no run in it (was the sweep interrupted?)",
			 path);
		summary_free(summary);
		return -ENODATA;
	}
	summary->count = verdict_of_runs(summary->run_list, summary->runs, &summary->points);
	rc = summary->count < 0 ? -ENOMEM : read_plan(directory, summary, why);
	if (rc == 0 && findings_of_points(summary->points, summary->count, &summary->findings) != 0)
		rc = -ENOMEM;
	if (rc != 0) {
		if (rc == -ENOMEM)
			snprintf(why, SUMMARY_WHY_MAX, "out of memory");
		summary_free(summary);
		return rc;
	}
	snprintf(path, sizeof(path), "%s/machine.json", directory);
	summary->machine = json_load_file(path, 0, NULL);
	if (!summary->machine)
		summary->machine = json_object();
	summary->doctor = fitness_read(directory);
	summary->absent = read_absent(directory);
	return 0;
}

json_t *summary_points_json(const struct summary *summary)
{
	json_t *list = json_array();

	for (int64_t i = 0; i < summary->count; i++)
		json_array_append_new(list, verdict_to_json(&summary->points[i]));
	return list;
}

json_t *summary_to_json(const struct summary *summary)
{
	json_t *root = json_pack("{s:i, s:O, s:o, s:o}", "schema", SUMMARY_SCHEMA, "machine",
				 summary->machine, "points", summary_points_json(summary), "space",
				 space_to_json(&summary->findings));

	if (summary->doctor)
		json_object_set_new(root, "doctor", fitness_json(summary->doctor));
	if (json_array_size(summary->absent) > 0)
		json_object_set(root, "absent", summary->absent);
	if (summary->evidence.claim[0])
		json_object_set_new(root, "claim", json_string(summary->evidence.claim));
	return root;
}

int summary_write(const char *directory, const struct summary *summary, char why[SUMMARY_WHY_MAX])
{
	char path[PATH_MAX];
	json_t *root = summary_to_json(summary);
	int rc;

	snprintf(path, sizeof(path), "%s/summary.json", directory);
	rc = json_dump_file(root, path, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	json_decref(root);
	if (rc == 0)
		return 0;
	snprintf(why, SUMMARY_WHY_MAX, "%s: cannot be written", path);
	return -EIO;
}

void summary_free(struct summary *summary)
{
	findings_free(&summary->findings);
	free(summary->points);
	free(summary->run_list);
	json_decref(summary->machine);
	json_decref(summary->doctor);
	json_decref(summary->absent);
	*summary = (struct summary){ 0 };
}
