/* What was found over the space, in sentences and tables that reports share. */
#pragma once
#include "loadgen/report/summary.h"
#include <stdio.h>

enum { WORDS_MAX = 1024 };

/* "−4.2 %", with the sign of a share; "0.0 %" without one. Returns text. */
char *words_percent(char text[WORDS_MAX], double share);

/* "×9.93", "×9925": how many times as much. Returns text. */
char *words_times(char text[WORDS_MAX], double ratio);

/* Half of an interval, in two digits or whole: "0.83", "290". Returns text. */
char *words_half(char text[WORDS_MAX], double half);

/* Which points a region has, and how far off they are: no cause, no full stop. Returns text. */
char *words_region(char text[WORDS_MAX], const struct region *region);

/* The cause of a region, with the figures of its worst point: "switches (5.2 ...)". Returns text.
 */
char *words_cause(char text[WORDS_MAX], const struct region *region);

/* How the points stand: judged, inconclusive, invalid, and cells of the grid. Returns text. */
char *words_coverage(char text[WORDS_MAX], const struct space *space);

/* "met", "not met", or that there are no points. */
const char *words_claim(const struct space_claim *claim);

/* A table: how often each ruler is within 5 % of X, by kind of times. */
void words_write_fits(FILE *file, const struct space *space);

/* A table: what a model that holds has to show, and what was found. */
void words_write_claims(FILE *file, const struct space *space);
