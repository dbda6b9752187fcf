/* The sections of report.md about single points and runs: latency, and whether a run counts. */
#pragma once
#include "loadgen/report/summary.h"
#include <stdio.h>

/* Percentiles of each point that has a valid run: medians over those. */
void runs_write_latency(FILE *file, const struct summary *summary);

/* Every run, with the audits that it fails: they are what makes its figure count, or not. */
void runs_write_audits(FILE *file, const struct summary *summary);
