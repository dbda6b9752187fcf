/* cwt check: audit the runs of a sweep and hold them against the model. */
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/report/space_text.h"
#include "loadgen/report/junit.h"
#include "loadgen/report/summary.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char program[] = "cwt check";

enum { MEASURED_MAX = 64 };

static void print_point(const struct point *point, int width)
{
	const struct run *run = &point->first;
	char c[UNITS_TEXT_MAX];
	char w[UNITS_TEXT_MAX];
	char t[UNITS_TEXT_MAX] = "-";
	char measured[MEASURED_MAX];

	if (run->threads > 0)
		snprintf(t, sizeof(t), "%lld", (long long)run->threads);
	if (point->measured.count > 0)
		snprintf(measured, sizeof(measured), "%10.6g ±%-7.3g", point->measured.mean,
			 point->measured.half);
	else
		snprintf(measured, sizeof(measured), "%10s %-8s", "-", "");
	printf("%-28.28s %-*s %6s %7s %7s %9.6g %10.6g %s %s%s\n", run->case_name, width, run->arch,
	       t, units_format_duration(c, (double)run->cpu_ns),
	       units_format_duration(w, (double)run->wall_ns), point->nominal_rps,
	       point->calibrated_rps, measured, verdict_names[point->verdict],
	       point->knee ? " (knee)" : "");
	if (point->why[0])
		printf("    %s\n", point->why);
}

/* The longest name of an architecture with its options. */
static int arch_width(const struct summary *summary)
{
	size_t width = strlen("arch");

	for (int64_t i = 0; i < summary->count; i++)
		if (strlen(summary->points[i].first.arch) > width)
			width = strlen(summary->points[i].first.arch);
	return (int)width;
}

static void print_text(const struct summary *summary)
{
	int width = arch_width(summary);

	printf("%-28s %-*s %6s %7s %7s %9s %10s %10s %-8s %s\n", "case", width, "arch", "t", "c",
	       "w", "nominal", "calibrated", "measured", " 95 %", "verdict");
	for (int64_t i = 0; i < summary->count; i++)
		print_point(&summary->points[i], width);
	printf("\nrequests/s. nominal: min(k/c, t/w), evented k/c; calibrated: the same with c and "
	       "w as\n"
	       "metered beforehand. Constant times: in the knee, X may lie between the closed "
	       "network's curve\n"
	       "and it. Exponential times: X must lie on that curve.\n");
	space_write_text(stdout, summary);
}

static int status_of(const struct summary *summary)
{
	bool seen[VERDICTS] = { false };

	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];

		if (run_is_predicted(&point->first) || point->verdict == VERDICT_INVALID)
			seen[point->verdict] = true;
	}
	if (seen[VERDICT_BELOW] || seen[VERDICT_ABOVE])
		return CWT_BROKEN;
	if (seen[VERDICT_INVALID])
		return CWT_INVALID;
	return seen[VERDICT_INCONCLUSIVE] ? CWT_INCONCLUSIVE : CWT_OK;
}

/* JUnit */

enum { NAME_MAX_BYTES = 256 };

static enum junit_status junit_status_of(const struct point *point)
{
	switch (point->verdict) {
	case VERDICT_HOLDS:
		return JUNIT_PASSED;
	case VERDICT_BELOW:
	case VERDICT_ABOVE:
		return JUNIT_FAILED;
	case VERDICT_INVALID:
		return JUNIT_ERROR;
	default:
		return JUNIT_SKIPPED;
	}
}

static void format_name(char name[NAME_MAX_BYTES], const struct run *run)
{
	char c[UNITS_TEXT_MAX];
	char w[UNITS_TEXT_MAX];
	int used = snprintf(name, NAME_MAX_BYTES, "%s", run->arch);

	if (run->threads > 0)
		used += snprintf(name + used, NAME_MAX_BYTES - (size_t)used, " t=%lld",
				 (long long)run->threads);
	used += snprintf(name + used, NAME_MAX_BYTES - (size_t)used, " c=%s w=%s N=%lld %s",
			 units_format_duration(c, (double)run->cpu_ns),
			 units_format_duration(w, (double)run->wall_ns),
			 (long long)run->connections, run->distribution);
	if (run->idle > 0)
		snprintf(name + used, NAME_MAX_BYTES - (size_t)used, " idle=%lld",
			 (long long)run->idle);
}

