#include "loadgen/commands/load_report.h"
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include <stdio.h>

enum { MIB = 1024 * 1024 };

static json_t *errors_json(const struct load_job *job)
{
	const struct load_result *result = &job->result;
	json_t *errors = json_object();

	for (int i = 0; i < LOAD_ERRORS; i++)
		json_object_set_new(errors, load_error_names[i],
				    json_integer((json_int_t)result->errors[i]));
	json_object_set_new(errors, "idle_lost", json_integer((json_int_t)job->idle_lost));
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

static double server_cpu_per_request(const struct load_job *job)
{
	const struct load_metered *server = &job->server;
	uint64_t requests = job->result.requests;

	return requests > 0 ? (double)(server->end_ns - server->start_ns) / (double)requests : 0;
}

/* A thread's switches are gone when it has ended: they are known only if none came or went. */
static bool knows_switches(const struct load_job *job)
{
	const struct load_metered *server = &job->server;

	return server->is_complete && job->result.all_requests > 0 &&
	       meter_same_tasks(&server->before, &server->after);
}

static double switches_per_request(const struct load_job *job, int64_t before, int64_t after)
{
	return (double)(after - before) / (double)job->result.all_requests;
}

static double utilisation(const struct load_result *result)
{
	return result->window_ns > 0 ? (double)result->client_cpu_ns / (double)result->window_ns
				     : 0;
}

static void add_server_json(json_t *root, const struct load_job *job)
{
	const struct meter *before = &job->server.before;
	const struct meter *after = &job->server.after;
	json_t *voluntary = json_null();
	json_t *involuntary = json_null();

	json_object_set_new(root, "server_cpu_ns_per_request",
			    json_real(server_cpu_per_request(job)));
	if (knows_switches(job)) {
		voluntary =
			json_real(switches_per_request(job, before->voluntary, after->voluntary));
		involuntary = json_real(
			switches_per_request(job, before->involuntary, after->involuntary));
	}
	json_object_set_new(root, "server_voluntary_switches_per_request", voluntary);
	json_object_set_new(root, "server_involuntary_switches_per_request", involuntary);
	json_object_set_new(root, "server_processes", json_integer((json_int_t)after->processes));
	json_object_set_new(root, "server_threads", json_integer((json_int_t)after->threads));
	json_object_set_new(root, "server_rss_bytes", json_integer((json_int_t)after->rss_bytes));
	json_object_set_new(root, "server_pss_bytes", json_integer((json_int_t)after->pss_bytes));
}

static void print_json(const struct load_job *job)
{
	const struct load_result *result = &job->result;
	json_t *windows = json_array();
	json_t *root;

	for (int i = 0; i < result->windows; i++)
		json_array_append_new(windows,
				      json_integer((json_int_t)result->window_requests[i]));
	root = json_pack("{s:s, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:I, s:f, s:f, s:I, s:o, s:I, "
			 "s:b}",
			 "url", job->url, "connections", (json_int_t)job->config.connections,
			 "idle", (json_int_t)job->idle, "connects", (json_int_t)result->connects,
			 "requests", (json_int_t)result->requests, "throughput_rps",
			 result->throughput, "latency_ns", latency_json(&result->latency), "errors",
			 errors_json(job), "never_served", (json_int_t)result->never_served,
			 "client_cpu_ns_per_request", cpu_per_request(result), "client_utilisation",
			 utilisation(result), "client_lag_p99_ns",
			 (json_int_t)histogram_quantile(&result->lag, 0.99), "window_requests",
			 windows, "window_ns", (json_int_t)result->window_ns, "interrupted",
			 result->interrupted);
	if (job->server.pid > 0)
		add_server_json(root, job);
	command_print_json(root);
}

static void print_server(const struct load_job *job)
{
	const struct meter *before = &job->server.before;
	const struct meter *after = &job->server.after;
	char cpu[UNITS_TEXT_MAX];

	printf("  server      %s of CPU per request",
	       units_format_duration(cpu, server_cpu_per_request(job)));
	if (knows_switches(job))
		printf(", switches per request %.3g voluntary, %.3g involuntary\n",
		       switches_per_request(job, before->voluntary, after->voluntary),
		       switches_per_request(job, before->involuntary, after->involuntary));
	else
		printf("; switches unknown: threads came or went\n");
	if (job->server.is_complete)
		printf("              processes %lld, threads %lld, PSS %.1f MiB, RSS %.1f MiB\n",
		       (long long)after->processes, (long long)after->threads,
		       (double)after->pss_bytes / MIB, (double)after->rss_bytes / MIB);
}

static void print_text(const struct load_job *job)
{
	const struct load_result *result = &job->result;
	const struct histogram *h = &result->latency;
	char t[6][UNITS_TEXT_MAX];

	printf("%s: %lld connections", job->url, (long long)job->config.connections);
	if (job->idle > 0)
		printf(" beside %lld idle ones", (long long)job->idle);
	printf(", closed loop, %s%s\n", units_format_duration(t[0], (double)result->window_ns),
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
	printf("  errors      %llu",
	       (unsigned long long)result->error_count + (unsigned long long)job->idle_lost);
	for (int i = 0; i < LOAD_ERRORS; i++)
		if (result->errors[i] > 0)
			printf(", %s %llu", load_error_names[i],
			       (unsigned long long)result->errors[i]);
	if (job->idle_lost > 0)
		printf(", idle_lost %lld", (long long)job->idle_lost);
	printf("; connections never served %lld\n", (long long)result->never_served);
	printf("  generator   %s of CPU per request, %.0f %% of a core, lag p99 %s\n",
	       units_format_duration(t[0], cpu_per_request(result)), 100 * utilisation(result),
	       units_format_duration(t[1], (double)histogram_quantile(&result->lag, 0.99)));
	if (job->config.requests_per_connection > 0)
		printf("  connects    %llu\n", (unsigned long long)result->connects);
	if (job->server.pid > 0)
		print_server(job);
	if (utilisation(result) > 0.85)
		printf("  warning: the generator's core was %.0f %% busy: this may be its limit, "
		       "not the "
		       "server's; give it a core of its own (--cpus)\n",
		       100 * utilisation(result));
}

void load_report(const struct load_job *job)
{
	if (job->json)
		print_json(job);
	else
		print_text(job);
}
