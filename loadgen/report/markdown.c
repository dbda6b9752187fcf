#include "loadgen/report/markdown.h"
#include "common/units.h"
#include "loadgen/report/runs_markdown.h"
#include "loadgen/report/space_markdown.h"
#include "loadgen/report/space_words.h"
#include "loadgen/report/series.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GROWTH_LEAST = 100 }; /* further connections, for what each adds to be more than chance */

static const char *limit_text(const struct run *run, char text[UNITS_TEXT_MAX])
{
	if (run->threads > 0)
		snprintf(text, UNITS_TEXT_MAX, "%lld", (long long)run->threads);
	else
		snprintf(text, UNITS_TEXT_MAX, "–");
	return text;
}

static int64_t count_predicted(const struct summary *summary)
{
	int64_t count = 0;

	for (int64_t i = 0; i < summary->count; i++)
		count += run_is_predicted(&summary->points[i].first);
	return count;
}

static void write_absent(FILE *file, const json_t *absent)
{
	size_t index;
	json_t *target;

	if (json_array_size(absent) == 0)
		return;
	fprintf(file, "Not measured:\n\n");
	json_array_foreach(absent, index, target)
	{
		const char *why = json_string_value(json_object_get(target, "why"));

		fprintf(file, "- %s\n", why ? why : "?");
	}
	fputc('\n', file);
}

static void write_verdict(FILE *file, const struct summary *summary)
{
	int64_t predicted = count_predicted(summary);
	int64_t counts[VERDICTS] = { 0 };

	for (int64_t i = 0; i < summary->count; i++)
		counts[summary->points[i].verdict]++;
	fprintf(file, "# Threads or events: the model against the measurement\n\n");
	if (predicted > 0)
		fprintf(file, "**The model holds at %lld of %lld points**",
			(long long)counts[VERDICT_HOLDS], (long long)predicted);
	else
		fprintf(file, "**No point is one of the model's**");
	for (int v = VERDICT_BELOW; v < VERDICTS; v++)
		if (counts[v] > 0)
			fprintf(file, "; %s at %lld", verdict_names[v], (long long)counts[v]);
	fprintf(file, ". %lld runs.\n\n", (long long)summary->runs);
	write_absent(file, summary->absent);
	if (predicted < summary->count)
		fprintf(file, "*Measured* are points that the model has no prediction for: those "
			      "without\n"
			      "work, with a fixed number of operations, or with few requests per\n"
			      "connection. They tell what a request and a connection cost.\n\n");
	if (predicted > 0)
		fprintf(file,
			"A threaded server with t threads is predicted to do min(k/c, t/w) "
			"requests/s, an\n"
			"evented one k/c, where a request costs c of CPU and w of wall time, and "
			"the\n"
			"server has k cores.\n\n");
}

static const char *series_caption(enum plan_x x)
{
	switch (x) {
	case PLAN_X_CONNECTIONS:
		return "Over the number of connections";
	case PLAN_X_THREADS:
		return "Over the thread limit t; a server without one is a level line";
	case PLAN_X_IDLE:
		return "Over the number of idle connections beside the active ones";
	case PLAN_X_WALL:
		return "Over the wall time of a request";
	case PLAN_X_ARCH:
		break;
	}
	return "Architecture by architecture";
}

/* A throughput; a lower bound where the generator was the limit. */
static void write_throughput(FILE *file, const struct point *point)
{
	char half[WORDS_MAX];

	fprintf(file, "%s%.6g ± %s", verdict_is_client_bound(point) ? "≥ " : "",
		point->measured.mean, words_half(half, point->measured.half));
}

