#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_checks.h"
#include "loadgen/commands/load_job.h"
#include "loadgen/commands/load_modes.h"
#include "loadgen/commands/load_prepare.h"
#include "loadgen/commands/load_target.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SEARCH_WINDOW_NS = 2LL * NS_PER_S,
	RATE_MOST = 10000000, /* more than the engine sends to nobody at all */
	TIME_MOST_NS = 10000000LL * NS_PER_S,
	SEARCH_CONNECTIONS_MOST = 4096,
	NEEDS_MAX = 4,
	WHY_MAX = 512,
};

static const char *const engine_names[] = { "epoll", "uring", "null", "wrk", NULL };
static const char mixed_name[] = "mixed";
static const char *const arrival_names[] = { "constant", "poisson", NULL };
static const char *const distribution_names[] = { "constant", "exponential", NULL };
const char *const load_close_names[] = { "reset", "client", "server", NULL };

bool load_is_open_loop(const struct load_job *job)
{
	return job->config.schedule;
}

const char *load_engine_name(const struct load_job *job)
{
	return job->engine == ENGINE_MIXED ? mixed_name : engine_names[job->engine];
}

int load_engine_find(const char *name)
{
	for (int i = 0; engine_names[i]; i++)
		if (strcmp(engine_names[i], name) == 0)
			return i;
	return strcmp(name, mixed_name) == 0 ? ENGINE_MIXED : -1;
}

/* An option that does nothing without another is refused, not ignored. */
static const char *find_useless(const struct option_table *table, const char *name)
{
	static const struct {
		const char *option;
		const char *needs[NEEDS_MAX]; /* one of them */
	} pairs[] = {
		{ "arrivals", { "rate", "search" } },
		{ "spin", { "rate", "trace", "think", "search" } },
		{ "think-distribution", { "think" } },
		{ "close", { "requests-per-connection" } },
		{ "pairs", { "compare-engines" } },
		{ "target-threads", { "target" } },
		{ "target-cpu", { "target" } },
		{ "target-wall", { "target" } },
		{ "target-service", { "target" } },
		{ "target-cpus", { "target" } },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (strcmp(pairs[i].option, name) != 0 || !load_is_given(table, name))
			continue;
		for (int k = 0; k < NEEDS_MAX && pairs[i].needs[k]; k++)
			if (load_is_given(table, pairs[i].needs[k]))
				return NULL;
		return pairs[i].needs[0];
	}
	return NULL;
}

/* Options that exclude each other, in pairs. */
static const char *const exclusive[][2] = {
	{ "rate", "trace" },
	{ "rate", "think" },
	{ "trace", "think" },
	{ "think", "pipeline" },
	{ "body", "body-size" },
	{ "unix-socket", "source" },
	{ "unix-socket", "idle" },
	{ "search", "compare-engines" },
	{ "search", "rate" },
	{ "search", "trace" },
	{ "search", "plot" },
	{ "search", "hdr-log" },
	{ "compare-engines", "rate" },
	{ "compare-engines", "trace" },
	{ "compare-engines", "engine" },
	{ "compare-engines", "plot" },
	{ "compare-engines", "hdr-log" },
	{ "compare-engines", "pid" },
	{ "search", "pid" },
	{ "target", "pid" },
	{ "target", "unix-socket" },
};

static int check_combinations(const struct option_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *needs = find_useless(table, table->specs[i].name);

		if (needs)
			return options_complain(table, "--%s says nothing without --%s",
						table->specs[i].name, needs);
	}
	for (size_t i = 0; i < sizeof(exclusive) / sizeof(exclusive[0]); i++)
		if (load_is_given(table, exclusive[i][0]) && load_is_given(table, exclusive[i][1]))
			return options_complain(table, "--%s and --%s exclude each other",
						exclusive[i][0], exclusive[i][1]);
	return CWT_OK;
}

static bool is_by_wrk(const struct load_job *job)
{
	return job->engine == ENGINE_WRK || job->compare_engines;
}

