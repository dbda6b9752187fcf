#include "loadgen/model/peak.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A fall that no table would show is none, however narrow the intervals are. */
#define LOSS_LEAST 0.001

static bool is_usable(const struct point *point)
{
	return archs_is_limited(point->first.arch) && run_is_predicted(&point->first) &&
	       point->valid_runs > 0 && point->measured.count > 1;
}

static bool is_same_series(const struct point *a, const struct point *b)
{
	return run_same_load(&a->first, &b->first) && strcmp(a->first.arch, b->first.arch) == 0;
}

/* By t; of the same t, as they come. */
static int by_threads(const void *left, const void *right)
{
	const struct point *a = *(const struct point *const *)left;
	const struct point *b = *(const struct point *const *)right;

	if (a->first.threads != b->first.threads)
		return a->first.threads < b->first.threads ? -1 : 1;
	return (a > b) - (a < b);
}

static struct peak peak_of(const struct point *const *series, size_t count)
{
	struct peak peak = { .first = series[0], .last = series[count - 1] };
	size_t best = 0;

	for (size_t i = 1; i < count; i++)
		if (series[i]->measured.mean > series[best]->measured.mean)
			best = i;
	peak.points = (int64_t)count;
	peak.best = series[best];
	peak.last_level = series[best];
	for (size_t i = best + 1; i < count && !peak.fallen; i++) {
		const struct interval *later = &series[i]->measured;
		const struct interval *most = &peak.best->measured;

		if (later->mean + later->half < most->mean - most->half &&
		    later->mean < most->mean * (1 - LOSS_LEAST)) {
			peak.fallen = series[i];
			peak.loss = 1 - later->mean / most->mean;
		} else {
			peak.last_level = series[i];
		}
	}
	return peak;
}

static bool is_first(const struct point *points, int64_t index)
{
	for (int64_t i = 0; i < index; i++)
		if (is_usable(&points[i]) && is_same_series(&points[i], &points[index]))
			return false;
	return is_usable(&points[index]);
}

int64_t peaks_find(const struct point *points, int64_t count, struct peak **peaks)
{
	size_t room = (size_t)count + 1;
	const struct point **series = calloc(room, sizeof(const struct point *));
	int64_t found = 0;

	*peaks = calloc(room, sizeof(**peaks));
	if (!series || !*peaks) {
		free(*peaks);
		*peaks = NULL;
		free((void *)series);
		return -ENOMEM;
	}
	for (int64_t i = 0; i < count; i++) {
		size_t length = 0;

		if (!is_first(points, i))
			continue;
		for (int64_t j = i; j < count; j++)
			if (is_usable(&points[j]) && is_same_series(&points[i], &points[j]))
				series[length++] = &points[j];
		qsort((void *)series, length, sizeof(const struct point *), by_threads);
		if (length > 1)
			(*peaks)[found++] = peak_of(series, length);
	}
	free((void *)series);
	return found;
}
