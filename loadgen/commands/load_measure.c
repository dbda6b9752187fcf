/* One run of `cwt load`: calibration, the herd, the load, and what is to be thought of it. */
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_job.h"
#include "loadgen/engine/herd.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROGRESS_WIDTH = 100, INTERVALS_MAX = 60 };

static void on_edge(void *context, enum load_edge edge)
{
	struct load_job *job = context;
	struct load_metered *server = &job->server;
	pid_t pid = (pid_t)server->pid;

	if (edge == LOAD_EDGE_START) {
		machine_count(&job->cpus, &job->cpus_before);
		if (pid > 0)
			meter_cpu_ns(pid, &server->start_ns);
		return;
	}
	if (edge == LOAD_EDGE_END) {
		server->is_complete = pid > 0 && meter_cpu_ns(pid, &server->end_ns) == 0;
		machine_count(&job->cpus, &job->cpus_after);
		return;
	}
	/* This takes long if there are many threads: not while replies are waited for. */
	server->is_complete = server->is_complete && meter_read(pid, &server->after) == 0;
}

static void show_progress(void *context, const struct load_progress *progress)
{
	static const char *const phases[] = { "ramp", "warm-up", "measuring", "draining" };
	char p99[UNITS_TEXT_MAX];
	char line[PROGRESS_WIDTH + 1];

	(void)context;
	if (progress->phase == LOAD_RAMP && progress->requests == 0 && progress->errors == 0)
		snprintf(line, sizeof(line), "waiting for the first reply");
	else if (progress->throughput > 0)
		snprintf(line, sizeof(line),
			 "%-9s %.6g requests/s, p99 %s, %llu errors, %.0f s left",
			 phases[progress->phase], progress->throughput,
			 units_format_duration(p99, (double)progress->p99_ns),
			 (unsigned long long)progress->errors,
			 (double)progress->left_ns / NS_PER_S);
	else
		snprintf(line, sizeof(line),
			 "%-9s %lld connections, %llu requests, %llu errors, %.0f s left",
			 phases[progress->phase], (long long)progress->connections,
			 (unsigned long long)progress->requests,
			 (unsigned long long)progress->errors,
			 (double)progress->left_ns / NS_PER_S);
	fprintf(stderr, "\r%-79s", line);
}

static void show_herd_progress(void *context, int64_t served)
{
	const int64_t *idle = context;

	fprintf(stderr, "\ridle      %6lld of %lld connections   ", (long long)served,
		(long long)*idle);
}

static void erase_progress(const struct load_job *job)
{
	if (job->config.on_progress)
		fprintf(stderr, "\r%79s\r", "");
}

/* Why there is nothing to report, as one line. */
static int complain_of_target(const struct load_job *job, int rc)
{
	const struct load_result *result = &job->result;
	const char *target = job->unix_socket ? job->unix_socket : job->url;
	const char *reason = strerror(-rc);
	char time[UNITS_TEXT_MAX];

	if (rc == -ETIMEDOUT)
		return options_fail("cwt load", "%s: no reply within %s (--timeout)", target,
				    units_format_duration(time, (double)job->config.timeout_ns));
	if (rc == -ECONNREFUSED)
		reason = "connection refused: nothing listens there";
	else if (rc == -EADDRNOTAVAIL)
		reason = "no local port is free: --source gives other addresses to connect from";
	else if (result->errors[LOAD_ERROR_STATUS] > 0)
		reason = "the first reply's status is neither 2xx nor 3xx (curl -i shows it; "
			 "--ramp 0 does not wait for a good one)";
	else if (result->errors[LOAD_ERROR_MALFORMED] > 0)
		reason = "the first reply is not HTTP/1.x: is that the port of a web server?";
	else if (result->errors[LOAD_ERROR_SHORT] > 0)
		reason = "the first reply's body ended before it was complete";
	else if (result->errors[LOAD_ERROR_CLOSED] > 0 || result->errors[LOAD_ERROR_RESET] > 0)
		reason = "the connection ended before the first reply did (see the server's log)";
	return options_fail("cwt load", "%s: %s", target, reason);
}

