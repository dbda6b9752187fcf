/* wrk's opinion: as a run's result, and beside our own. */
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_modes.h"
#include "loadgen/commands/load_report.h"
#include "loadgen/stats/agree.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIGURES = 3, PAIRS_MAX = 1000 };

#define AGREE_TOLERANCE 0.05

/* wrk's words for errors, in ours. What it calls a read error is any of several. */
static const enum load_error errors_of[WRK_ERRORS] = {
	[WRK_ERROR_CONNECT] = LOAD_ERROR_CONNECT, [WRK_ERROR_READ] = LOAD_ERROR_RESET,
	[WRK_ERROR_WRITE] = LOAD_ERROR_RESET,     [WRK_ERROR_STATUS] = LOAD_ERROR_STATUS,
	[WRK_ERROR_TIMEOUT] = LOAD_ERROR_TIMEOUT,
};

static void take_result(struct load_job *job)
{
	const struct wrk_result *wrk = job->wrk;
	struct load_result *result = &job->result;

	memset(result, 0, sizeof(*result));
	result->requests = wrk->requests;
	result->all_requests = wrk->requests;
	result->window_ns = wrk->duration_ns;
	result->throughput = wrk->throughput;
	result->client_cpu_ns = wrk->cpu_ns;
	result->latency = wrk->latency;
	result->sent_latency = wrk->latency;
	for (int i = 0; i < WRK_ERRORS; i++) {
		result->errors[errors_of[i]] += wrk->errors[i];
		result->error_count += wrk->errors[i];
	}
	result->interrupted = atomic_load(job->config.stop);
}

/*
 * Of wrk's run it is known what went wrong, and whether its figures hang together: in a closed loop
 * N = X·R (Little 1961), unless some connections were never served, which it does not say.
 */
static void judge(struct load_job *job)
{
	const struct load_result *result = &job->result;
	struct fail_errors errors =
		fail_on_errors(&job->fail_on, result->errors, result->all_requests);
	struct validity_facts facts = {
		.window_ns = result->window_ns,
		.connections = job->config.connections,
		.pipeline = 1,
		.requests = result->requests,
		.errors = errors.count,
		.worst_error = errors.worst,
		.worst_count = errors.worst_count,
		.stolen = -1,
	};

	validity_judge(&facts, &job->verdict);
	job->met_count = fail_on_latency(&job->fail_on, &result->latency, job->met);
}

static struct wrk_config config_of(const struct load_job *job)
{
	return (struct wrk_config){
		.url = job->url,
		.request = job->requests.requests[0].bytes,
		.request_length = job->requests.requests[0].length,
		.connections = job->config.connections,
		.threads = job->config.threads,
		.duration_ns = job->config.window_ns,
		.warmup_ns = job->config.warmup_ns,
		.timeout_ns = job->config.timeout_ns,
		.cpus = &job->cpus,
		.stop = job->config.stop,
	};
}

const char *load_wrk_refusal(const struct load_job *job, char *why, size_t size)
{
	struct wrk_config config = config_of(job);

	return wrk_refusal(&config, why, size);
}

int load_measure_wrk(struct load_job *job)
{
	struct wrk_config config = config_of(job);
	bool is_shown = isatty(STDERR_FILENO) && !job->compare_engines;
	char why[WRK_WHY_MAX];
	int rc;

	if (!job->wrk)
		job->wrk = calloc(1, sizeof(*job->wrk));
	if (!job->wrk)
		return options_fail("cwt load", "out of memory");
	job->config.part_count = 0; /* wrk has no series */
	if (is_shown)
		fprintf(stderr, "\rwrk runs for %.0f s, and says nothing until then",
			(double)(config.warmup_ns + config.duration_ns) / NS_PER_S);
	rc = wrk_run(&config, job->wrk, why, sizeof(why));
	if (is_shown)
		fprintf(stderr, "\r%79s\r", "");
	if (rc == -EINTR)
		return CWT_INTERRUPTED;
	if (rc != 0)
		return options_fail("cwt load", "%s", why);
	take_result(job);
	judge(job);
	return CWT_OK;
}

/* Comparing */

struct comparison {
	double ours[FIGURES][PAIRS_MAX];
	double wrks[FIGURES][PAIRS_MAX];
	int pairs;
};

static const char *const figure_names[FIGURES] = { "throughput_rps", "latency_p50_ns",
						   "latency_p99_ns" };

static void note(double figures[FIGURES][PAIRS_MAX], int pair, const struct load_result *result)
{
	figures[0][pair] = result->throughput;
	figures[1][pair] = (double)histogram_quantile(&result->latency, 0.5);
	figures[2][pair] = (double)histogram_quantile(&result->latency, 0.99);
}

