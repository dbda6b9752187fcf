#include "loadgen/commands/saved_parts.h"
#include "common/clock.h"
#include "loadgen/commands/load_report.h"
#include "loadgen/commands/saved_fields.h"
#include "loadgen/engine/hdr.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MOST = 1000000 };

#define SERIES_MOST_S 1e9
#define IN(member)    offsetof(struct saved_report, member)

static int find_verdict(const char *name)
{
	for (int i = 0; name && i < VALIDITIES; i++)
		if (strcmp(name, validity_names[i]) == 0)
			return i;
	return -1;
}

int saved_read_verdict(struct saved_report *report, char why[SAVED_WHY_MAX])
{
	const json_t *reasons = json_object_get(report->root, "reasons");
	const json_t *named = json_object_get(report->root, "verdict");
	bool is_cut_short =
		json_is_null(named) && json_is_true(json_object_get(report->root, "interrupted"));
	int verdict = is_cut_short ? VALID : find_verdict(json_string_value(named));
	int first = VALID;

	if (verdict < 0 || !json_is_array(reasons))
		return saved_complain(why, "has no verdict that is known, or no reasons");
	for (size_t i = json_array_size(reasons); i-- > 0;) {
		const json_t *reason = json_array_get(reasons, i);

		first = find_verdict(json_string_value(json_object_get(reason, "kind")));
		if (first <= VALID || !json_is_string(json_object_get(reason, "figure")) ||
		    !json_is_string(json_object_get(reason, "remedy")))
			return saved_complain(why, "has reasons of its verdict that are none");
	}
	if (first != verdict && !is_cut_short)
		return saved_complain(why, "has verdict '%s', and reasons for '%s'",
				      validity_names[verdict], validity_names[first]);
	report->verdict = (enum validity)first;
	return 0;
}

static int read_arrivals(struct saved_report *report, const json_t *settings, char *why)
{
	const json_t *value = json_object_get(settings, "arrivals");
	const char *name = json_string_value(value);

	if (!report->is_open && json_is_null(value))
		return 0;
	for (int i = 0; report->is_open && name && i <= SCHEDULE_TRACE; i++) {
		report->arrivals = (enum schedule_kind)i;
		if (strcmp(name, load_arrival_names[i]) == 0)
			return 0;
	}
	return saved_complain(why, "has settings.arrivals that are not of its loop");
}

int saved_read_settings(struct saved_report *report, char why[SAVED_WHY_MAX])
{
	static const struct saved_field fields[] = {
		{ "threads", SAVED_COUNT, IN(threads) },
		{ "think_ns", SAVED_TIME, IN(think_ns) },
		{ "requests_per_connection", SAVED_COUNT_OR_NULL, IN(requests_per_connection) },
	};
	const json_t *settings = json_object_get(report->root, "settings");
	const json_t *urls = json_object_get(settings, "urls");

	if (saved_read(settings, "settings.", fields, sizeof(fields) / sizeof(fields[0]), report,
		       why) != 0)
		return -EINVAL;
	if (report->requests_per_connection < 0)
		report->requests_per_connection = 0;
	if (json_array_size(urls) == 0)
		return saved_complain(why, "has no settings.urls");
	for (size_t i = 0; i < json_array_size(urls); i++) {
		const json_t *url = json_array_get(urls, i);
		double weight = json_number_value(json_object_get(url, "weight"));

		if (!json_is_string(json_object_get(url, "host")) ||
		    !json_is_string(json_object_get(url, "target")) || !(weight >= 0) ||
		    !isfinite(weight))
			return saved_complain(why, "has settings.urls that are none");
	}
	return read_arrivals(report, settings, why);
}

static const struct saved_field of_part[] = {
	{ "requests", SAVED_COUNT, offsetof(struct load_part, requests) },
	{ "errors", SAVED_COUNT, offsetof(struct load_part, errors) },
	{ "mean_ns", SAVED_REAL, offsetof(struct load_part, mean_ns) },
	{ "p50_ns", SAVED_TIME_OR_NULL, offsetof(struct load_part, p50_ns) },
	{ "p99_ns", SAVED_TIME_OR_NULL, offsetof(struct load_part, p99_ns) },
	{ "max_ns", SAVED_TIME, offsetof(struct load_part, most_ns) },
};

