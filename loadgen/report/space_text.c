#include "loadgen/report/space_text.h"
#include "common/units.h"
#include "loadgen/report/space_words.h"
#include <errno.h>
#include <string.h>

enum { REGIONS_SHOWN = 8, REGIONS_SHOWN_SHORT = 5 };

static void write_fits(FILE *file, const struct space *space)
{
	fprintf(file, "Within %.0f %% of what was measured, in %% of the points (of the space):\n",
		100 * SPACE_NEAR);
	for (int times = 0; times <= SPACE_TIMES; times++) {
		const struct space_fit *fits = space->fits[times];

		if (fits[0].points == 0)
			continue;
		fprintf(file, "  %-11s", times < SPACE_TIMES ? space_times_names[times] : "all");
		for (int i = 0; i < SPACE_RULERS; i++)
			fprintf(file, "  %s %.0f (%.0f)", space_ruler_names[i],
				100 * fits[i].of_points, 100 * fits[i].of_space);
		fputc('\n', file);
	}
}

static void write_claims(FILE *file, const struct space *space)
{
	for (int i = 0; i < SPACE_CLAIMS; i++) {
		const struct space_claim *claim = &space->claims[i];

		if (claim->points > 0)
			fprintf(file, "  %-7s  %s: %.1f %%, at most %.0f %% (%lld point%s)\n",
				words_claim(claim), claim->what, 100 * claim->figure,
				100 * claim->most, (long long)claim->points,
				claim->points == 1 ? "" : "s");
	}
}

/* The largest regions, each with its prefix. */
static void write_regions(FILE *file, const struct findings *findings, enum cause_of of, int shown,
			  const char *prefix)
{
	int64_t count = findings->region_counts[of];
	char text[WORDS_MAX];

	for (int64_t i = 0; i < count && i < shown; i++) {
		const struct region *region = &findings->regions[of][i];

		fprintf(file, "%s%s", prefix, words_region(text, region));
		fprintf(file, ". Cause: %s\n", words_cause(text, region));
	}
	if (count > shown)
		fprintf(file, "%sand %lld more: see cwt report\n", prefix,
			(long long)(count - shown));
}

static void write_peaks(FILE *file, const struct findings *findings)
{
	int64_t reached = 0;
	const struct peak *worst = NULL;

	for (int64_t i = 0; i < findings->peak_count; i++) {
		const struct peak *peak = &findings->peaks[i];

		reached += peak->fallen != NULL;
		if (peak->fallen && (!worst || peak->loss > worst->loss))
			worst = peak;
	}
	if (findings->peak_count == 0)
		return;
	fprintf(file, "t_max: reached in %lld of %lld series over t", (long long)reached,
		(long long)findings->peak_count);
	if (worst) {
		char c[UNITS_TEXT_MAX];

		fprintf(file, "; X falls most, by %.1f %%, past t = %lld (%s, c = %s, w/c %g)",
			100 * worst->loss, (long long)worst->last_level->first.threads,
			worst->first->first.arch,
			units_format_duration(c, (double)worst->first->first.cpu_ns),
			(double)worst->first->first.wall_ns / (double)worst->first->first.cpu_ns);
	}
	fputc('\n', file);
}

static void write_leads(FILE *file, const struct findings *findings)
{
	int64_t level = 0;
	const struct lead *most = NULL;
	char ratio[WORDS_MAX];
	char predicted[WORDS_MAX];

	for (int64_t i = 0; i < findings->end_count; i++)
		level += findings->ends[i].first_level != NULL;
	for (int64_t i = 0; i < findings->lead_count; i++)
		if (!most || findings->leads[i].ratio > most->ratio)
			most = &findings->leads[i];
	if (!most)
		return;
	fprintf(file,
		"crossover: loop over pool is %s at most (w/c %g, t %lld; the model: %s); "
		"the lead ends in %lld of %lld loads\n",
		words_times(ratio, most->ratio),
		(double)most->pool->first.wall_ns / (double)most->pool->first.cpu_ns,
		(long long)most->pool->first.threads, words_times(predicted, most->predicted),
		(long long)level, (long long)findings->end_count);
}

void space_write_text(FILE *file, const struct summary *summary)
{
	const struct findings *findings = &summary->findings;
	char text[WORDS_MAX];

	if (findings->space.points == 0)
		return;
	fprintf(file, "\n%s.\n", words_coverage(text, &findings->space));
	if (findings->space.judged > 0) {
		write_fits(file, &findings->space);
		write_claims(file, &findings->space);
	}
	write_peaks(file, findings);
	write_leads(file, findings);
	if (findings->region_counts[CAUSE_OF_CALIBRATED] > 0) {
		fprintf(file, "Where the calibrated model fails:\n");
		write_regions(file, findings, CAUSE_OF_CALIBRATED, REGIONS_SHOWN, "  ");
	}
	if (findings->region_counts[CAUSE_OF_NOMINAL] > 0) {
		fprintf(file, "Where min(k/c, t/w) as published is off by more than %.0f %%:\n",
			100 * SPACE_NEAR);
		write_regions(file, findings, CAUSE_OF_NOMINAL, REGIONS_SHOWN, "  ");
	}
}

static void write_short(FILE *file, const struct summary *summary)
{
	const struct findings *findings = &summary->findings;
	int64_t holds = 0;
	char text[WORDS_MAX];

	for (int64_t i = 0; i < summary->count; i++)
		holds += summary->points[i].verdict == VERDICT_HOLDS;
	if (findings->space.points > 0)
		fprintf(file, "### Threads or events: the model holds at %lld of %lld points\n\n",
			(long long)holds, (long long)findings->space.points);
	else
		fprintf(file, "### Threads or events: no point is one of the model's\n\n");
	fprintf(file, "%s. %lld runs.\n\n", words_coverage(text, &findings->space),
		(long long)summary->runs);
	if (findings->space.judged > 0) {
		fprintf(file, "Within %.0f %% of what was measured:\n\n", 100 * SPACE_NEAR);
		words_write_fits(file, &findings->space);
		words_write_claims(file, &findings->space);
	}
	if (findings->region_counts[CAUSE_OF_CALIBRATED] > 0) {
		fprintf(file, "Where it fails:\n\n");
		write_regions(file, findings, CAUSE_OF_CALIBRATED, REGIONS_SHOWN_SHORT, "- ");
	}
}

int space_write_pull_request(const char *path, const struct summary *summary,
			     char why[SUMMARY_WHY_MAX])
{
	FILE *file = fopen(path, "we");
	int rc = file ? 0 : -errno;

	if (file) {
		write_short(file, summary);
		if (ferror(file))
			rc = -EIO;
		if (fclose(file) != 0 && rc == 0)
			rc = -errno;
	}
	if (rc != 0)
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror(-rc));
	return rc;
}
