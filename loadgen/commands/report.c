/* cwt report: figures, report.md and report.html of a sweep. */
#include "common/options.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/report_beside.h"
#include "loadgen/report/markdown.h"
#include "loadgen/report/page.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char program[] = "cwt report";

enum { WHY_MAX = SIDE_WHY_MAX + SUMMARY_WHY_MAX };

struct job {
	const char *directory;
	char **others; /* sweeps to set it beside */
	int other_count;
	bool png;
};

/* The Markdown of all comparisons, for the caller to free; NULL with a sentence in `why`. */
static char *beside_text(const struct job *job, char why[WHY_MAX], int *rc)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	*rc = file ? 0 : -ENOMEM;
	if (!file)
		snprintf(why, WHY_MAX, "out of memory");
	for (int i = 0; i < job->other_count && *rc == 0; i++)
		*rc = report_beside(file, job->directory, job->others[i], why);
	if (file)
		fclose(file);
	return text;
}

static int write_report(const struct job *job, const struct summary *summary, char why[WHY_MAX])
{
	bool drawn[FIGURES] = { false };
	int rc;
	char *beside = beside_text(job, why, &rc);

	if (rc == 0)
		rc = figures_draw(job->directory, summary, drawn, why);
	if (rc == 0 && job->png)
		rc = figures_convert(job->directory, drawn, why);
	if (rc == 0)
		rc = markdown_write(job->directory, summary, drawn, beside, why);
	if (rc == 0)
		rc = page_write(job->directory, why);
	free(beside);
	return rc;
}

static int run_job(const struct job *job)
{
	struct summary summary;
	char why[WHY_MAX];
	int rc = summary_read(job->directory, &summary, why);

	if (rc != 0) {
		options_fail(program, "%s", why);
		return rc == -EINVAL ? CWT_INVALID : CWT_USAGE;
	}
	if (summary.note[0])
		options_fail(program, "%s", summary.note);
	rc = write_report(job, &summary, why);
	summary_free(&summary);
	if (rc != 0) {
		options_fail(program, "%s", why);
		return rc == -EINVAL ? CWT_INVALID : rc == -ENOENT ? CWT_USAGE : CWT_BROKEN;
	}
	printf("%s/report.md\n%s/report.html\n", job->directory, job->directory);
	return CWT_OK;
}

int command_report(int argc, char **argv)
{
	struct job job = { 0 };
	struct option_spec specs[] = {
		{ "png", OPTION_FLAG, &job.png, NULL,
		  "write the figures as PNG, too, for papers and slides" },
	};
	struct option_table table = {
		.program = program,
		.usage = "DIR [OTHER]...",
		.about = "Draws a sweep's figures into DIR/figures and writes what it says: "
			 "DIR/report.md, "
			 "and\nDIR/report.html, one page with everything in it. With OTHER sweeps, "
			 "also how "
			 "it differs\nfrom each, point by point.",
		.notes = "Exit status: 0 written, 1 not, 2 usage, or a file that cannot be read, 5 "
			 "a file with\n"
			 "something wrong in it. What the points say is cwt check's to tell.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int operands;
	int status = command_parse_any(&table, argc, argv, &operands);

	if (status != COMMAND_GOES_ON)
		return status;
	if (operands == argc)
		return options_complain(&table, "one folder of a sweep is wanted");
	job.directory = argv[operands];
	job.others = &argv[operands + 1];
	job.other_count = argc - operands - 1;
	return run_job(&job);
}
