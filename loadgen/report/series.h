/*
 * A sweep's points as lines over the plan's x: an architecture variant and whatever else differs
 * among its points make a series. For plans that name their evidence (plan.h).
 */
#pragma once
#include "loadgen/report/summary.h"
#include <stdio.h>

enum { SERIES_NAME_MAX = 160 };

struct series_row {
	int64_t point; /* in summary->points */
	int64_t series;
	double x; /* ms of a wall; of arch, its place among the architectures */
};

struct series_list {
	struct series_row *rows; /* by series, then by x */
	int64_t count;
	char (*names)[SERIES_NAME_MAX];
	int64_t series;
};

/* Group all points. Returns 0 or -ENOMEM. The caller ends it with series_free(). */
int series_group(const struct summary *summary, struct series_list *list);

void series_free(struct series_list *list);

/*
 * Write series.dat: what series.gp needs to know in comments, and a block for each series. Returns
 * the number of valid points, or -ENOMEM.
 */
int64_t series_write_data(const struct summary *summary, FILE *file);

/* The value of x as people write it: "1000", "10ms", "loop --events poll", or "any t". */
const char *series_format_x(const struct summary *summary, const struct run *run, char *text,
			    size_t size);
