#include "loadgen/report/figures.h"
#include "loadgen/model/model.h"
#include "loadgen/report/cases.h"
#include "loadgen/report/gnuplot.h"
#include "loadgen/report/maps.h"
#include "loadgen/report/series.h"
#include "loadgen/report/tool.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const figure_names[FIGURES] = { "series",   "cases",   "threads", "crossover",
					    "residual", "nominal", "peaks",   "lead" };

enum { SWEEP_LEAST = 3 };

#define CURVE_STEP 1.02

bool figures_is_judged(const struct point *point)
{
	return point->verdict != VERDICT_INVALID && run_is_predicted(&point->first);
}

static bool is_limited(const struct point *point)
{
	return archs_is_limited(point->first.arch);
}

const struct point *figures_evented_twin(const struct summary *summary, const struct point *point)
{
	const struct point *any = NULL;

	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *other = &summary->points[i];

		if (is_limited(other) || !figures_is_judged(other) ||
		    !run_same_load(&other->first, &point->first))
			continue;
		if (strcmp(other->first.arch, "loop") == 0)
			return other;
		if (!any)
			any = other;
	}
	return any;
}

/* Sweep over t */

static int collect_sweep(const struct summary *summary, const struct point *seed, int64_t *chosen,
			 int room)
{
	int count = 0;

	for (int64_t i = 0; i < summary->count && count < room; i++) {
		const struct point *point = &summary->points[i];
		int at = count;

		if (!is_limited(point) || !figures_is_judged(point) ||
		    strcmp(point->first.arch, seed->first.arch) != 0 ||
		    !run_same_load(&point->first, &seed->first))
			continue;
		while (at > 0 &&
		       summary->points[chosen[at - 1]].first.threads > point->first.threads) {
			chosen[at] = chosen[at - 1];
			at--;
		}
		chosen[at] = i;
		count++;
	}
	return count;
}

int figures_thread_sweep(const struct summary *summary, int64_t *chosen, int room)
{
	int64_t candidate[FIGURES_SWEEP_MAX];
	int best = 0;

	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *seed = &summary->points[i];
		int count;

		if (!is_limited(seed) || !figures_is_judged(seed))
			continue;
		count = collect_sweep(summary, seed, candidate,
				      room < FIGURES_SWEEP_MAX ? room : FIGURES_SWEEP_MAX);
		if (count > best) {
			best = count;
			memcpy(chosen, candidate, sizeof(*chosen) * (size_t)count);
		}
	}
	return best >= SWEEP_LEAST ? best : 0;
}

bool figures_is_of_sweep(const struct summary *summary, const struct point *point,
			 const int64_t *sweep, int swept)
{
	const struct point *evented = figures_evented_twin(summary, point);

	if (!is_limited(point) ||
	    (evented && strcmp(evented->first.case_name, point->first.case_name) == 0))
		return false;
	for (int i = 0; i < swept; i++) {
		const struct run *shown = &summary->points[sweep[i]].first;

		if (run_same_load(&point->first, shown) && point->first.threads == shown->threads &&
		    strcmp(point->first.case_name, shown->case_name) == 0)
			return true;
	}
	return false;
}

/* Data files */

/* Writes a figure's data, and returns how many points these are; 0: there is no such figure. */
typedef int64_t write_data(const struct summary *, FILE *);

static int64_t write_series(const struct summary *summary, FILE *file)
{
	return summary->evidence.panel_count > 0 ? series_write_data(summary, file) : 0;
}

/* A space has more cases than a row has room for; its maps show them. */
static int64_t write_cases(const struct summary *summary, FILE *file)
{
	return maps_is_space(summary) ? 0 : cases_write_data(summary, file);
}

/* The measured points of the sweep over t. */
static int64_t write_threads(const struct summary *summary, FILE *file)
{
	int64_t chosen[FIGURES_SWEEP_MAX];
	int count = figures_thread_sweep(summary, chosen, FIGURES_SWEEP_MAX);
	const struct point *last;
	const struct point *evented;

	if (count == 0)
		return 0;
	last = &summary->points[chosen[count - 1]];
	evented = figures_evented_twin(summary, last);
	fprintf(file,
		"# threaded: %s\n# evented: %s\n# c, w: %lldns, %lldns\n"
		"# columns: t measured/s its-95%%-half\n",
		last->first.arch, evented ? evented->first.arch : "", (long long)last->first.cpu_ns,
		(long long)last->first.wall_ns);
	for (int i = 0; i < count; i++) {
		const struct point *point = &summary->points[chosen[i]];

		fprintf(file, "%lld %.6g %.6g\n", (long long)point->first.threads,
			point->measured.mean, point->measured.half);
	}
	return count;
}

/* Its bounds and its curve, in steps that are even to the eye on either kind of axis. */
static int64_t write_threads_model(const struct summary *summary, FILE *file)
{
	int64_t chosen[FIGURES_SWEEP_MAX];
	int count = figures_thread_sweep(summary, chosen, FIGURES_SWEEP_MAX);
	const struct point *last;
	const struct point *evented;
	int64_t written = 0;
	double most;
	double k;

	if (count == 0)
		return 0;
	last = &summary->points[chosen[count - 1]];
	evented = figures_evented_twin(summary, last);
	k = (double)last->first.cores;
	most = (double)last->first.threads;
	fprintf(file, "# columns: t t/w k/c closed-network evented-measured\n");
	for (double t = 1; t <= most; t = fmax(t + 1, fmin(most, floor(CURVE_STEP * t)))) {
		fprintf(file, "%g %.6g %.6g %.6g ", t, model_thread_bound(t, last->wall_cal_s),
			model_cpu_bound(last->cpu_cal_s, k),
			model_closed_network(t, last->cpu_cal_s, last->wall_cal_s, k));
		fprintf(file, evented ? "%.6g\n" : "nan\n", evented ? evented->measured.mean : 0);
		written++;
	}
	return written;
}