static void write_series_row(FILE *file, const struct summary *summary, const char *name,
			     const struct point *point)
{
	char x[SERIES_NAME_MAX];
	char cpu[UNITS_TEXT_MAX];
	char p99[UNITS_TEXT_MAX];

	fprintf(file, "| %s | %s | ", name, series_format_x(summary, &point->first, x, sizeof(x)));
	if (point->verdict == VERDICT_INVALID) {
		fprintf(file, "– | – | – | – | – | – | invalid |\n");
		return;
	}
	write_throughput(file, point);
	fprintf(file, " | %s | %.2f | %.1f MB | %.1f MB | %s | %s |\n",
		units_format_duration(cpu, point->server_cpu_s * 1e9), point->switches,
		point->pss_bytes / 1e6, point->available_bytes / 1e6,
		units_format_duration(p99, point->p99_s * 1e9), verdict_names[point->verdict]);
}

/* The plan's evidence: claim, figure, figures. */
static int write_evidence(FILE *file, const struct summary *summary, bool drawn)
{
	const char *caption = series_caption(summary->evidence.x);
	struct series_list list;

	if (summary->evidence.panel_count == 0)
		return 0;
	if (series_group(summary, &list) != 0)
		return -ENOMEM;
	fprintf(file, "## The claim\n\n> %s\n\n", summary->evidence.claim);
	if (drawn)
		fprintf(file,
			"![%s](figures/series.svg)\n\n*%s.* Data: "
			"[series.dat](figures/series.dat)\n\n",
			caption, caption);
	fprintf(file,
		"| series | %s | throughput /s | CPU/request | switches/request | PSS | "
		"MemAvailable | p99 | verdict |\n"
		"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
		plan_x_names[summary->evidence.x]);
	for (int64_t i = 0; i < list.count; i++)
		write_series_row(file, summary, list.names[list.rows[i].series],
				 &summary->points[list.rows[i].point]);
	fprintf(file,
		"\nMedians over the valid runs, of throughput the mean and the 95 %% interval: of "
		"a "
		"point with\none run, over its windows, so that how runs differ is not in it. ≥: "
		"the "
		"generator was the\nlimit, so the server can do more. CPU: the server's. PSS: "
		"memory "
		"of its own. MemAvailable:\nwhat was taken of the machine's memory, both ends' "
		"sockets and page tables included.\n\n");
	series_free(&list);
	return 0;
}

static void write_table(FILE *file, const struct summary *summary)
{
	if (count_predicted(summary) == 0)
		return;
	fprintf(file, "## Model and measurement\n\n"
		      "| case | server | times | t | c | w | N | nominal /s | calibrated /s | "
		      "closed net. /s | "
		      "measured /s | 95 %% | verdict |\n"
		      "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | "
		      "---: | "
		      "--- |\n");
	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];
		const struct run *run = &point->first;
		char t[UNITS_TEXT_MAX];
		char c[UNITS_TEXT_MAX];
		char w[UNITS_TEXT_MAX];
		char half[WORDS_MAX];

		if (!run_is_predicted(run))
			continue;
		fprintf(file, "| %s | %s | %s | %s | %s | %s | %lld | %.6g | %.6g | %.6g | ",
			run->case_name, run->arch, run->distribution, limit_text(run, t),
			units_format_duration(c, (double)run->cpu_ns),
			units_format_duration(w, (double)run->wall_ns), (long long)run->connections,
			point->nominal_rps, point->calibrated_rps, point->curve_rps);
		if (point->measured.count > 0)
			fprintf(file, "%.6g | ±%s | ", point->measured.mean,
				words_half(half, point->measured.half));
		else
			fprintf(file, "– | – | ");
		fprintf(file, "%s%s |\n", verdict_names[point->verdict],
			point->knee ? " (knee)" : "");
	}
	fprintf(file,
		"\n*Nominal*: from c, w and t as asked. *Calibrated*: from c as work plus the\n"
		"architecture's own cost, metered beforehand beside a known work, at the same N, "
		"and from "
		"w as\n"
		"metered with one connection. *Closed net.*: the same as a closed queueing network "
		"with\n"
		"exponential times. A point with constant times holds when it is within 3 %% of "
		"the "
		"calibrated\n"
		"prediction (6 %% where c is below 1 ms); in the knee, n·c/(k·w) in 0.75…1.5, when "
		"it lies\n"
		"between the closed network and the bound, both widened by that. One with "
		"exponential times\n"
		"holds when it is within 5 %% of the closed network. N is the number of "
		"connections.\n\n");
}

