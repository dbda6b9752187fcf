/* The report of `cwt load` for scripts. What is in it is described in docs/load.md. */
#include "common/clock.h"
#include "loadgen/commands/load_report.h"
#include "loadgen/commands/load_target.h"
#include "loadgen/engine/hdr.h"
#include <stdio.h>
#include <stdlib.h>

const char *const load_arrival_names[] = { "constant", "poisson", "trace" };

static const struct {
	const char *name;
	double quantile;
} percentiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };

static json_t *integer(int64_t value)
{
	return json_integer((json_int_t)value);
}

json_t *load_latency_json(const struct histogram *h, int64_t floor_ns)
{
	json_t *latency = json_object();
	json_t *intervals = json_object();

	json_object_set_new(latency, "mean", json_real(histogram_mean(h)));
	json_object_set_new(latency, "min", integer(h->least));
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
		int64_t low_ns;
		int64_t high_ns;

		load_interval_ns(h, percentiles[i].quantile, floor_ns, &low_ns, &high_ns);
		json_object_set_new(latency, percentiles[i].name,
				    integer(histogram_quantile(h, percentiles[i].quantile)));
		json_object_set_new(intervals, percentiles[i].name,
				    json_pack("[I, I]", (json_int_t)low_ns, (json_int_t)high_ns));
	}
	json_object_set_new(latency, "max", integer(h->most));
	json_object_set_new(latency, "interval", intervals);
	return latency;
}

static json_t *errors_json(const struct load_job *job)
{
	json_t *errors = json_object();

	for (int i = 0; i < LOAD_ERRORS; i++)
		json_object_set_new(errors, load_error_names[i],
				    integer((int64_t)job->result.errors[i]));
	json_object_set_new(errors, "idle_lost", integer(job->idle_lost));
	return errors;
}

static json_t *histogram_json(const struct histogram *histogram)
{
	char *text = NULL;
	json_t *value;

	if (hdr_encode(histogram, &text) != 0)
		return json_null();
	value = json_string(text);
	free(text);
	return value;
}

json_t *load_reasons_json(const struct load_job *job)
{
	const struct validity_verdict *verdict = &job->verdict;
	json_t *reasons;

	if (job->merged.reasons)
		return json_incref(job->merged.reasons);
	reasons = json_array();
	for (int i = 0; i < verdict->count; i++)
		json_array_append_new(reasons, json_pack("{s:s, s:s, s:s}", "kind",
							 validity_names[verdict->reasons[i].kind],
							 "figure", verdict->reasons[i].figure,
							 "remedy", verdict->reasons[i].remedy));
	return reasons;
}

static json_t *failed_json(const struct load_job *job)
{
	json_t *failed = json_array();
	char text[FAIL_ON_TEXT_MAX];

	for (int i = 0; i < job->met_count; i++)
		json_array_append_new(
			failed,
			json_string(fail_on_format(text, &job->fail_on.conditions[job->met[i]])));
	return failed;
}

static json_t *settings_json(const struct load_job *job)
{
	const struct load_config *config = &job->config;
	json_t *settings;
	json_t *urls;

	if (job->merged.settings)
		return json_incref(job->merged.settings);
	settings = json_object();
	urls = json_array();
	for (int i = 0; i < job->url_count; i++)
		json_array_append_new(urls, json_pack("{s:s, s:s, s:f}", "host", job->urls[i].host,
						      "target", job->urls[i].target, "weight",
						      job->requests.requests[i].weight));
	json_object_set_new(settings, "urls", urls);
	json_object_set_new(settings, "method", json_string(job->method));
	json_object_set_new(settings, "request_bytes",
			    integer((int64_t)job->requests.requests[0].length));
	json_object_set_new(settings, "threads", integer(config->threads));
	json_object_set_new(settings, "pipeline", integer(config->pipeline));
	json_object_set_new(settings, "requests_per_connection",
			    config->requests_per_connection > 0
				    ? integer(config->requests_per_connection)
				    : json_null());
	json_object_set_new(settings, "close", json_string(load_close_names[config->close]));
	json_object_set_new(settings, "arrivals",
			    config->schedule
				    ? json_string(load_arrival_names[config->schedule->kind])
				    : json_null());
	json_object_set_new(settings, "think_ns", integer(config->think_ns));
	json_object_set_new(settings, "think_exponential", json_boolean(config->think_exponential));
	json_object_set_new(settings, "seed", integer((int64_t)config->seed));
	json_object_set_new(settings, "warmup_ns", integer(config->warmup_ns));
	json_object_set_new(settings, "timeout_ns", integer(config->timeout_ns));
	json_object_set_new(settings, "spin_ns", integer(config->spin_ns));
	json_object_set_new(settings, "target", load_target_json(job));
	return settings;
}