static int check_engine(const struct option_table *table, const struct load_job *job)
{
	const char *useless = load_check_engine(table, job->engine);

	if (useless)
		return options_complain(table, "--%s says nothing with --engine %s", useless,
					load_engine_name(job));
	useless = is_by_wrk(job) ? load_check_wrk(table) : NULL;
	if (useless)
		return options_complain(table, "wrk has no --%s", useless);
	if (is_by_wrk(job) && job->url_count > 1)
		return options_complain(table, "wrk takes one URL");
	return CWT_OK;
}

static int read_search(const struct option_table *table, const struct load_given *given,
		       struct load_job *job)
{
	char why[WHY_MAX];

	if (!given->search)
		return CWT_OK;
	if (strcmp(given->search, "saturation") == 0) {
		job->search = SEARCH_SATURATION;
		if (!load_is_given(table, "connections"))
			job->config.connections = SEARCH_CONNECTIONS_MOST;
		if (load_is_given(table, "arrivals"))
			return options_complain(table, "--arrivals says nothing with --search "
						       "saturation, which is a closed loop");
		if (load_is_given(table, "spin") && !load_is_given(table, "think"))
			return options_complain(table, "--spin says nothing with --search "
						       "saturation without --think");
		return CWT_OK;
	}
	if (strncmp(given->search, "slo=", 4) != 0)
		return options_complain(table,
					"--search %s: want saturation, or slo=CONDITION such as "
					"slo=p99<20ms",
					given->search);
	job->search = SEARCH_SLO;
	if (slo_parse(given->search + 4, &job->slo, why, sizeof(why)) != 0)
		return options_complain(table, "--search slo: %s", why);
	if (load_is_given(table, "think"))
		return options_complain(table, "--think says nothing with --search slo, which is "
					       "an open loop");
	return CWT_OK;
}

static bool has_latency(const struct fail_on *fail_on)
{
	for (int i = 0; i < fail_on->count; i++)
		if (fail_on->conditions[i].on_latency)
			return true;
	return false;
}

static int complete(const struct option_table *table, const struct load_given *given,
		    struct load_job *job)
{
	struct load_config *config = &job->config;
	char why[WHY_MAX];
	int rc;

	config->close = (enum load_close)given->close;
	config->think_exponential = given->think_distribution == 1;
	config->threads = (int)given->threads;
	config->pipeline = (int)given->pipeline;
	config->seed = (uint64_t)given->seed;
	config->stop = &command_stopped;
	if (load_is_given(table, "ramp"))
		config->ramp_ns = given->ramp_ns;
	if (config->threads > config->connections)
		return options_complain(table, "--threads %d: more than the %lld connections",
					config->threads, (long long)config->connections);
	job->unix_socket = given->unix_socket;
	if (given->unix_socket && net_unix(given->unix_socket, &config->address) != 0)
		return options_complain(table, "--unix-socket %s: want a path of 1...107 bytes",
					given->unix_socket);
	if (fail_on_parse(given->fail_on, &job->fail_on, why, sizeof(why)) != 0)
		return options_complain(table, "--fail-on: %s", why);
	if ((job->search != SEARCH_NONE || job->compare_engines) && has_latency(&job->fail_on))
		return options_complain(table, "--fail-on: a condition on the latency is for one "
					       "run, not for --search or --compare-engines");
	switch (job->engine) {
	case ENGINE_URING:
		config->transport = &transport_uring;
		break;
	case ENGINE_NULL:
		config->transport = &transport_null;
		break;
	default:
		config->transport = &transport_epoll;
	}
	if ((job->search != SEARCH_NONE || job->compare_engines) &&
	    !load_is_given(table, "duration"))
		config->window_ns = SEARCH_WINDOW_NS;
	if (is_by_wrk(job) && !load_is_given(table, "warmup"))
		config->warmup_ns = NS_PER_S;
	rc = load_prepare_sources(table, given, job);
	if (rc == CWT_OK && job->engine != ENGINE_NULL && load_refusal(config, why, sizeof(why)))
		rc = options_complain(table, "--connections: %s", why);
	if (rc == CWT_OK)
		rc = load_prepare_requests(table, given, job);
	if (rc == CWT_OK && is_by_wrk(job) && load_wrk_refusal(job, why, sizeof(why)))
		rc = options_complain(table, "%s", why);
	if (rc == CWT_OK)
		rc = load_prepare_schedule(table, given, job);
	if (rc == CWT_OK)
		rc = load_prepare_parts(job);
	return rc;
}

