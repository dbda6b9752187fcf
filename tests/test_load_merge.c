#include "common/clock.h"
#include "loadgen/engine/hdr.h"
#include "loadgen/engine/quantile_interval.h"
#include "tests/merge_reports.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(load_merge, .timeout = 120);

#define SIZE(table) (sizeof(table) / sizeof((table)[0]))

/* Sums */

static bool is_close(double a, double b)
{
	return fabs(a - b) <= 1e-6 * fmax(fabs(a), fabs(b));
}

/* Whole numbers and texts are the same; others to within what is printed of them. */
static void expect_alike(const json_t *a, const json_t *b, const char *name)
{
	size_t i;
	json_t *value;
	const char *key;

	if (json_is_object(a)) {
		cr_expect_eq(json_object_size(a), json_object_size(b), "%s", name);
		json_object_foreach((json_t *)a, key, value)
			expect_alike(value, json_object_get(b, key), key);
	} else if (json_is_array(a)) {
		cr_expect_eq(json_array_size(a), json_array_size(b), "%s", name);
		json_array_foreach(a, i, value) expect_alike(value, json_array_get(b, i), name);
	} else if (json_is_real(a)) {
		cr_expect(is_close(json_real_value(a), json_number_value(b)), "%s: %g, %g", name,
			  json_real_value(a), json_number_value(b));
	} else {
		cr_expect(json_equal(a, b), "%s", name);
	}
}

/* What only a report of one run has, or only a merged one. */
static void drop_what_differs(json_t *report)
{
	static const char *const names[] = { "merged", "series", "settings" };

	for (size_t i = 0; i < SIZE(names); i++)
		json_object_del(report, names[i]);
}

Test(load_merge, two_halves_of_a_load_are_the_whole_load)
{
	for (int open = 0; open < 2; open++) {
		struct made made = { .open = open, .connections = 6, .first = 0, .step = 1 };
		struct made half[2] = { { .open = open, .connections = 3, .first = 0, .step = 2 },
					{ .open = open, .connections = 3, .first = 1, .step = 2 } };
		json_t *whole = make_report(&made);
		json_t *halves[] = { make_report(&half[0]), make_report(&half[1]) };
		json_t *merged = merge(halves, 2, NULL);

		drop_what_differs(whole);
		drop_what_differs(merged);
		expect_alike(whole, merged, "report");
		json_decref(whole);
		json_decref(merged);
	}
}

Test(load_merge, what_is_merged_in_two_steps_is_what_is_merged_in_one)
{
	for (int open = 0; open < 2; open++) {
		struct made made[3];
		json_t *all[3];
		json_t *pair[2];
		json_t *once;
		json_t *twice;

		for (int i = 0; i < 3; i++) {
			made[i] = (struct made){ .open = open,
						 .connections = i + 1,
						 .first = i,
						 .step = 3,
						 .start_ns = (int64_t)i * NS_PER_MS };
			all[i] = make_report(&made[i]);
		}
		pair[0] = merge((json_t *[]){ json_deep_copy(all[0]), json_deep_copy(all[1]) }, 2,
				NULL);
		pair[1] = json_deep_copy(all[2]);
		once = merge(all, 3, NULL);
		twice = merge(pair, 2, NULL);
		cr_expect_eq(number_at(once, "merged", "reports"), 3);
		expect_alike(once, twice, "report");
		json_decref(once);
		json_decref(twice);
	}
}

Test(load_merge, of_lags_backlogs_and_floors_the_largest_is_told)
{
	static const char *const largest[] = { "backlog_end_ns",   "backlog_left_ns",
					       "start_lag_p50_ns", "start_lag_p99_ns",
					       "start_lag_max_ns", "client_lag_p99_ns",
					       "floor_ns",         "floor_intended_ns",
					       "client_busy",      "client_waiting" };
	json_t *reports[] = { make_report(&(struct made){ .open = true, .step = 2 }),
			      make_report(&(struct made){ .open = true, .first = 1, .step = 2 }) };
	json_t *merged;

	for (size_t i = 0; i < SIZE(largest); i++)
		json_object_set_new(reports[i % 2], largest[i],
				    i < 8 ? json_integer(123456789) : json_real(0.75));
	json_object_set_new(json_object_get(reports[0], "calibration"), "floor_p99_ns",
			    json_integer(77777));
	json_object_set_new(json_object_get(reports[1], "calibration"), "null_rps", json_real(5));
	merged = merge(reports, 2, NULL);
	for (size_t i = 0; i < SIZE(largest); i++)
		cr_expect_float_eq(number(merged, largest[i]), i < 8 ? 123456789 : 0.75, 1e-9, "%s",
				   largest[i]);
	cr_expect_eq(number_at(merged, "calibration", "floor_p99_ns"), 77777);
	cr_expect_eq(number_at(merged, "calibration", "null_rps"), 5);
	json_decref(merged);
}

