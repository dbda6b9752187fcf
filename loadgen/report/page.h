/*
 * report.html: what report.md says, as one page with nothing outside of it. The figures are in it,
 * each with its data as tables below; it is read light or dark, on a telephone, in print, and runs
 * no script.
 */
#pragma once
#include "loadgen/report/summary.h"

/* Write DIR/report.html from DIR/report.md and DIR/figures. 0, or -errno with a sentence in `why`.
 */
int page_write(const char *directory, char why[SUMMARY_WHY_MAX]);
