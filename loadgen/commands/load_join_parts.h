/* The parts of load_join.h that are more than sums and maxima. */
#pragma once
#include "loadgen/commands/load_join.h"

/*
 * The reasons of all, by kind, each with its report's name before it. `overlap` is the share of the
 * longest window that all windows have in common.
 */
void load_join_verdict(struct load_job *job, const struct load_joined *joined, int count,
		       double overlap);

/* Settings that all agree in; null is one that they don't. Threads are summed, URLs listed. */
void load_join_settings(struct load_job *job, const struct load_joined *joined, int count);

/*
 * The server's figures, if just one report has them and all drove the same host. Its CPU time and
 * switches are then for the requests of all.
 */
void load_join_server(struct load_job *job, const struct load_joined *joined, int count);

/*
 * Rows added by their number, as many as all have, if they are of the same length: they are as much
 * apart as the windows' starts. None if the lengths differ. Percentiles are not known. Returns 0 or
 * -ENOMEM.
 */
int load_join_series(struct load_job *job, const struct load_joined *joined, int count);