static int meter_target(const struct option_table *table, struct load_job *job)
{
	if (job->server.pid > 0 && meter_cpu_ns((pid_t)job->server.pid, &job->server.start_ns) != 0)
		return options_complain(table, "--pid %lld: no such process",
					(long long)job->server.pid);
	return CWT_OK;
}

/* Those that are given, or those of the target, which is started. */
static int prepare_urls(const struct option_table *table, struct load_job *job, char **operands,
			int count)
{
	int rc;

	if (!job->target)
		return load_prepare_urls(table, job, operands, count);
	rc = load_target_start(table, job, operands, count);
	if (rc != CWT_OK)
		return rc;
	/* It is metered in what is one run of our engine. */
	if (job->search == SEARCH_NONE && !is_by_wrk(job) && job->engine != ENGINE_NULL)
		job->server.pid = job->target->drive.server.pid;
	return load_prepare_urls(table, job, job->target->urls, job->target->url_count);
}

int load_options(struct load_job *job, int argc, char **argv)
{
	struct load_config *config = &job->config;
	struct load_given given = {
		.seed = 1,
		.threads = 1,
		.pipeline = 1,
		.fail_on = "errors",
		.target_cpu_ns = NS_PER_MS,
		.target_wall_ns = 10 * NS_PER_MS,
	};
	int engine = ENGINE_EPOLL;
	struct option_spec specs[] = {
		{ "connections", OPTION_COUNT, &config->connections, "N",
		  "connections; in a closed loop each has a request under way; of --search "
		  "saturation, how many are tried at the most (4096 if not given)",
		  .least = 1, .most = 1000000, .section = "Load" },
		{ "rate", OPTION_NUMBER, &given.rate, "R",
		  "open loop: requests per second, whatever the replies do [none: closed loop]",
		  .most = RATE_MOST, .hide_default = true },
		{ "arrivals", OPTION_CHOICE, &given.arrivals, NULL,
		  "how the requests of --rate are spaced", .choices = arrival_names },
		{ "trace", OPTION_TEXT, &given.trace, "FILE",
		  "open loop: a file of gaps between requests, one a line, such as 1.5ms; at its "
		  "end it begins anew [none]",
		  .hide_default = true },
		{ "think", OPTION_DURATION, &config->think_ns, "TIME",
		  "closed loop: how long from a reply to the connection's next request",
		  .most = TIME_MOST_NS },
		{ "think-distribution", OPTION_CHOICE, &given.think_distribution, NULL,
		  "how the times of --think are distributed", .choices = distribution_names },
		{ "duration", OPTION_DURATION, &config->window_ns, "TIME",
		  "how long to measure, after ramp and warm-up; each run of --search and "
		  "--compare-engines: 2s if not given",
		  .least = NS_PER_MS, .most = TIME_MOST_NS },
		{ "warmup", OPTION_DURATION, &config->warmup_ns, "TIME",
		  "load without measuring, after the last connection's start; with wrk: 1s if not "
		  "given",
		  .most = TIME_MOST_NS },
		{ "ramp", OPTION_DURATION, &given.ramp_ns, "TIME",
		  "time over which the connections start, evenly, at least 50us for each [what "
		  "the first reply takes]",
		  .most = TIME_MOST_NS, .hide_default = true },
		{ "threads", OPTION_COUNT, &given.threads, "T",
		  "threads of the generator, which share the connections and the schedule; best as "
		  "many as it has processors",
		  .least = 1, .most = LOAD_THREADS_MAX },
		{ "seed", OPTION_COUNT, &given.seed, "S",
		  "of all that is random: the same seed gives the same schedule" },
		{ "requests-per-connection", OPTION_COUNT, &config->requests_per_connection, "K",
		  "after so many, a connection is closed and a new one opened; the first request's "
		  "latency then counts from the start of connecting [no bound]",
		  .least = 1, .hide_default = true, .section = "Connections" },
		{ "close", OPTION_CHOICE, &given.close, NULL,
		  "how it is closed then: by a reset; in order, this side first; or the server "
		  "first, asked by 'Connection: close'",
		  .choices = load_close_names },
		{ "pipeline", OPTION_COUNT, &given.pipeline, "D",
		  "requests under way on a connection at the same time", .least = 1,
		  .most = LOAD_PIPELINE_MAX },
		{ "idle", OPTION_COUNT, &job->idle, "N",
		  "connections beside the N, which are served once before the load and then only "
		  "stay",
		  .most = 1000000 },
		{ "source", OPTION_LIST, &given.sources, "ADDR",
		  "local address to connect from; several are taken in turn, as each has some "
		  "28,000 ports [the kernel's choice; to 127.0.0.0/8 as many as it takes]",
		  .hide_default = true },
		{ "unix-socket", OPTION_TEXT, &given.unix_socket, "PATH",
		  "socket to connect to; the URL only says what to ask for [TCP]",
		  .hide_default = true },
		{ "method", OPTION_TEXT, &job->method, "NAME", "method of the requests",
		  .section = "Requests" },
		{ "header", OPTION_LIST, &given.headers, "LINE",
		  "'Name: value', sent with each request [none but Host]", .hide_default = true },
		{ "body", OPTION_TEXT, &given.body, "TEXT",
		  "content of each request, or @FILE: that file's [none]", .hide_default = true },
		{ "body-size", OPTION_SIZE, &given.body_bytes, "SIZE",
		  "content of so many bytes that say nothing [none]", .hide_default = true },
		{ "weight", OPTION_LIST, &given.weights, "W",
		  "how often a URL is chosen, one weight for each URL, in their order [all the "
		  "same]",
		  .hide_default = true },
		{ "timeout", OPTION_DURATION, &config->timeout_ns, "TIME",
		  "for a reply to be complete; the first on a connection: for connecting too",
		  .least = NS_PER_MS, .most = TIME_MOST_NS },
		{ "same-reply", OPTION_FLAG, &config->same_reply, NULL,
		  "count a reply that isn't byte for byte the first one of its URL as an error\n"
		  "[status and framing are checked]" },
		{ "fail-on", OPTION_TEXT, &given.fail_on, "LIST",
		  "what makes the run invalid: errors, none, or kinds such as reset>3,status>0.1%; "
		  "and what makes it fail, such as p99>20ms",
		  .section = "Verdict" },
		{ "calibrate", OPTION_DURATION, &job->calibrate_ns, "TIME",
		  "time to measure, before the run, what generator and network stack add to a "
		  "latency here; 0: not measured",
		  .most = TIME_MOST_NS },
		{ "cpus", OPTION_CPUS, &job->cpus, "LIST",
		  "processors that the generator may use [all]", .hide_default = true },
		{ "spin", OPTION_DURATION, &config->spin_ns, "TIME",
		  "the most that is spun, not slept, before a request is due, lest the processor "
		  "wakes late",
		  .most = TIME_MOST_NS },
		{ "pid", OPTION_COUNT, &job->server.pid, "PID",
		  "a server on this machine: report CPU time and switches per request, and memory, "
		  "of this process and its descendants [none]",
		  .least = 1, .most = 1 << 22, .hide_default = true },
		{ "target", OPTION_TEXT, &given.target, "NAME",
		  "a server to start for the run, and to stop after it: an architecture of "
		  "cwt-server, a name in scripts/targets, or a file NAME.ini like those; what is "
		  "driven are paths on it [/]",
		  .hide_default = true, .section = "Server to start" },
		{ "target-threads", OPTION_COUNT, &given.target_threads, "T",
		  "its thread limit [it must be given where there is one]", .least = 1,
		  .most = 19500, .hide_default = true },
		{ "target-cpu", OPTION_DURATION, &given.target_cpu_ns, "TIME",
		  "c: CPU time of a request" },
		{ "target-wall", OPTION_DURATION, &given.target_wall_ns, "TIME",
		  "w: its wall time, CPU included" },
		{ "target-service", OPTION_CHOICE, &given.target_service, NULL,
		  "what it is to be [proxy, if it is nothing else]",
		  .choices = load_service_names },
		{ "target-cpus", OPTION_CPUS, &given.target_cpus, "LIST",
		  "its processors; the generator has the others [0]", .hide_default = true },
		{ "search", OPTION_TEXT, &given.search, "WHAT",
		  "'slo=p99<20ms': the highest rate of an open loop that meets it; saturation: the "
		  "number of connections at which throughput stops growing [no search]",
		  .hide_default = true, .section = "Instead of one run" },
		{ "engine", OPTION_CHOICE, &engine, NULL,
		  "what drives: readiness, completions, nothing at all (shows what the generator "
		  "itself can do), or the program wrk",
		  .choices = engine_names },
		{ "compare-engines", OPTION_FLAG, &job->compare_engines, NULL,
		  "run this and wrk alternately, and say whether they agree" },
		{ "pairs", OPTION_COUNT, &job->pairs, "P", "pairs of runs of --compare-engines",
		  .least = 3, .most = 1000 },
		{ "json", OPTION_FLAG, &job->json, NULL,
		  "one JSON object instead of text; docs/load.md has its fields",
		  .section = "Output" },
		{ "plot", OPTION_TEXT, &job->plot_path, "FILE.svg",
		  "draw latency over percentile, and write its data to FILE.dat [none]",
		  .hide_default = true },
		{ "hdr-log", OPTION_TEXT, &job->hdr_path, "FILE",
		  "write the latencies as an HdrHistogram log [none]", .hide_default = true },
	};
	struct option_table table = {
		.program = "cwt load",
		.usage = "URL... [OPTION]...\n       cwt load --target NAME [PATH]... "
			 "[OPTION]...\n       cwt load --merge FILE... [--json]",
		.about =
			"Drives URLs of one server, and says what came of it and whether that can "
			"be "
			"believed.\n"
			"Closed loop: each of N connections sends its next request when a reply is "
			"in.\n"
			"Open loop (--rate, --trace): requests go by a schedule, and the latency "
			"of one that\n"
			"must wait for the server counts from when it was meant to go.\n"
			"Every reply is checked.",
		.notes = "--merge joins the reports (--json) of processes that ran at the same "
			 "time.\n\n"
			 "Exit status: 0 valid; 1 no good reply, a condition of --fail-on on the "
			 "latency, engines\n"
			 "that differ, or a file that cannot be written; 2 usage; 3 a search or "
			 "comparison that is\n"
			 "inconclusive; 5 invalid, for the reason in the report; 130 interrupted.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int operands;
	int rc;

	job->method = "GET";
	cpus_parse("0", &given.target_cpus);
	rc = command_parse_any(&table, argc, argv, &operands);
	if (rc != COMMAND_GOES_ON)
		return rc;
	job->engine = (enum load_engine)engine;
	if (load_is_given(&table, "rate") && !(given.rate >= SCHEDULE_RATE_LEAST))
		return options_complain(&table, "--rate: the least is %f requests per second",
					SCHEDULE_RATE_LEAST);
	rc = check_combinations(&table);
	if (rc == CWT_OK)
		rc = load_target_ask(&table, &given, job);
	if (rc == CWT_OK)
		rc = load_check_outputs(&table, job);
	if (rc == CWT_OK)
		rc = read_search(&table, &given, job);
	if (rc == CWT_OK)
		rc = load_prepare_cpus(&table, job);
	if (rc == CWT_OK)
		rc = prepare_urls(&table, job, argv + operands, argc - operands);
	if (rc == CWT_OK)
		rc = check_engine(&table, job);
	if (rc == CWT_OK)
		rc = complete(&table, &given, job);
	if (rc == CWT_OK)
		rc = meter_target(&table, job);
	return rc == CWT_OK ? COMMAND_GOES_ON : rc;
}

void load_job_free(struct load_job *job)
{
	load_target_stop(job);
	requests_free(&job->requests);
	free(job->gaps_ns);
	free(job->body);
	free(job->config.parts);
	free(job->wrk);
	json_decref(job->merged.reasons);
	json_decref(job->merged.settings);
}