/* Percentiles of a merged part are not known. */
static json_t *percentile_json(int64_t ns)
{
	return ns >= 0 ? integer(ns) : json_null();
}

/* A row for each of the window's equal parts, which are seconds if it has ten or more. */
static json_t *series_json(const struct load_job *job)
{
	const struct load_config *config = &job->config;
	double part_s = (double)config->window_ns / NS_PER_S / config->part_count;
	json_t *series = json_array();

	for (int i = 0; i < config->part_count; i++) {
		const struct load_part *part = &config->parts[i];

		json_array_append_new(
			series, json_pack("{s:f, s:I, s:I, s:f, s:o, s:o, s:I}", "start_s",
					  i * part_s, "requests", (json_int_t)part->requests,
					  "errors", (json_int_t)part->errors, "mean_ns",
					  part->mean_ns, "p50_ns", percentile_json(part->p50_ns),
					  "p99_ns", percentile_json(part->p99_ns), "max_ns",
					  (json_int_t)part->most_ns));
	}
	return series;
}

static json_t *window_requests_json(const struct load_job *job)
{
	json_t *windows = json_array();

	for (int i = 0; i < job->config.part_count; i++)
		json_array_append_new(windows, integer((int64_t)job->config.parts[i].requests));
	return windows;
}

static void add_open_loop(json_t *root, const struct load_job *job)
{
	const struct load_result *result = &job->result;
	struct load_lags lags = load_lags(job);

	json_object_set_new(root, "rate_rps", json_real(job->config.schedule->rate));
	json_object_set_new(root, "scheduled", integer((int64_t)result->scheduled));
	json_object_set_new(root, "scheduled_rps", json_real(load_scheduled_rps(job)));
	json_object_set_new(root, "scheduled_failed", integer((int64_t)result->failed));
	json_object_set_new(root, "unfinished", integer((int64_t)result->unfinished));
	json_object_set_new(root, "backlog_end_ns", integer(result->backlog_end_ns));
	json_object_set_new(root, "backlog_left_ns", integer(result->backlog_left_ns));
	json_object_set_new(root, "start_lag_p50_ns", integer(lags.start_p50_ns));
	json_object_set_new(root, "start_lag_p99_ns", integer(lags.start_p99_ns));
	json_object_set_new(root, "start_lag_max_ns", integer(lags.start_max_ns));
	json_object_set_new(root, "floor_intended_ns", integer(lags.floor_intended_ns));
	json_object_set_new(root, "latency_intended_ns",
			    load_latency_json(&result->latency, lags.floor_intended_ns));
	json_object_set_new(root, "latency_sent_ns",
			    load_latency_json(&result->sent_latency, lags.floor_ns));
}

static void add_calibration(json_t *root, const struct load_job *job)
{
	const struct calibration *calibration = &job->calibration;

	json_object_set_new(
		root, "calibration",
		job->is_calibrated
			? json_pack("{s:f, s:I, s:I, s:I}", "null_rps", calibration->null_rps,
				    "floor_p50_ns", (json_int_t)calibration->floor_p50_ns,
				    "floor_p99_ns", (json_int_t)calibration->floor_p99_ns,
				    "start_lag_p99_ns", (json_int_t)calibration->start_lag_p99_ns)
			: json_null());
}

