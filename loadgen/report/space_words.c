#include "loadgen/report/space_words.h"
#include "common/units.h"
#include <math.h>
#include <string.h>

char *words_percent(char text[WORDS_MAX], double share)
{
	double percent = 100 * share;
	const char *sign = percent < 0 ? "−" : "+";

	snprintf(text, WORDS_MAX, "%s%.1f %%", fabs(percent) < 0.05 ? "" : sign, fabs(percent));
	return text;
}

char *words_times(char text[WORDS_MAX], double ratio)
{
	snprintf(text, WORDS_MAX, ratio < 99.95 ? "×%.3g" : "×%.0f", ratio);
	return text;
}

char *words_half(char text[WORDS_MAX], double half)
{
	snprintf(text, WORDS_MAX, half < 99.5 ? "%.2g" : "%.0f", half);
	return text;
}

/* "3", or "1…10". */
static void print_range(char text[WORDS_MAX], double least, double most)
{
	if (least == most)
		snprintf(text, WORDS_MAX, "%g", least);
	else
		snprintf(text, WORDS_MAX, "%g…%g", least, most);
}

char *words_region(char text[WORDS_MAX], const struct region *region)
{
	const struct run *run = &region->worst_at->first;
	char ratios[WORDS_MAX];
	char limits[WORDS_MAX];
	char median[WORDS_MAX];
	char worst[WORDS_MAX];
	char c[UNITS_TEXT_MAX];
	int used;

	print_range(ratios, region->ratio_least, region->ratio_most);
	print_range(limits, region->n_least, region->n_most);
	units_format_duration(c, (double)run->cpu_ns);
	used = snprintf(
		text, WORDS_MAX, "%s, %s times, c = %s, %s%sw/c %.64s, %s %.64s: %lld point%s",
		run->arch, space_times_names[space_times_of(run)], c,
		region->is_invalid ? "" : space_region_names[region->place],
		region->is_invalid ? "" : ", ", ratios, archs_is_limited(run->arch) ? "t" : "N",
		limits, (long long)region->points, region->points == 1 ? "" : "s");
	if (region->is_invalid)
		snprintf(text + used, WORDS_MAX - (size_t)used, ", invalid");
	else if (region->points == 1)
		snprintf(text + used, WORDS_MAX - (size_t)used, ", %.32s",
			 words_percent(worst, region->worst));
	else
		snprintf(text + used, WORDS_MAX - (size_t)used,
			 ", %.32s in the median, %.32s at worst",
			 words_percent(median, region->median),
			 words_percent(worst, region->worst));
	return text;
}

char *words_cause(char text[WORDS_MAX], const struct region *region)
{
	const struct explanation *why = &region->why;
	char of_t[64] = "";

	if (region->points > 1)
		snprintf(of_t, sizeof(of_t), "at w/c %g and %s %g, ",
			 (double)region->worst_at->first.wall_ns /
				 (double)region->worst_at->first.cpu_ns,
			 archs_is_limited(region->worst_at->first.arch) ? "t" : "N",
			 region->worst_at->population);
	if (region->is_invalid && why->cause == CAUSE_UNEXPLAINED) {
		snprintf(text, WORDS_MAX, "%s%s", of_t, why->why);
		return text;
	}
	snprintf(text, WORDS_MAX, "%s%s%s (%s%s)", cause_names[why->cause],
		 why->also != CAUSE_UNEXPLAINED ? " and " : "",
		 why->also != CAUSE_UNEXPLAINED ? cause_names[why->also] : "", of_t, why->why);
	return text;
}

char *words_coverage(char text[WORDS_MAX], const struct space *space)
{
	int used = snprintf(text, WORDS_MAX, "%lld of %lld points were judged",
			    (long long)space->judged, (long long)space->points);

	if (space->inconclusive > 0)
		used += snprintf(text + used, WORDS_MAX - (size_t)used, ", %lld are inconclusive",
				 (long long)space->inconclusive);
	if (space->invalid > 0)
		used += snprintf(text + used, WORDS_MAX - (size_t)used, ", %lld are invalid",
				 (long long)space->invalid);
	snprintf(text + used, WORDS_MAX - (size_t)used,
		 "; they are in %lld of the %lld cells of the grid, a decade of c, w/c and t each",
		 (long long)space->judged_cells, (long long)space->cells);
	return text;
}

const char *words_claim(const struct space_claim *claim)
{
	if (claim->points == 0)
		return "no points";
	return claim->met ? "met" : "not met";
}

static void write_fit(FILE *file, const char *name, const struct space_fit fits[SPACE_RULERS])
{
	if (fits[SPACE_NOMINAL].points == 0)
		return;
	fprintf(file, "| %s | %lld |", name, (long long)fits[SPACE_NOMINAL].points);
	for (int i = 0; i < SPACE_RULERS; i++)
		fprintf(file, " %.0f %% | %.0f %% |", 100 * fits[i].of_points,
			100 * fits[i].of_space);
	fputc('\n', file);
}

void words_write_fits(FILE *file, const struct space *space)
{
	fprintf(file, "| times | points |");
	for (int i = 0; i < SPACE_RULERS; i++)
		fprintf(file, " %s | of space |", space_ruler_names[i]);
	fprintf(file, "\n| --- | ---: |");
	for (int i = 0; i < SPACE_RULERS; i++)
		fprintf(file, " ---: | ---: |");
	fputc('\n', file);
	for (int i = 0; i < SPACE_TIMES; i++)
		write_fit(file, space_times_names[i], space->fits[i]);
	write_fit(file, "all", space->fits[SPACE_TIMES]);
	fputc('\n', file);
}

void words_write_claims(FILE *file, const struct space *space)
{
	fprintf(file, "| what has to be | at most | found | points | |\n"
		      "| --- | ---: | ---: | ---: | --- |\n");
	for (int i = 0; i < SPACE_CLAIMS; i++) {
		const struct space_claim *claim = &space->claims[i];

		if (claim->points == 0)
			continue;
		fprintf(file, "| %s | %.0f %% | %.1f %% | %lld | %s%s%s |\n", claim->what,
			100 * claim->most, 100 * claim->figure, (long long)claim->points,
			claim->met ? "" : "**", words_claim(claim), claim->met ? "" : "**");
	}
	fputc('\n', file);
}
