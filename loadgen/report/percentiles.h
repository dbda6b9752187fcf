/*
 * The figure `percentiles`: latency over the percentile, on an axis of 1/(1-q), where every step
 * from 90 % to 99 % to 99.9 % is as wide, as HdrHistogram's plots have it.
 */
#pragma once
#include "loadgen/engine/histogram.h"
#include <limits.h>
#include <stdio.h>

enum { PERCENTILES_WHY_MAX = PATH_MAX + 512 };

/*
 * Write a block of data for gnuplot: the name in quotes, then lines of the percentile, 1/(1-q) and
 * the value in ns, from the least to as far as the records support: n of them know of nothing
 * beyond 1-1/n. Two empty lines go between blocks. Returns the number of lines, 0 with nothing
 * written if nothing was recorded, or -errno.
 */
int percentiles_write(FILE *file, const char *name, const struct histogram *histogram);

/* Where the data of a figure goes: the same name, with .dat for .svg. 0 or -ENAMETOOLONG. */
int percentiles_data_path(const char *svg_path, char path[PATH_MAX]);

/*
 * Draw the latencies from the intended time and from the send, in ns, into `svg_path`, and leave
 * their data beside it. `intended` is NULL if the load had no schedule. One without a record is
 * left out. Returns 0, or -errno with a sentence in `why`; -ENODATA if there is nothing to draw.
 */
int percentiles_plot(const char *svg_path, const char *title, const struct histogram *intended,
		     const struct histogram *sent, char why[PERCENTILES_WHY_MAX]);
