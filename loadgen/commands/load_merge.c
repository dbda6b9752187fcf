/*
 * cwt load --merge: the reports of processes that ran at the same time, joined into one. One
 * process has as many connections as one core can drive; several together are the same generator,
 * if they are told apart by nothing but their share of the load.
 */
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_checks.h"
#include "loadgen/commands/load_join.h"
#include "loadgen/commands/load_modes.h"
#include "loadgen/commands/load_report.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORTS_LEAST = 2, REPORTS_MOST = 256 };

/* What was asked for and is not the job's. */
struct merge {
	struct load_joined *joined;
	int count; /* that are read */
	const char *fail_on_text;
	struct fail_on fail_on;
};

static json_t *parse(const char *path, json_error_t *error)
{
	return strcmp(path, "-") == 0 ? json_loadf(stdin, JSON_REJECT_DUPLICATES, error)
				      : json_load_file(path, JSON_REJECT_DUPLICATES, error);
}

static int read_reports(const struct option_table *table, struct merge *merge, char **paths,
			int count)
{
	bool has_stdin = false;

	for (int i = 0; i < count; i++) {
		struct load_joined *joined = &merge->joined[i];
		char why[SAVED_WHY_MAX];
		json_error_t error;
		json_t *root;

		joined->name = strcmp(paths[i], "-") == 0 ? "stdin" : paths[i];
		if (joined->name != paths[i] && has_stdin)
			return options_complain(table, "-: stdin can be read once only");
		has_stdin = has_stdin || joined->name != paths[i];
		root = parse(paths[i], &error);
		if (!root)
			return options_complain(table, "%s %s: %s", joined->name,
						json_error_code(&error) ==
								json_error_cannot_open_file
							? "cannot be read"
							: "is not JSON",
						error.text);
		if (saved_report_read(root, &joined->report, why) != 0)
			return options_complain(table, "%s %s", joined->name, why);
		merge->count++;
	}
	return CWT_OK;
}

static int merge_reports(const struct option_table *table, struct merge *merge,
			 struct load_job *job)
{
	char why[SAVED_WHY_MAX];
	int written;
	int rc;

	if (load_join_check(merge->joined, merge->count, why) != 0)
		return options_complain(table, "%s", why);
	if (load_join(job, merge->joined, merge->count,
		      merge->fail_on_text ? &merge->fail_on : NULL) != 0)
		return options_fail("cwt load", "out of memory");
	written = load_report(job);
	rc = load_status(job);
	return rc == CWT_OK ? written : rc;
}

static int run(struct option_table *table, struct merge *merge, struct load_job *job, int argc,
	       char **argv)
{
	char why[FAIL_ON_WHY_MAX];
	int operands;
	int rc;

	rc = command_parse_any(table, argc, argv, &operands);
	if (rc != COMMAND_GOES_ON)
		return rc;
	if (argc - operands < REPORTS_LEAST || argc - operands > REPORTS_MOST)
		return options_complain(table, "want %d to %d reports, not %d", REPORTS_LEAST,
					REPORTS_MOST, argc - operands);
	if (merge->fail_on_text &&
	    fail_on_parse(merge->fail_on_text, &merge->fail_on, why, sizeof(why)) != 0)
		return options_complain(table, "--fail-on: %s", why);
	rc = load_check_outputs(table, job);
	if (rc != CWT_OK)
		return rc;
	merge->joined = calloc((size_t)(argc - operands), sizeof(*merge->joined));
	if (!merge->joined)
		return options_fail("cwt load", "out of memory");
	rc = read_reports(table, merge, argv + operands, argc - operands);
	return rc == CWT_OK ? merge_reports(table, merge, job) : rc;
}

int load_merge(int argc, char **argv)
{
	struct load_job *job = calloc(1, sizeof(*job));
	struct merge merge = { .count = 0 };
	bool is_merge;
	int rc;

	if (!job)
		return options_fail("cwt load", "out of memory");
	struct option_spec specs[] = {
		{ "merge", OPTION_FLAG, &is_merge, NULL,
		  "these options; without it, 'cwt load' drives a server" },
		{ "fail-on", OPTION_TEXT, &merge.fail_on_text, "LIST",
		  "judge the errors of all together by this, such as reset>3,status>0.1%, and "
		  "their latencies, such as p99>20ms\n[errors as each report has it]",
		  .hide_default = true },
		{ "json", OPTION_FLAG, &job->json, NULL, "for scripts; can be merged again" },
		{ "plot", OPTION_TEXT, &job->plot_path, "FILE.svg",
		  "latency over the percentile, and its data beside it", .hide_default = true },
		{ "hdr-log", OPTION_TEXT, &job->hdr_path, "FILE",
		  "the histograms as HdrHistogram's tools read them", .hide_default = true },
	};
	struct option_table table = {
		.program = "cwt load --merge",
		.usage = "FILE... [OPTION]...",
		.about = "Joins the reports (--json) of processes that ran at the same time into "
			 "one. - is stdin.",
		.notes = "Exit status: as that of one run; 2 also for a file that is no such "
			 "report.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};

	rc = run(&table, &merge, job, argc, argv);
	for (int i = 0; i < merge.count; i++)
		saved_report_free(&merge.joined[i].report);
	free(merge.joined);
	load_job_free(job);
	free(job);
	return rc;
}
