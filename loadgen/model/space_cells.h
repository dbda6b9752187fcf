/*
 * The grid that the space is divided by, a cell for each decade of c, w/c and t: how many cells
 * have a point, and how often each ruler fits where they count the same. Within model/ only:
 * space.h is what others use.
 */
#pragma once
#include "loadgen/model/space.h"

/* Set space->cells, judged_cells and fits. */
void space_find_cells(const struct point *points, int64_t count, struct space *space);
