#include "loadgen/model/lead.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_measured(const struct point *point, const char *arch)
{
	return strcmp(point->first.arch, arch) == 0 && run_is_predicted(&point->first) &&
	       point->valid_runs > 0 && point->measured.count > 1;
}

static const struct point *loop_of(const struct point *points, int64_t count,
				   const struct point *pool)
{
	for (int64_t i = 0; i < count; i++)
		if (is_measured(&points[i], "loop") &&
		    run_same_load(&points[i].first, &pool->first))
			return &points[i];
	return NULL;
}

/*
 * There are no more requests at once than threads, and too few to keep the processors busy: both
 * serve them all, and neither could be ahead.
 */
static bool is_starved(const struct run *loop, const struct run *pool)
{
	return loop->connections <= pool->threads &&
	       (double)loop->connections * (double)loop->cpu_ns <
		       (double)loop->wall_ns * (double)loop->cores;
}

static int by_place(const void *left, const void *right)
{
	const struct run *a = &((const struct lead *)left)->pool->first;
	const struct run *b = &((const struct lead *)right)->pool->first;
	const char *const words[][2] = { { a->service, b->service },
					 { a->wait, b->wait },
					 { a->work, b->work },
					 { a->distribution, b->distribution } };
	const int64_t pairs[][2] = { { a->cpu_ns, b->cpu_ns },
				     { a->wall_ns, b->wall_ns },
				     { a->footprint_bytes, b->footprint_bytes },
				     { a->idle, b->idle },
				     { a->threads, b->threads } };
	int order = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && order == 0; i++)
		order = strcmp(words[i][0], words[i][1]);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]) && order == 0; i++)
		order = (pairs[i][0] > pairs[i][1]) - (pairs[i][0] < pairs[i][1]);
	return order;
}

int64_t leads_find(const struct point *points, int64_t count, struct lead **leads)
{
	int64_t found = 0;

	*leads = calloc((size_t)count + 1, sizeof(**leads));
	if (!*leads)
		return -ENOMEM;
	for (int64_t i = 0; i < count; i++) {
		const struct point *pool = &points[i];
		const struct point *loop =
			is_measured(pool, "pool") ? loop_of(points, count, pool) : NULL;
		struct lead *lead = &(*leads)[found];

		if (!loop || is_starved(&loop->first, &pool->first))
			continue;
		lead->pool = pool;
		lead->loop = loop;
		lead->ratio = loop->measured.mean / pool->measured.mean;
		lead->half = lead->ratio * hypot(loop->measured.half / loop->measured.mean,
						 pool->measured.half / pool->measured.mean);
		lead->predicted = loop->nominal_rps / pool->nominal_rps;
		found++;
	}
	if (found > 0)
		qsort(*leads, (size_t)found, sizeof(**leads), by_place);
	return found;
}

/* Leads of a load lie side by side, by rising t. */
static struct lead_end end_of(const struct lead *leads, int64_t count)
{
	struct lead_end end = { .first = leads };

	for (int64_t i = 0; i < count; i++) {
		const struct lead *lead = &leads[i];

		if (lead->ratio > 1 + LEAD_LEVEL) {
			end.last_ahead = lead;
			end.first_level = NULL;
		} else if (!end.first_level) {
			end.first_level = lead;
		}
		if (lead->ratio + lead->half < 1 / (1 + LEAD_LEVEL) &&
		    (!end.pool_ahead || lead->ratio < end.pool_ahead->ratio))
			end.pool_ahead = lead;
	}
	return end;
}

int64_t lead_ends_find(const struct lead *leads, int64_t count, struct lead_end **ends)
{
	int64_t found = 0;
	int64_t length;

	*ends = calloc((size_t)count + 1, sizeof(**ends));
	if (!*ends)
		return -ENOMEM;
	for (int64_t i = 0; i < count; i += length) {
		length = 1;
		while (i + length < count &&
		       run_same_load(&leads[i].pool->first, &leads[i + length].pool->first))
			length++;
		(*ends)[found++] = end_of(&leads[i], length);
	}
	return found;
}
