/*
 * Many tests at once: of 100 points that have not changed, five would be "significant" at 5 %.
 * Holm's procedure (A simple sequentially rejective multiple test procedure, Scandinavian Journal
 * of Statistics 1979) keeps the probability of even one false alarm among all of them at the level,
 * whatever depends on what, and never finds less than Bonferroni's does.
 */
#pragma once
#include <stddef.h>

/*
 * p-values that are corrected for their number, in the same order: what is at or below the level
 * then is found. Returns 0 or -ENOMEM.
 */
int holm_adjust(const double *p, size_t count, double *adjusted);