/* Judging */

/* N = X·R (Little 1961): the share of N that X and R account for, where connections do not idle. */
static double accounted(const struct load_job *job)
{
	const struct load_config *config = &job->config;
	double slots = (double)config->connections * config->pipeline;

	if (load_is_open_loop(job) || config->think_ns > 0)
		return 0;
	return job->result.throughput * histogram_mean(&job->result.sent_latency) / NS_PER_S /
	       slots;
}

/* --fail-on has a condition on errors of any kind. */
static bool minds_any_error(const struct load_job *job)
{
	for (int i = 0; i < job->fail_on.count; i++)
		if (!job->fail_on.conditions[i].on_latency &&
		    job->fail_on.conditions[i].error == LOAD_ERRORS)
			return true;
	return false;
}

/* Idle connections that were lost are errors like others. */
static void add_idle_lost(const struct load_job *job, struct fail_errors *errors)
{
	uint64_t lost = (uint64_t)job->idle_lost;

	if (lost == 0 || !minds_any_error(job))
		return;
	errors->count += lost;
	if (lost > errors->worst_count) {
		errors->worst = "idle_lost";
		errors->worst_count = lost;
	}
}

/*
 * The window's parts as intervals to judge: several together if they are many. Returns how many; of
 * a run that was cut short none, as there are no figures for the parts that it did not come to.
 */
static int make_intervals(const struct load_job *job, double rate[INTERVALS_MAX],
			  double p50_ns[INTERVALS_MAX])
{
	const struct load_config *config = &job->config;
	int together = (config->part_count + INTERVALS_MAX - 1) / INTERVALS_MAX;
	int count = together > 0 ? config->part_count / together : 0;
	double interval_s = (double)config->window_ns / NS_PER_S / config->part_count * together;

	if (job->result.interrupted || job->result.target_died)
		return 0;
	for (int i = 0; i < count; i++) {
		double requests = 0;
		double sum = 0;

		for (int k = i * together; k < (i + 1) * together; k++) {
			requests += (double)config->parts[k].requests;
			sum += (double)config->parts[k].requests * (double)config->parts[k].p50_ns;
		}
		rate[i] = requests / interval_s;
		p50_ns[i] = requests > 0 ? sum / requests : 0;
	}
	return count;
}

static void judge(struct load_job *job)
{
	const struct load_result *result = &job->result;
	const struct load_config *config = &job->config;
	double rate[INTERVALS_MAX];
	double p50_ns[INTERVALS_MAX];
	struct fail_errors errors =
		fail_on_errors(&job->fail_on, result->errors, result->all_requests);
	struct validity_facts facts = {
		.open_loop = load_is_open_loop(job),
		.rate = config->schedule ? config->schedule->rate : 0,
		.window_ns = result->window_ns,
		.connections = config->connections,
		.pipeline = config->pipeline,
		.requests = result->requests,
		.scheduled = result->scheduled,
		.unfinished = result->unfinished,
		.backlog_end_ns = result->backlog_end_ns,
		.backlog_left_ns = result->backlog_left_ns,
		.backlog_least_ns = result->backlog_least_ns,
		.accounted = accounted(job),
		.target_died = result->target_died,
		.start_lag_p99_ns = histogram_quantile(&result->start_lag, 0.99),
		.mean_sent_latency_ns = histogram_mean(&result->sent_latency),
		.busy = result->busy,
		.waiting = result->waiting,
		.stolen = machine_stolen(&job->cpus_before, &job->cpus_after, &job->cpus),
		.lag_p99_ns = histogram_quantile(&result->lag, 0.99),
		.interval_rate = rate,
		.interval_p50_ns = p50_ns,
	};

	add_idle_lost(job, &errors);
	facts.errors = errors.count;
	facts.worst_error = errors.worst;
	facts.worst_count = errors.worst_count;
	facts.intervals = make_intervals(job, rate, p50_ns);
	/* Nor is there a verdict on half a run. */
	if (result->interrupted)
		memset(&job->verdict, 0, sizeof(job->verdict));
	else
		validity_judge(&facts, &job->verdict);
	job->met_count = fail_on_latency(&job->fail_on, &result->latency, job->met);
}

