/* Searches of `cwt load`: the runs that engine/search.h asks for, each judged like any other. */
#include "loadgen/commands/load_search.h"
#include "common/clock.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_modes.h"
#include "loadgen/commands/load_report.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_TRY 0.7 /* of the closed loop's throughput: where the search begins */

static void show_progress(const struct search_run *search, const struct search_ask *ask)
{
	const struct load_job *job = search->job;
	double probe_s = (double)(ask->window_ns + job->config.warmup_ns) / NS_PER_S;
	char between[64] = "";
	char left[64] = "no end in sight yet";
	char line[160];

	if (!isatty(STDERR_FILENO))
		return;
	if (ask->low > 0 && isfinite(ask->high))
		snprintf(between, sizeof(between), ", between %.6g and %.6g", ask->low, ask->high);
	if (isfinite(ask->probes_left))
		snprintf(left, sizeof(left), "%s %.0f s left",
			 job->search == SEARCH_SLO ? "some" : "at the most",
			 ceil(ask->probes_left * probe_s));
	snprintf(line, sizeof(line), "probe %d: %.6g %s%s, %s", search->count + 1, ask->at,
		 job->search == SEARCH_SLO ? "requests/s" : "connections", between, left);
	fprintf(stderr, "\r%-79s", line);
}

static void erase_progress(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%79s\r", "");
}

/* Run once. Returns CWT_OK with the result in the job, which is a whole run's. */
static int run_once(struct load_job *job)
{
	int rc = load_measure(job);

	if (rc == CWT_OK && job->result.interrupted)
		return CWT_INTERRUPTED;
	if (rc == CWT_OK && job->result.target_died)
		return options_fail("cwt load", "%s: the target has died", job->url);
	return rc;
}

static int probe(void *context, const struct search_ask *ask, struct search_probe *probe)
{
	struct search_run *search = context;
	struct load_job *job = search->job;

	/* Another sample of all that is random, not the same again. */
	job->schedule.seed++;
	job->config.seed++;
	job->config.window_ns = ask->window_ns;
	if (job->search == SEARCH_SLO)
		job->schedule.rate = ask->at;
	else
		job->config.connections = (int64_t)ask->at;
	show_progress(search, ask);
	search->status = run_once(job);
	erase_progress();
	if (search->status != CWT_OK)
		return -1;
	*probe = (struct search_probe){
		.throughput = job->result.throughput,
		.latency_ns = slo_value_ns(&job->slo, &job->result.latency),
		.verdict = job->verdict.verdict,
		.is_short = !load_is_open_loop(job) && job->result.never_served > 0 &&
			    job->result.error_count > 0,
	};
	search->records[search->count++] = (struct search_run_probe){ ask->at, *probe };
	if (probe->verdict == INVALID_CLIENT)
		search->client = job->verdict.reasons[0];
	return 0;
}

/*
 * What the server does when it is asked as fast as it answers: near there the search for a rate
 * begins. Whether it was the server or the generator that was at its limit does not matter for
 * that.
 */
static int find_first(struct search_run *search)
{
	struct load_job *job = search->job;
	const struct validity_reason *reason = job->verdict.reasons;

	job->config.schedule = NULL;
	search->status = run_once(job);
	erase_progress();
	job->config.schedule = &job->schedule;
	if (search->status == CWT_INTERRUPTED)
		return load_report_nothing();
	if (search->status != CWT_OK)
		return search->status;
	if (job->verdict.verdict == INVALID_ERRORS || !(job->result.throughput > 0)) {
		options_fail("cwt load", "%s: no search: in the closed loop before it, %s; %s",
			     job->url, job->verdict.count > 0 ? reason->figure : "no reply came",
			     job->verdict.count > 0 ? reason->remedy : "raise --duration");
		return CWT_INVALID;
	}
	search->closed_rps = job->result.throughput;
	return CWT_OK;
}

int load_search_slo(struct load_job *job)
{
	struct search_run *found = calloc(1, sizeof(*found));
	struct search search = { probe, found, job->config.window_ns };
	struct search_rate answer;
	int rc;

	if (!found)
		return options_fail("cwt load", "out of memory");
	found->job = job;
	rc = find_first(found);
	if (rc != CWT_OK)
		goto out;
	found->end = search_rate(&search, &job->slo, FIRST_TRY * found->closed_rps, &answer);
	if (found->end == SEARCH_STOPPED && found->status != CWT_INTERRUPTED)
		rc = found->status;
	else if (found->count == 0)
		rc = load_report_nothing();
	else
		rc = load_search_report_rate(found, &answer);
out:
	free(found);
	return rc;
}

int load_search_saturation(struct load_job *job)
{
	struct search_run *found = calloc(1, sizeof(*found));
	struct search search = { probe, found, job->config.window_ns };
	struct search_connections answer;
	int rc;

	if (!found)
		return options_fail("cwt load", "out of memory");
	found->job = job;
	job->slo.quantile = SLO_MEAN; /* the latency that the report has of each probe */
	found->end = search_connections(&search, job->config.threads, job->config.connections,
					job->config.pipeline, &answer);
	if (found->end == SEARCH_STOPPED && found->status != CWT_INTERRUPTED)
		rc = found->status;
	else if (found->count == 0)
		rc = load_report_nothing();
	else
		rc = load_search_report_connections(found, &answer);
	free(found);
	return rc;
}
