/* cwt report: figures and report.md of a sweep. */
#include "loadgen/commands/commands.h"
#include "common/options.h"
#include "loadgen/report/markdown.h"
#include <errno.h>
#include <stdio.h>

static const char program[] = "cwt report";

int command_report(int argc, char **argv)
{
	struct option_table table = {
		.program = program,
		.usage = "DIR",
		.about = "Draws a sweep's figures into DIR/figures and writes DIR/report.md.",
		.notes = "Exit status: 0 written, 1 not, 2 usage, or a file that cannot be read, 5 "
			 "a file with\n"
			 "something wrong in it. What the points say is cwt check's to tell.",
	};
	struct summary summary;
	bool drawn[FIGURES] = { false };
	char why[SUMMARY_WHY_MAX];
	const char *directory;
	int rc;

	rc = command_parse(&table, argc, argv, 1, "one folder of a sweep is wanted");
	if (rc != COMMAND_GOES_ON)
		return rc;
	directory = argv[argc - 1];
	rc = summary_read(directory, &summary, why);
	if (rc != 0) {
		options_fail(program, "%s", why);
		return rc == -EINVAL ? CWT_INVALID : CWT_USAGE;
	}
	if (summary.note[0])
		options_fail(program, "%s", summary.note);
	rc = figures_draw(directory, &summary, drawn, why);
	if (rc == 0)
		rc = markdown_write(directory, &summary, drawn, why);
	summary_free(&summary);
	if (rc != 0)
		return options_fail(program, "%s", why);
	printf("%s/report.md\n", directory);
	return CWT_OK;
}
