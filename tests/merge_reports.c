#include "tests/merge_reports.h"
#include "common/clock.h"
#include "loadgen/commands/load_join.h"
#include "loadgen/commands/load_report.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 8, START_NS = NS_PER_S };

double number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	cr_expect(json_is_number(value), "no number %s", name);
	return json_number_value(value);
}

double number_at(const json_t *object, const char *within, const char *name)
{
	return number(json_object_get(object, within), name);
}

const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	cr_expect_not_null(value, "no text %s", name);
	return value ? value : "";
}

/* Latencies of some 0.1 ms to 1 s, of which no two steps have the same. */
static int64_t latency_ns(int i)
{
	return (int64_t)(1e5 * exp(9.2 * fmod(i * 0.618034, 1)));
}

static void fill_result(struct load_job *job, const struct made *made)
{
	struct load_result *result = &job->result;
	int rows = job->config.part_count;

	for (int i = made->first; i < MADE_VALUES; i += made->step) {
		struct load_part *part = &job->config.parts[(int64_t)i * rows / MADE_VALUES];
		int64_t ns = latency_ns(i);

		histogram_record(&result->latency, ns);
		histogram_record(&result->sent_latency, made->open ? ns - ns / 3 : ns);
		result->requests++;
		part->mean_ns += ((double)ns - part->mean_ns) / (double)++part->requests;
		part->p50_ns = ns;
		part->p99_ns = ns;
		if (ns > part->most_ns)
			part->most_ns = ns;
	}
	result->all_requests = result->requests;
	result->scheduled = made->open ? result->requests : 0;
	result->window_start_unix_ns = START_NS + made->start_ns;
	result->window_ns = job->config.window_ns;
	result->throughput = (double)result->requests * NS_PER_S / (double)result->window_ns;
	result->connects = (uint64_t)job->config.connections;
	/* 1 us for each request. */
	result->client_cpu_ns = (int64_t)result->requests * NS_PER_US;
	result->spin_ns = result->client_cpu_ns / 4;
	result->busy = 0.25;
	result->waiting = 0.125;
	result->backlog_end_ns = made->open ? 1000 : 0;
	histogram_record(&result->lag, 20 * NS_PER_US);
	if (made->open)
		histogram_record(&result->start_lag, 30 * NS_PER_US);
}

static void meter(struct load_job *job)
{
	struct load_metered *server = &job->server;

	server->pid = 1;
	server->is_complete = true;
	server->end_ns = (int64_t)job->result.requests * MADE_SERVER_CPU_NS;
	server->before = (struct meter){ .processes = 1, .threads = 5 };
	server->after = server->before;
	server->after.voluntary = (int64_t)job->result.all_requests * MADE_SERVER_SWITCHES;
	server->after.rss_bytes = 1 << 20;
	server->after.pss_bytes = 1 << 20;
}

json_t *make_report(const struct made *made)
{
	struct load_job *job = calloc(1, sizeof(*job));
	struct request request = { .length = 40, .weight = 1 };
	json_t *report;

	cr_assert_not_null(job);
	job->url = "http://made/";
	job->url_count = 1;
	strcpy(job->urls[0].host, made->host ? made->host : "made");
	strcpy(job->urls[0].target, made->target ? made->target : "/");
	job->requests.requests = &request;
	job->method = "GET";
	job->config.connections = made->connections;
	job->config.threads = 1;
	job->config.window_ns = made->window_ns > 0 ? made->window_ns : 10LL * NS_PER_S;
	job->config.part_count = made->rows > 0 ? made->rows : 10;
	job->config.parts = calloc((size_t)job->config.part_count, sizeof(*job->config.parts));
	cr_assert_not_null(job->config.parts);
	job->schedule =
		(struct schedule_plan){ .kind = SCHEDULE_POISSON, .rate = 600.0 / made->step };
	if (made->open)
		job->config.schedule = &job->schedule;
	job->is_calibrated = true;
	job->calibration = (struct calibration){ .null_rps = 1e6,
						 .floor_p50_ns = 20000,
						 .floor_p99_ns = 40000,
						 .start_lag_p99_ns = 50000 };
	fill_result(job, made);
	if (made->metered)
		meter(job);
	report = load_json(job);
	cr_assert_not_null(report);
	free(job->config.parts);
	free(job);
	return report;
}

json_t *merge(json_t **reports, int count, const char *fail_on)
{
	struct load_joined *joined = calloc(COUNT_MAX, sizeof(*joined));
	struct load_job *job = calloc(1, sizeof(*job));
	char names[COUNT_MAX][16];
	struct fail_on conditions;
	char why[SAVED_WHY_MAX] = "";
	json_t *merged;

	cr_assert(joined && job && count <= COUNT_MAX);
	for (int i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "%d.json", i);
		joined[i].name = names[i];
		cr_assert_eq(saved_report_read(reports[i], &joined[i].report, why), 0, "%s", why);
	}
	if (fail_on)
		cr_assert_eq(fail_on_parse(fail_on, &conditions, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(load_join_check(joined, count, why), 0, "%s", why);
	cr_assert_eq(load_join(job, joined, count, fail_on ? &conditions : NULL), 0);
	merged = load_json(job);
	for (int i = 0; i < count; i++)
		saved_report_free(&joined[i].report);
	load_job_free(job);
	free(job);
	free(joined);
	cr_assert_not_null(merged);
	return merged;
}
