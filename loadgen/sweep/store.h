/*
 * A sweep's folder: runs.csv, and beside it all that is needed to go on with it after it ended in
 * whatever way. A row is on disk as soon as it is measured; sweep.json holds the seed and the
 * budget, plan.ini the plan that a resumed sweep must be given again. runs.csv is locked while a
 * sweep writes to it.
 */
#pragma once
#include "loadgen/sweep/plan.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { STORE_WHY_MAX = 2 * PATH_MAX + 512 };

struct store {
	const char *folder;
	const char *plan_path;
	const struct plan *plan; /* that was read from there */
	int64_t seed;            /* in: 0, or as given; out: as it is recorded */
	int64_t budget_ns;       /* likewise; 0: none */
	FILE *runs;              /* at its end; NULL while it is not open */
	struct run *rows;        /* that were there */
	int64_t row_count;
	int64_t cut_line; /* the number of a last line that was cut short, and is gone; or 0 */
};

/*
 * Open the folder, with all but the last four fields set: for a sweep that begins, or, with
 * `resume`, for one that goes on, if there is one. Returns 0; 1 if what is asked for cannot be,
 * such as to begin where there is a sweep already; or -errno; with a sentence in `why`.
 * store_close() ends it, also after a failure.
 */
int store_open(struct store *store, bool resume, char why[STORE_WHY_MAX]);

void store_close(struct store *store);

/* The length of the text's whole lines; *cut_line is the number of one behind them, or 0. */
size_t store_whole_lines(const char *text, size_t length, int64_t *cut_line);

/*
 * Whether two plans say the same: line by line, but for comments and empty lines. Returns 0; 1 with
 * the first difference in `why`; or -errno with the reason there.
 */
int store_compare_plans(const char *there, const char *given, char why[STORE_WHY_MAX]);
