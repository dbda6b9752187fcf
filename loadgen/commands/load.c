/* cwt load: drive a URL and say what came of it. */
#include "loadgen/engine/load.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_report.h"
#include "loadgen/engine/herd.h"
#include "loadgen/engine/url.h"
#include "loadgen/target/meter.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REQUEST_MAX = URL_TARGET_MAX + URL_HOST_MAX + 128 };

static const char *const method_names[] = { "GET", "HEAD", NULL };

static void on_edge(void *context, enum load_edge edge)
{
	struct load_metered *server = context;
	pid_t pid = (pid_t)server->pid;

	if (edge == LOAD_EDGE_START) {
		meter_cpu_ns(pid, &server->start_ns);
		return;
	}
	server->is_complete =
		meter_cpu_ns(pid, &server->end_ns) == 0 && meter_read(pid, &server->after) == 0;
}

static void show_progress(void *context, const struct load_progress *progress)
{
	static const char *const phases[] = { "ramp", "warm-up", "measuring" };
	char left[UNITS_TEXT_MAX];

	(void)context;
	snprintf(left, sizeof(left), "%.0f s", (double)progress->left_ns / NS_PER_S);
	fprintf(stderr, "\r%-9s %6lld connections %10llu requests %6llu errors, %s left   ",
		phases[progress->phase], (long long)progress->connections,
		(unsigned long long)progress->requests, (unsigned long long)progress->errors, left);
}

static void show_herd_progress(void *context, int64_t served)
{
	const int64_t *idle = context;

	fprintf(stderr, "\ridle      %6lld of %lld connections   ", (long long)served,
		(long long)*idle);
}

/* Why there is nothing to report, as one line. */
static int complain_of_target(const char *url, int rc, const struct load_result *result)
{
	const char *reason = strerror(-rc);

	if (rc == -ETIMEDOUT)
		reason = "no reply in time (--timeout)";
	else if (rc == -ECONNREFUSED)
		reason = "connection refused: nothing listens there";
	else if (result->errors[LOAD_ERROR_STATUS] > 0)
		reason = "the first reply's status is neither 2xx nor 3xx";
	else if (result->errors[LOAD_ERROR_MALFORMED] > 0)
		reason = "the first reply is not HTTP/1.x";
	else if (result->errors[LOAD_ERROR_CLOSED] > 0 || result->errors[LOAD_ERROR_RESET] > 0)
		reason = "the connection ended before the first reply did";
	return options_fail("cwt load", "%s: %s", url, reason);
}

static void erase_progress(const struct load_job *job)
{
	if (job->config.on_progress)
		fprintf(stderr, "\r%78s\r", "");
}

/* The active connections' load, with the herd in place. */
static int drive(struct load_job *job)
{
	int rc = 0;

	if (job->server.pid > 0)
		rc = meter_read((pid_t)job->server.pid, &job->server.before);
	if (rc != 0)
		return options_fail("cwt load", "--pid %lld cannot be metered: %s",
				    (long long)job->server.pid, strerror(-rc));
	rc = load_run(&job->config, &job->result);
	erase_progress(job);
	return rc == 0 ? CWT_OK : complain_of_target(job->url, rc, &job->result);
}

static int start_herd(const struct load_job *job, struct herd *herd)
{
	struct herd_config config = {
		.address = job->config.address,
		.request = job->config.request,
		.request_length = job->config.request_length,
		.head_request = job->config.head_request,
		.count = job->idle,
		.timeout_ns = job->config.timeout_ns,
		.on_progress = job->config.on_progress ? show_herd_progress : NULL,
		.context = (void *)&job->idle,
		.stop = job->config.stop,
	};
	char why[HERD_WHY_MAX];
	int rc = herd_start(herd, &config, why, sizeof(why));

	erase_progress(job);
	if (rc == -EINTR)
		return CWT_INTERRUPTED;
	return rc == 0 ? CWT_OK : options_fail("cwt load", "%s: %s", job->url, why);
}

static int run_job(struct load_job *job)
{
	struct herd herd;
	int rc = start_herd(job, &herd);

	if (rc != CWT_OK)
		return rc;
	rc = drive(job);
	job->idle_lost = herd_end(&herd);
	if (rc != CWT_OK)
		return rc;
	load_report(job);
	if (job->result.interrupted)
		return CWT_INTERRUPTED;
	return job->result.all_requests > 0 ? CWT_OK : CWT_BROKEN;
}

