#include "loadgen/report/maps.h"
#include "common/units.h"
#include "loadgen/report/map_cells.h"
#include <string.h>

struct title {
	char text[128];
};

static struct title title_of(const struct map_panel *panel)
{
	char c[UNITS_TEXT_MAX];
	struct title title;

	snprintf(title.text, sizeof(title.text), "%s, c = %s, %s times", panel->first->first.arch,
		 units_format_duration(c, (double)panel->first->first.cpu_ns),
		 space_times_names[panel->times]);
	return title;
}

static struct title column_name(const struct maps *maps, int column)
{
	struct title title;

	if (column < maps->threads.count)
		snprintf(title.text, sizeof(title.text), "%lld",
			 (long long)maps->threads.values[column]);
	else
		snprintf(title.text, sizeof(title.text), "%s",
			 maps->evented[column - maps->threads.count]);
	return title;
}

/* How many panels stand side by side: those of the first one's architecture and times. */
static int panels_in_row(const struct maps *maps)
{
	int count = 0;

	while (count < maps->panel_count && maps->panels[count].times == maps->panels[0].times &&
	       strcmp(maps->panels[count].first->first.arch, maps->panels[0].first->first.arch) ==
		       0)
		count++;
	return count;
}

static int64_t write_panel(const struct maps *maps, const struct map_panel *panel, FILE *file)
{
	static const char *const states[] = { "value", "invalid", "missing" };
	int64_t written = 0;

	fprintf(file, "\"%s\"\n", title_of(panel).text);
	for (int row = 0; row < maps->ratios.count; row++) {
		for (int column = 0; column < map_columns(maps, panel); column++) {
			struct map_cell cell =
				map_cell_at(maps, panel, maps->ratios.values[row], column);

			if (cell.state == MAP_VALUE)
				fprintf(file, "%d %d %.4f", column, row, cell.value);
			else
				fprintf(file, "%d %d nan", column, row);
			fprintf(file, " %s \"%s\" \"%s\" %g\n", states[cell.state], cell.text,
				column_name(maps, column).text,
				(double)maps->ratios.values[row] / 1000);
			written += cell.state == MAP_VALUE;
		}
	}
	fprintf(file, "\n\n");
	return written;
}

bool maps_is_space(const struct summary *summary)
{
	struct maps maps;

	map_lay_out(summary, MAPS_RESIDUAL, &maps);
	return maps.panel_count > 0;
}

static void write_titles(const struct maps *maps, FILE *file)
{
	for (int i = 0; i < maps->panel_count; i++)
		fprintf(file, "# panel: %s\n", title_of(&maps->panels[i]).text);
}

int64_t maps_write_data(const struct summary *summary, enum maps_kind kind, FILE *file)
{
	struct maps maps;
	int64_t written = 0;

	map_lay_out(summary, kind, &maps);
	if (maps.panel_count == 0)
		return 0;
	fprintf(file, "# side by side: %d\n# t:", panels_in_row(&maps));
	for (int i = 0; i < map_columns(&maps, &maps.panels[0]); i++)
		fprintf(file, " %s", column_name(&maps, i).text);
	fprintf(file, "\n# w/c:");
	for (int i = 0; i < maps.ratios.count; i++)
		fprintf(file, " %g", (double)maps.ratios.values[i] / 1000);
	fputc('\n', file);
	write_titles(&maps, file);
	fprintf(file, "# columns: column row value state text t w/c\n");
	for (int i = 0; i < maps.panel_count; i++)
		written += write_panel(&maps, &maps.panels[i], file);
	return written;
}

static int64_t write_table(const struct maps *maps, const struct map_panel *panel, FILE *file)
{
	int columns = map_columns(maps, panel);
	int64_t written = 0;

	fprintf(file, "**%s**\n\n| w/c ╲ t |", title_of(panel).text);
	for (int i = 0; i < columns; i++)
		fprintf(file, " %s |", column_name(maps, i).text);
	fprintf(file, "\n| ---: |");
	for (int i = 0; i < columns; i++)
		fprintf(file, " ---: |");
	for (int row = 0; row < maps->ratios.count; row++) {
		fprintf(file, "\n| %g |", (double)maps->ratios.values[row] / 1000);
		for (int i = 0; i < columns; i++) {
			struct map_cell cell =
				map_cell_at(maps, panel, maps->ratios.values[row], i);

			fprintf(file, " %s |", cell.text);
			written += cell.state == MAP_VALUE;
		}
	}
	fprintf(file, "\n\n");
	return written;
}

int64_t maps_write_tables(const struct summary *summary, enum maps_kind kind, FILE *file)
{
	struct maps maps;
	int64_t written = 0;

	map_lay_out(summary, kind, &maps);
	for (int i = 0; i < maps.panel_count; i++)
		written += write_table(&maps, &maps.panels[i], file);
	return written;
}

/* t_max of the point's series; 0: not reached, or not known. */
static int64_t t_max_of(const struct findings *findings, const struct point *point)
{
	for (int64_t i = 0; i < findings->peak_count; i++) {
		const struct peak *peak = &findings->peaks[i];

		if (peak->fallen && run_same_load(&peak->first->first, &point->first) &&
		    strcmp(peak->first->first.arch, point->first.arch) == 0)
			return peak->last_level->first.threads;
	}
	return 0;
}

/* A line of the figure; one without points has a line of nan, to keep the order of the blocks. */
static int64_t write_line(const struct maps *maps, const struct map_panel *panel, int64_t ratio,
			  FILE *file)
{
	int64_t written = 0;

	fprintf(file, "\"w/c = %g\"\n", (double)ratio / 1000);
	for (int i = 0; i < maps->threads.count; i++) {
		const struct point *point = map_point_at(maps, panel, ratio, i);
		double bound;

		if (!point || point->valid_runs == 0)
			continue;
		bound = (double)point->first.cores / ((double)point->first.cpu_ns / 1e9);
		fprintf(file, "%lld %.6g %.6g %.6g %d\n", (long long)point->first.threads,
			point->measured.mean / bound, point->measured.half / bound,
			point->nominal_rps / bound,
			t_max_of(&maps->summary->findings, point) == point->first.threads);
		written++;
	}
	if (written == 0)
		fprintf(file, "nan nan nan nan 0\n");
	fprintf(file, "\n\n");
	return written;
}

int64_t maps_write_peaks(const struct summary *summary, FILE *file)
{
	struct maps maps;
	int64_t written = 0;

	map_lay_out(summary, MAPS_RESIDUAL, &maps);
	if (maps.panel_count == 0)
		return 0;
	fprintf(file, "# side by side: %d\n# lines: %d\n", panels_in_row(&maps), maps.ratios.count);
	write_titles(&maps, file);
	fprintf(file, "# columns: t X·c/k its-95%%-half min()·c/k is-t_max\n");
	for (int i = 0; i < maps.panel_count; i++)
		for (int row = 0; row < maps.ratios.count; row++)
			written +=
				write_line(&maps, &maps.panels[i], maps.ratios.values[row], file);
	return written;
}