static void add_server(json_t *root, const struct load_job *job)
{
	const struct meter *after = &job->server.after;
	double voluntary;
	double involuntary;
	bool known = load_switches(job, &voluntary, &involuntary);

	json_object_set_new(root, "server_cpu_ns_per_request",
			    job->server.is_complete ? json_real(load_server_cpu_ns(job))
						    : json_null());
	json_object_set_new(root, "server_voluntary_switches_per_request",
			    known ? json_real(voluntary) : json_null());
	json_object_set_new(root, "server_involuntary_switches_per_request",
			    known ? json_real(involuntary) : json_null());
	json_object_set_new(root, "server_processes", integer(after->processes));
	json_object_set_new(root, "server_threads", integer(after->threads));
	json_object_set_new(root, "server_rss_bytes", integer(after->rss_bytes));
	json_object_set_new(root, "server_pss_bytes", integer(after->pss_bytes));
}

static void add_generator(json_t *root, const struct load_job *job)
{
	const struct load_result *result = &job->result;

	json_object_set_new(root, "client_cpu_ns_per_request",
			    json_real(load_client_cpu_ns(result)));
	json_object_set_new(root, "client_utilisation", json_real(load_client_utilisation(job)));
	json_object_set_new(root, "client_spin", json_real(load_client_spin(job)));
	json_object_set_new(root, "client_busy", json_real(result->busy));
	json_object_set_new(root, "client_waiting", json_real(result->waiting));
	json_object_set_new(root, "client_lag_p99_ns", integer(load_lags(job).p99_ns));
	json_object_set_new(root, "floor_ns", integer(load_lags(job).floor_ns));
}

/* What wrk does not tell is not 0. */
static void forget_unknown(json_t *root)
{
	static const char *const unknown[] = {
		"connects",    "never_served",   "client_spin",
		"client_busy", "client_waiting", "client_lag_p99_ns",
	};

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		json_object_set_new(root, unknown[i], json_null());
}

json_t *load_json(const struct load_job *job)
{
	const struct load_result *result = &job->result;
	int64_t floor_ns = load_lags(job).floor_ns;
	bool is_open = load_is_open_loop(job);
	json_t *root =
		json_pack("{s:i, s:s, s:s, s:s, s:s?, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:f}",
			  "schema", LOAD_SCHEMA, "url", job->url, "engine", load_engine_name(job),
			  "loop", is_open ? "open" : "closed", "verdict",
			  result->interrupted ? NULL : validity_names[job->verdict.verdict],
			  "reasons", load_reasons_json(job), "failed", failed_json(job),
			  "connections", (json_int_t)job->config.connections, "idle",
			  (json_int_t)job->idle, "connects", (json_int_t)result->connects,
			  "requests", (json_int_t)result->requests, "all_requests",
			  (json_int_t)result->all_requests, "throughput_rps", result->throughput);

	if (job->merged.reports > 0)
		json_object_set_new(root, "merged",
				    json_pack("{s:I, s:i}", "reports",
					      (json_int_t)job->merged.reports, "targets",
					      job->url_count));
	if (is_open) {
		add_open_loop(root, job);
	} else {
		json_object_set_new(root, "latency_ns",
				    load_latency_json(&result->latency, floor_ns));
		if (job->config.think_ns > 0)
			json_object_set_new(root, "latency_sent_ns",
					    load_latency_json(&result->sent_latency, floor_ns));
		json_object_set_new(root, "never_served", integer(result->never_served));
	}
	json_object_set_new(root, "errors", errors_json(job));
	add_generator(root, job);
	if (job->engine == ENGINE_WRK)
		forget_unknown(root);
	add_calibration(root, job);
	if (job->server.pid > 0)
		add_server(root, job);
	json_object_set_new(root, "window_start_unix_ns", integer(result->window_start_unix_ns));
	json_object_set_new(root, "window_ns", integer(result->window_ns));
	json_object_set_new(root, "window_requests", window_requests_json(job));
	json_object_set_new(root, "series", series_json(job));
	json_object_set_new(root, "target_died", json_boolean(result->target_died));
	json_object_set_new(root, "interrupted", json_boolean(result->interrupted));
	json_object_set_new(root, "settings", settings_json(job));
	json_object_set_new(root, "histogram_intended", histogram_json(&result->latency));
	json_object_set_new(root, "histogram_sent", histogram_json(&result->sent_latency));
	return root;
}
