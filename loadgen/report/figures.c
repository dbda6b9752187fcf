#include "loadgen/report/figures.h"
#include "loadgen/model/model.h"
#include "loadgen/report/cases.h"
#include "loadgen/report/gnuplot.h"
#include "loadgen/report/maps.h"
#include "loadgen/report/series.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const figure_names[FIGURES] = { "series",   "cases",   "threads", "crossover",
					    "residual", "nominal", "peaks",   "lead" };

enum { SWEEP_LEAST = 3, CURVE_STEPS = 400 };

static FILE *open_data(const char *directory, const char *name, char why[SUMMARY_WHY_MAX])
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/figures/%s", directory, name);
	file = fopen(path, "we");
	if (!file)
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror(errno));
	return file;
}

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

/* threads.dat: the measured points; threads-model.dat: the bounds and the curve. */
static int write_threads(const char *directory, const struct summary *summary, bool *any,
			 char why[SUMMARY_WHY_MAX])
{
	int64_t chosen[FIGURES_SWEEP_MAX];
	int count = figures_thread_sweep(summary, chosen, FIGURES_SWEEP_MAX);
	const struct point *last;
	const struct point *evented;
	FILE *file;
	double most;
	double step;
	double k;

	*any = count > 0;
	if (count == 0)
		return 0;
	file = open_data(directory, "threads.dat", why);
	if (!file)
		return -EIO;
	last = &summary->points[chosen[count - 1]];
	evented = figures_evented_twin(summary, last);
	fprintf(file,
		"# threaded: %s\n# evented: %s\n# t  measured/s  95%%-half  c=%lldns w=%lldns\n",
		last->first.arch, evented ? evented->first.arch : "", (long long)last->first.cpu_ns,
		(long long)last->first.wall_ns);
	for (int i = 0; i < count; i++) {
		const struct point *point = &summary->points[chosen[i]];

		fprintf(file, "%lld %.6g %.6g\n", (long long)point->first.threads,
			point->measured.mean, point->measured.half);
	}
	fclose(file);
	file = open_data(directory, "threads-model.dat", why);
	if (!file)
		return -EIO;
	k = (double)last->first.cores;
	most = (double)last->first.threads;
	step = fmax(1, floor(most / CURVE_STEPS));
	fprintf(file, "# t  t/w  k/c  closed-network  evented-measured (or nan)\n");
	for (double t = 1; t <= most; t += step) {
		fprintf(file, "%g %.6g %.6g %.6g ", t, model_thread_bound(t, last->wall_cal_s),
			model_cpu_bound(last->cpu_cal_s, k),
			model_closed_network(t, last->cpu_cal_s, last->wall_cal_s, k));
		fprintf(file, evented ? "%.6g\n" : "nan\n", evented ? evented->measured.mean : 0);
	}
	fclose(file);
	return 0;
}

/* Nothing is left of a figure that is not drawn. */
static void remove_data(const char *directory, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/figures/%s", directory, name);
	remove(path);
}

/* Opens NAME.dat for a writer that returns how many points it wrote. */
static int write_data(const char *directory, const char *name, const struct summary *summary,
		      int64_t (*write)(const struct summary *, FILE *), bool *any,
		      char why[SUMMARY_WHY_MAX])
{
	FILE *file = open_data(directory, name, why);
	int64_t written = file ? write(summary, file) : -EIO;

	if (file && fclose(file) != 0)
		written = -EIO;
	if (file && written < 0)
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", name, strerror((int)-written));
	*any = written > 0;
	if (written == 0)
		remove_data(directory, name);
	return written < 0 ? (int)written : 0;
}

/* A space has more cases than a row has room for; its maps show them. */
static int64_t write_cases_data(const struct summary *summary, FILE *file)
{
	return maps_is_space(summary) ? 0 : cases_write_data(summary, file);
}

static int write_cases(const char *directory, const struct summary *summary, bool *any,
		       char why[SUMMARY_WHY_MAX])
{
	return write_data(directory, "cases.dat", summary, write_cases_data, any, why);
}