/* The model's two architectures, loop over pool, over w/c, by t. */
static int64_t write_crossover(const struct summary *summary, FILE *file)
{
	const struct findings *findings = &summary->findings;
	int64_t sweep[FIGURES_SWEEP_MAX];
	int swept = figures_thread_sweep(summary, sweep, FIGURES_SWEEP_MAX);
	int64_t written = 0;

	if (maps_is_space(summary))
		return 0; /* it has a map */
	fprintf(file, "# columns: w/c t loop/pool its-95%%-half case\n");
	for (int64_t i = 0; i < findings->lead_count; i++) {
		const struct lead *lead = &findings->leads[i];
		const struct run *pool = &lead->pool->first;

		if (figures_is_of_sweep(summary, lead->pool, sweep, swept))
			continue;
		fprintf(file, "%g %lld %.6g %.6g \"%s\"\n",
			(double)pool->wall_ns / (double)pool->cpu_ns, (long long)pool->threads,
			lead->ratio, lead->half, pool->case_name);
		written++;
	}
	return written;
}

static int64_t write_residual(const struct summary *summary, FILE *file)
{
	return maps_write_data(summary, MAPS_RESIDUAL, file);
}

static int64_t write_nominal(const struct summary *summary, FILE *file)
{
	return maps_write_data(summary, MAPS_NOMINAL, file);
}

static int64_t write_lead(const struct summary *summary, FILE *file)
{
	return maps_write_data(summary, MAPS_LEAD, file);
}

static const struct {
	enum figure figure;
	const char *name;
	write_data *write;
} data[] = {
	{ FIGURE_SERIES, "series.dat", write_series },
	{ FIGURE_CASES, "cases.dat", write_cases },
	{ FIGURE_THREADS, "threads.dat", write_threads },
	{ FIGURE_THREADS, "threads-model.dat", write_threads_model },
	{ FIGURE_CROSSOVER, "crossover.dat", write_crossover },
	{ FIGURE_RESIDUAL, "residual.dat", write_residual },
	{ FIGURE_NOMINAL, "nominal.dat", write_nominal },
	{ FIGURE_PEAKS, "peaks.dat", maps_write_peaks },
	{ FIGURE_LEAD, "lead.dat", write_lead },
};

/* Nothing is left of a file without a point. Returns the number of points, or -errno. */
static int64_t write_file(const char *path, const struct summary *summary, write_data *write,
			  char why[SUMMARY_WHY_MAX])
{
	FILE *file = fopen(path, "we");
	int64_t written = file ? write(summary, file) : -errno;

	if (file && ferror(file))
		written = -EIO;
	if (file && fclose(file) != 0 && written >= 0)
		written = -errno;
	if (written < 0)
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror((int)-written));
	if (written == 0)
		remove(path);
	return written;
}

/* Of one that is not drawn, nor is what was drawn before. */
static int draw(const char *directory, enum figure figure, bool drawn, char why[SUMMARY_WHY_MAX])
{
	static const char *const no_arguments[] = { NULL };
	char path[PATH_MAX + 32];

	if (drawn)
		return gnuplot_run(figure_names[figure], directory, no_arguments, why,
				   SUMMARY_WHY_MAX);
	snprintf(path, sizeof(path), "%s/%s.svg", directory, figure_names[figure]);
	remove(path);
	return 0;
}

int figures_draw(const char *directory, const struct summary *summary, bool drawn[FIGURES],
		 char why[SUMMARY_WHY_MAX])
{
	char folder[PATH_MAX];
	char path[PATH_MAX + 32];
	int rc = 0;

	snprintf(folder, sizeof(folder), "%s/figures", directory);
	if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
		rc = -errno;
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", folder, strerror(-rc));
		return rc;
	}
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		int64_t written;

		snprintf(path, sizeof(path), "%s/%s", folder, data[i].name);
		written = write_file(path, summary, data[i].write, why);
		if (written < 0)
			return (int)written;
		drawn[data[i].figure] = written > 0;
	}
	for (int i = 0; i < FIGURES && rc == 0; i++)
		rc = draw(folder, (enum figure)i, drawn[i], why);
	return rc;
}

int figures_convert(const char *directory, const bool drawn[FIGURES], char why[SUMMARY_WHY_MAX])
{
	char folder[PATH_MAX];
	int rc = 0;

	snprintf(folder, sizeof(folder), "%s/figures", directory);
	for (int i = 0; i < FIGURES && rc == 0; i++) {
		char svg[NAME_MAX];
		char png[NAME_MAX];
		const char *const words[] = {
			"rsvg-convert", "--zoom", "2", "--output", png, svg, NULL
		};

		snprintf(svg, sizeof(svg), "%s.svg", figure_names[i]);
		snprintf(png, sizeof(png), "%s.png", figure_names[i]);
		if (drawn[i])
			rc = tool_run(words, folder, why, SUMMARY_WHY_MAX);
	}
	return rc;
}
