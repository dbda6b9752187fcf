#include "loadgen/commands/load_join.h"
#include "common/clock.h"
#include "loadgen/commands/load_join_parts.h"
#include "loadgen/commands/load_report.h"
#include "loadgen/commands/saved_fields.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How its requests come. */
static const char *load_of(const struct saved_report *report)
{
	static const char *const open_loops[] = {
		[SCHEDULE_CONSTANT] = "an open loop with constant arrivals",
		[SCHEDULE_POISSON] = "an open loop with Poisson arrivals",
		[SCHEDULE_TRACE] = "an open loop by a trace",
	};

	return report->is_open ? open_loops[report->arrivals] : "a closed loop";
}

int load_join_check(const struct load_joined *joined, int count, char why[SAVED_WHY_MAX])
{
	const struct load_joined *first = &joined[0];

	for (int i = 1; i < count; i++) {
		const struct load_joined *one = &joined[i];

		if (load_of(&one->report) != load_of(&first->report))
			return saved_complain(why, "%s is of %s, and %s of %s", first->name,
					      load_of(&first->report), one->name,
					      load_of(&one->report));
		if (one->report.think_ns != first->report.think_ns)
			return saved_complain(why, "%s and %s have different think times",
					      first->name, one->name);
		for (int k = 0; k < i; k++)
			if (json_equal(one->report.root, joined[k].report.root))
				return saved_complain(why, "%s and %s are the same report",
						      joined[k].name, one->name);
	}
	return 0;
}

static void raise(int64_t *most, int64_t value)
{
	if (value > *most)
		*most = value;
}

/* A floor that one of them has is taken for all: they came the same way. */
static void add_calibration(struct load_job *job, const struct saved_report *report)
{
	const struct calibration *more = &report->calibration;
	struct calibration *most = &job->calibration;

	if (!report->is_calibrated)
		return;
	if (!job->is_calibrated || more->null_rps < most->null_rps)
		most->null_rps = more->null_rps;
	raise(&most->floor_p50_ns, more->floor_p50_ns);
	raise(&most->floor_p99_ns, more->floor_p99_ns);
	raise(&most->start_lag_p99_ns, more->start_lag_p99_ns);
	job->is_calibrated = true;
}

static void add_merged(struct load_merged *merged, const struct saved_report *report)
{
	merged->reports += report->runs;
	merged->scheduled_rps += report->scheduled_rps;
	merged->client_utilisation += report->client_utilisation;
	merged->client_spin += report->client_spin;
	raise(&merged->lags.p99_ns, report->lags.p99_ns);
	raise(&merged->lags.start_p50_ns, report->lags.start_p50_ns);
	raise(&merged->lags.start_p99_ns, report->lags.start_p99_ns);
	raise(&merged->lags.start_max_ns, report->lags.start_max_ns);
	raise(&merged->lags.floor_ns, report->lags.floor_ns);
	raise(&merged->lags.floor_intended_ns, report->lags.floor_intended_ns);
}

static void add(struct load_job *job, const struct saved_report *report)
{
	struct load_config *config = &job->config;

	if (report->engine != job->engine)
		job->engine = ENGINE_MIXED;
	config->connections += report->connections;
	raise(&config->requests_per_connection, report->requests_per_connection);
	job->idle += report->idle;
	job->idle_lost += report->idle_lost;
	job->schedule.rate += report->rate_rps;
	load_add_result(&job->result, &report->result);
	add_calibration(job, report);
	add_merged(&job->merged, report);
}

/* What the windows have in common. Returns its share of the longest. */
static double overlap(struct load_result *result, const struct load_joined *joined, int count)
{
	int64_t end_ns = INT64_MAX;
	int64_t longest_ns = 0;

	for (int i = 0; i < count; i++) {
		const struct load_result *one = &joined[i].report.result;
		int64_t one_end_ns = one->window_start_unix_ns + one->window_ns;

		raise(&result->window_start_unix_ns, one->window_start_unix_ns);
		raise(&longest_ns, one->window_ns);
		if (one_end_ns < end_ns)
			end_ns = one_end_ns;
	}
	result->window_ns = 0;
	raise(&result->window_ns, end_ns - result->window_start_unix_ns);
	return longest_ns > 0 ? (double)result->window_ns / (double)longest_ns : 0;
}

int load_join(struct load_job *job, const struct load_joined *joined, int count,
	      const struct fail_on *fail_on)
{
	const struct saved_report *first = &joined[0].report;
	double share;

	job->url = first->url;
	job->engine = first->engine;
	job->config.think_ns = first->think_ns;
	job->schedule.kind = first->arrivals;
	if (first->is_open)
		job->config.schedule = &job->schedule;
	for (int i = 0; i < count; i++)
		add(job, &joined[i].report);
	share = overlap(&job->result, joined, count);
	job->merged.judges_errors = fail_on;
	if (fail_on)
		job->fail_on = *fail_on;
	job->met_count = fail_on_latency(&job->fail_on, &job->result.latency, job->met);
	load_join_server(job, joined, count);
	load_join_verdict(job, joined, count, share);
	load_join_settings(job, joined, count);
	return load_join_series(job, joined, count);
}