static int write_series(const char *directory, const struct summary *summary, bool *any,
			char why[SUMMARY_WHY_MAX])
{
	*any = false;
	if (summary->evidence.panel_count == 0)
		return 0;
	return write_data(directory, "series.dat", summary, series_write_data, any, why);
}

/* crossover.dat: the model's two architectures, loop over pool, over w/c, by t. */
static int64_t write_crossover_data(const struct summary *summary, FILE *file)
{
	int64_t sweep[FIGURES_SWEEP_MAX];
	int swept = figures_thread_sweep(summary, sweep, FIGURES_SWEEP_MAX);
	int64_t written = 0;

	if (maps_is_space(summary))
		return 0; /* it has a map */
	fprintf(file, "# w/c  t  loop/pool measured  its-95%%-half  case\n");
	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *point = &summary->points[i];
		const struct point *evented = figures_evented_twin(summary, point);
		double ratio;
		double half;

		if (!figures_is_judged(point) || strcmp(point->first.arch, "pool") != 0 ||
		    !evented || strcmp(evented->first.arch, "loop") != 0 ||
		    figures_is_of_sweep(summary, point, sweep, swept))
			continue;
		ratio = evented->measured.mean / point->measured.mean;
		half = ratio * hypot(evented->measured.half / evented->measured.mean,
				     point->measured.half / point->measured.mean);
		fprintf(file, "%g %lld %.6g %.6g \"%s\"\n",
			(double)point->first.wall_ns / (double)point->first.cpu_ns,
			(long long)point->first.threads, ratio, half, point->first.case_name);
		written++;
	}
	return written;
}

static int write_crossover(const char *directory, const struct summary *summary, bool *any,
			   char why[SUMMARY_WHY_MAX])
{
	return write_data(directory, "crossover.dat", summary, write_crossover_data, any, why);
}

static int64_t write_residual_data(const struct summary *summary, FILE *file)
{
	return maps_write_data(summary, MAPS_RESIDUAL, file);
}

static int64_t write_nominal_data(const struct summary *summary, FILE *file)
{
	return maps_write_data(summary, MAPS_NOMINAL, file);
}

static int64_t write_lead_data(const struct summary *summary, FILE *file)
{
	return maps_write_data(summary, MAPS_LEAD, file);
}

static int write_residual(const char *directory, const struct summary *summary, bool *any,
			  char why[SUMMARY_WHY_MAX])
{
	return write_data(directory, "residual.dat", summary, write_residual_data, any, why);
}

static int write_nominal(const char *directory, const struct summary *summary, bool *any,
			 char why[SUMMARY_WHY_MAX])
{
	return write_data(directory, "nominal.dat", summary, write_nominal_data, any, why);
}

static int write_peaks(const char *directory, const struct summary *summary, bool *any,
		       char why[SUMMARY_WHY_MAX])
{
	return write_data(directory, "peaks.dat", summary, maps_write_peaks, any, why);
}

static int write_lead(const char *directory, const struct summary *summary, bool *any,
		      char why[SUMMARY_WHY_MAX])
{
	return write_data(directory, "lead.dat", summary, write_lead_data, any, why);
}

int figures_draw(const char *directory, const struct summary *summary, bool drawn[FIGURES],
		 char why[SUMMARY_WHY_MAX])
{
	typedef int write_figure(const char *, const struct summary *, bool *, char *);
	static write_figure *const writers[FIGURES] = {
		write_series,   write_cases,   write_threads, write_crossover,
		write_residual, write_nominal, write_peaks,   write_lead,
	};
	static const char *const no_arguments[] = { NULL };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/figures", directory);
	if (mkdir(path, 0777) != 0 && errno != EEXIST) {
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror(errno));
		return -EIO;
	}
	for (int i = 0; i < FIGURES; i++) {
		int rc = writers[i](directory, summary, &drawn[i], why);

		if (rc == 0 && drawn[i])
			rc = gnuplot_run(figure_names[i], path, no_arguments, why, SUMMARY_WHY_MAX);
		if (rc != 0)
			return rc;
	}
	return 0;
}
