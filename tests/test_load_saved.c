#include "loadgen/commands/load_join.h"
#include "loadgen/commands/load_report.h"
#include "tests/merge_reports.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(load_saved, .timeout = 240);

#define SIZE(table) (sizeof(table) / sizeof((table)[0]))

static json_t *any_report(bool open)
{
	return make_report(
		&(struct made){ .open = open, .connections = 3, .step = 7, .metered = true });
}

/* Another value at a path such as "errors.reset"; text that is not JSON removes what is there. */
static void change(json_t *root, const char *path, const char *value)
{
	char *names = strdup(path);
	char *rest = NULL;
	const char *name = strtok_r(names, ".", &rest);
	json_t *at = root;

	for (const char *next; (next = strtok_r(NULL, ".", &rest)); name = next)
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name))
				       : json_object_get(at, name);
	cr_assert_not_null(json_object_get(at, name), "%s", path);
	if (*value)
		json_object_set_new(at, name, json_loads(value, JSON_DECODE_ANY, NULL));
	else
		json_object_del(at, name);
	free(names);
}

Test(load_saved, what_is_no_report_of_a_run_is_refused_with_what_is_wrong)
{
	static const struct {
		bool open;
		const char *path;
		const char *value; /* empty: the member is not there */
		const char *why;
	} table[] = {
		{ false, "schema", "", "no report" },
		{ false, "schema", "\"2\"", "no report" },
		{ false, "schema", "1", "schema 1" },
		{ false, "schema", "3", "schema 3" },
		{ false, "url", "7", "no url" },
		{ false, "engine", "\"steam\"", "'steam'" },
		{ false, "engine", "\"wrk\"", "wrk" },
		{ false, "loop", "\"ajar\"", "'ajar'" },
		{ false, "loop", "", "loop" },
		{ false, "verdict", "\"fine\"", "verdict" },
		{ false, "verdict", "\"errors\"", "verdict 'errors'" },
		{ false, "reasons", "{}", "reasons" },
		{ false, "reasons", "[{}]", "reasons" },
		{ false, "reasons", "[{\"kind\":\"errors\",\"figure\":\"x\",\"remedy\":\"y\"}]",
		  "verdict 'valid'" },
		{ false, "reasons", "[{\"kind\":\"errors\",\"figure\":1,\"remedy\":\"y\"}]",
		  "reasons" },
		{ false, "connections", "", "no connections" },
		{ false, "connections", "-1", "connections" },
		{ false, "connections", "2.5", "connections" },
		{ false, "connections", "9223372036854775807", "connections" },
		{ false, "idle", "\"many\"", "idle" },
		{ false, "connects", "null", "connects" },
		{ false, "requests", "-3", "requests" },
		{ false, "requests", "17", "numbers of requests" },
		{ false, "all_requests", "17", "more requests in its window" },
		{ false, "throughput_rps", "-0.5", "throughput_rps" },
		{ false, "throughput_rps", "1e300", "throughput_rps" },
		{ false, "throughput_rps", "\"nan\"", "throughput_rps" },
		{ false, "latency_ns", "", "latency_ns.mean" },
		{ false, "latency_ns.mean", "1.0", "latency_ns that is not that" },
		{ false, "latency_ns.min", "0", "latency_ns that is not that" },
		{ false, "latency_ns.max", "9000000000", "latency_ns that is not that" },
		{ false, "latency_ns.max", "-1", "latency_ns.max" },
		{ false, "never_served", "", "never_served" },
		{ false, "errors", "[]", "errors.refused" },
		{ false, "errors.timeout", "-1", "errors.timeout" },
		{ false, "errors.idle_lost", "", "errors.idle_lost" },
		{ false, "client_utilisation", "true", "client_utilisation" },
		{ false, "calibration", "5", "calibration.null_rps" },
		{ false, "calibration", "", "calibration" },
		{ false, "calibration.floor_p99_ns", "-1", "calibration.floor_p99_ns" },
		{ false, "server_processes", "", "server_processes" },
		{ false, "server_cpu_ns_per_request", "-1", "server_cpu_ns_per_request" },
		{ false, "window_start_unix_ns", "-1", "window_start_unix_ns" },
		{ false, "window_ns", "9223372036854775807", "window_ns" },
		{ false, "series", "5", "series" },
		{ false, "series.3.start_s", "1.5", "series" },
		{ false, "series.1.start_s", "-1", "series" },
		{ false, "series.1.start_s", "1e300", "series" },
		{ false, "client_cpu_ns_per_request", "1e20", "per request" },
		{ false, "server_voluntary_switches_per_request", "1e20", "per request" },
		{ false, "series.3.requests", "-5", "series" },
		{ false, "series.3.p99_ns", "\"\"", "series" },
		{ false, "target_died", "0", "target_died" },
		{ false, "interrupted", "null", "interrupted" },
		{ false, "settings", "", "settings" },
		{ false, "settings.arrivals", "\"poisson\"", "settings.arrivals" },
		{ false, "settings.urls", "[]", "settings.urls" },
		{ false, "settings.urls", "[{\"host\":\"a\"}]", "settings.urls" },
		{ false, "settings.urls", "[{\"host\":\"a\",\"target\":\"/\",\"weight\":-1}]",
		  "settings.urls" },
		{ false, "settings.think_ns", "-1", "settings.think_ns" },
		{ false, "settings.think_ns", "1000", "latency_sent_ns" },
		{ false, "histogram_intended", "null", "no histogram_intended" },
		{ false, "histogram_intended", "\"\"", "histogram_intended" },
		{ false, "histogram_intended", "\"HISTFAAA\"", "histogram_intended" },
		{ false, "histogram_sent", "\"HISTFAAAACB4nJNpmSz!\"", "histogram_sent" },
		{ true, "rate_rps", "", "rate_rps" },
		{ true, "rate_rps", "-1.0", "rate_rps" },
		{ true, "scheduled", "-1", "scheduled" },
		{ true, "unfinished", "1", "numbers of requests" },
		{ true, "backlog_end_ns", "-1", "backlog_end_ns" },
		{ true, "start_lag_max_ns", "2.5", "start_lag_max_ns" },
		{ true, "floor_intended_ns", "", "floor_intended_ns" },
		{ false, "floor_ns", "-1", "floor_ns" },
		{ true, "latency_sent_ns", "null", "latency_sent_ns" },
		{ true, "latency_intended_ns.mean", "1e20", "latency_intended_ns" },
		{ true, "settings.arrivals", "null", "settings.arrivals" },
		{ true, "settings.arrivals", "\"soon\"", "settings.arrivals" },
	};

	for (size_t i = 0; i < SIZE(table); i++) {
		json_t *root = any_report(table[i].open);
		struct saved_report report;
		char why[SAVED_WHY_MAX] = "";

		change(root, table[i].path, table[i].value);
		cr_expect_eq(saved_report_read(root, &report, why), -EINVAL, "%s = %s",
			     table[i].path, table[i].value);
		cr_expect_not_null(strstr(why, table[i].why), "%s = %s: '%s'", table[i].path,
				   table[i].value, why);
	}
}

