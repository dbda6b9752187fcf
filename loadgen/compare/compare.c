#include "loadgen/compare/compare.h"
#include "loadgen/model/audit.h"
#include "loadgen/stats/holm.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const compare_verdict_names[COMPARE_VERDICTS] = {
	[COMPARE_PASS] = "pass",
	[COMPARE_REGRESSION] = "regression",
	[COMPARE_INCONCLUSIVE] = "inconclusive",
	[COMPARE_INVALID] = "invalid",
};

/* Judging */

static void conclude(struct compare_point *point, double edge)
{
	double low = point->worse - point->half;
	double high = point->worse + point->half;

	if (point->p_regression <= COMPARE_LEVEL) {
		point->verdict = COMPARE_REGRESSION;
		snprintf(point->why, sizeof(point->why),
			 "worse by %.1f %%, by %.1f %% at the least", 100 * expm1(point->worse),
			 100 * expm1(low));
	} else if (high <= edge) {
		point->verdict = COMPARE_PASS;
		point->improved = point->p_improvement <= COMPARE_LEVEL;
	} else if (low > edge) {
		point->verdict = COMPARE_INCONCLUSIVE;
		snprintf(point->why, sizeof(point->why),
			 "beyond the threshold by itself, but among so many points one may be by "
			 "chance (p %.2g): more repetitions",
			 point->p_regression);
	} else {
		point->verdict = COMPARE_INCONCLUSIVE;
		snprintf(point->why, sizeof(point->why),
			 "the interval, ±%.1f %%, reaches across the threshold: more or longer "
			 "repetitions",
			 100 * expm1(point->half));
	}
}

/* The p-values of all points with an interval, corrected; the others' stay 1. */
static int correct(struct compare_point *points, size_t count, double edge)
{
	double *p = calloc(2 * (count + 1), sizeof(*p));
	double *adjusted = p ? p + count + 1 : NULL;
	size_t tested = 0;
	int rc = p ? 0 : -ENOMEM;

	for (int improvement = 0; rc == 0 && improvement < 2; improvement++) {
		double side = improvement ? -1 : 1;

		tested = 0;
		for (size_t i = 0; i < count; i++) {
			struct ratio turned = points[i].ratio;

			turned.log = side * points[i].worse;
			if (points[i].has_interval)
				p[tested++] = ratio_p_above(&turned, edge);
		}
		rc = holm_adjust(p, tested, adjusted);
		tested = 0;
		for (size_t i = 0; rc == 0 && i < count; i++) {
			double *to =
				improvement ? &points[i].p_improvement : &points[i].p_regression;

			*to = points[i].has_interval ? adjusted[tested++] : 1;
		}
	}
	free(p);
	return rc;
}

int compare_judge(struct compare_point *points, size_t count,
		  const struct compare_settings *settings)
{
	double edge = log1p(settings->threshold);
	int rc;

	for (size_t i = 0; i < count; i++) {
		points[i].worse = quantity_worse(settings->quantity) * points[i].ratio.log;
		points[i].half = points[i].has_interval
					 ? ratio_half(&points[i].ratio, COMPARE_CONFIDENCE)
					 : INFINITY;
	}
	rc = correct(points, count, edge);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (points[i].has_interval)
			conclude(&points[i], edge);
	return rc;
}

/* Measuring */

static void fill_side(struct compare_side *side, const struct samples *samples)
{
	side->mean = samples->mean;
	side->runs = samples->runs;
	side->valid_runs = (int64_t)samples->count;
}

/* Without work, the generator may be the limit; then its throughput is not the server's. */
static bool is_client_bound(const struct run *run, const struct samples *samples)
{
	return run->cpu_ns == 0 && samples->client_busy > AUDIT_CLIENT_BUSY_MOST;
}

static int fill_ratio(struct compare_point *point, const struct samples *base,
		      const struct samples *newer, enum quantity quantity)
{
	bool paired = point->asked.cpu_ns == 0 && quantity != QUANTITY_MEMORY;
	struct samples_ratio found;
	int rc = samples_compare(base, newer, paired, &found);

	if (rc != 0)
		return rc;
	point->ratio = found.ratio;
	point->unit = found.unit;
	point->base.units = found.base_units;
	point->newer.units = found.new_units;
	point->has_ratio = found.base_units > 0 && found.new_units > 0;
	point->verdict = COMPARE_INCONCLUSIVE;
	snprintf(point->why, sizeof(point->why), "%s", found.why);
	if (quantity == QUANTITY_THROUGHPUT &&
	    (is_client_bound(&point->asked, base) || is_client_bound(&point->asked, newer)))
		snprintf(point->why, sizeof(point->why),
			 "the generator was the limit, so the throughput is its own: compare with "
			 "--figure cpu");
	point->has_interval = point->has_ratio && !point->why[0];
	return 0;
}

