/* report.md: the verdict first, then the table, the figures, the costs, and the machine. */
#pragma once
#include "loadgen/report/figures.h"

/*
 * Write DIR/report.md. `beside` is Markdown about other sweeps, which goes after the verdict; or
 * "". Returns 0, or -errno with a sentence in `why`.
 */
int markdown_write(const char *directory, const struct summary *summary, const bool drawn[FIGURES],
		   const char *beside, char why[SUMMARY_WHY_MAX]);
