#include "loadgen/report/space_markdown.h"
#include "common/units.h"
#include "loadgen/report/space_words.h"
#include "loadgen/report/maps.h"

static void write_figure(FILE *file, enum figure figure, const char *caption)
{
	const char *name = figure_names[figure];

	fprintf(file, "![%s](figures/%s.svg)\n\n*%s.* Data: [%s.dat](figures/%s.dat)\n\n", caption,
		name, caption, name, name);
}

/* How well it fits */

static void write_spreads(FILE *file, const struct space *space)
{
	fprintf(file,
		"How far X is from what is predicted for it, by size: calibrated min() for "
		"constant times,\nof which in the knee only what is outside the band counts; the "
		"closed network for\nexponential ones.\n\n"
		"| times | region | c | points | median | bias | worst | at |\n"
		"| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n");
	for (int64_t i = 0; i < space->spread_count; i++) {
		const struct space_spread *spread = &space->spreads[i];
		const struct run *run = &spread->worst_at->first;
		char text[2][WORDS_MAX];
		char c[UNITS_TEXT_MAX];

		fprintf(file, "| %s | %s | %s | %lld | %.1f %% | %s | %s | %s, w/c %g, %s %.0f |\n",
			space_times_names[spread->times], space_region_names[spread->region],
			units_format_duration(c, (double)spread->cpu_ns), (long long)spread->points,
			100 * spread->median, words_percent(text[0], spread->bias),
			words_percent(text[1], spread->worst), run->arch,
			(double)run->wall_ns / (double)run->cpu_ns,
			archs_is_limited(run->arch) ? "t" : "N", spread->worst_at->population);
	}
	fputc('\n', file);
}

void space_write_fit(FILE *file, const struct summary *summary)
{
	const struct space *space = &summary->findings.space;
	char text[WORDS_MAX];

	if (space->judged == 0)
		return;
	fprintf(file, "## How well it fits\n\n%s.\n\n", words_coverage(text, space));
	fprintf(file,
		"How often a prediction is within %.0f %% of what was measured, of the points "
		"and of the\nspace, in which each cell counts the same:\n\n",
		100 * SPACE_NEAR);
	words_write_fits(file, space);
	words_write_claims(file, space);
	write_spreads(file, space);
}

/* Where it fails */

static void write_regions(FILE *file, const struct region *regions, int64_t count)
{
	char text[WORDS_MAX];

	for (int64_t i = 0; i < count; i++) {
		fprintf(file, "- %s.", words_region(text, &regions[i]));
		fprintf(file, " **Cause:** %s.\n", words_cause(text, &regions[i]));
	}
	fputc('\n', file);
}

void space_write_failures(FILE *file, const struct summary *summary)
{
	const struct findings *findings = &summary->findings;
	const int64_t *counts = findings->region_counts;

	if (counts[CAUSE_OF_NOMINAL] + counts[CAUSE_OF_CALIBRATED] == 0)
		return;
	fprintf(file,
		"## Where it fails, and why\n\n"
		"A cause is something that was counted, put into the model in place of what the "
		"model\nassumes: it is named if it explains at least half of what is to be "
		"explained, by itself or\nwith one other. The figures are of the worst point.\n\n");
	if (counts[CAUSE_OF_CALIBRATED] > 0) {
		fprintf(file, "### The prediction that is to hold\n\n");
		write_regions(file, findings->regions[CAUSE_OF_CALIBRATED],
			      counts[CAUSE_OF_CALIBRATED]);
	}
	if (counts[CAUSE_OF_NOMINAL] > 0) {
		fprintf(file,
			"### min(k/c, t/w) as published\n\nOff by more than %.0f %%, beyond what "
			"the interval leaves open:\n\n",
			100 * SPACE_NEAR);
		write_regions(file, findings->regions[CAUSE_OF_NOMINAL], counts[CAUSE_OF_NOMINAL]);
	}
}

/* Maps */

static void write_tables(FILE *file, const struct summary *summary, enum maps_kind kind,
			 const char *title)
{
	fprintf(file, "<details><summary>%s, as tables</summary>\n\n", title);
	maps_write_tables(summary, kind, file);
	fprintf(file, "</details>\n\n");
}

void space_write_maps(FILE *file, const struct summary *summary, const bool drawn[FIGURES])
{
	if (!drawn[FIGURE_RESIDUAL] && !drawn[FIGURE_NOMINAL])
		return;
	fprintf(file, "## Maps\n\n");
	if (drawn[FIGURE_RESIDUAL]) {
		write_figure(file, FIGURE_RESIDUAL,
			     "Residual: measured over predicted, less 1, in %. Predicted is "
			     "calibrated min() for constant times, the closed network for "
			     "exponential ones. !: the verdict is against the model; ?: "
			     "inconclusive; grey: invalid, or not measured");
		write_tables(file, summary, MAPS_RESIDUAL, "Residual");
	}
	if (drawn[FIGURE_NOMINAL]) {
		write_figure(file, FIGURE_NOMINAL,
			     "The same over min(k/c, t/w) as published, without calibration");
		write_tables(file, summary, MAPS_NOMINAL, "Over min(k/c, t/w)");
	}
}

