/*
 * The figures of a report. For each, a data file that anyone can plot again, and an SVG that
 * gnuplot draws from it by scripts/plots/NAME.gp.
 */
#pragma once
#include "loadgen/report/summary.h"
#include <stdbool.h>

enum figure {
	FIGURE_CASES,     /* measured against predicted, case by case */
	FIGURE_THREADS,   /* throughput over t, with both bounds and the closed network */
	FIGURE_CROSSOVER, /* evented over threaded, over w/c */
	FIGURES,
};

extern const char *const figure_names[FIGURES];

/*
 * Draw what the points allow into DIR/figures. drawn[] tells which figures there are then.
 * Returns 0, or -errno with a sentence in `why`.
 */
int figures_draw(const char *directory, const struct summary *summary, bool drawn[FIGURES],
		 char why[SUMMARY_WHY_MAX]);

/*
 * The points of the widest sweep over t: those of a limited architecture that differ in t alone.
 * Indices into summary->points in chosen[], by rising t. Returns their number; 0 if there are
 * fewer than three.
 */
int figures_thread_sweep(const struct summary *summary, int64_t *chosen, int room);

/* The valid evented point with the same service, wait, c and w as `point`, or NULL. */
const struct point *figures_evented_twin(const struct summary *summary, const struct point *point);