static int aim(const struct option_table *table, struct load_job *job, const char *method)
{
	static char request[REQUEST_MAX];
	struct load_config *config = &job->config;
	char refusal[256];
	struct url url;
	int rc = url_parse(job->url, &url);

	if (rc == -EPROTONOSUPPORT)
		return options_complain(table, "%s: only http:// URLs can be driven", job->url);
	if (rc == -EADDRNOTAVAIL)
		return options_complain(table, "%s: no such host", job->url);
	if (rc != 0)
		return options_complain(table, "%s: want a URL such as http://127.0.0.1:8080/",
					job->url);
	if (load_refusal(config->connections, refusal, sizeof(refusal)))
		return options_complain(table, "--connections: %s", refusal);
	config->address = url.address;
	config->request = request;
	config->request_length =
		(size_t)snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n",
				 method, url.target, url.host);
	config->head_request = strcmp(method, "HEAD") == 0;
	config->stop = &command_stopped;
	if (isatty(STDERR_FILENO))
		config->on_progress = show_progress;
	command_catch_stop();
	return CWT_OK;
}

int command_load(int argc, char **argv)
{
	static struct load_job job = {
		.config = {
			.connections = 64,
			.ramp_ns = LOAD_RAMP_AUTO,
			.warmup_ns = NS_PER_S / 2,
			.window_ns = 10LL * NS_PER_S,
			.windows = 10,
			.timeout_ns = 30LL * NS_PER_S,
		},
	};
	struct load_config *config = &job.config;
	int64_t ramp_ns = 0;
	int method = 0;
	cpu_set_t cpus;
	struct option_spec specs[] = {
		{ "connections", OPTION_COUNT, &config->connections, "N",
		  "connections, each with one request under way", .least = 1, .most = 1000000 },
		{ "requests-per-connection", OPTION_COUNT, &config->requests_per_connection, "K",
		  "after which it is closed, and a new one opened; the first one's latency counts "
		  "from the start of connecting\n[no bound]",
		  .least = 1, .hide_default = true },
		{ "idle", OPTION_COUNT, &job.idle, "N",
		  "connections besides that are served once before the load, and then only stay",
		  .most = 1000000 },
		{ "duration", OPTION_DURATION, &config->window_ns, "TIME",
		  "how long to measure, after ramp and warm-up", .least = NS_PER_MS },
		{ "warmup", OPTION_DURATION, &config->warmup_ns, "TIME",
		  "between the last connection's start and the measuring" },
		{ "ramp", OPTION_DURATION, &ramp_ns, "TIME",
		  "over which the connections start, evenly\n[what the first reply takes]",
		  .hide_default = true },
		{ "timeout", OPTION_DURATION, &config->timeout_ns, "TIME", "for a reply",
		  .least = NS_PER_MS },
		{ "method", OPTION_CHOICE, &method, NULL, "of the requests",
		  .choices = method_names },
		{ "same-reply", OPTION_FLAG, &config->same_reply, NULL,
		  "a reply that isn't byte for byte the first one, of up to 16KiB, is an error" },
		{ "cpus", OPTION_CPUS, &cpus, "LIST", "processors to run on\n[all]",
		  .hide_default = true },
		{ "pid", OPTION_COUNT, &job.server.pid, "PID",
		  "of a server on this machine: report CPU time and switches per request, and "
		  "memory, of this process and its descendants",
		  .least = 1, .most = 1 << 22, .hide_default = true },
		{ "json", OPTION_FLAG, &job.json, NULL, "for scripts" },
	};
	struct option_table table = {
		.program = "cwt load",
		.usage = "URL [OPTION]...",
		.about = "Drives a URL in a closed loop: N connections, each of which sends its "
			 "next\n"
			 "request when the last reply is in. Every reply is checked.",
		.notes = "Exit status: 0 measured, 1 no reply at all, 2 usage, 130 interrupted.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int operands;
	int rc;

	switch (options_parse(&table, argc, argv, &operands)) {
	case OPTIONS_HELP:
		return CWT_OK;
	case OPTIONS_USAGE:
		return CWT_USAGE;
	case OPTIONS_OK:
		break;
	}
	if (operands + 1 != argc)
		return options_complain(&table,
					operands == argc ? "which URL?" : "one URL at a time");
	job.url = argv[operands];
	if (options_find(&table, "ramp")->given)
		config->ramp_ns = ramp_ns;
	if (job.server.pid > 0) {
		if (meter_cpu_ns((pid_t)job.server.pid, &job.server.start_ns) != 0)
			return options_complain(&table, "--pid %lld: no such process",
						(long long)job.server.pid);
		config->on_edge = on_edge;
		config->context = &job.server;
	}
	if (options_find(&table, "cpus")->given && cpus_bind(&cpus) != 0)
		return options_complain(&table,
					"--cpus: none of these processors can be used here");
	rc = aim(&table, &job, method_names[method]);
	return rc == CWT_OK ? run_job(&job) : rc;
}
