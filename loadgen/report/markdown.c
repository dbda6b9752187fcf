#include "loadgen/report/markdown.h"
#include "common/units.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char *limit_text(const struct run *run, char text[UNITS_TEXT_MAX])
{
	if (run->threads > 0)
		snprintf(text, UNITS_TEXT_MAX, "%lld", (long long)run->threads);
	else
		snprintf(text, UNITS_TEXT_MAX, "–");
	return text;
}

static void write_verdict(FILE *file, const struct summary *summary)
{
	int64_t counts[VERDICT_INVALID + 1] = { 0 };

	for (int64_t i = 0; i < summary->count; i++)
		counts[summary->points[i].verdict]++;
	fprintf(file,
		"# Threads or events: the model against the measurement\n\n"
		"**The model holds at %lld of %lld points**",
		(long long)counts[VERDICT_HOLDS], (long long)summary->count);
	for (int v = VERDICT_BELOW; v <= VERDICT_INVALID; v++)
		if (counts[v] > 0)
			fprintf(file, "; %s at %lld", verdict_names[v], (long long)counts[v]);
	fprintf(file, ". %lld runs.\n\n", (long long)summary->runs);
	fprintf(file,
		"A threaded server with t threads is predicted to do min(k/c, t/w) requests/s, an\n"
		"evented one k/c, where a request costs c of CPU and w of wall time, and the\n"
		"server has k cores.\n\n");
}

static void write_table(FILE *file, const struct summary *summary)
{
	fprintf(file,
		"## Model and measurement\n\n"
		"| case | server | t | c | w | N | nominal /s | calibrated /s | closed net. /s | "
		"measured /s | 95 %% | verdict |\n"
		"| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- "
		"|\n");
	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];
		const struct run *run = &point->first;
		char t[UNITS_TEXT_MAX];
		char c[UNITS_TEXT_MAX];
		char w[UNITS_TEXT_MAX];

		fprintf(file,
			"| %s | %s | %s | %s | %s | %lld | %.6g | %.6g | %.6g | %.6g | ±%.2g | "
			"%s%s |\n",
			run->case_name, run->arch, limit_text(run, t),
			units_format_duration(c, (double)run->cpu_ns),
			units_format_duration(w, (double)run->wall_ns), (long long)run->connections,
			point->nominal_rps, point->calibrated_rps, point->curve_rps,
			point->measured.mean, point->measured.half, verdict_names[point->verdict],
			point->knee ? " (knee)" : "");
	}
	fprintf(file,
		"\n*Nominal*: from c, w and t as asked. *Calibrated*: from c as work plus the\n"
		"architecture's own cost, metered beforehand without work at the same N, and from "
		"w as\n"
		"metered with one connection. *Closed net.*: the same as a closed queueing network "
		"with\n"
		"exponential times. A point holds when it is within 3 %% of the calibrated "
		"prediction (6 %%\n"
		"where c is below 1 ms); in the knee, n·c/(k·w) in 0.75…1.5, when it lies between "
		"the\n"
		"closed network and the bound, both widened by that. N is the number of "
		"connections.\n\n");
}

static void write_failures(FILE *file, const struct summary *summary)
{
	bool any = false;

	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];
		char t[UNITS_TEXT_MAX];

		if (point->verdict == VERDICT_HOLDS)
			continue;
		if (!any)
			fprintf(file, "Where it does not hold:\n\n");
		any = true;
		fprintf(file, "- %s, %s, t %s: **%s**, %s\n", point->first.case_name,
			point->first.arch, limit_text(&point->first, t),
			verdict_names[point->verdict], point->why);
	}
	if (any)
		fputc('\n', file);
}

static void write_figures(FILE *file, const bool drawn[FIGURES])
{
	static const char *const captions[FIGURES] = {
		"Each case, threaded and evented: what was predicted and what was measured",
		"Throughput over the thread limit t: bounds, closed network, measured",
		"How far the evented server is ahead, over w/c: it ends where t reaches w/c",
	};

	fprintf(file, "## Figures\n\n");
	for (int i = 0; i < FIGURES; i++)
		if (drawn[i])
			fprintf(file,
				"![%s](figures/%s.svg)\n\n*%s.* Data: [%s.dat](figures/%s.dat)\n\n",
				captions[i], figure_names[i], captions[i], figure_names[i],
				figure_names[i]);
}

static void write_costs(FILE *file, const struct summary *summary)
{
	fprintf(file,
		"## What it cost\n\n"
		"Medians over the valid runs, metered from outside the server.\n\n"
		"| case | server | t | CPU/request | o_ref | o | w alone | switches/request | "
		"latency p99 | RSS | generator's core | valid runs |\n"
		"| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: "
		"|\n");
	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];
		const struct run *run = &point->first;
		char text[6][UNITS_TEXT_MAX];

		fprintf(file,
			"| %s | %s | %s | %s | %s | %s | %s | %.2f | %s | %.1f MiB | %.0f %% | %d "
			"of %d |\n",
			run->case_name, run->arch, limit_text(run, text[0]),
			units_format_duration(text[1], point->server_cpu_s * 1e9),
			units_format_duration(text[2], (double)run->overhead_ref_ns),
			units_format_duration(text[3], (double)run->overhead_ns),
			units_format_duration(text[4], point->wall_cal_s * 1e9), point->switches,
			units_format_duration(text[5], point->p99_s * 1e9),
			point->rss_bytes / 1048576, 100 * point->client_busy, point->valid_runs,
			point->runs);
	}
	fputc('\n', file);
}

static void write_object(FILE *file, const char *prefix, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (json_is_object(value)) {
			write_object(file, key, value);
			continue;
		}
		fprintf(file, "| %s%s%s | ", prefix, *prefix ? " " : "", key);
		if (json_is_string(value))
			fprintf(file, "%s |\n", json_string_value(value));
		else
			fprintf(file, "%lld |\n", (long long)json_integer_value(value));
	}
}

int markdown_write(const char *directory, const struct summary *summary, const bool drawn[FIGURES],
		   char why[SUMMARY_WHY_MAX])
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/report.md", directory);
	file = fopen(path, "we");
	if (!file) {
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror(errno));
		return -errno;
	}
	write_verdict(file, summary);
	write_table(file, summary);
	write_failures(file, summary);
	write_figures(file, drawn);
	write_costs(file, summary);
	fprintf(file, "## Machine\n\n| what | value |\n| --- | --- |\n");
	write_object(file, "", summary->machine);
	if (fclose(file) == 0)
		return 0;
	snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror(errno));
	return -EIO;
}