static int measure_one(struct load_job *job, bool by_wrk, struct comparison *comparison)
{
	int rc = by_wrk ? load_measure_wrk(job) : load_measure(job);

	if (rc != CWT_OK)
		return rc;
	if (job->result.interrupted)
		return CWT_INTERRUPTED;
	if (job->result.requests == 0)
		return options_fail("cwt load", "%s: %s had no good reply", job->url,
				    by_wrk ? "wrk" : "this engine");
	note(by_wrk ? comparison->wrks : comparison->ours, comparison->pairs, &job->result);
	return CWT_OK;
}

static void show_progress(const struct load_job *job, int pair)
{
	int64_t each_ns = job->config.window_ns + job->config.warmup_ns;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rpair %d of %lld, %.0f s left   ", pair + 1,
			(long long)job->pairs,
			(double)(2 * (job->pairs - pair) * each_ns) / NS_PER_S);
}

static json_t *figure_json(const struct comparison *comparison, int figure,
			   const struct agree *agree)
{
	json_t *ours = json_array();
	json_t *wrks = json_array();

	for (int i = 0; i < comparison->pairs; i++) {
		json_array_append_new(ours, json_real(comparison->ours[figure][i]));
		json_array_append_new(wrks, json_real(comparison->wrks[figure][i]));
	}
	return json_pack("{s:s, s:f, s:[f, f], s:f, s:s, s:o, s:o}", "figure", figure_names[figure],
			 "ratio", agree->ratio, "interval", agree->low, agree->high, "tolerance",
			 agree->tolerance, "verdict", agree_verdict_names[agree->verdict], "ours",
			 ours, "wrk", wrks);
}

static int report(const struct load_job *job, const struct comparison *comparison)
{
	static const char *const titles[FIGURES] = { "throughput", "p50", "p99" };
	json_t *figures = json_array();
	int differ = 0;
	int agreed = 0;

	if (!job->json)
		printf("%s: %lld connections, %d pairs of %.3g s, this engine (%s) against wrk\n",
		       job->url, (long long)job->config.connections, comparison->pairs,
		       (double)job->config.window_ns / NS_PER_S, load_engine_name(job));
	for (int i = 0; i < FIGURES; i++) {
		struct agree agree = { 0 };

		if (agree_of(comparison->ours[i], comparison->wrks[i], (size_t)comparison->pairs,
			     AGREE_TOLERANCE, &agree) != 0) {
			json_decref(figures);
			return options_fail("cwt load", "no ratio can be made of the %s",
					    titles[i]);
		}
		differ += agree.verdict == AGREE_DIFFER;
		agreed += agree.verdict == AGREE_AGREE;
		json_array_append_new(figures, figure_json(comparison, i, &agree));
		if (!job->json)
			printf("  %-11s %s: ours / wrk %.3f (95 %%: %.3f ... %.3f), tolerance "
			       "%.0f %%\n",
			       titles[i], agree_verdict_names[agree.verdict], agree.ratio,
			       agree.low, agree.high, 100 * agree.tolerance);
	}
	if (job->json)
		command_print_json(json_pack(
			"{s:s, s:i, s:I, s:o}", "url", job->url, "pairs", comparison->pairs,
			"connections", (json_int_t)job->config.connections, "figures", figures));
	else
		json_decref(figures);
	if (differ > 0)
		return CWT_BROKEN;
	return agreed == FIGURES ? CWT_OK : CWT_INCONCLUSIVE;
}

/* A B B A: which of a pair comes first alternates too. */
int load_compare_engines(struct load_job *job)
{
	struct comparison *comparison = calloc(1, sizeof(*comparison));
	int parts = job->config.part_count;
	int rc = CWT_OK;

	if (!comparison)
		return options_fail("cwt load", "out of memory");
	while (rc == CWT_OK && comparison->pairs < job->pairs) {
		bool wrk_first = comparison->pairs % 2;

		show_progress(job, comparison->pairs);
		job->config.part_count = parts;
		rc = measure_one(job, wrk_first, comparison);
		if (rc == CWT_OK) {
			job->config.part_count = parts;
			rc = measure_one(job, !wrk_first, comparison);
		}
		comparison->pairs += rc == CWT_OK;
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%40s\r", "");
	/* What there is when it was interrupted is still worth something. */
	if (rc == CWT_OK || (rc == CWT_INTERRUPTED && comparison->pairs >= AGREE_PAIRS_MIN)) {
		int verdict = report(job, comparison);

		rc = rc == CWT_OK ? verdict : rc;
	} else if (rc == CWT_INTERRUPTED) {
		load_report_nothing();
	}
	free(comparison);
	return rc;
}
