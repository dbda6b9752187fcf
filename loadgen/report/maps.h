/*
 * Maps of the space: a panel for each c and kind of times, in it a cell for each w/c (rows) and t
 * (columns). The same cells are drawn by gnuplot from a data file and written as Markdown tables,
 * so that nobody depends on colours.
 */
#pragma once
#include "loadgen/report/summary.h"
#include <stdio.h>

enum maps_kind {
	MAPS_RESIDUAL, /* X over the prediction that is to hold, less 1 */
	MAPS_NOMINAL,  /* X over min(k/c, t/w) as published, less 1 */
	MAPS_LEAD,     /* X of loop over X of pool, less 1 */
};

/* Whether the points are a space: of 3 t and 2 w/c at the least for the same c. */
bool maps_is_space(const struct summary *summary);

/*
 * Write the data file of a map: a block for each panel. Returns the number of cells that have a
 * value: 0 if the points are no space.
 */
int64_t maps_write_data(const struct summary *summary, enum maps_kind kind, FILE *file);

/* Write the map's panels as Markdown tables, each under its title. Returns the cells, likewise. */
int64_t maps_write_tables(const struct summary *summary, enum maps_kind kind, FILE *file);

/* Write X over t of each panel and w/c, as a share of k/c, with t_max. Returns the points. */
int64_t maps_write_peaks(const struct summary *summary, FILE *file);
