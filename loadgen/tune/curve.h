/*
 * Throughput over the thread limit, as measured: where its plateau is, and the least t that comes
 * near to it. No model is in it; tune/explain.h says what the model makes of the same.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CURVE_POINTS_MAX = 64, CURVE_SAMPLES_MAX = 32 };

/* All that was measured at one t. */
struct curve_point {
	int64_t t;
	size_t count;
	double samples[CURVE_SAMPLES_MAX]; /* requests/s, one of each run */
	double mean;
};

struct curve {
	size_t count;
	struct curve_point points[CURVE_POINTS_MAX]; /* by t */
};

/* Between t that are further apart than that, as a ratio, a line says nothing of the curve. */
#define CURVE_BRACKET_MOST 1.12

/* What is as near to the plateau is on it, as a share. */
#define CURVE_LEVEL_SHARE 0.02

/* Add the throughput of a run. Returns 0, or -ENOSPC: no more t, or runs at that t, have room. */
int curve_add(struct curve *curve, int64_t t, double rps);

/* The point at t, or NULL. */
const struct curve_point *curve_find(const struct curve *curve, int64_t t);

/*
 * How far a run is from its point's mean: a standard deviation, as a share, over all points that
 * have several; `least` if that is more, or if none has.
 */
double curve_scatter(const struct curve *curve, double least);

/*
 * The plateau: the mean of the points that are within 2 % of the highest mean, and scatter; weighed
 * by their runs. 0 if there is no point.
 */
double curve_plateau(const struct curve *curve, double scatter);

/*
 * The t, as a real number, at which throughput crosses `share` of the plateau for the first time:
 * between two points by a line over ln t, of means that do not fall up to the highest one
 * (isotonic regression: of neighbours that fall, the mean). The least t measured, if that is above
 * already: *below is then true. 0 if there is no point.
 */
double curve_crossing(const struct curve *curve, double share, double scatter, bool *below);

/* What t is to be, and how well that is known. */
struct curve_answer {
	double plateau;  /* requests/s */
	double crossing; /* t at `share` of it */
	double low;      /* the 95 % interval of the crossing */
	double high;
	int64_t t; /* the least whole t at or above the crossing */
	bool open; /* the least t measured is there already: the crossing may be below it */
};

/*
 * Draw the curve anew 1,000 times, each mean with the error that its runs leave, and find the
 * crossing of each. The interval's ends are quantiles of these, and never nearer to the crossing
 * than by 5 %, as the machine is not the same all the time. If the points around the crossing are
 * no neighbours, and further apart than CURVE_BRACKET_MOST, all between them is in it. Returns 0,
 * or -ENODATA without a point.
 */
int curve_answer(const struct curve *curve, double share, uint64_t seed,
		 struct curve_answer *answer);

/* Widen its interval: it is that share of the crossing to both sides, at the least. */
void curve_widen(struct curve_answer *answer, double share);

/* X at t by the same lines; beyond the points, that of the nearest. */
double curve_value(const struct curve *curve, double t);
