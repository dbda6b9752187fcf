/* What `cwt load` does besides one run of its own engine. All return exit statuses. */
#pragma once
#include "loadgen/commands/load_job.h"

/* What of the job wrk cannot do, as a sentence in `why` (WRK_WHY_MAX is enough). NULL: nothing. */
const char *load_wrk_refusal(const struct load_job *job, char *why, size_t size);

/* --engine wrk: as load_measure(), with the result in the same places. */
int load_measure_wrk(struct load_job *job);

/* --compare-engines: the engine and wrk alternately, and whether they agree. Prints that. */
int load_compare_engines(struct load_job *job);

/*
 * --search slo=...: the highest rate of an open loop that meets the bound, by bisection with
 * repeated probes. Prints the interval in which it lies.
 */
int load_search_slo(struct load_job *job);

/* --search saturation: the number of connections at which throughput stops growing. Prints it. */
int load_search_saturation(struct load_job *job);

/* cwt load --merge FILE...: join the reports of processes that ran at the same time. */
int load_merge(int argc, char **argv);
