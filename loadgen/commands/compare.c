/* cwt compare: is NEW worse than BASE? */
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/compare_report.h"
#include "loadgen/compare/provenance.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char program[] = "cwt compare";

enum { REFUSAL_MAX = 640 };

struct job {
	const char *base_list;
	const char *new_list;
	int quantity;
	const char *threshold;
	bool across_machines;
	bool json;
	const char *markdown;
	const char *junit;
};

/* Reading */

/* What was left out of a file that was read. */
static void tell_notes(const struct side *side)
{
	for (size_t i = 0; i < side->count; i++)
		if (side->sweeps[i].note[0])
			options_fail(program, "%s", side->sweeps[i].note);
}

/* Returns 0, or the exit status, with the reason said. */
static int read_base(const char *list, struct side *side)
{
	char why[SIDE_WHY_MAX];
	int rc = side_read(list, side, why);

	tell_notes(side);
	if (rc == 0)
		return 0;
	if (rc == -ENOENT || rc == -ENODATA) {
		options_fail(program, "no baseline: %s; measure one with cwt sweep --out %s", why,
			     list);
		return CWT_NO_BASELINE;
	}
	options_fail(program, "%s", why);
	return rc == -E2BIG ? CWT_USAGE : CWT_INVALID;
}

static int read_new(const char *list, struct side *side)
{
	char why[SIDE_WHY_MAX];
	int rc = side_read(list, side, why);

	tell_notes(side);
	if (rc == 0)
		return 0;
	options_fail(program, "%s", why);
	return rc == -ENOENT || rc == -E2BIG ? CWT_USAGE : CWT_INVALID;
}

/* Judging */

static int status_of(enum compare_verdict verdict)
{
	switch (verdict) {
	case COMPARE_PASS:
		return CWT_OK;
	case COMPARE_REGRESSION:
		return CWT_BROKEN;
	case COMPARE_INCONCLUSIVE:
		return CWT_INCONCLUSIVE;
	case COMPARE_INVALID:
	case COMPARE_VERDICTS:
		break;
	}
	return CWT_INVALID;
}

/* Saying */

/* Returns 0, or the exit status where a file could not be written. */
static int write_files(const struct job *job, const struct compare_report *report)
{
	int rc = job->markdown ? compare_write_markdown(job->markdown, report) : 0;

	if (rc != 0) {
		options_fail(program, "--markdown %s: %s", job->markdown, strerror(-rc));
		return CWT_USAGE;
	}
	rc = job->junit ? compare_write_junit(job->junit, report) : 0;
	if (rc != 0) {
		options_fail(program, "--junit %s: %s", job->junit, strerror(-rc));
		return CWT_USAGE;
	}
	return 0;
}

static int say(const struct job *job, const struct compare_report *report)
{
	if (job->json) {
		command_print_json(compare_to_json(report));
	} else {
		compare_print_differences(report);
		if (!report->refusal)
			compare_print_points(report);
	}
	fflush(stdout);
	if (report->refusal)
		options_fail(program, "%s", report->refusal);
	return write_files(job, report);
}

static int compare(const struct job *job, const struct compare_settings *settings,
		   const struct side *base, const struct side *newer)
{
	json_t *differences = provenance_differences(base, newer);
	struct comparison comparison = { .settings = *settings };
	struct compare_report report = {
		.base = base,
		.newer = newer,
		.comparison = &comparison,
		.differences = differences,
		.verdict = COMPARE_INVALID,
	};
	char why[REFUSAL_MAX - 120];
	char refusal[REFUSAL_MAX];
	int status = 0;

	if (!job->across_machines && provenance_forbids(differences, why, sizeof(why))) {
		snprintf(refusal, sizeof(refusal),
			 "the sweeps are of different machines (%s): measure both on one, or say "
			 "--across-machines",
			 why);
		report.refusal = refusal;
	} else if (compare_sides(base, newer, settings, &comparison) == 0) {
		report.verdict = compare_verdict_of(&comparison);
	} else {
		options_fail(program, "out of memory");
		status = CWT_BROKEN;
	}
	if (status == 0)
		status = say(job, &report);
	if (status == 0)
		status = status_of(report.verdict);
	compare_free(&comparison);
	json_decref(differences);
	return status;
}

static int run_job(const struct job *job, const struct compare_settings *settings)
{
	struct side base = { 0 };
	struct side newer = { 0 };
	int status = read_base(job->base_list, &base);

	if (status == 0)
		status = read_new(job->new_list, &newer);
	if (status == 0)
		status = compare(job, settings, &base, &newer);
	side_free(&newer);
	side_free(&base);
	return status;
}

int command_compare(int argc, char **argv)
{
	struct job job = { .quantity = QUANTITY_THROUGHPUT, .threshold = COMPARE_THRESHOLD };
	struct compare_settings settings;
	struct option_spec specs[] = {
		{ "figure", OPTION_CHOICE, &job.quantity, NULL,
		  "what is compared: requests/s, CPU per request, p99, PSS, or context switches "
		  "per request",
		  .choices = quantity_names },
		{ "threshold", OPTION_TEXT, &job.threshold, "SHARE",
		  "how much worse is a regression; cwt selftest says what can be told here" },
		{ "across-machines", OPTION_FLAG, &job.across_machines, NULL,
		  "compare sweeps of different processors" },
		{ "json", OPTION_FLAG, &job.json, NULL,
		  "one JSON object instead of text; docs/compare.md has its fields" },
		{ "markdown", OPTION_TEXT, &job.markdown, "FILE",
		  "write a table for a pull request, the worst first" },
		{ "junit", OPTION_TEXT, &job.junit, "FILE",
		  "write JUnit XML for a build server: a test for each point" },
	};
	struct option_table table = {
		.program = program,
		.usage = "BASE[,DIR]... NEW[,DIR]...",
		.about =
			"Compares sweeps, point by point: the ratio NEW/BASE of a figure, its 95 % "
			"interval, and a\n"
			"verdict: pass, regression or inconclusive. Several folders on a side are "
			"several sweeps\n"
			"of the same, and how they differ is in the interval.",
		.notes = "Exit status: 0 pass, 1 a regression, 2 usage, or a file that cannot be "
			 "written,\n"
			 "3 inconclusive, 4 no baseline (BASE is not there, or has no run), 5 "
			 "invalid: nothing that\n"
			 "can be compared, a damaged file, or another machine.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int status =
		command_parse(&table, argc, argv, 2, "two folders of sweeps are wanted: BASE NEW");

	if (status != COMMAND_GOES_ON)
		return status;
	settings.quantity = (enum quantity)job.quantity;
	if (units_parse_share(job.threshold, &settings.threshold) != 0 || settings.threshold >= 1)
		return options_complain(&table,
					"--threshold %s: want a share below 100%%, such as 2.5%%",
					job.threshold);
	job.base_list = argv[argc - 2];
	job.new_list = argv[argc - 1];
	return run_job(&job, &settings);
}
