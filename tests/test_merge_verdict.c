#include "common/clock.h"
#include "tests/merge_reports.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(merge_verdict, .timeout = 120);

#define SIZE(table) (sizeof(table) / sizeof((table)[0]))

Test(merge_verdict, windows_that_do_not_overlap_by_nine_tenths_are_no_common_run)
{
	static const struct {
		int64_t start_ms[2];
		int64_t window_ms[2];
		int64_t common_ms;
		const char *figure; /* NULL: valid */
	} table[] = {
		{ { 0, 0 }, { 10000, 10000 }, 10000, NULL },
		{ { 0, 1000 }, { 10000, 10000 }, 9000, NULL },
		{ { 1000, 0 }, { 10000, 10000 }, 9000, NULL },
		{ { 0, 1100 }, { 10000, 10000 }, 8900, "overlap by 89 %" },
		{ { 0, 5700 }, { 10000, 10000 }, 4300, "overlap by 43 % only" },
		{ { 0, 0 }, { 10000, 8000 }, 8000, "overlap by 80 %" },
		{ { 0, 500 }, { 10000, 9300 }, 9300, NULL },
		{ { 0, 10000 }, { 10000, 10000 }, 0, "overlap by 0 %" },
		{ { 0, 60000 }, { 10000, 10000 }, 0, "overlap by 0 %" },
	};

	for (size_t i = 0; i < SIZE(table); i++) {
		json_t *reports[2];
		json_t *merged;
		const json_t *reason;

		for (int k = 0; k < 2; k++)
			reports[k] = make_report(
				&(struct made){ .step = 1,
						.first = k,
						.start_ns = table[i].start_ms[k] * NS_PER_MS,
						.window_ns = table[i].window_ms[k] * NS_PER_MS });
		merged = merge(reports, 2, NULL);
		cr_expect_eq(number(merged, "window_ns"), (double)table[i].common_ms * NS_PER_MS);
		reason = json_array_get(json_object_get(merged, "reasons"), 0);
		cr_expect_str_eq(text(merged, "verdict"), table[i].figure ? "merge" : "valid",
				 "row %zu", i);
		cr_expect_eq(!table[i].figure, !reason);
		if (table[i].figure && reason) {
			cr_expect_not_null(strstr(text(reason, "figure"), table[i].figure), "%s",
					   text(reason, "figure"));
			cr_expect_not_null(strstr(text(reason, "remedy"), "--warmup"));
		}
		json_decref(merged);
	}
}

static void blame(json_t *report, const char *kind, const char *figure)
{
	json_array_append_new(
		json_object_get(report, "reasons"),
		json_pack("{s:s, s:s, s:s}", "kind", kind, "figure", figure, "remedy", "mend it"));
	if (strcmp(text(report, "verdict"), "valid") == 0)
		json_object_set_new(report, "verdict", json_string(kind));
}

Test(merge_verdict, the_reasons_of_all_are_told_by_kind_with_the_files_they_are_from)
{
	static const char *const expected[][2] = {
		{ "errors", "2.json: five failed" },
		{ "client-limited", "1.json: busy" },
		{ "client-limited", "2.json: busy too" },
		{ "unstable", "1.json: it drifts" },
	};
	json_t *reports[3];
	json_t *merged;

	for (int i = 0; i < 3; i++)
		reports[i] = make_report(&(struct made){ .step = 3, .first = i });
	blame(reports[1], "client-limited", "busy");
	blame(reports[1], "unstable", "it drifts");
	blame(reports[2], "errors", "five failed");
	blame(reports[2], "client-limited", "busy too");
	merged = merge(reports, 3, NULL);
	cr_expect_str_eq(text(merged, "verdict"), "errors");
	cr_assert_eq(json_array_size(json_object_get(merged, "reasons")), SIZE(expected));
	for (size_t i = 0; i < SIZE(expected); i++) {
		const json_t *reason = json_array_get(json_object_get(merged, "reasons"), i);

		cr_expect_str_eq(text(reason, "kind"), expected[i][0]);
		cr_expect_str_eq(text(reason, "figure"), expected[i][1]);
		cr_expect_str_eq(text(reason, "remedy"), "mend it");
	}
	json_decref(merged);
}

Test(merge_verdict, errors_are_judged_by_their_sum_where_fail_on_is_given)
{
	static const struct {
		const char *fail_on;
		int errors;  /* status, in each of two */
		bool blamed; /* by the reports' own conditions */
		const char *verdict;
	} table[] = {
		{ NULL, 0, false, "valid" },       { NULL, 2, false, "valid" },
		{ NULL, 2, true, "errors" },       { "errors", 2, false, "errors" },
		{ "errors", 0, false, "valid" },   { "none", 2, true, "valid" },
		{ "status>3", 2, true, "errors" }, { "status>4", 2, true, "valid" },
		{ "timeout", 2, true, "valid" },
	};

	for (size_t i = 0; i < SIZE(table); i++) {
		json_t *reports[2];
		json_t *merged;

		for (int k = 0; k < 2; k++) {
			reports[k] = make_report(&(struct made){ .step = 2, .first = k });
			json_object_set_new(json_object_get(reports[k], "errors"), "status",
					    json_integer(table[i].errors));
			if (table[i].blamed)
				blame(reports[k], "errors", "some failed");
		}
		merged = merge(reports, 2, table[i].fail_on);
		cr_expect_str_eq(text(merged, "verdict"), table[i].verdict, "row %zu", i);
		cr_expect_eq(number_at(merged, "errors", "status"), 2 * table[i].errors);
		json_decref(merged);
	}
}

