#include "loadgen/model/verdict.h"
#include "loadgen/model/model.h"
#include "loadgen/sweep/figure.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const verdict_names[] = { "holds",        "below",   "above",
				      "inconclusive", "invalid", "measured" };

enum { SAMPLES_LEAST = 3, SAMPLES_MAX = FIGURE_WINDOWS_MAX };

#define KNEE_FROM (0.75 - 1e-9)
#define KNEE_TO   (1.5 + 1e-9)

/* t as far as idle connections leave it to the others. */
static int64_t free_threads(const struct run *run)
{
	const struct arch_traits *traits = archs_find(run->arch);
	bool held = traits && traits->limit == ARCH_LIMIT_CONNECTIONS;

	return run->threads - (held ? run->idle : 0);
}

/* How many requests can be in the server at once. */
static double population(const struct run *run)
{
	if (archs_is_limited(run->arch) && free_threads(run) < run->connections)
		return (double)free_threads(run);
	return (double)run->connections;
}

static void predict(struct point *point)
{
	const struct run *run = &point->first;
	double c = (double)run->cpu_ns / 1e9;
	double w = (double)run->wall_ns / 1e9;
	double k = (double)run->cores;
	double n = population(run);

	if (!run_is_predicted(run))
		return;
	point->nominal_rps = archs_is_limited(run->arch)
				     ? model_nominal((double)free_threads(run), c, w, k)
				     : model_cpu_bound(c, k);
	point->calibrated_rps = model_nominal(n, point->cpu_cal_s, point->wall_cal_s, k);
	point->curve_rps = model_closed_network(n, point->cpu_cal_s, point->wall_cal_s, k);
	point->load = n * point->cpu_cal_s / (k * point->wall_cal_s);
	point->knee = point->load >= KNEE_FROM && point->load <= KNEE_TO;
}

/* The band in which X must lie: the prediction; in the knee, from the curve to the bound. */
static void judge(struct point *point)
{
	double tolerance = audit_tolerance(&point->first);
	double x = point->measured.mean;
	double half = point->measured.half;
	double lower = point->knee ? point->curve_rps : point->calibrated_rps;

	if (point->measured.count < SAMPLES_LEAST) {
		point->verdict = VERDICT_INCONCLUSIVE;
		snprintf(point->why, sizeof(point->why),
			 "%zu valid repetitions, and at least %d are needed", point->measured.count,
			 SAMPLES_LEAST);
	} else if (!run_is_predicted(&point->first)) {
		point->verdict = VERDICT_MEASURED;
	} else if (half > tolerance * x) {
		point->verdict = VERDICT_INCONCLUSIVE;
		snprintf(point->why, sizeof(point->why),
			 "the 95 %% interval, ±%.1f %%, is wider than the tolerance of %.0f %%: "
			 "more or "
			 "longer repetitions",
			 100 * half / x, 100 * tolerance);
	} else if (x + half < lower * (1 - tolerance)) {
		point->verdict = VERDICT_BELOW;
		snprintf(point->why, sizeof(point->why), "%.1f %% below the %s",
			 100 * (1 - x / lower),
			 point->knee ? "closed network's curve" : "calibrated prediction");
	} else if (x - half > point->calibrated_rps * (1 + tolerance)) {
		point->verdict = VERDICT_ABOVE;
		snprintf(point->why, sizeof(point->why), "%.1f %% above the %s",
			 100 * (x / point->calibrated_rps - 1),
			 point->knee ? "bound" : "calibrated prediction");
	} else {
		point->verdict = VERDICT_HOLDS;
	}
}

struct tally {
	double throughput[SAMPLES_MAX];
	double switches[SAMPLES_MAX];
	double cpu[SAMPLES_MAX];
	double p99[SAMPLES_MAX];
	double rss[SAMPLES_MAX];
	double pss[SAMPLES_MAX];
	double available[SAMPLES_MAX];
	double cpu_cal[SAMPLES_MAX];
	double wall_cal[SAMPLES_MAX];
	size_t count;
	bool repeated; /* more than one repetition was measured */
};

static void add_run(struct point *point, struct tally *tally, const struct run *run)
{
	struct audit_failure failures[AUDITS];
	int failed = audit_run(run, failures);
	double busy = (double)run->client_cpu_ns / (double)run->window_ns;
	size_t i = tally->count;

	point->runs++;
	tally->repeated = tally->repeated || run->repetition > 0;
	if (failed > 0) {
		snprintf(point->why, sizeof(point->why), "%s: %s; %s",
			 audit_names[failures[0].audit], failures[0].why, failures[0].remedy);
		return;
	}
	if (i == SAMPLES_MAX)
		return;
	if (point->valid_runs++ == 0)
		point->first = *run;
	point->client_busy = fmax(point->client_busy, busy);
	tally->throughput[i] = run->throughput_rps;
	tally->switches[i] = (double)(run->voluntary_switches + run->involuntary_switches) /
			     (double)run->all_requests;
	tally->cpu[i] = (double)run->server_cpu_ns / 1e9 / (double)run->requests;
	tally->p99[i] = (double)run->p99_ns / 1e9;
	tally->rss[i] = (double)run->rss_bytes;
	tally->pss[i] = (double)run->pss_bytes;
	tally->available[i] = (double)(run->available_before_bytes - run->available_after_bytes);
	tally->cpu_cal[i] = audit_cpu_cal_s(run);
	tally->wall_cal[i] = (double)run->wall_cal_ns / 1e9;
	tally->count++;
}

