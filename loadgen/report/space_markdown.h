/*
 * The sections of report.md that say whether the model holds, and where and why not: each stands by
 * itself, under its own heading, so that a page can be made of them.
 */
#pragma once
#include "loadgen/report/figures.h"

/* How well it fits: shares, claims, residuals by region. */
void space_write_fit(FILE *file, const struct summary *summary);

/* Where it fails, region by region, with the cause. */
void space_write_failures(FILE *file, const struct summary *summary);

/* The maps of residuals, drawn and as tables. */
void space_write_maps(FILE *file, const struct summary *summary, const bool drawn[FIGURES]);

/* t_max. */
void space_write_peaks(FILE *file, const struct summary *summary, const bool drawn[FIGURES]);

/* The crossover. */
void space_write_leads(FILE *file, const struct summary *summary, const bool drawn[FIGURES]);
