/* What the runs of a point say about the model (docs/model.md). */
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

/*
 * What was counted at a point beside its throughput, from which causes are told: medians over its
 * valid runs, over all runs if none is valid. Times and switches are for each request.
 */
struct point_counts {
	double cpu_alone_s; /* of one connection alone */
	double mean_s;      /* latency, like the next four */
	double p50_s;
	double p90_s;
	double p999_s;
	double max_s;
	double run_delay_s; /* ready, but not on a processor */
	double lag_p99_s;   /* of the generator */
	double busy;        /* the share of the server's processors that it used */
	double available_before_bytes;
	double available_after_bytes;
	double never_served; /* connections, the most of any run, like the next two */
	double dropped;      /* by the listen queue */
	double client_busy;  /* the generator's share of a core */
};

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
	/*
	 * The band in which X must lie. Exponential times: the curve, and nothing else. Constant
	 * ones: calibrated_rps; in the knee, from the curve to that.
	 */
	double lower_rps;
	double upper_rps;
	double residual; /* how far X is outside the band, as a share of its edge; 0 inside */
	double cpu_cal_s;
	double wall_cal_s;
	double population; /* n, how many requests can be in the server at once */
	double load;       /* n·c/(k·w): 1 at t*, the middle of the knee */
	bool knee;         /* load is in 0.75...1.5 */
	enum verdict verdict;
	char why[VERDICT_WHY_MAX]; /* where it is neither `holds` nor `measured` */
	double switches;           /* context switches per request, median over the runs */
	double server_cpu_s;       /* CPU per request, likewise */
	double p99_s;
	double rss_bytes;
	double pss_bytes;
	double available_bytes; /* what the server took of MemAvailable, from start to window's end
				 */
	struct point_counts counts;
};

/*
 * How far X may lie outside the band: 5 % of the curve for exponential times, audit_tolerance() for
 * constant ones.
 */
double verdict_tolerance(const struct run *run);

/* Whether the point was judged: it has a prediction, and enough valid runs to hold against it. */
bool verdict_is_judged(const struct point *point);

/* Whether the generator was the limit: throughput is a lower bound. */
bool verdict_is_client_bound(const struct point *point);

/*
 * Set prediction, band, residual and verdict of a point whose other fields are filled: what was
 * asked, metered and measured, and how many runs were valid.
 */
void verdict_judge(struct point *point);

/*
 * Group the runs into points, in the order in which they first appear, and judge each. Returns
 * the number of points in *points, which the caller frees, or -errno.
 */
int64_t verdict_of_runs(const struct run *runs, int64_t count, struct point **points);

/* The point as a JSON object, with the names that scripts rely on. A new reference. */
json_t *verdict_to_json(const struct point *point);
