#include "loadgen/commands/load_report.h"
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_target.h"
#include "loadgen/engine/hdr_log.h"
#include "loadgen/report/percentiles.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MIB = 1024 * 1024 };

static void print_heading(const struct load_job *job)
{
	const struct load_config *config = &job->config;
	char t[2][UNITS_TEXT_MAX];

	printf("%s", job->url);
	if (job->url_count > 1)
		printf(" and %d more", job->url_count - 1);
	printf(": %lld connections", (long long)config->connections);
	if (job->idle > 0)
		printf(" beside %lld idle ones", (long long)job->idle);
	if (load_is_open_loop(job))
		printf(", open loop, %.6g requests/s %s", config->schedule->rate,
		       config->schedule->kind == SCHEDULE_CONSTANT  ? "evenly"
		       : config->schedule->kind == SCHEDULE_POISSON ? "as a Poisson process"
								    : "by the trace");
	else
		printf(", closed loop");
	if (config->think_ns > 0)
		printf(", think %s", units_format_duration(t[0], (double)config->think_ns));
	if (job->engine != ENGINE_EPOLL)
		printf(", engine %s", load_engine_name(job));
	printf(", %s%s\n", units_format_duration(t[1], (double)job->result.window_ns),
	       job->result.interrupted ? " (interrupted)" : "");
	if (job->target)
		load_target_print(job);
	if (job->merged.reports > 0)
		printf("  merged      from %lld reports of %d target%s\n",
		       (long long)job->merged.reports, job->url_count,
		       job->url_count == 1 ? "" : "s");
}

static void print_reasons(const struct load_job *job)
{
	json_t *reasons = load_reasons_json(job);
	size_t i;
	json_t *reason;

	json_array_foreach(reasons, i, reason)
		printf("              %s: %s;\n              %s\n",
		       json_string_value(json_object_get(reason, "kind")),
		       json_string_value(json_object_get(reason, "figure")),
		       json_string_value(json_object_get(reason, "remedy")));
	json_decref(reasons);
}

static void print_verdict(const struct load_job *job)
{
	const struct validity_verdict *verdict = &job->verdict;
	char text[FAIL_ON_TEXT_MAX];

	if (job->result.interrupted)
		printf("  verdict     none: it was cut short\n");
	else if (verdict->verdict == VALID)
		printf("  verdict     valid\n");
	else
		printf("  verdict     INVALID: %s\n", validity_names[verdict->verdict]);
	if (!job->result.interrupted)
		print_reasons(job);
	for (int i = 0; i < job->met_count; i++)
		printf("  FAILED      %s\n",
		       fail_on_format(text, &job->fail_on.conditions[job->met[i]]));
	if (job->result.target_died)
		printf("  ended       the target has refused every connection for 3 s: it has "
		       "died\n");
}

static void print_latency(const char *name, const struct histogram *h)
{
	char t[6][UNITS_TEXT_MAX];

	printf("  %-11s mean %s, p50 %s, p90 %s, p99 %s, p99.9 %s, max %s\n", name,
	       units_format_duration(t[0], histogram_mean(h)),
	       units_format_duration(t[1], (double)histogram_quantile(h, 0.5)),
	       units_format_duration(t[2], (double)histogram_quantile(h, 0.9)),
	       units_format_duration(t[3], (double)histogram_quantile(h, 0.99)),
	       units_format_duration(t[4], (double)histogram_quantile(h, 0.999)),
	       units_format_duration(t[5], (double)h->most));
}

static void print_latencies(const struct load_job *job)
{
	const struct load_result *result = &job->result;
	struct load_lags lags = load_lags(job);
	int64_t floor_ns = load_is_open_loop(job) ? lags.floor_intended_ns : lags.floor_ns;
	char t[3][UNITS_TEXT_MAX];
	int64_t low_ns;
	int64_t high_ns;

	if (result->requests == 0 && result->unfinished == 0) {
		printf("  latency     unknown: no good reply counts\n");
		return;
	}
	if (load_is_open_loop(job) || job->config.think_ns > 0) {
		print_latency("intended", &result->latency);
		print_latency("sent", &result->sent_latency);
	} else {
		print_latency("latency", &result->latency);
	}
	load_interval_ns(&result->latency, 0.99, floor_ns, &low_ns, &high_ns);
	printf("              p99 is within %s ... %s (95 %%)",
	       units_format_duration(t[0], (double)low_ns),
	       units_format_duration(t[1], (double)high_ns));
	if (job->engine != ENGINE_WRK)
		printf(", of which up to %s are the %sgenerator's",
		       units_format_duration(t[2], (double)floor_ns),
		       job->is_calibrated ? "way's and the " : "");
	printf("\n");
}