Test(load_saved, what_is_not_an_object_is_no_report)
{
	static const char *const texts[] = { "null",       "[]", "7",
					     "\"schema\"", "{}", "[{\"schema\":2}]" };

	for (size_t i = 0; i < SIZE(texts); i++) {
		struct saved_report report;
		char why[SAVED_WHY_MAX];

		cr_expect_eq(saved_report_read(json_loads(texts[i], JSON_DECODE_ANY, NULL), &report,
					       why),
			     -EINVAL, "%s", texts[i]);
	}
}

Test(load_saved, reports_that_are_not_of_one_load_are_refused_by_name)
{
	static const struct {
		bool open[2];
		int first; /* of the second */
		const char *path;
		const char *value;
		const char *why;
	} table[] = {
		{ { false, true },
		  1,
		  NULL,
		  NULL,
		  "a is of a closed loop, and b of an open loop with Poisson arrivals" },
		{ { true, true },
		  1,
		  "settings.arrivals",
		  "\"trace\"",
		  "Poisson arrivals, and b of an open loop by a trace" },
		{ { true, true }, 1, "settings.think_ns", "5", "think" },
		{ { true, true }, 0, NULL, NULL, "same report" },
	};

	for (size_t i = 0; i < SIZE(table); i++) {
		static struct load_joined joined[2];
		char why[SAVED_WHY_MAX] = "";

		for (int k = 0; k < 2; k++) {
			json_t *root = make_report(&(struct made){
				.open = table[i].open[k], .step = 7, .first = k * table[i].first });

			if (k == 1 && table[i].path)
				change(root, table[i].path, table[i].value);
			joined[k].name = k == 0 ? "a" : "b";
			cr_assert_eq(saved_report_read(root, &joined[k].report, why), 0, "%s", why);
		}
		cr_expect_eq(load_join_check(joined, 2, why), -EINVAL, "row %zu", i);
		cr_expect_not_null(strstr(why, table[i].why), "%s", why);
		saved_report_free(&joined[0].report);
		saved_report_free(&joined[1].report);
	}
}

