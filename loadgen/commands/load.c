/* cwt load: drive a URL and say what came of it. */
#include "loadgen/engine/load.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/engine/url.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A local server whose CPU time is read at the window's edges. */
struct metered {
	int64_t pid; /* 0: none */
	int64_t start_ns;
	int64_t end_ns;
};

enum { REQUEST_MAX = URL_TARGET_MAX + URL_HOST_MAX + 128 };

static const char *const method_names[] = { "GET", "HEAD", NULL };

static void on_edge(void *context, enum load_edge edge)
{
	struct metered *server = context;

	clock_process_cpu_ns((pid_t)server->pid,
			     edge == LOAD_EDGE_START ? &server->start_ns : &server->end_ns);
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

static json_t *errors_json(const struct load_result *result)
{
	json_t *errors = json_object();

	for (int i = 0; i < LOAD_ERRORS; i++)
		json_object_set_new(errors, load_error_names[i],
				    json_integer((json_int_t)result->errors[i]));
	return errors;
}

static json_t *latency_json(const struct histogram *h)
{
	return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "mean", histogram_mean(h), "min",
			 (json_int_t)h->least, "p50", (json_int_t)histogram_quantile(h, 0.5), "p90",
			 (json_int_t)histogram_quantile(h, 0.9), "p99",
			 (json_int_t)histogram_quantile(h, 0.99), "p999",
			 (json_int_t)histogram_quantile(h, 0.999), "max", (json_int_t)h->most);
}

static double cpu_per_request(const struct load_result *result)
{
	return result->requests > 0 ? (double)result->client_cpu_ns / (double)result->requests : 0;
}

static double server_cpu_per_request(const struct load_config *config,
				     const struct load_result *result)
{
	const struct metered *server = config->context;

	return result->requests > 0
		       ? (double)(server->end_ns - server->start_ns) / (double)result->requests
		       : 0;
}

static double utilisation(const struct load_result *result)
{
	return result->window_ns > 0 ? (double)result->client_cpu_ns / (double)result->window_ns
				     : 0;
}

static void print_json(const char *url, const struct load_config *config,
		       const struct load_result *result)
{
	json_t *windows = json_array();
	json_t *root;

	for (int i = 0; i < result->windows; i++)
		json_array_append_new(windows,
				      json_integer((json_int_t)result->window_requests[i]));
	root = json_pack("{s:s, s:I, s:I, s:f, s:o, s:o, s:I, s:f, s:f, s:I, s:o, s:I, s:b}", "url",
			 url, "connections", (json_int_t)config->connections, "requests",
			 (json_int_t)result->requests, "throughput_rps", result->throughput,
			 "latency_ns", latency_json(&result->latency), "errors",
			 errors_json(result), "never_served", (json_int_t)result->never_served,
			 "client_cpu_ns_per_request", cpu_per_request(result), "client_utilisation",
			 utilisation(result), "client_lag_p99_ns",
			 (json_int_t)histogram_quantile(&result->lag, 0.99), "window_requests",
			 windows, "window_ns", (json_int_t)result->window_ns, "interrupted",
			 result->interrupted);
	if (config->on_edge)
		json_object_set_new(root, "server_cpu_ns_per_request",
				    json_real(server_cpu_per_request(config, result)));
	command_print_json(root);
}

