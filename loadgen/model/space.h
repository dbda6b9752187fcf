/*
 * How well the model fits over the whole space of c, w and t: effect sizes, where a verdict only
 * says yes or no. Shares are of the points, which are as many as the plan has, and of the space,
 * in which each cell of its logarithmic grid, a decade of c, w/c and t, counts the same.
 */
#pragma once
#include "loadgen/model/verdict.h"

enum space_times { SPACE_CONSTANT, SPACE_EXPONENTIAL, SPACE_TIMES };
enum space_region { SPACE_THREAD_BOUND, SPACE_KNEE, SPACE_CPU_BOUND, SPACE_REGIONS };
enum space_ruler { SPACE_NOMINAL, SPACE_CALIBRATED, SPACE_CURVE, SPACE_RULERS };

extern const char *const space_times_names[SPACE_TIMES];
extern const char *const space_region_names[SPACE_REGIONS];
extern const char *const space_ruler_names[SPACE_RULERS];

/* A prediction that is within this share of X fits. */
#define SPACE_NEAR 0.05

/* How often a ruler is near to X; shares are 0 where there is no point. */
struct space_fit {
	int64_t points;
	int64_t cells;
	double of_points;
	double of_space;
};

/* Residuals of points: how far they are outside the band that their verdict is about. */
struct space_spread {
	enum space_times times;
	enum space_region region;
	int64_t cpu_ns;
	int64_t points;
	double median;                /* of the sizes */
	double bias;                  /* the median with its sign */
	double worst;                 /* the largest, with its sign */
	const struct point *worst_at; /* NULL if there is no point */
};

/* What a model that holds has to show, and what was found. */
struct space_claim {
	const char *what;
	double most; /* of the figure */
	double figure;
	int64_t points; /* 0: nothing was found */
	bool met;
};

enum { SPACE_CLAIMS = 6 };

struct space {
	int64_t points; /* that have a prediction */
	int64_t judged; /* of those: the others are inconclusive or invalid */
	int64_t inconclusive;
	int64_t invalid;
	int64_t cells;
	int64_t judged_cells;
	struct space_fit fits[SPACE_TIMES + 1][SPACE_RULERS]; /* [SPACE_TIMES]: of all points */
	struct space_claim claims[SPACE_CLAIMS];
	struct space_spread *spreads; /* those that have a point, by times, region and c */
	int64_t spread_count;
};

enum space_times space_times_of(const struct run *run);

/* Thread-bound: n·c/(k·w) below 0.75; the knee: up to 1.5; and CPU-bound. */
enum space_region space_region_of(const struct point *point);

/* X over what the ruler says, less 1. */
double space_residual(const struct point *point, enum space_ruler ruler);

/*
 * Returns 0, or -ENOMEM. `points` are borrowed: they have to outlive *space, which the caller ends
 * with space_free(), also after a failure.
 */
int space_of_points(const struct point *points, int64_t count, struct space *space);

void space_free(struct space *space);
