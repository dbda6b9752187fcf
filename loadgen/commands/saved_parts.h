/*
 * The parts of a saved report that are more than single members: each is read into `report`, whose
 * root is the whole. All return 0, or -EINVAL or -ENOMEM with what is wrong in `why`.
 */
#pragma once
#include "loadgen/commands/load_saved.h"

/* The verdict, which must be that of its reasons. */
int saved_read_verdict(struct saved_report *report, char why[SAVED_WHY_MAX]);

int saved_read_settings(struct saved_report *report, char why[SAVED_WHY_MAX]);

/* The window's parts, which must be equal; needs its length. */
int saved_read_series(struct saved_report *report, char why[SAVED_WHY_MAX]);

/* The histograms, which must be of the requests that were read before, and of the latencies. */
int saved_read_latencies(struct saved_report *report, char why[SAVED_WHY_MAX]);
