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

/*
 * The throughput of a run, with the window's middle weighing most and its edges nothing: a triangle
 * (Bartlett's window; Harris, Proc. IEEE 1978). Replies to equal requests come in bunches, one a
 * turn of all connections, and a window of m turns has one more or less at its edges: of the plain
 * mean that is 1/m, of this one 1/m^2, or 2 % where bunches keep step with the 64 parts. 0 without
 * parts.
 */
double figure_tapered(const struct run *run);