/*
 * The server's own latency may be shorter than what was seen by all that was not the server's: what
 * was calibrated (40 us, merge_reports.c), and how late the generator itself was in this run: in
 * taking up replies (20 us), and in sending what was due (30 us), which an open loop has.
 */
Test(load_merge, an_interval_begins_lower_by_the_calibrated_floor_and_the_runs_own_lateness)
{
	static struct histogram sent;
	static const double floors_ns[] = { 40e3 + 20e3, 40e3 + 30e3 };
	const double intended_ns = 40e3 + 30e3 + 30e3;

	for (int open = 0; open < 2; open++) {
		json_t *report = make_report(&(struct made){ .open = open, .step = 1 });
		json_t *latency = json_object_get(report, open ? "latency_sent_ns" : "latency_ns");
		json_t *interval = json_object_get(json_object_get(latency, "interval"), "p90");
		const char *encoded = text(report, "histogram_sent");
		char why[HDR_WHY_MAX];
		int64_t low_ns;
		int64_t high_ns;

		cr_assert_eq(hdr_decode(encoded, strlen(encoded), &sent, why), 0, "%s", why);
		quantile_interval(&sent, 0.9, 0.95, &low_ns, &high_ns);
		/* Lags are known to within a 256th of themselves. */
		cr_expect_float_eq(json_number_value(json_array_get(interval, 0)),
				   (double)low_ns - floors_ns[open], 300, "%d", open);
		cr_expect_eq(json_integer_value(json_array_get(interval, 1)), high_ns, "%d", open);
		cr_expect_float_eq(number(report, "floor_ns"), floors_ns[open], 300, "%d", open);
		if (open)
			cr_expect_float_eq(number(report, "floor_intended_ns"), intended_ns, 300);
		json_decref(report);
	}
}

/* What the windows of different length had is only known for each of them. */
Test(load_merge, throughput_is_the_sum_of_each_ones_own)
{
	struct made a = { .step = 1, .window_ns = 10LL * NS_PER_S };
	struct made b = { .step = 1, .window_ns = 10500LL * NS_PER_MS, .first = 1 };
	json_t *reports[] = { make_report(&a), make_report(&b) };
	double sum = number(reports[0], "throughput_rps") + number(reports[1], "throughput_rps");
	json_t *merged = merge(reports, 2, NULL);

	cr_expect(is_close(number(merged, "throughput_rps"), sum));
	cr_expect_eq(number(merged, "window_ns"), 10e9);
	json_decref(merged);
}

/* Series */

Test(load_merge, rows_of_the_series_are_added_by_their_number)
{
	struct made made[] = { { .step = 1, .rows = 4 }, { .step = 1, .first = 1, .rows = 4 } };
	json_t *reports[] = { make_report(&made[0]), make_report(&made[1]) };
	json_t *rows[] = { json_deep_copy(json_object_get(reports[0], "series")),
			   json_deep_copy(json_object_get(reports[1], "series")) };
	json_t *merged = merge(reports, 2, NULL);
	const json_t *series = json_object_get(merged, "series");

	cr_assert_eq(json_array_size(series), 4);
	for (size_t i = 0; i < 4; i++) {
		const json_t *row = json_array_get(series, i);
		const json_t *a = json_array_get(rows[0], i);
		const json_t *b = json_array_get(rows[1], i);
		double requests = number(a, "requests") + number(b, "requests");

		cr_expect(is_close(number(row, "start_s"), number(a, "start_s")) || i == 0);
		cr_expect_eq(number(row, "requests"), requests);
		cr_expect_eq(number(row, "errors"), number(a, "errors") + number(b, "errors"));
		cr_expect_eq(number(row, "max_ns"), fmax(number(a, "max_ns"), number(b, "max_ns")));
		cr_expect(is_close(number(row, "mean_ns") * requests,
				   number(a, "mean_ns") * number(a, "requests") +
					   number(b, "mean_ns") * number(b, "requests")));
		cr_expect(json_is_null(json_object_get(row, "p50_ns")));
		cr_expect(json_is_null(json_object_get(row, "p99_ns")));
	}
	json_decref(rows[0]);
	json_decref(rows[1]);
	json_decref(merged);
}

Test(load_merge, a_series_of_parts_of_different_length_is_left_out)
{
	json_t *reports[] = { make_report(&(struct made){ .step = 1, .rows = 4 }),
			      make_report(&(struct made){ .step = 1, .rows = 5 }) };
	json_t *merged = merge(reports, 2, NULL);

	cr_expect_eq(json_array_size(json_object_get(merged, "series")), 0);
	cr_expect_eq(json_array_size(json_object_get(merged, "window_requests")), 0);
	json_decref(merged);
}
