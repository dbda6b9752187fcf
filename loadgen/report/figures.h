/*
 * The figures of a report. For each, a data file that anyone can plot again, and an SVG that
 * gnuplot draws from it by scripts/plots/NAME.gp.
 */
#pragma once
#include "loadgen/report/summary.h"
#include <stdbool.h>

enum figure {
	FIGURE_SERIES,    /* the plan's evidence: lines over its x */
	FIGURE_CASES,     /* measured against predicted, case by case */
	FIGURE_THREADS,   /* throughput over t, with both bounds and the closed network */
	FIGURE_CROSSOVER, /* loop over pool, over w/c */
	/* Over the whole space, if there is one (maps.h). */
	FIGURE_RESIDUAL, /* measured over predicted, over w/c and t */
	FIGURE_NOMINAL,  /* the same over the published model */
	FIGURE_PEAKS,    /* throughput over t, with t_max */
	FIGURE_LEAD,     /* loop over pool, over w/c and t */
	FIGURES,
};

enum { FIGURES_SWEEP_MAX = 256 };

extern const char *const figure_names[FIGURES];

/*
 * Draw what the points allow into DIR/figures. drawn[] tells which figures there are then.
 * Returns 0, or -errno with a sentence in `why`.
 */
int figures_draw(const char *directory, const struct summary *summary, bool drawn[FIGURES],
		 char why[SUMMARY_WHY_MAX]);

/* Write those that were drawn as PNG, too, at twice their size in pixels. As figures_draw(). */
int figures_convert(const char *directory, const bool drawn[FIGURES], char why[SUMMARY_WHY_MAX]);

/*
 * The points of the widest sweep over t: those of a limited architecture that differ in t alone.
 * Indices into summary->points in chosen[], by rising t. Returns their number; 0 if there are
 * fewer than three.
 */
int figures_thread_sweep(const struct summary *summary, int64_t *chosen, int room);

/* Whether a figure of the model has the point: it is valid, and has a prediction. */
bool figures_is_judged(const struct point *point);

/*
 * The valid evented point of the same load as `point`: that of `loop` if there is one; NULL if
 * there is none at all.
 */
const struct point *figures_evented_twin(const struct summary *summary, const struct point *point);

/*
 * Whether the figure of the sweep over t, as figures_thread_sweep() chose it, shows the point's
 * case and t already: but a t at which the evented server was measured in the same case is a case
 * of its own.
 */
bool figures_is_of_sweep(const struct summary *summary, const struct point *point,
			 const int64_t *sweep, int swept);
