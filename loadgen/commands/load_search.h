/* What the searches of `cwt load` have found, as they hand it to their report. */
#pragma once
#include "loadgen/commands/load_job.h"
#include "loadgen/engine/search.h"

struct search_run_probe {
	double at; /* requests per second, or connections */
	struct search_probe probe;
};

struct search_run {
	struct load_job *job;
	struct search_run_probe records[SEARCH_PROBES_MAX];
	int count;
	int status;        /* CWT_OK, or with what the run has ended at which the search ended */
	double closed_rps; /* of the rate: the closed loop's throughput, where it began */
	enum search_end end;
	struct validity_reason client; /* why the generator was the limit when it was so last */
};

/* Print what is known of the rate, as text or JSON. Returns the exit status. */
int load_search_report_rate(const struct search_run *search, const struct search_rate *answer);

/* The same of connections. */
int load_search_report_connections(const struct search_run *search,
				   const struct search_connections *answer);
