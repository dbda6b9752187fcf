#include "loadgen/report/map_cells.h"
#include <math.h>
#include <string.h>

enum { THREADS_LEAST = 3, RATIOS_LEAST = 2 };

static int64_t ratio_of(const struct point *point)
{
	return llround(1000 * (double)point->first.wall_ns / (double)point->first.cpu_ns);
}

/* A point of the model's space, rather than of idle connections or footprints. */
static bool is_plain(const struct point *point)
{
	const struct run *run = &point->first;

	return run_is_predicted(run) && run->idle == 0 && run->footprint_bytes == 0;
}

static bool is_of_panel(const struct point *point, const struct map_panel *panel)
{
	return is_plain(point) && point->first.cpu_ns == panel->first->first.cpu_ns &&
	       space_times_of(&point->first) == panel->times;
}

static bool is_limited_in(const struct point *point, const struct map_panel *panel)
{
	return is_of_panel(point, panel) &&
	       strcmp(point->first.arch, panel->first->first.arch) == 0;
}

/* Sorted in, once. */
static void insert(struct map_axis *axis, int64_t value)
{
	int at = axis->count;

	for (int i = 0; i < axis->count; i++)
		if (axis->values[i] == value)
			return;
	if (axis->count == MAP_AXIS_MAX)
		return;
	for (; at > 0 && axis->values[at - 1] > value; at--)
		axis->values[at] = axis->values[at - 1];
	axis->values[at] = value;
	axis->count++;
}

static bool is_space(const struct summary *summary, const struct map_panel *panel)
{
	struct map_axis ratios = { .count = 0 };
	struct map_axis threads = { .count = 0 };

	for (int64_t i = 0; i < summary->count; i++) {
		if (!is_limited_in(&summary->points[i], panel))
			continue;
		insert(&ratios, ratio_of(&summary->points[i]));
		insert(&threads, summary->points[i].first.threads);
	}
	return ratios.count >= RATIOS_LEAST && threads.count >= THREADS_LEAST;
}

static void add_evented(struct maps *maps, const char *arch)
{
	for (int i = 0; i < maps->evented_count; i++)
		if (strcmp(maps->evented[i], arch) == 0)
			return;
	if (maps->evented_count < MAP_AXIS_MAX)
		maps->evented[maps->evented_count++] = arch;
}

static bool has_panel(const struct maps *maps, const struct point *point)
{
	for (int i = 0; i < maps->panel_count; i++)
		if (is_limited_in(point, &maps->panels[i]))
			return true;
	return false;
}

/* By architecture as they come, then times, then c. */
static bool is_before(const struct maps *maps, const struct map_panel *a, const struct map_panel *b)
{
	const struct run *one = &a->first->first;
	const struct run *two = &b->first->first;

	if (strcmp(one->arch, two->arch) != 0) {
		for (int i = 0; i < maps->panel_count; i++) {
			const char *arch = maps->panels[i].first->first.arch;

			if (strcmp(arch, one->arch) == 0 || strcmp(arch, two->arch) == 0)
				return strcmp(arch, one->arch) == 0;
		}
	}
	return a->times != b->times ? a->times < b->times : one->cpu_ns < two->cpu_ns;
}

static void add_panel(struct maps *maps, const struct map_panel *panel)
{
	int at = maps->panel_count;

	for (; at > 0 && is_before(maps, panel, &maps->panels[at - 1]); at--)
		maps->panels[at] = maps->panels[at - 1];
	maps->panels[at] = *panel;
	maps->panel_count++;
}

static void set_axes(struct maps *maps)
{
	for (int64_t i = 0; i < maps->summary->count; i++) {
		const struct point *point = &maps->summary->points[i];

		for (int j = 0; j < maps->panel_count; j++) {
			if (!is_of_panel(point, &maps->panels[j]))
				continue;
			if (is_limited_in(point, &maps->panels[j]))
				insert(&maps->threads, point->first.threads);
			else if (!archs_is_limited(point->first.arch) && maps->kind != MAPS_LEAD)
				add_evented(maps, point->first.arch);
			else
				continue;
			insert(&maps->ratios, ratio_of(point));
		}
	}
}