static void write_failures(FILE *file, const struct summary *summary)
{
	bool any = false;

	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];
		char t[UNITS_TEXT_MAX];

		if (!point->why[0])
			continue;
		if (!any)
			fprintf(file, "Where it does not hold, or nothing can be told:\n\n");
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
		[FIGURE_CASES] = "Each case, architecture by architecture: what was predicted and "
				 "what was measured",
		[FIGURE_THREADS] =
			"Throughput over the thread limit t: bounds, closed network, measured",
		[FIGURE_CROSSOVER] = "How far the loop is ahead of the pool, over w/c: it ends "
				     "where t reaches w/c",
	};
	bool any = false;

	for (int i = 0; i < FIGURES; i++) {
		if (!drawn[i] || !captions[i])
			continue; /* the evidence has its figure elsewhere */
		fprintf(file, "%s", any ? "" : "## Figures\n\n");
		any = true;
		fprintf(file, "![%s](figures/%s.svg)\n\n*%s.* Data: [%s.dat](figures/%s.dat)\n\n",
			captions[i], figure_names[i], captions[i], figure_names[i],
			figure_names[i]);
	}
}

static bool is_first_of_arch(const struct summary *summary, int64_t index)
{
	for (int64_t i = 0; i < index; i++)
		if (strcmp(summary->points[i].first.arch, summary->points[index].first.arch) == 0)
			return false;
	return true;
}

/* The least and the most of a figure over an architecture's valid points. */
struct range {
	double least;
	double most;
};

static void widen(struct range *range, double value)
{
	range->least = fmin(range->least, value);
	range->most = fmax(range->most, value);
}

static void write_duration_range(FILE *file, const struct range *range)
{
	char least[UNITS_TEXT_MAX];
	char most[UNITS_TEXT_MAX];

	units_format_duration(least, range->least);
	units_format_duration(most, range->most);
	if (strcmp(least, most) == 0)
		fprintf(file, "%s | ", least);
	else
		fprintf(file, "%s…%s | ", least, most);
}

/* The memory of an architecture's server, at the fewest connections and at the most. */
struct growth {
	int64_t few;
	int64_t many;
	double few_bytes;
	double many_bytes;
};

static void grow(struct growth *growth, int64_t connections, double bytes)
{
	if (growth->few == 0 || connections < growth->few) {
		growth->few = connections;
		growth->few_bytes = bytes;
	}
	if (connections > growth->many) {
		growth->many = connections;
		growth->many_bytes = bytes;
	}
}

static void write_memory(FILE *file, const struct range *pss, const struct growth *growth)
{
	if (pss->most >= 0)
		fprintf(file, "%.1f…%.1f KiB |\n", pss->least, pss->most);
	else if (growth->many >= growth->few + GROWTH_LEAST)
		fprintf(file, "+%.1f KiB |\n",
			(growth->many_bytes - growth->few_bytes) / 1024 /
				(double)(growth->many - growth->few));
	else
		fprintf(file, "– |\n");
}

static void write_arch(FILE *file, const struct summary *summary, const char *arch)
{
	struct range switches = { INFINITY, -INFINITY };
	struct range cpu = switches;
	struct range pss = switches;
	struct growth growth = { 0 };

	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];
		int64_t connections = point->first.connections + point->first.idle;

		if (strcmp(point->first.arch, arch) != 0 || point->valid_runs == 0)
			continue;
		widen(&switches, point->switches);
		widen(&cpu, point->server_cpu_s * 1e9);
		grow(&growth, connections, point->pss_bytes);
		if (point->first.idle > 0)
			widen(&pss, point->pss_bytes / (double)connections / 1024);
	}
	fprintf(file, "| %s | ", arch);
	if (switches.most < 0) {
		fprintf(file, "– | – | – |\n");
		return;
	}
	fprintf(file, "%.2f…%.2f | ", switches.least, switches.most);
	write_duration_range(file, &cpu);
	write_memory(file, &pss, &growth);
}