/* t_max */

static void write_peak(FILE *file, const struct peak *peak)
{
	const struct run *run = &peak->first->first;
	const struct point *end = peak->fallen ? peak->fallen : peak->last;
	double threads = (double)(peak->last->first.threads - peak->first->first.threads);
	char c[UNITS_TEXT_MAX];
	char cpu[2][UNITS_TEXT_MAX];

	fprintf(file, "| %s | %s | %s | %g | ", run->arch, space_times_names[space_times_of(run)],
		units_format_duration(c, (double)run->cpu_ns),
		(double)run->wall_ns / (double)run->cpu_ns);
	if (peak->fallen)
		fprintf(file, "**%lld** | −%.1f %% at %lld | ",
			(long long)peak->last_level->first.threads, 100 * peak->loss,
			(long long)peak->fallen->first.threads);
	else
		fprintf(file, "not reached up to %lld | – | ",
			(long long)peak->last->first.threads);
	fprintf(file, "%s → %s | %.1f → %.1f | %.1f KiB |\n",
		units_format_duration(cpu[0], peak->best->server_cpu_s * 1e9),
		units_format_duration(cpu[1], end->server_cpu_s * 1e9), peak->best->switches,
		end->switches,
		threads > 0 ? (peak->last->rss_bytes - peak->first->rss_bytes) / threads / 1024
			    : 0);
}

void space_write_peaks(FILE *file, const struct summary *summary, const bool drawn[FIGURES])
{
	const struct findings *findings = &summary->findings;

	if (findings->peak_count == 0)
		return;
	fprintf(file,
		"## t_max\n\nThe t past which X falls: where a later point's interval lies wholly "
		"below the peak's.\nCPU and context switches for a request, at the peak and where "
		"X has fallen (or at the\nlargest t); memory for each further thread, RSS.\n\n");
	if (drawn[FIGURE_PEAKS])
		write_figure(file, FIGURE_PEAKS,
			     "Throughput over t, as a share of k/c; dotted: min(k/c, t/w); ringed: "
			     "t_max, past which it falls");
	fprintf(file, "| server | times | c | w/c | t_max | X falls | CPU/request | "
		      "switches/request | memory/thread |\n"
		      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
	for (int64_t i = 0; i < findings->peak_count; i++)
		write_peak(file, &findings->peaks[i]);
	fputc('\n', file);
}

/* The crossover */

static void write_lead(FILE *file, const struct lead *lead)
{
	char ratio[WORDS_MAX];
	char half[WORDS_MAX];
	char predicted[WORDS_MAX];

	if (lead)
		fprintf(file, "%s ± %s (model %s) at t = %lld | ", words_times(ratio, lead->ratio),
			words_half(half, lead->half), words_times(predicted, lead->predicted),
			(long long)lead->pool->first.threads);
	else
		fprintf(file, "– | ");
}

static void write_end(FILE *file, const struct lead_end *end)
{
	const struct run *run = &end->first->pool->first;
	double t_star = (double)run->cores * (double)run->wall_ns / (double)run->cpu_ns;
	char c[UNITS_TEXT_MAX];

	fprintf(file, "| %s | %s | %g | ", space_times_names[space_times_of(run)],
		units_format_duration(c, (double)run->cpu_ns),
		(double)run->wall_ns / (double)run->cpu_ns);
	write_lead(file, end->first);
	write_lead(file, end->last_ahead);
	if (end->first_level)
		fprintf(file, "%lld | ", (long long)end->first_level->pool->first.threads);
	else
		fprintf(file, "not reached | ");
	fprintf(file, "%g | ", t_star);
	write_lead(file, end->pool_ahead);
	fputc('\n', file);
}

void space_write_leads(FILE *file, const struct summary *summary, const bool drawn[FIGURES])
{
	const struct findings *findings = &summary->findings;

	if (findings->end_count == 0)
		return;
	fprintf(file,
		"## The crossover\n\nHow far the evented server (loop) is ahead of the threaded "
		"one "
		"(pool), and from which t on\nit is ahead by no more than %.0f %%; the model says: "
		"from t* = k·w/c on.\n\n",
		100 * LEAD_LEVEL);
	if (drawn[FIGURE_LEAD]) {
		write_figure(file, FIGURE_LEAD,
			     "Loop over pool: in % up to twice as much, then in times");
		write_tables(file, summary, MAPS_LEAD, "Loop over pool");
	}
	fprintf(file, "| times | c | w/c | at the least t | last ahead | level from t | t* | pool "
		      "ahead |\n"
		      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
	for (int64_t i = 0; i < findings->end_count; i++)
		write_end(file, &findings->ends[i]);
	fputc('\n', file);
}
