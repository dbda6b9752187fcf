#include "loadgen/model/space.h"
#include "loadgen/model/space_cells.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const space_times_names[SPACE_TIMES] = { "constant", "exponential" };
const char *const space_region_names[SPACE_REGIONS] = { "thread-bound", "knee", "CPU-bound" };
const char *const space_ruler_names[SPACE_RULERS] = { "min(), nominal", "min(), calibrated",
						      "closed network" };

enum space_times space_times_of(const struct run *run)
{
	return run_is_exponential(run) ? SPACE_EXPONENTIAL : SPACE_CONSTANT;
}

enum space_region space_region_of(const struct point *point)
{
	if (point->knee)
		return SPACE_KNEE;
	return point->load < 1 ? SPACE_THREAD_BOUND : SPACE_CPU_BOUND;
}

double space_residual(const struct point *point, enum space_ruler ruler)
{
	const double predicted[SPACE_RULERS] = { point->nominal_rps, point->calibrated_rps,
						 point->curve_rps };

	return point->measured.mean / predicted[ruler] - 1;
}

/* Spreads */

/* Residuals of some of the points, with room for all. */
struct residuals {
	double *sizes;
	double *values;
	size_t count;
	const struct point *worst_at;
};

static void add_residual(struct residuals *residuals, const struct point *point)
{
	residuals->sizes[residuals->count] = fabs(point->residual);
	residuals->values[residuals->count++] = point->residual;
	if (!residuals->worst_at || fabs(point->residual) > fabs(residuals->worst_at->residual))
		residuals->worst_at = point;
}

static double worst_of(const struct residuals *residuals)
{
	return residuals->worst_at ? residuals->worst_at->residual : 0;
}

static bool is_of_spread(const struct point *point, const struct space_spread *spread)
{
	return verdict_is_judged(point) && space_times_of(&point->first) == spread->times &&
	       space_region_of(point) == spread->region && point->first.cpu_ns == spread->cpu_ns;
}

/* Add the points of the spread that are from `index` on; the spread is named by that one. */
static void find_spread(const struct point *points, int64_t count, int64_t index,
			struct residuals residuals, struct space_spread *spread)
{
	const struct point *first = &points[index];

	*spread = (struct space_spread){ .times = space_times_of(&first->first),
					 .region = space_region_of(first),
					 .cpu_ns = first->first.cpu_ns };
	for (int64_t i = index; i < count; i++)
		if (is_of_spread(&points[i], spread))
			add_residual(&residuals, &points[i]);
	spread->points = (int64_t)residuals.count;
	spread->median = median_of(residuals.sizes, residuals.count);
	spread->bias = median_of(residuals.values, residuals.count);
	spread->worst = worst_of(&residuals);
	spread->worst_at = residuals.worst_at;
}

static bool is_first_of_spread(const struct point *points, int64_t index)
{
	struct space_spread spread = { .times = space_times_of(&points[index].first),
				       .region = space_region_of(&points[index]),
				       .cpu_ns = points[index].first.cpu_ns };

	for (int64_t i = 0; i < index; i++)
		if (is_of_spread(&points[i], &spread))
			return false;
	return verdict_is_judged(&points[index]);
}

static int by_place(const void *left, const void *right)
{
	const struct space_spread *a = left;
	const struct space_spread *b = right;

	if (a->times != b->times)
		return a->times < b->times ? -1 : 1;
	if (a->region != b->region)
		return a->region < b->region ? -1 : 1;
	return (a->cpu_ns > b->cpu_ns) - (a->cpu_ns < b->cpu_ns);
}

static void find_spreads(const struct point *points, int64_t count, struct residuals room,
			 struct space *space)
{
	for (int64_t i = 0; i < count; i++)
		if (is_first_of_spread(points, i))
			find_spread(points, count, i, room, &space->spreads[space->spread_count++]);
	if (space->spread_count > 0)
		qsort(space->spreads, (size_t)space->spread_count, sizeof(*space->spreads),
		      by_place);
}

/* Claims */

