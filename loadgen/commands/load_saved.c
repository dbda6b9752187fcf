#include "loadgen/commands/load_saved.h"
#include "loadgen/commands/load_report.h"
#include "loadgen/commands/saved_fields.h"
#include "loadgen/commands/saved_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUM_MOST 0x1p53 /* some hundred days, in ns */

#define IN(member) offsetof(struct saved_report, member)

static const struct saved_field always[] = {
	{ "connections", SAVED_COUNT, IN(connections) },
	{ "idle", SAVED_COUNT, IN(idle) },
	{ "connects", SAVED_COUNT, IN(result.connects) },
	{ "requests", SAVED_COUNT, IN(result.requests) },
	{ "all_requests", SAVED_COUNT, IN(result.all_requests) },
	{ "throughput_rps", SAVED_REAL, IN(result.throughput) },
	{ "client_cpu_ns_per_request", SAVED_REAL, IN(client_cpu_ns_per_request) },
	{ "client_utilisation", SAVED_REAL, IN(client_utilisation) },
	{ "client_spin", SAVED_REAL, IN(client_spin) },
	{ "client_busy", SAVED_REAL, IN(result.busy) },
	{ "client_waiting", SAVED_REAL, IN(result.waiting) },
	{ "client_lag_p99_ns", SAVED_TIME, IN(lags.p99_ns) },
	{ "floor_ns", SAVED_TIME, IN(lags.floor_ns) },
	{ "window_start_unix_ns", SAVED_TIME, IN(result.window_start_unix_ns) },
	{ "window_ns", SAVED_TIME, IN(result.window_ns) },
	{ "target_died", SAVED_FLAG, IN(result.target_died) },
	{ "interrupted", SAVED_FLAG, IN(result.interrupted) },
};

static const struct saved_field of_open_loop[] = {
	{ "rate_rps", SAVED_REAL, IN(rate_rps) },
	{ "scheduled", SAVED_COUNT, IN(result.scheduled) },
	{ "scheduled_rps", SAVED_REAL, IN(scheduled_rps) },
	{ "scheduled_failed", SAVED_COUNT, IN(result.failed) },
	{ "unfinished", SAVED_COUNT, IN(result.unfinished) },
	{ "backlog_end_ns", SAVED_TIME, IN(result.backlog_end_ns) },
	{ "backlog_left_ns", SAVED_TIME, IN(result.backlog_left_ns) },
	{ "start_lag_p50_ns", SAVED_TIME, IN(lags.start_p50_ns) },
	{ "start_lag_p99_ns", SAVED_TIME, IN(lags.start_p99_ns) },
	{ "start_lag_max_ns", SAVED_TIME, IN(lags.start_max_ns) },
	{ "floor_intended_ns", SAVED_TIME, IN(lags.floor_intended_ns) },
};

static const struct saved_field of_closed_loop[] = {
	{ "never_served", SAVED_COUNT, IN(result.never_served) },
};

static const struct saved_field of_calibration[] = {
	{ "null_rps", SAVED_REAL, IN(calibration.null_rps) },
	{ "floor_p50_ns", SAVED_TIME, IN(calibration.floor_p50_ns) },
	{ "floor_p99_ns", SAVED_TIME, IN(calibration.floor_p99_ns) },
	{ "start_lag_p99_ns", SAVED_TIME, IN(calibration.start_lag_p99_ns) },
};

static const struct saved_field of_server[] = {
	{ "server_cpu_ns_per_request", SAVED_REAL_OR_NULL, IN(server_cpu_ns_per_request) },
	{ "server_voluntary_switches_per_request", SAVED_REAL_OR_NULL, IN(server_voluntary) },
	{ "server_involuntary_switches_per_request", SAVED_REAL_OR_NULL, IN(server_involuntary) },
	{ "server_processes", SAVED_COUNT, IN(server.processes) },
	{ "server_threads", SAVED_COUNT, IN(server.threads) },
	{ "server_rss_bytes", SAVED_COUNT, IN(server.rss_bytes) },
	{ "server_pss_bytes", SAVED_COUNT, IN(server.pss_bytes) },
};