int load_status(const struct load_job *job)
{
	if (job->result.interrupted)
		return CWT_INTERRUPTED;
	if (job->result.all_requests == 0)
		return CWT_BROKEN;
	if (job->verdict.verdict != VALID)
		return CWT_INVALID;
	return job->met_count > 0 ? CWT_BROKEN : CWT_OK;
}

/* Running */

/* The active connections' load, with the herd in place. */
static int drive(struct load_job *job)
{
	int rc = 0;

	if (job->server.pid > 0)
		rc = meter_read((pid_t)job->server.pid, &job->server.before);
	if (rc != 0)
		return options_fail("cwt load", "--pid %lld cannot be metered: %s",
				    (long long)job->server.pid, strerror(-rc));
	job->config.on_edge = on_edge;
	job->config.context = job;
	rc = load_run(&job->config, &job->result);
	erase_progress(job);
	if (job->engine == ENGINE_URING && (rc == -ENOSYS || rc == -EPERM))
		return options_fail("cwt load",
				    "--engine uring: this kernel has no io_uring, or does not "
				    "allow it (sysctl kernel.io_uring_disabled); --engine epoll "
				    "needs none");
	return rc == 0 ? CWT_OK : complain_of_target(job, rc);
}

static int start_herd(struct load_job *job, struct herd *herd)
{
	struct herd_config config = {
		.address = job->config.address,
		.request = job->requests.requests[0].bytes,
		.request_length = job->requests.requests[0].length,
		.head_request = job->requests.requests[0].is_head,
		.count = job->idle,
		.timeout_ns = job->config.timeout_ns,
		.on_progress = job->config.on_progress ? show_herd_progress : NULL,
		.context = &job->idle,
		.stop = job->config.stop,
	};
	char why[HERD_WHY_MAX];
	int rc = herd_start(herd, &config, why, sizeof(why));

	erase_progress(job);
	if (rc == -EINTR)
		return CWT_INTERRUPTED;
	return rc == 0 ? CWT_OK : options_fail("cwt load", "%s: %s", job->url, why);
}

/* Once for each command, not for each run of a search. */
static int calibrate_once(struct load_job *job)
{
	int rc;

	if (job->calibrate_ns == 0 || job->is_calibrated || job->engine == ENGINE_NULL)
		return CWT_OK;
	if (job->config.on_progress)
		fprintf(stderr, "\rcalibrating");
	rc = calibrate(job->calibrate_ns, job->has_other_cpus ? &job->other_cpus : NULL,
		       job->config.spin_ns, load_is_open_loop(job) ? job->schedule.rate : 0,
		       job->config.stop, &job->calibration);
	erase_progress(job);
	if (rc == -EINTR)
		return CWT_INTERRUPTED;
	if (rc != 0)
		return options_fail("cwt load", "--calibrate: %s (0 leaves it out)", strerror(-rc));
	job->is_calibrated = true;
	return CWT_OK;
}

int load_measure(struct load_job *job)
{
	struct herd herd;
	int rc;

	if (isatty(STDERR_FILENO) && job->search == SEARCH_NONE && !job->compare_engines)
		job->config.on_progress = show_progress;
	rc = calibrate_once(job);
	if (rc == CWT_OK)
		rc = start_herd(job, &herd);
	if (rc != CWT_OK)
		return rc;
	rc = drive(job);
	job->idle_lost = herd_end(&herd);
	if (rc == CWT_OK)
		judge(job);
	return rc;
}