Test(merge_verdict, a_bound_of_the_latency_is_that_of_all_together)
{
	static const struct {
		const char *fail_on;
		size_t failed;
	} table[] = { { "max>1us", 1 }, { "max>1h", 0 }, { "p50>1us,p99>1h", 1 } };

	for (size_t i = 0; i < SIZE(table); i++) {
		json_t *reports[] = { make_report(&(struct made){ .step = 2 }),
				      make_report(&(struct made){ .step = 2, .first = 1 }) };
		json_t *merged = merge(reports, 2, table[i].fail_on);

		cr_expect_eq(json_array_size(json_object_get(merged, "failed")), table[i].failed);
		json_decref(merged);
	}
}

Test(merge_verdict, one_that_was_cut_short_or_whose_target_died_makes_the_whole_so)
{
	static const char *const names[] = { "interrupted", "target_died" };

	for (size_t i = 0; i < SIZE(names); i++) {
		json_t *reports[] = { make_report(&(struct made){ .step = 2 }),
				      make_report(&(struct made){ .step = 2, .first = 1 }) };
		json_t *merged;

		json_object_set_new(reports[i], names[i], json_true());
		merged = merge(reports, 2, NULL);
		cr_expect(json_is_true(json_object_get(merged, names[i])), "%s", names[i]);
		cr_expect(json_is_false(json_object_get(merged, names[1 - i])), "%s", names[i]);
		json_decref(merged);
	}
}

/* Settings and the server */

Test(merge_verdict, settings_that_differ_are_null_threads_are_summed_and_urls_listed)
{
	json_t *reports[] = { make_report(&(struct made){ .step = 2, .target = "/a" }),
			      make_report(
				      &(struct made){ .step = 2, .first = 1, .target = "/b" }) };
	json_t *merged;
	const json_t *settings;
	const json_t *urls;

	json_object_set_new(json_object_get(reports[1], "settings"), "seed", json_integer(7));
	json_object_set_new(reports[1], "engine", json_string("uring"));
	merged = merge(reports, 2, NULL);
	settings = json_object_get(merged, "settings");
	urls = json_object_get(settings, "urls");
	cr_expect(json_is_null(json_object_get(settings, "seed")));
	cr_expect_str_eq(text(settings, "method"), "GET");
	cr_expect_eq(number(settings, "threads"), 2);
	cr_expect_str_eq(text(merged, "engine"), "mixed");
	cr_expect_eq(number_at(merged, "merged", "targets"), 2);
	cr_assert_eq(json_array_size(urls), 2);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_str_eq(text(json_array_get(urls, i), "target"), i == 0 ? "/a" : "/b");
		cr_expect_float_eq(number(json_array_get(urls, i), "weight"), 0.5, 1e-3);
	}
	json_decref(merged);
}

Test(merge_verdict, the_server_is_told_of_if_one_report_metered_it_and_all_drove_it)
{
	static const struct {
		bool metered[2];
		const char *hosts[2];
		bool told;
	} table[] = {
		{ { true, false }, { "a", "a" }, true },   { { false, true }, { "a", "a" }, true },
		{ { false, false }, { "a", "a" }, false }, { { true, true }, { "a", "a" }, false },
		{ { true, false }, { "a", "b" }, false },
	};

	for (size_t i = 0; i < SIZE(table); i++) {
		json_t *reports[2];
		json_t *merged;

		for (int k = 0; k < 2; k++)
			reports[k] = make_report(&(struct made){ .step = 2,
								 .first = k,
								 .host = table[i].hosts[k],
								 .metered = table[i].metered[k] });
		merged = merge(reports, 2, NULL);
		cr_expect_eq(!!json_object_get(merged, "server_pss_bytes"), table[i].told);
		/* Each had half of the requests that the server's time and switches were for. */
		if (table[i].told) {
			cr_expect_float_eq(number(merged, "server_cpu_ns_per_request"),
					   MADE_SERVER_CPU_NS / 2.0, 1);
			cr_expect_float_eq(number(merged, "server_voluntary_switches_per_request"),
					   MADE_SERVER_SWITCHES / 2.0, 1e-3);
			cr_expect_eq(number(merged, "server_threads"), 5);
		}
		json_decref(merged);
	}
}