/* What kind of report it is. */
static int read_kind(struct saved_report *report, char *why)
{
	const json_t *schema = json_object_get(report->root, "schema");
	const char *loop;
	const char *engine;
	int number;

	if (!json_is_object(report->root) || !json_is_integer(schema))
		return saved_complain(why, "is no report of 'cwt load --json'");
	if (json_integer_value(schema) != LOAD_SCHEMA)
		return saved_complain(why,
				      "is a report of schema %lld; only those of schema %d can be "
				      "merged",
				      (long long)json_integer_value(schema), LOAD_SCHEMA);
	report->url = json_string_value(json_object_get(report->root, "url"));
	engine = json_string_value(json_object_get(report->root, "engine"));
	loop = json_string_value(json_object_get(report->root, "loop"));
	if (!report->url || !engine || !loop)
		return saved_complain(why, "has no url, engine or loop");
	number = load_engine_find(engine);
	if (number == ENGINE_WRK)
		return saved_complain(why, "is of wrk, which does not say when its window began");
	report->engine = (enum load_engine)number;
	report->is_open = strcmp(loop, "open") == 0;
	if (number < 0 || (!report->is_open && strcmp(loop, "closed") != 0))
		return saved_complain(why,
				      "is of engine '%.32s' and loop '%.32s', which are unknown",
				      engine, loop);
	return 0;
}

static int read_runs(struct saved_report *report, char *why)
{
	static const struct saved_field fields[] = { { "reports", SAVED_COUNT, IN(runs) } };
	const json_t *merged = json_object_get(report->root, "merged");

	report->runs = 1;
	if (!merged)
		return 0;
	if (saved_read(merged, "merged.", fields, 1, report, why) != 0)
		return -EINVAL;
	return report->runs > 0 ? 0 : saved_complain(why, "is merged from no report");
}

static int read_errors(struct saved_report *report, char *why)
{
	static const struct saved_field lost = { "idle_lost", SAVED_COUNT, IN(idle_lost) };
	const json_t *errors = json_object_get(report->root, "errors");
	struct load_result *result = &report->result;

	for (int i = 0; i < LOAD_ERRORS; i++) {
		struct saved_field field = { load_error_names[i], SAVED_COUNT,
					     (size_t)i * sizeof(result->errors[0]) };

		if (saved_read(errors, "errors.", &field, 1, result->errors, why) != 0)
			return -EINVAL;
		result->error_count += result->errors[i];
	}
	return saved_read(errors, "errors.", &lost, 1, report, why);
}

/* What is told per request is the sum again when it is merged. */
static int check_requests(const struct saved_report *report, char *why)
{
	const double each[] = { report->client_cpu_ns_per_request,
				report->server_cpu_ns_per_request, report->server_voluntary,
				report->server_involuntary };
	double all = (double)report->result.all_requests;

	if (report->result.all_requests < report->result.requests)
		return saved_complain(why, "has more requests in its window than in all");
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
		if (each[i] * all > SUM_MOST)
			return saved_complain(why, "has a figure per request that is beyond all "
						   "measure");
	return 0;
}

#define READ(object, within, fields)                                                               \
	saved_read(object, within, fields, sizeof(fields) / sizeof((fields)[0]), report, why)

static int read_all(struct saved_report *report, char *why)
{
	const json_t *calibration;
	int rc = read_kind(report, why);

	if (rc == 0)
		rc = READ(report->root, "", always);
	if (rc == 0)
		rc = report->is_open ? READ(report->root, "", of_open_loop)
				     : READ(report->root, "", of_closed_loop);
	calibration = json_object_get(report->root, "calibration");
	report->is_calibrated = !json_is_null(calibration);
	if (rc == 0 && report->is_calibrated)
		rc = READ(calibration, "calibration.", of_calibration);
	report->has_server = json_object_get(report->root, "server_cpu_ns_per_request");
	if (rc == 0 && report->has_server)
		rc = READ(report->root, "", of_server);
	if (rc == 0)
		rc = check_requests(report, why);
	if (rc == 0)
		report->result.client_cpu_ns = llround(report->client_cpu_ns_per_request *
						       (double)report->result.requests);
	if (rc == 0)
		rc = read_runs(report, why);
	if (rc == 0)
		rc = read_errors(report, why);
	if (rc == 0)
		rc = saved_read_verdict(report, why);
	if (rc == 0)
		rc = saved_read_settings(report, why);
	if (rc == 0)
		rc = saved_read_series(report, why);
	return rc == 0 ? saved_read_latencies(report, why) : rc;
}

int saved_report_read(json_t *root, struct saved_report *report, char why[SAVED_WHY_MAX])
{
	int rc;

	memset(report, 0, sizeof(*report));
	report->root = root;
	rc = read_all(report, why);
	if (rc != 0)
		saved_report_free(report);
	return rc;
}

void saved_report_free(struct saved_report *report)
{
	json_decref(report->root);
	free(report->parts);
	report->root = NULL;
	report->parts = NULL;
}