static void print_errors(const struct load_job *job)
{
	const struct load_result *result = &job->result;

	printf("  errors      %llu",
	       (unsigned long long)result->error_count + (unsigned long long)job->idle_lost);
	for (int i = 0; i < LOAD_ERRORS; i++)
		if (result->errors[i] > 0)
			printf(", %s %llu", load_error_names[i],
			       (unsigned long long)result->errors[i]);
	if (job->idle_lost > 0)
		printf(", idle_lost %lld", (long long)job->idle_lost);
	if (load_is_open_loop(job))
		printf("; unfinished %llu\n", (unsigned long long)result->unfinished);
	else if (job->engine == ENGINE_WRK)
		printf("\n");
	else
		printf("; connections never served %lld\n", (long long)result->never_served);
}

static void print_generator(const struct load_job *job)
{
	const struct load_result *result = &job->result;
	char t[3][UNITS_TEXT_MAX];
	double spin = load_client_spin(job);
	struct load_lags lags = load_lags(job);

	printf("  generator   %s of CPU per request, ",
	       units_format_duration(t[0], load_client_cpu_ns(result)));
	if (job->merged.reports > 0)
		printf("%.0f %% of a core, its busiest thread ",
		       100 * load_client_utilisation(job));
	printf("%.0f %% of a core", 100 * result->busy);
	if (spin > 0)
		printf(" and %.0f %% in spinning", 100 * spin);
	printf(", %slag p99 %s", job->merged.reports > 0 ? "largest " : "",
	       units_format_duration(t[1], (double)lags.p99_ns));
	if (load_is_open_loop(job))
		printf(", start lag p99 %s",
		       units_format_duration(t[2], (double)lags.start_p99_ns));
	printf("\n");
	if (job->config.requests_per_connection > 0)
		printf("  connects    %llu\n", (unsigned long long)result->connects);
}

static void print_server(const struct load_job *job)
{
	const struct meter *after = &job->server.after;
	char cpu[UNITS_TEXT_MAX];
	double voluntary;
	double involuntary;

	printf("  server      %s of CPU per request",
	       units_format_duration(cpu, load_server_cpu_ns(job)));
	if (load_switches(job, &voluntary, &involuntary))
		printf(", switches per request %.3g voluntary, %.3g involuntary\n", voluntary,
		       involuntary);
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

	print_heading(job);
	printf("  throughput  %.6g requests/s (%llu requests)\n", result->throughput,
	       (unsigned long long)result->requests);
	print_latencies(job);
	print_errors(job);
	if (job->engine != ENGINE_WRK)
		print_generator(job);
	if (job->server.pid > 0)
		print_server(job);
	print_verdict(job);
}

/* Files */

static int write_log(const struct load_job *job)
{
	const struct load_result *result = &job->result;
	FILE *file = fopen(job->hdr_path, "we");
	int rc = file ? hdr_log_begin(file, result->window_start_unix_ns) : -errno;

	if (rc == 0)
		rc = hdr_log_write(file, "intended", 0, result->window_ns, &result->latency);
	if (rc == 0)
		rc = hdr_log_write(file, "sent", 0, result->window_ns, &result->sent_latency);
	if (file && fclose(file) != 0 && rc == 0)
		rc = -errno;
	return rc == 0 ? CWT_OK
		       : options_fail("cwt load", "--hdr-log %s: %s", job->hdr_path, strerror(-rc));
}

static int draw(const struct load_job *job)
{
	const struct load_result *result = &job->result;
	bool has_intended = load_is_open_loop(job) || job->config.think_ns > 0;
	char why[PERCENTILES_WHY_MAX];

	if (percentiles_plot(job->plot_path, job->url, has_intended ? &result->latency : NULL,
			     &result->sent_latency, why) == 0)
		return CWT_OK;
	return options_fail("cwt load", "--plot: %s", why);
}

int load_report_nothing(void)
{
	options_fail("cwt load", "interrupted before there was anything to report");
	return CWT_INTERRUPTED;
}

int load_report(const struct load_job *job)
{
	int rc = CWT_OK;

	if (job->json)
		command_print_json(load_json(job));
	else
		print_text(job);
	if (job->hdr_path)
		rc = write_log(job);
	if (job->plot_path && rc == CWT_OK)
		rc = draw(job);
	return rc;
}