static void print_text(const char *url, const struct load_config *config,
		       const struct load_result *result)
{
	const struct histogram *h = &result->latency;
	char t[6][UNITS_TEXT_MAX];

	printf("%s: %lld connections, closed loop, %s%s\n", url, (long long)config->connections,
	       units_format_duration(t[0], (double)result->window_ns),
	       result->interrupted ? " (interrupted)" : "");
	printf("  throughput  %.6g requests/s (%llu requests)\n", result->throughput,
	       (unsigned long long)result->requests);
	printf("  latency     mean %s, p50 %s, p90 %s, p99 %s, p99.9 %s, max %s\n",
	       units_format_duration(t[0], histogram_mean(h)),
	       units_format_duration(t[1], (double)histogram_quantile(h, 0.5)),
	       units_format_duration(t[2], (double)histogram_quantile(h, 0.9)),
	       units_format_duration(t[3], (double)histogram_quantile(h, 0.99)),
	       units_format_duration(t[4], (double)histogram_quantile(h, 0.999)),
	       units_format_duration(t[5], (double)h->most));
	printf("  errors      %llu", (unsigned long long)result->error_count);
	for (int i = 0; i < LOAD_ERRORS; i++)
		if (result->errors[i] > 0)
			printf(", %s %llu", load_error_names[i],
			       (unsigned long long)result->errors[i]);
	printf("; connections never served %lld\n", (long long)result->never_served);
	printf("  generator   %s of CPU per request, %.0f %% of a core, lag p99 %s\n",
	       units_format_duration(t[0], cpu_per_request(result)), 100 * utilisation(result),
	       units_format_duration(t[1], (double)histogram_quantile(&result->lag, 0.99)));
	if (config->on_edge)
		printf("  server      %s of CPU per request\n",
		       units_format_duration(t[0], server_cpu_per_request(config, result)));
	if (utilisation(result) > 0.85)
		printf("  warning: the generator's core was %.0f %% busy: this may be its limit, "
		       "not the "
		       "server's; give it a core of its own (--cpus)\n",
		       100 * utilisation(result));
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

static int drive(const struct option_table *table, const char *text, struct load_config *config,
		 const char *method, bool json)
{
	static struct load_result result;
	char request[REQUEST_MAX];
	char refusal[256];
	struct url url;
	int rc = url_parse(text, &url);

	if (rc == -EPROTONOSUPPORT)
		return options_complain(table, "%s: only http:// URLs can be driven", text);
	if (rc == -EADDRNOTAVAIL)
		return options_complain(table, "%s: no such host", text);
	if (rc != 0)
		return options_complain(table, "%s: want a URL such as http://127.0.0.1:8080/",
					text);
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
	rc = load_run(config, &result);
	if (config->on_progress)
		fprintf(stderr, "\r%78s\r", "");
	if (rc != 0)
		return complain_of_target(text, rc, &result);
	if (json)
		print_json(text, config, &result);
	else
		print_text(text, config, &result);
	if (result.interrupted)
		return CWT_INTERRUPTED;
	return result.all_requests > 0 ? CWT_OK : CWT_BROKEN;
}

int command_load(int argc, char **argv)
{
	struct load_config config = {
		.connections = 64,
		.ramp_ns = LOAD_RAMP_AUTO,
		.warmup_ns = NS_PER_S / 2,
		.window_ns = 10LL * NS_PER_S,
		.windows = 10,
		.timeout_ns = 30LL * NS_PER_S,
	};
	struct metered server = { 0 };
	int64_t ramp_ns = 0;
	int method = 0;
	bool json = false;
	cpu_set_t cpus;
	struct option_spec specs[] = {
		{ "connections", OPTION_COUNT, &config.connections, "N",
		  "connections, each with one request under way", .least = 1, .most = 1000000 },
		{ "duration", OPTION_DURATION, &config.window_ns, "TIME",
		  "how long to measure, after ramp and warm-up", .least = NS_PER_MS },
		{ "warmup", OPTION_DURATION, &config.warmup_ns, "TIME",
		  "between the last connection's start and the measuring" },
		{ "ramp", OPTION_DURATION, &ramp_ns, "TIME",
		  "over which the connections start, evenly\n[what the first reply takes]",
		  .hide_default = true },
		{ "timeout", OPTION_DURATION, &config.timeout_ns, "TIME", "for a reply",
		  .least = NS_PER_MS },
		{ "method", OPTION_CHOICE, &method, NULL, "of the requests",
		  .choices = method_names },
		{ "same-reply", OPTION_FLAG, &config.same_reply, NULL,
		  "a reply that isn't byte for byte the first one, of up to 16KiB, is an error" },
		{ "cpus", OPTION_CPUS, &cpus, "LIST", "processors to run on\n[all]",
		  .hide_default = true },
		{ "pid", OPTION_COUNT, &server.pid, "PID",
		  "process of a server on this machine: report its CPU time per request",
		  .least = 1, .most = 1 << 22, .hide_default = true },
		{ "json", OPTION_FLAG, &json, NULL, "for scripts" },
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
	if (options_find(&table, "ramp")->given)
		config.ramp_ns = ramp_ns;
	if (server.pid > 0) {
		if (clock_process_cpu_ns((pid_t)server.pid, &server.start_ns) != 0)
			return options_complain(&table, "--pid %lld: no such process",
						(long long)server.pid);
		config.on_edge = on_edge;
		config.context = &server;
	}
	if (options_find(&table, "cpus")->given && cpus_bind(&cpus) != 0)
		return options_complain(&table,
					"--cpus: none of these processors can be used here");
	return drive(&table, argv[operands], &config, method_names[method], json);
}