enum knee { IN_KNEE, OUTSIDE_KNEE, ANYWHERE };
enum cpu { SMALL_CPU, LARGE_CPU, ANY_CPU };
enum statistic { MEDIAN, WORST, SHARE_OUT };

static const struct {
	const char *what;
	enum space_times times;
	enum knee knee;
	enum cpu cpu;
	enum statistic statistic;
	double most;
} rules[SPACE_CLAIMS] = {
	{ "exponential: median distance to the closed network's curve", SPACE_EXPONENTIAL, ANYWHERE,
	  ANY_CPU, MEDIAN, 0.02 },
	{ "exponential: worst distance to the closed network's curve", SPACE_EXPONENTIAL, ANYWHERE,
	  ANY_CPU, WORST, 0.05 },
	{ "constant, outside the knee: median distance to the calibrated min()", SPACE_CONSTANT,
	  OUTSIDE_KNEE, ANY_CPU, MEDIAN, 0.01 },
	{ "constant, outside the knee, c of 1 ms and more: worst distance", SPACE_CONSTANT,
	  OUTSIDE_KNEE, LARGE_CPU, WORST, 0.05 },
	{ "constant, outside the knee, c below 1 ms: worst distance", SPACE_CONSTANT, OUTSIDE_KNEE,
	  SMALL_CPU, WORST, 0.06 },
	{ "constant, in the knee: share of points that do not hold", SPACE_CONSTANT, IN_KNEE,
	  ANY_CPU, SHARE_OUT, 0 },
};

static bool is_of_claim(const struct point *point, size_t claim)
{
	bool is_small = point->first.cpu_ns < RUN_SMALL_CPU_NS;

	return verdict_is_judged(point) && space_times_of(&point->first) == rules[claim].times &&
	       (rules[claim].knee == ANYWHERE || point->knee == (rules[claim].knee == IN_KNEE)) &&
	       (rules[claim].cpu == ANY_CPU || is_small == (rules[claim].cpu == SMALL_CPU));
}

static void find_claim(const struct point *points, int64_t count, struct residuals residuals,
		       size_t index, struct space_claim *claim)
{
	double out = 0;

	for (int64_t i = 0; i < count; i++) {
		if (!is_of_claim(&points[i], index))
			continue;
		add_residual(&residuals, &points[i]);
		out += points[i].verdict != VERDICT_HOLDS;
	}
	claim->what = rules[index].what;
	claim->most = rules[index].most;
	claim->points = (int64_t)residuals.count;
	if (rules[index].statistic == MEDIAN)
		claim->figure = median_of(residuals.sizes, residuals.count);
	else if (rules[index].statistic == WORST)
		claim->figure = fabs(worst_of(&residuals));
	else if (residuals.count > 0)
		claim->figure = out / (double)residuals.count;
	claim->met = claim->points > 0 && claim->figure <= claim->most;
}

/* All */

static void count_points(const struct point *points, int64_t count, struct space *space)
{
	for (int64_t i = 0; i < count; i++) {
		if (!run_is_predicted(&points[i].first))
			continue;
		space->points++;
		space->judged += verdict_is_judged(&points[i]);
		space->inconclusive += points[i].verdict == VERDICT_INCONCLUSIVE;
		space->invalid += points[i].verdict == VERDICT_INVALID;
	}
}

int space_of_points(const struct point *points, int64_t count, struct space *space)
{
	size_t room = (size_t)count + 1;
	struct residuals residuals = { .sizes = calloc(room, sizeof(double)),
				       .values = calloc(room, sizeof(double)) };
	int rc = 0;

	*space = (struct space){ .spreads = calloc(room, sizeof(*space->spreads)) };
	if (!residuals.sizes || !residuals.values || !space->spreads) {
		rc = -ENOMEM;
		goto out;
	}
	count_points(points, count, space);
	space_find_cells(points, count, space);
	find_spreads(points, count, residuals, space);
	for (size_t i = 0; i < SPACE_CLAIMS; i++)
		find_claim(points, count, residuals, i, &space->claims[i]);
out:
	free(residuals.values);
	free(residuals.sizes);
	return rc;
}

void space_free(struct space *space)
{
	free(space->spreads);
	*space = (struct space){ 0 };
}