static void conclude(struct point *point, struct tally *tally)
{
	double samples[SAMPLES_MAX];

	point->cpu_cal_s = tally->count > 0 ? median_of(tally->cpu_cal, tally->count)
					    : audit_cpu_cal_s(&point->first);
	point->wall_cal_s = tally->count > 0 ? median_of(tally->wall_cal, tally->count)
					     : (double)point->first.wall_cal_ns / 1e9;
	point->wall_cal_s = fmax(point->wall_cal_s, point->cpu_cal_s);
	predict(point);
	if (point->valid_runs == 0) {
		point->verdict = VERDICT_INVALID;
		return;
	}
	point->why[0] = '\0';
	if (!tally->repeated && point->valid_runs == 1)
		point->measured = interval_of(samples, figure_windows(&point->first, samples));
	else
		point->measured = interval_of(tally->throughput, tally->count);
	point->switches = median_of(tally->switches, tally->count);
	point->server_cpu_s = median_of(tally->cpu, tally->count);
	point->p99_s = median_of(tally->p99, tally->count);
	point->rss_bytes = median_of(tally->rss, tally->count);
	point->pss_bytes = median_of(tally->pss, tally->count);
	point->available_bytes = median_of(tally->available, tally->count);
	point->client_bound = point->client_busy > AUDIT_CLIENT_BUSY_MOST;
	judge(point);
}

static bool seen_before(const struct run *runs, int64_t index)
{
	for (int64_t i = 0; i < index; i++)
		if (run_same_point(&runs[i], &runs[index]))
			return true;
	return false;
}

int64_t verdict_of_runs(const struct run *runs, int64_t count, struct point **points)
{
	int64_t found = 0;

	*points = calloc((size_t)count + 1, sizeof(**points));
	if (!*points)
		return -ENOMEM;
	for (int64_t i = 0; i < count; i++) {
		struct point *point = &(*points)[found];
		struct tally tally = { .count = 0 };

		if (seen_before(runs, i))
			continue;
		point->first = runs[i];
		for (int64_t j = i; j < count; j++)
			if (run_same_point(&runs[i], &runs[j]))
				add_run(point, &tally, &runs[j]);
		conclude(point, &tally);
		found++;
	}
	return found;
}

json_t *verdict_to_json(const struct point *point)
{
	const struct run *run = &point->first;
	json_t *object = json_pack(
		"{s:s, s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}",
		"case", run->case_name, "twin", (json_int_t)run->twin, "arch", run->arch, "service",
		run->service, "wait", run->wait, "work", run->work, "threads",
		(json_int_t)run->threads, "cores", (json_int_t)run->cores, "cpu_ns",
		(json_int_t)run->cpu_ns, "wall_ns", (json_int_t)run->wall_ns, "connections",
		(json_int_t)run->connections, "footprint_bytes", (json_int_t)run->footprint_bytes,
		"idle", (json_int_t)run->idle, "requests_per_connection",
		(json_int_t)run->requests_per_connection, "predicted", run_is_predicted(run));
	json_t *figures = json_pack(
		"{s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:f, s:b, s:s, s:s}",
		"measured_rps", point->measured.mean, "interval_rps", point->measured.half,
		"samples", (json_int_t)point->measured.count, "nominal_rps", point->nominal_rps,
		"calibrated_rps", point->calibrated_rps, "closed_network_rps", point->curve_rps,
		"cpu_cal_ns", point->cpu_cal_s * 1e9, "wall_cal_ns", point->wall_cal_s * 1e9,
		"runs", (json_int_t)point->runs, "valid_runs", (json_int_t)point->valid_runs,
		"load", point->load, "knee", point->knee, "verdict", verdict_names[point->verdict],
		"why", point->why);
	json_t *costs = json_pack(
		"{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:b}", "server_cpu_ns_per_request",
		point->server_cpu_s * 1e9, "switches_per_request", point->switches,
		"latency_p99_ns", point->p99_s * 1e9, "rss_bytes", point->rss_bytes, "pss_bytes",
		point->pss_bytes, "available_bytes", point->available_bytes, "client_utilisation",
		point->client_busy, "client_bound", point->client_bound);

	json_object_update(object, figures);
	json_object_update(object, costs);
	json_decref(figures);
	json_decref(costs);
	return object;
}