/* What the architectures cost, where there are more than the model's two. */
static void write_archs(FILE *file, const struct summary *summary)
{
	int archs = 0;

	for (int64_t i = 0; i < summary->count; i++)
		archs += is_first_of_arch(summary, i);
	if (archs <= 2)
		return;
	fprintf(file, "## Architectures\n\nFrom the least to the most over the points of each. "
		      "Memory: where there were idle connections, PSS by connection; else, with "
		      "+, what each further one adds, from the point with the fewest to that with "
		      "the most.\n\n"
		      "| architecture | switches/request | CPU/request | PSS per connection |\n"
		      "| --- | ---: | ---: | ---: |\n");
	for (int64_t i = 0; i < summary->count; i++)
		if (is_first_of_arch(summary, i))
			write_arch(file, summary, summary->points[i].first.arch);
	fputc('\n', file);
}

/* What was metered beforehand, if it was. */
static const char *metered_text(const struct run *run, double ns, char text[UNITS_TEXT_MAX])
{
	if (run_is_predicted(run))
		return units_format_duration(text, ns);
	snprintf(text, UNITS_TEXT_MAX, "–");
	return text;
}

static void write_costs(FILE *file, const struct summary *summary)
{
	fprintf(file, "## What it cost\n\n"
		      "Medians over the valid runs, metered from outside the server.\n\n"
		      "| case | server | t | N | idle | CPU/request | o_ref | o | w alone "
		      "| switches/request | "
		      "latency p99 | RSS | generator's core | valid runs |\n"
		      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: "
		      "| ---: | ---: | ---: | ---: "
		      "|\n");
	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];
		const struct run *run = &point->first;
		char text[6][UNITS_TEXT_MAX];

		fprintf(file,
			"| %s | %s | %s | %lld | %lld | %s | %s | %s | %s | %.2f | %s | "
			"%.1f MiB | "
			"%.0f %% | %d of %d |\n",
			run->case_name, run->arch, limit_text(run, text[0]),
			(long long)run->connections, (long long)run->idle,
			units_format_duration(text[1], point->server_cpu_s * 1e9),
			metered_text(run, (double)run->overhead_ref_ns, text[2]),
			metered_text(run, (double)run->overhead_ns, text[3]),
			metered_text(run, point->wall_cal_s * 1e9, text[4]), point->switches,
			units_format_duration(text[5], point->p99_s * 1e9),
			point->rss_bytes / 1048576, 100 * point->counts.client_busy,
			point->valid_runs, point->runs);
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
		   const char *beside, char why[SUMMARY_WHY_MAX])
{
	char path[PATH_MAX];
	FILE *file;
	int rc;

	snprintf(path, sizeof(path), "%s/report.md", directory);
	file = fopen(path, "we");
	if (!file) {
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror(errno));
		return -errno;
	}
	write_verdict(file, summary);
	fputs(beside, file);
	rc = write_evidence(file, summary, drawn[FIGURE_SERIES]);
	space_write_fit(file, summary);
	space_write_failures(file, summary);
	space_write_maps(file, summary, drawn);
	space_write_peaks(file, summary, drawn);
	space_write_leads(file, summary, drawn);
	write_table(file, summary);
	write_failures(file, summary);
	write_archs(file, summary);
	write_figures(file, drawn);
	runs_write_latency(file, summary);
	write_costs(file, summary);
	fprintf(file, "## Machine\n\n");
	fitness_write(file, summary->doctor);
	fprintf(file, "| what | value |\n| --- | --- |\n");
	write_object(file, "", summary->machine);
	fputc('\n', file);
	runs_write_audits(file, summary);
	if (fclose(file) != 0)
		rc = -EIO;
	if (rc != 0)
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror(-rc));
	return rc;
}
