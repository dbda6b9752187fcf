#include "loadgen/report/cases.h"
#include "loadgen/report/figures.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How far apart two architectures stand, at the most, and all of them together, of a row's width.
 */
#define STEP_MOST   0.34
#define SPREAD_MOST 0.8

struct rows {
	const struct summary *summary;
	int64_t *points; /* the first of each row */
	int64_t count;
};

static bool is_limited(const struct point *point)
{
	return archs_is_limited(point->first.arch);
}

/* Whether the point belongs into the row that `first` began. */
static bool is_in_row(const struct point *point, const struct point *first)
{
	if (!run_same_load(&point->first, &first->first))
		return false;
	if (!is_limited(point))
		return true;
	return is_limited(first) && point->first.threads == first->first.threads &&
	       strcmp(point->first.case_name, first->first.case_name) == 0;
}

static void add_row(struct rows *rows, int64_t index)
{
	const struct point *points = rows->summary->points;

	for (int64_t i = 0; i < rows->count; i++)
		if (is_in_row(&points[index], &points[rows->points[i]]))
			return;
	rows->points[rows->count++] = index;
}

/* Limited servers make the rows; evented ones have rows of their own where there is no such. */
static int find_rows(struct rows *rows)
{
	const struct summary *summary = rows->summary;
	int64_t sweep[FIGURES_SWEEP_MAX];
	int swept = figures_thread_sweep(summary, sweep, FIGURES_SWEEP_MAX);

	rows->points = calloc((size_t)summary->count, sizeof(*rows->points));
	if (!rows->points)
		return -ENOMEM;
	for (int limited = 1; limited >= 0; limited--) {
		for (int64_t i = 0; i < summary->count; i++) {
			const struct point *point = &summary->points[i];

			if (figures_is_judged(point) && is_limited(point) == limited &&
			    !figures_is_of_sweep(summary, point, sweep, swept))
				add_row(rows, i);
		}
	}
	return 0;
}

/* Long names take two lines. */
static void write_row(const struct rows *rows, int64_t row, FILE *file)
{
	const struct point *point = &rows->summary->points[rows->points[row]];
	const char *name = point->first.case_name;
	const char *rest = strstr(name, " with ");
	int first = rest ? (int)(rest - name) : RUN_NAME_MAX;

	fprintf(file, "%lld \"%.*s%s%s", (long long)row, first, name, rest ? "\\n" : "",
		rest ? rest + 1 : "");
	if (is_limited(point))
		fprintf(file, "\\nt = %lld", (long long)point->first.threads);
	fprintf(file, "\" %g\n", audit_tolerance(&point->first));
}

static void write_points(const struct rows *rows, const char *arch, double shift, FILE *file)
{
	const struct summary *summary = rows->summary;

	fprintf(file,
		"\n\n# series: %s\n# columns: row nominal/s calibrated/s measured/s its-95%%-half "
		"measured/calibrated its-95%%-half\n\"%s\"\n",
		arch, arch);
	for (int64_t row = 0; row < rows->count; row++) {
		for (int64_t i = 0; i < summary->count; i++) {
			const struct point *p = &summary->points[i];

			if (!figures_is_judged(p) || strcmp(p->first.arch, arch) != 0 ||
			    !is_in_row(p, &summary->points[rows->points[row]]))
				continue;
			fprintf(file, "%g %.6g %.6g %.6g %.6g %.6g %.6g\n", (double)row + shift,
				p->nominal_rps, p->calibrated_rps, p->measured.mean,
				p->measured.half, p->measured.mean / p->calibrated_rps,
				p->measured.half / p->calibrated_rps);
		}
	}
}

/* Whether the point is judged, and the first of its architecture to be. */
static bool is_first_of_arch(const struct summary *summary, int64_t index)
{
	const struct point *points = summary->points;

	for (int64_t i = 0; i < index; i++)
		if (figures_is_judged(&points[i]) &&
		    strcmp(points[i].first.arch, points[index].first.arch) == 0)
			return false;
	return figures_is_judged(&points[index]);
}

int64_t cases_write_data(const struct summary *summary, FILE *file)
{
	struct rows rows = { .summary = summary };
	int archs = 0;
	int place = 0;
	double step;

	if (find_rows(&rows) != 0)
		return -ENOMEM;
	for (int64_t i = 0; i < summary->count; i++)
		archs += is_first_of_arch(summary, i);
	step = fmin(STEP_MOST, SPREAD_MOST / fmax(archs, 1));
	fprintf(file, "# columns: row case tolerance\n");
	for (int64_t row = 0; row < rows.count; row++)
		write_row(&rows, row, file);
	for (int64_t i = 0; i < summary->count; i++)
		if (is_first_of_arch(summary, i))
			write_points(&rows, summary->points[i].first.arch,
				     (place++ - (archs - 1) / 2.0) * step, file);
	free(rows.points);
	return rows.count;
}
