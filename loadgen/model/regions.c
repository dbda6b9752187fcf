#include "loadgen/model/regions.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A point that fails, and why. */
struct failure {
	const struct point *point;
	struct explanation why;
	bool is_told; /* it is in a region already */
};

static bool fails_nominal(const struct point *point)
{
	double x = point->measured.mean;
	double half = point->measured.half;

	return verdict_is_judged(point) && (x + half < point->nominal_rps * (1 - SPACE_NEAR) ||
					    x - half > point->nominal_rps * (1 + SPACE_NEAR));
}

static bool fails(const struct point *point, enum cause_of of)
{
	if (!run_is_predicted(&point->first))
		return false;
	if (of == CAUSE_OF_NOMINAL)
		return fails_nominal(point);
	return point->verdict == VERDICT_BELOW || point->verdict == VERDICT_ABOVE ||
	       point->verdict == VERDICT_INVALID;
}

/* Invalid points are told apart by the audit that they failed, which is how `why` begins. */
static bool is_same_audit(const struct point *a, const struct point *b)
{
	size_t length = strcspn(a->why, ":");

	return length == strcspn(b->why, ":") && strncmp(a->why, b->why, length) == 0;
}

static bool is_same_region(const struct failure *a, const struct failure *b)
{
	const struct run *one = &a->point->first;
	const struct run *two = &b->point->first;
	bool is_invalid = a->point->verdict == VERDICT_INVALID;

	return strcmp(one->arch, two->arch) == 0 && one->cpu_ns == two->cpu_ns &&
	       strcmp(one->distribution, two->distribution) == 0 &&
	       is_invalid == (b->point->verdict == VERDICT_INVALID) &&
	       (is_invalid ? is_same_audit(a->point, b->point)
			   : space_region_of(a->point) == space_region_of(b->point)) &&
	       a->why.cause == b->why.cause && (a->why.residual > 0) == (b->why.residual > 0);
}

static void add(struct region *region, const struct failure *failure)
{
	const struct run *run = &failure->point->first;
	double ratio = (double)run->wall_ns / (double)run->cpu_ns;
	double n = failure->point->population;

	region->points++;
	region->ratio_least = fmin(region->ratio_least, ratio);
	region->ratio_most = fmax(region->ratio_most, ratio);
	region->n_least = fmin(region->n_least, n);
	region->n_most = fmax(region->n_most, n);
	if (fabs(failure->why.residual) <= fabs(region->worst))
		return;
	region->worst_at = failure->point;
	region->why = failure->why;
	region->worst = failure->why.residual;
}

/* The region that begins at `first`, of the failures from there on. */
static struct region collect(struct failure *first, const struct failure *end, double *residuals)
{
	struct region region = { .worst_at = first->point,
				 .why = first->why,
				 .worst = first->why.residual,
				 .ratio_least = INFINITY,
				 .n_least = INFINITY };
	const struct failure key = *first;
	size_t count = 0;

	for (struct failure *at = first; at < end; at++) {
		if (at->is_told || !is_same_region(&key, at))
			continue;
		at->is_told = true;
		residuals[count++] = at->why.residual;
		add(&region, at);
	}
	region.place = space_region_of(region.worst_at);
	region.is_invalid = region.worst_at->verdict == VERDICT_INVALID;
	region.median = region.is_invalid ? 0 : median_of(residuals, count);
	region.worst = region.is_invalid ? 0 : region.worst;
	return region;
}

static int by_size(const void *left, const void *right)
{
	const struct region *a = left;
	const struct region *b = right;

	if (a->is_invalid != b->is_invalid)
		return a->is_invalid ? 1 : -1;
	if (a->points != b->points)
		return a->points > b->points ? -1 : 1;
	return (fabs(a->worst) < fabs(b->worst)) - (fabs(a->worst) > fabs(b->worst));
}

int64_t regions_find(const struct point *points, int64_t count, enum cause_of of,
		     struct region **regions)
{
	size_t room = (size_t)count + 1;
	struct failure *failures = calloc(room, sizeof(*failures));
	double *residuals = calloc(room, sizeof(*residuals));
	int64_t failed = 0;
	int64_t found = 0;

	*regions = calloc(room, sizeof(**regions));
	if (!failures || !residuals || !*regions) {
		found = -ENOMEM;
		goto out;
	}
	for (int64_t i = 0; i < count; i++)
		if (fails(&points[i], of))
			failures[failed++] =
				(struct failure){ &points[i], cause_find(&points[i], of), false };
	for (int64_t i = 0; i < failed; i++)
		if (!failures[i].is_told)
			(*regions)[found++] = collect(&failures[i], failures + failed, residuals);
	if (found > 0)
		qsort(*regions, (size_t)found, sizeof(**regions), by_size);
out:
	free(residuals);
	free(failures);
	if (found < 0) {
		free(*regions);
		*regions = NULL;
	}
	return found;
}
