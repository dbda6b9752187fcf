/* The figures of a run that a plan can name: what its evidence draws, and what is to be precise. */
#pragma once
#include "loadgen/sweep/plan.h"

enum { FIGURE_WINDOWS_MAX = 256 };

/*
 * The figure of that run: requests/s, CPU in s per request, switches per request, PSS and what was
 * taken of MemAvailable in bytes, p99 in s. The run has requests.
 */
double figure_of(const struct run *run, enum plan_y figure);

/* The throughputs of the parts of its window, in requests/s. Returns their number. */
size_t figure_windows(const struct run *run, double samples[FIGURE_WINDOWS_MAX]);
