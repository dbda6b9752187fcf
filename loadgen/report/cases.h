/*
 * The figure `cases`: what was predicted and measured, case by case, the architectures side by
 * side. A row is a case and a t; an architecture without t is in all rows of its load.
 */
#pragma once
#include "loadgen/report/summary.h"
#include <stdio.h>

/*
 * Write cases.dat: a block of the rows, then one for each architecture. Returns the number of
 * rows, or -ENOMEM.
 */
int64_t cases_write_data(const struct summary *summary, FILE *file);