static int write_junit(const char *path, const struct summary *summary, char why[SUMMARY_WHY_MAX])
{
	size_t count = (size_t)summary->count;
	struct junit_case *cases = calloc(count + 1, sizeof(*cases));
	char(*names)[NAME_MAX_BYTES] = calloc(count + 1, sizeof(*names));
	int rc = -ENOMEM;

	if (!cases || !names) {
		snprintf(why, SUMMARY_WHY_MAX, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		const struct point *point = &summary->points[i];

		format_name(names[i], &point->first);
		cases[i] = (struct junit_case){
			.name = names[i],
			.classname = point->first.case_name,
			.status = junit_status_of(point),
			.message = point->why[0] ? point->why : verdict_names[point->verdict],
		};
	}
	rc = junit_write(path, "cwt check", cases, count);
	if (rc != 0)
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror(-rc));
out:
	free(names);
	free(cases);
	return rc;
}

/* What the options ask for, beside what is on stdout. */
static int write_files(const char *directory, const struct summary *summary, const char *markdown,
		       const char *junit, char why[SUMMARY_WHY_MAX])
{
	int rc = summary_write(directory, summary, why);

	if (rc == 0 && markdown)
		rc = space_write_pull_request(markdown, summary, why);
	if (rc == 0 && junit)
		rc = write_junit(junit, summary, why);
	return rc;
}

int command_check(int argc, char **argv)
{
	bool json = false;
	const char *markdown = NULL;
	const char *junit = NULL;
	struct option_spec specs[] = {
		{ "json", OPTION_FLAG, &json, NULL,
		  "a list of the points in JSON instead of text; docs/summary.schema.json has "
		  "their fields" },
		{ "markdown", OPTION_TEXT, &markdown, "FILE", "write a summary for a pull request",
		  .hide_default = true },
		{ "junit", OPTION_TEXT, &junit, "FILE",
		  "write JUnit XML for a build server: a test for each point",
		  .hide_default = true },
	};
	struct option_table table = {
		.program = program,
		.usage = "DIR [OPTION]...",
		.about = "Audits each run in DIR/runs.csv, judges each point against the model, "
			 "tells how well it\n"
			 "fits over the space of c, w and t, and where it fails why, and writes "
			 "DIR/summary.json.",
		.notes =
			"Exit status, the worst of all points: 0 the model holds, 1 it does not, "
			"2 usage, or a\n"
			"file that cannot be read or written, 3 inconclusive, 5 invalid, or a file "
			"with something\n"
			"wrong in it. Of points without a prediction (cpu = 0, work = ops,\n"
			"requests-per-connection) only the invalid ones count. A last row that was "
			"cut short is\n"
			"told on stderr, and the status is of the others.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	struct summary summary;
	char why[SUMMARY_WHY_MAX];
	const char *directory;
	int status;
	int rc;

	status = command_parse(&table, argc, argv, 1, "one folder of a sweep is wanted");
	if (status != COMMAND_GOES_ON)
		return status;
	directory = argv[argc - 1];
	rc = summary_read(directory, &summary, why);
	if (rc != 0) {
		options_fail(program, "%s", why);
		return rc == -EINVAL ? CWT_INVALID : CWT_USAGE;
	}
	if (summary.note[0])
		options_fail(program, "%s", summary.note);
	if (write_files(directory, &summary, markdown, junit, why) != 0) {
		options_fail(program, "%s", why);
		summary_free(&summary);
		return CWT_USAGE;
	}
	if (json)
		command_print_json(summary_points_json(&summary));
	else
		print_text(&summary);
	status = status_of(&summary);
	summary_free(&summary);
	return status;
}
