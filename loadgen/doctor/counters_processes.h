/* Which processes used CPU time: the part of counters.h that has to look at all of them. */
#pragma once
#include "loadgen/doctor/counters.h"

/* All processes, in the order of their ids; the caller frees them. NULL without memory. */
struct counters_process *counters_processes(const char *root, size_t *count);

/*
 * Those that used the most time between two readings, children that have ended included, in
 * load->busiest; load->ns is set.
 */
void counters_busiest(const struct counters *before, const struct counters *after, int self,
		      struct facts_load *load);
