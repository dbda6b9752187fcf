/* What the runs of a point say about the model (model.md). */
#pragma once
#include "loadgen/model/audit.h"
#include "loadgen/stats/interval.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum verdict {
	VERDICT_HOLDS,
	VERDICT_BELOW,
	VERDICT_ABOVE,
	VERDICT_INCONCLUSIVE,
	VERDICT_INVALID,
	VERDICT_MEASURED, /* a point that the model has no prediction for */
	VERDICTS,
};

extern const char *const verdict_names[];

enum { VERDICT_WHY_MAX = 400 };

/* A point: all repetitions of the same server under the same load. */
struct point {
	struct run first; /* what was asked; metered values are those of the first valid run */
	int runs;
	int valid_runs;
	struct interval measured; /* requests/s: over the valid runs, or over one run's windows */
	/* The predictions are 0 where the point has none: run_is_predicted(). */
	double nominal_rps;    /* min(k/c, t/w), or k/c for an evented server */
	double calibrated_rps; /* the same of c_cal, w_cal, and what N allows */
	double curve_rps;      /* the closed network of c_cal, w_cal */
	double cpu_cal_s;
	double wall_cal_s;
	double load; /* n·c/(k·w): 1 at t*, the middle of the knee */
	bool knee;   /* load is in 0.75...1.5 */
	enum verdict verdict;
	char why[VERDICT_WHY_MAX]; /* where it is neither `holds` nor `measured` */
	double switches;           /* context switches per request, median over the runs */
	double server_cpu_s;       /* CPU per request, likewise */
	double client_busy;        /* the generator's share of a core, the largest */
	double p99_s;
	double rss_bytes;
	double pss_bytes;
	double available_bytes; /* what the server took of MemAvailable, from start to window's end
				 */
	bool client_bound;      /* the generator was the limit: throughput is a lower bound */
};

/*
 * Group the runs into points, in the order in which they first appear, and judge each. Returns
 * the number of points in *points, which the caller frees, or -errno.
 */
int64_t verdict_of_runs(const struct run *runs, int64_t count, struct point **points);

/* The point as a JSON object, with the names that scripts rely on. A new reference. */
json_t *verdict_to_json(const struct point *point);
