/* The part of a report that sets a sweep beside another one. */
#pragma once
#include "loadgen/compare/side.h"
#include <stdio.h>

/*
 * Write, as Markdown, how the sweep in `directory` differs from the one in `other`, point by point:
 * throughput, CPU per request, latency and memory, each with its interval. Returns 0, or -errno
 * with a sentence in `why`, as side_read() does.
 */
int report_beside(FILE *file, const char *directory, const char *other, char why[SIDE_WHY_MAX]);