static int measure_point(const struct side *base, const struct side *newer, enum quantity quantity,
			 struct compare_point *point)
{
	struct samples of_base = { 0 };
	struct samples of_new = { 0 };
	int rc = samples_take(base, &point->asked, quantity, &of_base);

	if (rc == 0)
		rc = samples_take(newer, &point->asked, quantity, &of_new);
	if (rc != 0)
		goto out;
	fill_side(&point->base, &of_base);
	fill_side(&point->newer, &of_new);
	point->run_ns = of_new.run_ns;
	if (of_base.count > 0 && of_new.count > 0) {
		rc = fill_ratio(point, &of_base, &of_new, quantity);
		goto out;
	}
	point->verdict = COMPARE_INVALID;
	snprintf(point->why, sizeof(point->why), "no valid repetition in %s: %s",
		 of_base.count == 0 ? "BASE" : "NEW",
		 of_base.count == 0 ? of_base.why : of_new.why);
out:
	samples_free(&of_base);
	samples_free(&of_new);
	return rc;
}

/* Matching */

static int64_t runs_of(const struct side *side)
{
	int64_t count = 0;

	for (size_t i = 0; i < side->count; i++)
		count += side->sweeps[i].count;
	return count;
}

static bool is_known(const struct comparison *comparison, const struct run *run)
{
	for (size_t i = 0; i < comparison->count; i++)
		if (run_same_point(&comparison->points[i].asked, run))
			return true;
	for (size_t i = 0; i < comparison->refused_count; i++)
		if (run_same_point(&comparison->refused[i].asked, run))
			return true;
	return false;
}

/* Each point of `side` that is not known yet goes to the points, or to those that are refused. */
static void take_points(struct comparison *comparison, const struct side *side,
			const struct side *other, bool is_base)
{
	for (size_t i = 0; i < side->count; i++) {
		for (int64_t j = 0; j < side->sweeps[i].count; j++) {
			const struct run *run = &side->sweeps[i].runs[j];
			struct unlike_point *refused =
				&comparison->refused[comparison->refused_count];

			if (is_known(comparison, run))
				continue;
			if (!unlike_find(other, run))
				unlike_say(other, run, is_base ? "BASE" : "NEW",
					   is_base ? "NEW" : "BASE", refused->why);
			else if (!unlike_plans(side, other, run, refused->why)) {
				comparison->points[comparison->count++].asked = *run;
				continue;
			}
			refused->asked = *run;
			comparison->refused_count++;
		}
	}
}

int compare_sides(const struct side *base, const struct side *newer,
		  const struct compare_settings *settings, struct comparison *comparison)
{
	size_t most = (size_t)(runs_of(base) + runs_of(newer)) + 1;
	int rc = 0;

	*comparison = (struct comparison){
		.settings = *settings,
		.points = calloc(most, sizeof(*comparison->points)),
		.refused = calloc(most, sizeof(*comparison->refused)),
	};
	if (!comparison->points || !comparison->refused)
		return -ENOMEM;
	take_points(comparison, base, newer, true);
	take_points(comparison, newer, base, false);
	for (size_t i = 0; rc == 0 && i < comparison->count; i++)
		rc = measure_point(base, newer, settings->quantity, &comparison->points[i]);
	return rc == 0 ? compare_judge(comparison->points, comparison->count, settings) : rc;
}

void compare_free(struct comparison *comparison)
{
	free(comparison->points);
	free(comparison->refused);
	*comparison = (struct comparison){ 0 };
}

double compare_ratio(const struct compare_point *point)
{
	return point->has_ratio ? exp(point->ratio.log) : 0;
}

double compare_low(const struct compare_point *point)
{
	return point->has_interval ? exp(point->ratio.log - point->half) : 0;
}

double compare_high(const struct compare_point *point)
{
	return point->has_interval ? exp(point->ratio.log + point->half) : INFINITY;
}

size_t compare_count(const struct comparison *comparison, enum compare_verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < comparison->count; i++)
		count += comparison->points[i].verdict == verdict;
	return count;
}

enum compare_verdict compare_verdict_of(const struct comparison *comparison)
{
	size_t invalid = compare_count(comparison, COMPARE_INVALID);

	if (compare_count(comparison, COMPARE_REGRESSION) > 0)
		return COMPARE_REGRESSION;
	if (invalid == comparison->count)
		return COMPARE_INVALID;
	return invalid + compare_count(comparison, COMPARE_INCONCLUSIVE) > 0 ? COMPARE_INCONCLUSIVE
									     : COMPARE_PASS;
}