int saved_read_series(struct saved_report *report, char why[SAVED_WHY_MAX])
{
	const json_t *series = json_object_get(report->root, "series");
	size_t count = json_array_size(series);

	if (!json_is_array(series) || count > PARTS_MOST)
		return saved_complain(why, "has no series");
	report->part_count = (int64_t)count;
	report->parts = calloc(count + 1, sizeof(*report->parts));
	if (!report->parts) {
		saved_complain(why, "does not fit into the memory");
		return -ENOMEM;
	}
	report->part_s = (double)report->result.window_ns / NS_PER_S;
	if (count > 1)
		report->part_s =
			json_number_value(json_object_get(json_array_get(series, 1), "start_s"));
	if (!(report->part_s * (double)count <= SERIES_MOST_S))
		return saved_complain(why, "has a series that is too long");
	for (size_t i = 0; i < count; i++) {
		const json_t *row = json_array_get(series, i);
		double expected_s = report->part_s * (double)i;
		double start_s = json_number_value(json_object_get(row, "start_s"));

		if (saved_read(row, "series: ", of_part, sizeof(of_part) / sizeof(of_part[0]),
			       &report->parts[i], why) != 0)
			return -EINVAL;
		if (!json_is_number(json_object_get(row, "start_s")) ||
		    !(fabs(start_s - expected_s) <= 1e-6 * expected_s) || (i > 0 && !(start_s > 0)))
			return saved_complain(why, "has a series whose parts are not equal");
	}
	return 0;
}

/*
 * The histogram, with least, most and mean as the report has them exactly. The latter must be such
 * as the histogram can have: its values are within 1/256 of their bucket's middle.
 */
static int read_latency(const struct saved_report *report, const char *histogram_name,
			const char *latency_name, struct histogram *histogram, char *why)
{
	static const struct saved_field fields[] = {
		{ "mean", SAVED_REAL, offsetof(struct histogram, sum) },
		{ "min", SAVED_TIME, offsetof(struct histogram, least) },
		{ "max", SAVED_TIME, offsetof(struct histogram, most) },
	};
	const json_t *text = json_object_get(report->root, histogram_name);
	struct histogram found = { .count = 0 };
	char reason[HDR_WHY_MAX];
	char within[32];
	double mean;
	int rc;

	if (!json_is_string(text))
		return saved_complain(why, "has no %s", histogram_name);
	rc = hdr_decode(json_string_value(text), json_string_length(text), &found, reason);
	if (rc != 0) {
		saved_complain(why, "has a %s that cannot be read: %s", histogram_name, reason);
		return rc == -ENOMEM ? rc : -EINVAL;
	}
	*histogram = found;
	if (!latency_name)
		return 0;
	snprintf(within, sizeof(within), "%s.", latency_name);
	if (saved_read(json_object_get(report->root, latency_name), within, fields, 3, histogram,
		       why) != 0)
		return -EINVAL;
	mean = histogram->sum;
	histogram->sum = mean * (double)found.count;
	if (histogram->least < found.least || histogram->most > found.most ||
	    histogram->least - found.least > found.least / 128 ||
	    found.most - histogram->most > found.most / 128 ||
	    !(fabs(mean - histogram_mean(&found)) <= histogram_mean(&found) / 128 + 1))
		return saved_complain(why, "has a %s that is not that of its %s", latency_name,
				      histogram_name);
	return 0;
}

/* Closed loop without thinking: requests go when they are meant to. */
int saved_read_latencies(struct saved_report *report, char why[SAVED_WHY_MAX])
{
	struct load_result *result = &report->result;
	bool has_sent = report->is_open || report->think_ns > 0;
	int rc = read_latency(report, "histogram_intended",
			      report->is_open ? "latency_intended_ns" : "latency_ns",
			      &result->latency, why);

	if (rc == 0)
		rc = read_latency(report, "histogram_sent", has_sent ? "latency_sent_ns" : NULL,
				  &result->sent_latency, why);
	if (rc != 0)
		return rc;
	/* Of those that failed, the ones that timed out have a latency. */
	if (result->latency.count < result->requests + result->unfinished ||
	    result->latency.count > result->requests + result->unfinished + result->failed ||
	    result->sent_latency.count < result->requests ||
	    result->sent_latency.count > result->latency.count)
		return saved_complain(why, "has other numbers of requests in its histograms than "
					   "it says");
	if (has_sent)
		return 0;
	if (memcmp(result->latency.buckets, result->sent_latency.buckets,
		   sizeof(result->latency.buckets)) != 0)
		return saved_complain(why, "has two histograms that should be the same");
	result->sent_latency = result->latency;
	return 0;
}
