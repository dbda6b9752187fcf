/* cwt check: audit the runs of a sweep and hold them against the model. */
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/report/summary.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char program[] = "cwt check";

static void print_point(const struct point *point, int width)
{
	const struct run *run = &point->first;
	char c[UNITS_TEXT_MAX];
	char w[UNITS_TEXT_MAX];
	char t[UNITS_TEXT_MAX] = "-";

	if (run->threads > 0)
		snprintf(t, sizeof(t), "%lld", (long long)run->threads);
	printf("%-28.28s %-*s %6s %7s %7s %9.6g %10.6g %10.6g ±%-7.3g %s%s\n", run->case_name,
	       width, run->arch, t, units_format_duration(c, (double)run->cpu_ns),
	       units_format_duration(w, (double)run->wall_ns), point->nominal_rps,
	       point->calibrated_rps, point->measured.mean, point->measured.half,
	       verdict_names[point->verdict], point->knee ? " (knee)" : "");
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
	       "metered beforehand; in the knee, X may lie between the closed network's curve and "
	       "it.\n");
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

int command_check(int argc, char **argv)
{
	bool json = false;
	struct option_spec specs[] = {
		{ "json", OPTION_FLAG, &json, NULL, "for scripts: a list of points" },
	};
	struct option_table table = {
		.program = program,
		.usage = "DIR [--json]",
		.about = "Audits each run in DIR/runs.csv, judges each point against the model, "
			 "and writes\n"
			 "DIR/summary.json.",
		.notes = "Exit status, the worst of all points: 0 the model holds, 1 it does not, "
			 "2 usage,\n"
			 "3 inconclusive, 5 invalid. Of points without a prediction (cpu = 0, work "
			 "= ops,\n"
			 "requests-per-connection) only the invalid ones count.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	struct summary summary;
	char why[SUMMARY_WHY_MAX];
	int operands;
	int status;

	switch (options_parse(&table, argc, argv, &operands)) {
	case OPTIONS_HELP:
		return CWT_OK;
	case OPTIONS_USAGE:
		return CWT_USAGE;
	case OPTIONS_OK:
		break;
	}
	if (operands + 1 != argc)
		return options_complain(&table, "one folder of a sweep is wanted");
	if (summary_read(argv[operands], &summary, why) != 0 ||
	    summary_write(argv[operands], &summary, why) != 0) {
		options_fail(program, "%s", why);
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