/* Damage */

/* Whatever it is, it is refused with a reason, or it can be merged, reported, and read again. */
static bool is_refused_or_merged(json_t *root, const json_t *other)
{
	static struct load_joined joined[2];
	struct load_job *job;
	json_t *merged;
	char why[SAVED_WHY_MAX] = "";
	int rc = saved_report_read(root, &joined[0].report, why);

	if (rc != 0) {
		cr_expect(rc == -EINVAL && why[0], "%d '%s'", rc, why);
		return true;
	}
	joined[0].name = "a";
	joined[1].name = "b";
	cr_assert_eq(saved_report_read(json_deep_copy(other), &joined[1].report, why), 0);
	if (load_join_check(joined, 2, why) == 0) {
		job = calloc(1, sizeof(*job));
		cr_assert_not_null(job);
		cr_expect_eq(load_join(job, joined, 2, NULL), 0);
		merged = load_json(job);
		cr_assert_not_null(merged);
		load_job_free(job);
		free(job);
		saved_report_free(&joined[0].report);
		cr_expect_eq(saved_report_read(merged, &joined[0].report, why), 0, "%s", why);
	}
	saved_report_free(&joined[0].report);
	saved_report_free(&joined[1].report);
	return false;
}

/* Every member of it, and of what is in it, has every one of some values in its place. */
static void try_members(json_t *root, json_t *at, const json_t *other, int *tried)
{
	static const char *const values[] = { "null", "-1",    "0",
					      "1.5",  "1e308", "4611686018427387904",
					      "true", "[]",    "{}",
					      "\"\"", "[[{}]]" };
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(at, next, name, value)
	{
		json_t *kept = json_incref(value);

		for (size_t i = 0; i < SIZE(values); i++) {
			json_object_set_new(at, name, json_loads(values[i], JSON_DECODE_ANY, NULL));
			is_refused_or_merged(json_deep_copy(root), other);
			++*tried;
		}
		json_object_set_new(at, name, kept);
		try_members(root, json_is_array(kept) ? json_array_get(kept, 0) : kept, other,
			    tried);
	}
}

Test(load_saved, no_value_of_any_member_is_more_than_refused)
{
	for (int open = 0; open < 2; open++) {
		json_t *root = any_report(open);
		json_t *other = make_report(
			&(struct made){ .open = open, .connections = 1, .first = 1, .step = 7 });
		int tried = 0;

		try_members(root, root, other, &tried);
		cr_expect_gt(tried, 800);
		json_decref(root);
		json_decref(other);
	}
}

Test(load_saved, no_file_that_is_cut_or_has_a_wrong_bit_is_more_than_refused)
{
	json_t *root = any_report(true);
	json_t *other = make_report(
		&(struct made){ .open = true, .connections = 1, .first = 1, .step = 7 });
	char *bytes = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	size_t length = strlen(bytes);
	int refused = 0;

	for (size_t cut = 0; cut < length; cut++)
		cr_assert_null(json_loadb(bytes, cut, JSON_REJECT_DUPLICATES, NULL), "%zu", cut);
	for (size_t at = 0; at < length; at += 3) {
		json_t *damaged;

		bytes[at] = (char)(bytes[at] ^ 1 << at / 3 % 7);
		damaged = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, NULL);
		refused += !damaged || is_refused_or_merged(damaged, other);
		bytes[at] = (char)(bytes[at] ^ 1 << at / 3 % 7);
	}
	cr_expect_gt(refused, (int)length / 3 / 2);
	free(bytes);
	json_decref(root);
	json_decref(other);
}
