/* cwt load: drive a server and say what came of it. */
#include "common/clock.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_job.h"
#include "loadgen/commands/load_modes.h"
#include "loadgen/commands/load_report.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int measure_and_report(struct load_job *job)
{
	int rc = job->engine == ENGINE_WRK ? load_measure_wrk(job) : load_measure(job);
	int written;

	if (rc == CWT_INTERRUPTED || (job->result.interrupted && job->result.window_ns == 0))
		return load_report_nothing();
	if (rc != CWT_OK)
		return rc;
	written = load_report(job);
	rc = load_status(job);
	return rc == CWT_OK ? written : rc;
}

static int run(struct load_job *job)
{
	if (job->compare_engines)
		return load_compare_engines(job);
	switch (job->search) {
	case SEARCH_SLO:
		return load_search_slo(job);
	case SEARCH_SATURATION:
		return load_search_saturation(job);
	default:
		return measure_and_report(job);
	}
}

/* A report that did not reach its reader is a failure, whatever it says. */
static int flush_report(int rc)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	options_fail("cwt load", "the report could not be written to stdout: %s", strerror(errno));
	return CWT_BROKEN;
}

int command_load(int argc, char **argv)
{
	struct load_job *job;
	int rc;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--merge") == 0)
			return flush_report(load_merge(argc, argv));
	job = calloc(1, sizeof(*job));
	if (!job)
		return options_fail("cwt load", "out of memory");
	job->config = (struct load_config){
		.connections = 64,
		.ramp_ns = LOAD_RAMP_AUTO,
		.warmup_ns = NS_PER_S / 2,
		.window_ns = 10LL * NS_PER_S,
		.timeout_ns = 30LL * NS_PER_S,
		.spin_ns = 100 * NS_PER_US,
	};
	job->calibrate_ns = NS_PER_S / 4;
	job->pairs = 5;
	rc = load_options(job, argc, argv);
	if (rc == COMMAND_GOES_ON) {
		command_catch_stop();
		rc = run(job);
	}
	load_job_free(job);
	free(job);
	return flush_report(rc);
}
