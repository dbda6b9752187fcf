#include "loadgen/report/figures.h"
#include "loadgen/model/model.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const figure_names[FIGURES] = { "cases", "threads", "crossover" };

enum { SWEEP_MAX = 256, SWEEP_LEAST = 3, CURVE_STEPS = 400 };

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

static bool is_measured(const struct point *point)
{
	return point->verdict != VERDICT_INVALID;
}

static bool is_limited(const struct point *point)
{
	return point->first.threads > 0;
}

static bool same_load(const struct run *a, const struct run *b)
{
	return strcmp(a->service, b->service) == 0 && strcmp(a->wait, b->wait) == 0 &&
	       strcmp(a->work, b->work) == 0 && a->cpu_ns == b->cpu_ns && a->wall_ns == b->wall_ns;
}

const struct point *figures_evented_twin(const struct summary *summary, const struct point *point)
{
	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *other = &summary->points[i];

		if (!is_limited(other) && is_measured(other) &&
		    same_load(&other->first, &point->first))
			return other;
	}
	return NULL;
}

/* Sweep over t */

static int collect_sweep(const struct summary *summary, const struct point *seed, int64_t *chosen,
			 int room)
{
	int count = 0;

	for (int64_t i = 0; i < summary->count && count < room; i++) {
		const struct point *point = &summary->points[i];
		int at = count;

		if (!is_limited(point) || !is_measured(point) ||
		    strcmp(point->first.arch, seed->first.arch) != 0 ||
		    !same_load(&point->first, &seed->first))
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
	int64_t candidate[SWEEP_MAX];
	int best = 0;

	for (int64_t i = 0; i < summary->count; i++) {
		const struct point *seed = &summary->points[i];
		int count;

		if (!is_limited(seed) || !is_measured(seed))
			continue;
		count = collect_sweep(summary, seed, candidate,
				      room < SWEEP_MAX ? room : SWEEP_MAX);
		if (count > best) {
			best = count;
			memcpy(chosen, candidate, sizeof(*chosen) * (size_t)count);
		}
	}
	return best >= SWEEP_LEAST ? best : 0;
}

/* threads.dat: the measured points; threads-model.dat: the bounds and the curve. */
static int write_threads(const char *directory, const struct summary *summary, bool *any,
			 char why[SUMMARY_WHY_MAX])
{
	int64_t chosen[SWEEP_MAX];
	int count = figures_thread_sweep(summary, chosen, SWEEP_MAX);
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
	fprintf(file, "# t  measured/s  95%%-half  arch=%s c=%lldns w=%lldns\n", last->first.arch,
		(long long)last->first.cpu_ns, (long long)last->first.wall_ns);
	for (int i = 0; i < count; i++) {
		const struct point *point = &summary->points[chosen[i]];

		fprintf(file, "%lld %.6g %.6g\n", (long long)point->first.threads,
			point->measured.mean, point->measured.half);
	}
	fclose(file);
	file = open_data(directory, "threads-model.dat", why);
	if (!file)
		return -EIO;
	evented = figures_evented_twin(summary, last);
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

static bool in_list(int64_t index, const int64_t *list, int count)
{
	for (int i = 0; i < count; i++)
		if (list[i] == index)
			return true;
	return false;
}

/*
 * The valid points of limited servers that are cases of their own: all but those of the sweep
 * over t, which has a figure for itself, unless the evented server was measured in the same case.
 */
static int choose_cases(const struct summary *summary, int64_t chosen[SWEEP_MAX])
{
	int64_t sweep[SWEEP_MAX];
	int swept = figures_thread_sweep(summary, sweep, SWEEP_MAX);
	int count = 0;

	for (int64_t i = 0; i < summary->count && count < SWEEP_MAX; i++) {
		const struct point *point = &summary->points[i];
		const struct point *evented = figures_evented_twin(summary, point);
		bool own = evented && strcmp(evented->first.case_name, point->first.case_name) == 0;

		if (is_limited(point) && is_measured(point) && (own || !in_list(i, sweep, swept)))
			chosen[count++] = i;
	}
	return count;
}

/* cases.dat: one row for each case and t, the threaded and the evented side by side. */
static void write_case(FILE *file, const struct point *point, int row, const struct point *evented)
{
	const struct point *both[2] = { point, evented };

	const char *rest = strstr(point->first.case_name, " with "); /* long names take two lines */
	int first = rest ? (int)(rest - point->first.case_name) : RUN_NAME_MAX;

	fprintf(file, "%d \"%.*s%s%s\\nt = %lld\"", row, first, point->first.case_name,
		rest ? "\\n" : "", rest ? rest + 1 : "", (long long)point->first.threads);
	for (int i = 0; i < 2; i++) {
		const struct point *p = both[i];

		if (p)
			fprintf(file, " %.6g %.6g %.6g %.6g %.6g %.6g", p->nominal_rps,
				p->calibrated_rps, p->measured.mean, p->measured.half,
				p->measured.mean / p->calibrated_rps,
				p->measured.half / p->calibrated_rps);
		else
			fprintf(file, " nan nan nan nan nan nan");
	}
	fprintf(file, " %g\n", audit_tolerance(&point->first));
}

static int write_cases(const char *directory, const struct summary *summary, bool *any,
		       char why[SUMMARY_WHY_MAX])
{
	int64_t chosen[SWEEP_MAX];
	int count = choose_cases(summary, chosen);
	FILE *file = open_data(directory, "cases.dat", why);

	if (!file)
		return -EIO;
	fprintf(file, "# row  case  then for threaded and for evented: nominal calibrated measured "
		      "95%%-half measured/calibrated its-95%%-half; tolerance\n");
	for (int i = 0; i < count; i++) {
		const struct point *point = &summary->points[chosen[i]];

		write_case(file, point, i, figures_evented_twin(summary, point));
	}
	fclose(file);
	*any = count > 0;
	return 0;
}

/* crossover.dat: evented/threaded over w/c, by t. */
static int write_crossover(const char *directory, const struct summary *summary, bool *any,
			   char why[SUMMARY_WHY_MAX])
{
	int64_t chosen[SWEEP_MAX];
	int count = choose_cases(summary, chosen);
	FILE *file = open_data(directory, "crossover.dat", why);

	*any = false;
	if (!file)
		return -EIO;
	fprintf(file, "# w/c  t  evented/threaded measured  its-95%%-half  case\n");
	for (int i = 0; i < count; i++) {
		const struct point *point = &summary->points[chosen[i]];
		const struct point *evented = figures_evented_twin(summary, point);
		double ratio;
		double half;

		if (!evented)
			continue;
		ratio = evented->measured.mean / point->measured.mean;
		half = ratio * hypot(evented->measured.half / evented->measured.mean,
				     point->measured.half / point->measured.mean);
		fprintf(file, "%g %lld %.6g %.6g \"%s\"\n",
			(double)point->first.wall_ns / (double)point->first.cpu_ns,
			(long long)point->first.threads, ratio, half, point->first.case_name);
		*any = true;
	}
	fclose(file);
	return 0;
}

/* gnuplot */

static int run_gnuplot(const char *directory, const char *name, char why[SUMMARY_WHY_MAX])
{
	char script[PATH_MAX];
	int status;
	pid_t pid;

	snprintf(script, sizeof(script), "%s/%s.gp", CWT_PLOTS, name);
	pid = fork();
	if (pid == 0) {
		char folder[PATH_MAX];

		snprintf(folder, sizeof(folder), "%s/figures", directory);
		if (chdir(folder) == 0)
			execlp("gnuplot", "gnuplot", script, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		snprintf(why, SUMMARY_WHY_MAX, "gnuplot could not be started: %s", strerror(errno));
		return -EIO;
	}
	if (status == 0)
		return 0;
	snprintf(why, SUMMARY_WHY_MAX,
		 WIFEXITED(status) && WEXITSTATUS(status) == 127
			 ? "gnuplot is missing: scripts/setup installs it (%s)"
			 : "gnuplot failed on %s: see its lines above",
		 script);
	return -EIO;
}

int figures_draw(const char *directory, const struct summary *summary, bool drawn[FIGURES],
		 char why[SUMMARY_WHY_MAX])
{
	typedef int write_data(const char *, const struct summary *, bool *, char *);
	static write_data *const writers[FIGURES] = { write_cases, write_threads, write_crossover };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/figures", directory);
	if (mkdir(path, 0777) != 0 && errno != EEXIST) {
		snprintf(why, SUMMARY_WHY_MAX, "%s: %s", path, strerror(errno));
		return -EIO;
	}
	for (int i = 0; i < FIGURES; i++) {
		int rc = writers[i](directory, summary, &drawn[i], why);

		if (rc == 0 && drawn[i])
			rc = run_gnuplot(directory, figure_names[i], why);
		if (rc != 0)
			return rc;
	}
	return 0;
}
