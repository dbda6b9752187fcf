/* What was found over the space in a few lines: for a terminal, and for a pull request. */
#pragma once
#include "loadgen/report/summary.h"
#include <stdio.h>

/* Effect sizes, claims, the largest regions where it fails, t_max and crossover, as plain text. */
void space_write_text(FILE *file, const struct summary *summary);

/* The same, shorter, as Markdown. Returns 0, or -errno with a sentence in `why`. */
int space_write_pull_request(const char *path, const struct summary *summary,
			     char why[SUMMARY_WHY_MAX]);
