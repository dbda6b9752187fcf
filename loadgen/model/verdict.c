#include "loadgen/model/verdict.h"
#include "loadgen/model/model.h"
#include <math.h>
#include <string.h>

const char *const verdict_names[] = { "holds",        "below",   "above",
				      "inconclusive", "invalid", "measured" };

enum { SAMPLES_LEAST = 3 };

#define KNEE_FROM             (0.75 - 1e-9)
#define KNEE_TO               (1.5 + 1e-9)
#define EXPONENTIAL_TOLERANCE 0.05

double verdict_tolerance(const struct run *run)
{
	return run_is_exponential(run) ? EXPONENTIAL_TOLERANCE : audit_tolerance(run);
}

bool verdict_is_judged(const struct point *point)
{
	return point->verdict == VERDICT_HOLDS || point->verdict == VERDICT_BELOW ||
	       point->verdict == VERDICT_ABOVE;
}

bool verdict_is_client_bound(const struct point *point)
{
	return point->counts.client_busy > AUDIT_CLIENT_BUSY_MOST;
}

/* t as far as idle connections leave it to the others. */
static int64_t free_threads(const struct run *run)
{
	const struct arch_traits *traits = archs_find(run->arch);
	bool held = traits && traits->limit == RECIPE_LIMIT_CONNECTIONS;

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

	point->population = n;
	if (!run_is_predicted(run))
		return;
	point->nominal_rps = archs_is_limited(run->arch)
				     ? model_nominal((double)free_threads(run), c, w, k)
				     : model_cpu_bound(c, k);
	point->calibrated_rps = model_nominal(n, point->cpu_cal_s, point->wall_cal_s, k);
	point->curve_rps = model_closed_network(n, point->cpu_cal_s, point->wall_cal_s, k);
	point->load = n * point->cpu_cal_s / (k * point->wall_cal_s);
	point->knee = point->load >= KNEE_FROM && point->load <= KNEE_TO;
	point->lower_rps = point->upper_rps = point->calibrated_rps;
	if (run_is_exponential(run))
		point->lower_rps = point->upper_rps = point->curve_rps;
	else if (point->knee)
		point->lower_rps = point->curve_rps;
}

/* What the band's edge is called. */
static const char *edge_name(const struct point *point, enum verdict verdict)
{
	if (run_is_exponential(&point->first))
		return "closed network's curve";
	if (!point->knee)
		return "calibrated prediction";
	return verdict == VERDICT_BELOW ? "closed network's curve" : "bound";
}

/* Outside the band by more than the tolerance and what the interval leaves open? */
static enum verdict compare(const struct point *point, double tolerance)
{
	double x = point->measured.mean;
	double half = point->measured.half;

	if (x + half < point->lower_rps * (1 - tolerance))
		return VERDICT_BELOW;
	return x - half > point->upper_rps * (1 + tolerance) ? VERDICT_ABOVE : VERDICT_HOLDS;
}

static void set_residual(struct point *point)
{
	double x = point->measured.mean;

	if (x < point->lower_rps)
		point->residual = x / point->lower_rps - 1;
	else if (x > point->upper_rps)
		point->residual = x / point->upper_rps - 1;
}

/* Held against what is predicted, whatever the audits say of it. */
static void judge(struct point *point)
{
	double tolerance = verdict_tolerance(&point->first);
	double x = point->measured.mean;
	double half = point->measured.half;

	if (run_is_predicted(&point->first))
		set_residual(point);
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
			 "more or longer repetitions",
			 100 * half / x, 100 * tolerance);
	} else {
		point->verdict = compare(point, tolerance);
		if (point->verdict != VERDICT_HOLDS)
			snprintf(point->why, sizeof(point->why), "%.1f %% %s the %s",
				 100 * fabs(point->residual), verdict_names[point->verdict],
				 edge_name(point, point->verdict));
	}
}

void verdict_judge(struct point *point)
{
	predict(point);
	if (point->valid_runs == 0) {
		point->verdict = VERDICT_INVALID;
		return;
	}
	point->why[0] = '\0';
	judge(point);
}