void map_lay_out(const struct summary *summary, enum maps_kind kind, struct maps *maps)
{
	*maps = (struct maps){ .summary = summary, .kind = kind };
	for (int64_t i = 0; i < summary->count && maps->panel_count < MAP_PANELS_MAX; i++) {
		const struct point *point = &summary->points[i];
		struct map_panel panel = { point, space_times_of(&point->first) };

		if (!is_plain(point) || !archs_is_limited(point->first.arch) ||
		    has_panel(maps, point) || !is_space(summary, &panel) ||
		    (kind == MAPS_LEAD && strcmp(point->first.arch, "pool") != 0))
			continue;
		add_panel(maps, &panel);
	}
	set_axes(maps);
}

/* Evented servers have their columns beside the first architecture that t limits. */
int map_columns(const struct maps *maps, const struct map_panel *panel)
{
	bool is_first = strcmp(panel->first->first.arch, maps->panels[0].first->first.arch) == 0;

	return maps->threads.count + (is_first ? maps->evented_count : 0);
}

const struct point *map_point_at(const struct maps *maps, const struct map_panel *panel,
				 int64_t ratio, int column)
{
	bool is_evented = column >= maps->threads.count;
	const char *arch =
		is_evented ? maps->evented[column - maps->threads.count] : panel->first->first.arch;

	for (int64_t i = 0; i < maps->summary->count; i++) {
		const struct point *point = &maps->summary->points[i];

		if (is_of_panel(point, panel) && strcmp(point->first.arch, arch) == 0 &&
		    ratio_of(point) == ratio &&
		    (is_evented || point->first.threads == maps->threads.values[column]))
			return point;
	}
	return NULL;
}

/* Cells */

/* In percent, with the minus sign that is as wide as a plus. */
static void print_percent(char text[MAP_TEXT_MAX], double share, const char *mark)
{
	double percent = 100 * share;
	const char *sign = percent < 0 ? "−" : "+";

	if (fabs(percent) < 0.05)
		snprintf(text, MAP_TEXT_MAX, "0%s", mark);
	else if (fabs(percent) < 9.95)
		snprintf(text, MAP_TEXT_MAX, "%s%.1f%s", sign, fabs(percent), mark);
	else
		snprintf(text, MAP_TEXT_MAX, "%s%.0f%s", sign, fabs(percent), mark);
}

/* '!' where the verdict is against the model, '?' where there is too little to tell. */
static const char *mark_of(const struct point *point)
{
	if (point->verdict == VERDICT_BELOW || point->verdict == VERDICT_ABOVE)
		return "!";
	return point->verdict == VERDICT_INCONCLUSIVE ? "?" : "";
}

static struct map_cell residual_of(const struct point *point, enum maps_kind kind)
{
	struct map_cell cell = { .state = MAP_VALUE };
	enum space_ruler ruler =
		space_times_of(&point->first) == SPACE_EXPONENTIAL ? SPACE_CURVE : SPACE_CALIBRATED;

	if (kind == MAPS_NOMINAL)
		ruler = SPACE_NOMINAL;
	cell.value = 100 * space_residual(point, ruler);
	print_percent(cell.text, cell.value / 100, kind == MAPS_RESIDUAL ? mark_of(point) : "");
	return cell;
}

/* Percent up to twice as much, then times; the colour is of the logarithm. */
static struct map_cell lead_of(const struct findings *findings, const struct point *point)
{
	for (int64_t i = 0; i < findings->lead_count; i++) {
		const struct lead *lead = &findings->leads[i];
		struct map_cell cell = { .state = MAP_VALUE, .value = log10(lead->ratio) };

		if (lead->pool != point)
			continue;
		if (lead->ratio < 2)
			print_percent(cell.text, lead->ratio - 1, "");
		else
			snprintf(cell.text, MAP_TEXT_MAX, "×%.*f", lead->ratio < 9.95, lead->ratio);
		return cell;
	}
	return (struct map_cell){ .state = MAP_MISSING, .text = "–" };
}

struct map_cell map_cell_at(const struct maps *maps, const struct map_panel *panel, int64_t ratio,
			    int column)
{
	const struct point *point = map_point_at(maps, panel, ratio, column);

	if (!point)
		return (struct map_cell){ .state = MAP_MISSING, .text = "–" };
	if (point->verdict == VERDICT_INVALID)
		return (struct map_cell){ .state = MAP_INVALID, .text = "inv." };
	return maps->kind == MAPS_LEAD ? lead_of(&maps->summary->findings, point)
				       : residual_of(point, maps->kind);
}
