/* What `cwt tune` makes of curves and searches that are made up: its verdict and its exit status.
 */
#include "common/clock.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/tune.h"
#include "tests/folders.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tune *tune;
static struct tune_result result;

/* c = 5 ms, w = 100 ms, one processor: t* = 20. */
static void setup(void)
{
	tune = calloc(1, sizeof(*tune));
	cr_assert_not_null(tune);
	snprintf(tune->asked.arch, sizeof(tune->asked.arch), "pool");
	tune->asked.cores = 1;
	tune->alone.requests = 10;
	tune->alone.server_cpu_ns = 10 * 5 * NS_PER_MS;
	tune->alone.mean_ns = 100e6;
	tune->next = (struct next_settings){
		.least = 1, .most = 2000, .share = 0.95, .precision = 0.1, .runs = 3, .guess = 20
	};
	tune->tolerance = 0.1;
	tune->seed = 1;
}

static void teardown(void)
{
	free(tune);
}

TestSuite(tune_conclude, .init = setup, .fini = teardown);

/* Runs at t whose throughput is that, but for a tenth of a per cent. */
static void add_runs_of(int64_t t, int count, double rps)
{
	for (int i = 0; i < count; i++) {
		struct run *run = &tune->runs[tune->run_count++];
		double x = rps * (1 + 1e-3 * (i - 1));

		*run = tune->asked;
		run->threads = t;
		run->throughput_rps = x;
		run->window_ns = NS_PER_S;
		run->requests = (int64_t)x;
		run->all_requests = (int64_t)x;
		run->server_cpu_ns = (int64_t)x * 5 * NS_PER_MS;
		snprintf(run->rejected, sizeof(run->rejected), "-");
		curve_add(&tune->curve, t, x);
	}
}

/* Of min(k/c, t/w). */
static void add_runs(int64_t t, int count)
{
	add_runs_of(t, count, fmin((double)t / 0.1, 200));
}

static void add_known_curve(void)
{
	static const int64_t ts[] = { 10, 14, 17, 18, 19, 20, 40, 80 };

	for (size_t i = 0; i < sizeof(ts) / sizeof(ts[0]); i++)
		add_runs(ts[i], 3);
}

static void expect(int status, const char *words)
{
	tune_conclude(tune, &result);
	cr_expect_eq(result.status, status, "%d: %s", result.status, result.verdict);
	cr_expect_not_null(strstr(result.verdict, words), "'%s' lacks '%s'", result.verdict, words);
}

Test(tune_conclude, a_curve_that_is_known_has_its_t)
{
	add_known_curve();
	expect(CWT_OK, "t = 19");
	cr_expect_leq(result.answer.low, 19);
	cr_expect_geq(result.answer.high, 19);
	cr_expect_eq(result.explanation.bound, EXPLAIN_CPU);
	cr_expect_float_eq(result.cpu_s, 5e-3, 1e-6);
}

Test(tune_conclude, a_curve_that_sags_leaves_more_open)
{
	add_runs(10, 3);
	add_runs_of(20, 3, 170);
	add_runs_of(40, 3, 186);
	add_runs_of(44, 3, 194);
	add_runs(80, 3);
	add_runs(160, 3);
	expect(CWT_OK, "t = 42");
	cr_expect_eq(result.explanation.sag.t, 40);
	cr_expect_eq(result.answer.low, ceil(result.answer.crossing * 0.88));
	cr_expect_eq(result.answer.high, ceil(result.answer.crossing * 1.12));
}

Test(tune_conclude, single_runs_on_both_sides_of_the_knee_are_too_few)
{
	add_runs(10, 1);
	add_runs(20, 1);
	add_runs(40, 1);
	add_runs(80, 1);
	tune->out_of_time = true;
	tune->has_assert = true;
	tune->asserted = 14;
	expect(CWT_INCONCLUSIVE, "--budget");
}

Test(tune_conclude, a_curve_that_still_grows_says_nothing_of_its_plateau)
{
	add_runs(1, 3);
	add_runs(2, 3);
	add_runs(4, 3);
	add_runs(8, 3);
	tune->next.guess = 2;
	tune->out_of_time = true;
	tune->has_assert = true;
	tune->asserted = 20;
	expect(CWT_INCONCLUSIVE, "not known well enough");
	tune->next.most = 8; /* up to there it was looked for */
	add_runs(6, 3);
	add_runs(7, 3);
	tune->asserted = 8;
	expect(CWT_OK, "t = 8 is right");
}

Test(tune_conclude, too_many_rejected_runs_are_named)
{
	add_runs(10, 3);
	tune->disturbed = true;
	snprintf(tune->rejection, sizeof(tune->rejection), "something else was at work");
	expect(CWT_INCONCLUSIVE, "something else was at work");
	tune->curve.count = 0;
	tune->rejected = 20;
	expect(CWT_INVALID, "no run is valid; something else was at work");
}

Test(tune_conclude, an_asserted_t_is_right_within_the_interval_and_its_tolerance)
{
	add_known_curve();
	tune->has_assert = true;
	for (int64_t t = 18; t <= 20; t++) {
		tune->asserted = t;
		expect(CWT_OK, "is right");
	}
	tune->asserted = 10;
	expect(CWT_BROKEN, "t = 10 has left");
	tune->asserted = 40;
	expect(CWT_BROKEN, "it should be 19");
}

Test(tune_conclude, failures_and_interruptions_are_none_of_the_limit)
{
	add_known_curve();
	tune->has_assert = true;
	tune->asserted = 40;
	snprintf(tune->failure, sizeof(tune->failure), "t = 19: it ended");
	expect(CWT_INVALID, "t = 19: it ended");
	tune->interrupted = true;
	expect(CWT_INTERRUPTED, "interrupted");
}

static void write_baseline(const char *folder, char path[FOLDER_PATH_MAX + 16], const char *text)
{
	folder_write(folder, "tune.json", text);
	snprintf(path, FOLDER_PATH_MAX + 16, "%s/tune.json", folder);
	tune->baseline = path;
}

Test(tune_conclude, the_baseline_names_the_cause)
{
	static const struct {
		const char *figures;
		const char *cause;
	} table[] = {
		{ "\"interval\": [12, 13], \"cpu_ns\": 5e6, \"wall_ns\": 66e6, \"cores\": 1",
		  "wall time w is 1.5" },
		{ "\"interval\": [24, 25], \"cpu_ns\": 3.85e6, \"wall_ns\": 100e6, \"cores\": 1",
		  "CPU time c is 1.3" },
		{ "\"interval\": [38, 39], \"cpu_ns\": 5e6, \"wall_ns\": 100e6, \"cores\": 2",
		  "processors k is 0.50" },
		{ "\"interval\": [38, 39], \"cpu_ns\": 5e6, \"wall_ns\": 100e6, \"cores\": 1",
		  "neither c, w nor k" },
	};
	char folder[FOLDER_PATH_MAX];
	char path[FOLDER_PATH_MAX + 16];

	folder_make(folder);
	add_known_curve();
	tune->has_assert = true;
	tune->asserted = 100;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			 "{\"target\": \"pool\", \"share\": 0.95, \"slo\": null, \"threads\": 1, "
			 "\"plateau_rps\": 200, %s}",
			 table[i].figures);
		write_baseline(folder, path, text);
		expect(CWT_BROKEN, table[i].cause);
	}
	folder_remove(folder);
}

Test(tune_conclude, a_baseline_of_something_else_is_refused)
{
	static const struct {
		const char *what;
		const char *word;
	} table[] = {
		{ "\"target\": \"loops\", \"share\": 0.95", "another target" },
		{ "\"target\": \"pool\", \"share\": 0.9", "another --share" },
		{ "\"target\": \"pool\", \"share\": 0.95, \"slo\": {\"condition\": \"p99<1s\"}",
		  "another --slo" },
		{ "\"target\": \"pool\"", "--save" },
	};
	char folder[FOLDER_PATH_MAX];
	char path[FOLDER_PATH_MAX + 16];

	folder_make(folder);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct baseline baseline;
		char why[TUNE_TEXT_MAX] = "";
		char text[512];

		snprintf(text, sizeof(text),
			 "{\"interval\": [1, 2], \"cpu_ns\": 5e6, \"wall_ns\": 1e8, \"cores\": 1, "
			 "\"threads\": 1, \"plateau_rps\": 200, %s}",
			 table[i].what);
		write_baseline(folder, path, text);
		cr_expect_eq(tune_read_baseline(tune, &baseline, why), -EINVAL);
		cr_expect_not_null(strstr(why, table[i].word), "%s", why);
	}
	folder_remove(folder);
}

static void set_slo(double rate)
{
	char why[FAIL_ON_WHY_MAX];

	add_known_curve();
	tune->slo_text = "p99<200ms";
	tune->rate = rate;
	cr_assert_eq(slo_parse(tune->slo_text, &tune->slo, why, sizeof(why)), 0);
}

static void add_threads(int64_t t, int meets, int misses)
{
	tune->slo_points[tune->slo_count++] = (struct tune_slo_point){
		.t = t, .meets = meets, .misses = misses, .done = meets + misses > 1
	};
}

Test(tune_conclude, the_least_t_at_a_rate_needs_one_below_that_misses)
{
	set_slo(150);
	add_threads(19, 2, 0);
	tune->out_of_time = true;
	expect(CWT_INCONCLUSIVE, "whether fewer do is not known");
	add_threads(17, 0, 2);
	add_threads(18, 0, 2);
	expect(CWT_OK, "t = 19 meets");
}

Test(tune_conclude, none_that_meets_it_is_a_failure_only_if_it_was_looked_for)
{
	set_slo(190);
	add_threads(19, 0, 0); /* the generator was the limit */
	expect(CWT_INCONCLUSIVE, "the generator, or what");
	tune->slo_count = 0;
	add_threads(19, 0, 2);
	expect(CWT_BROKEN, "no t meets");
	tune->out_of_time = true;
	expect(CWT_INCONCLUSIVE, "--budget");
	tune->disturbed = true;
	snprintf(tune->rejection, sizeof(tune->rejection), "something else was at work");
	expect(CWT_INCONCLUSIVE, "no t is known to meet p99<200ms: something else was at work");
}

Test(tune_conclude, a_bound_below_a_request_alone_is_met_by_none)
{
	set_slo(150);
	tune->alone.p50_ns = 250 * NS_PER_MS;
	tune->alone.mean_ns = 250e6;
	tune->out_of_time = true; /* which is no matter then */
	expect(CWT_BROKEN, "no t can meet p99<200ms: a request alone takes 250ms");
}

static void add_rate(int64_t t, double low, double high, bool done)
{
	tune->slo_points[tune->slo_count++] =
		(struct tune_slo_point){ .t = t, .low = low, .high = high, .done = done };
}

Test(tune_conclude, the_highest_rate_needs_all_searches_and_a_lower_t_that_falls_short)
{
	set_slo(0);
	add_rate(19, 150, 152, true);
	expect(CWT_INCONCLUSIVE, "whether fewer do is not known");
	add_rate(13, 120, 122, true);
	expect(CWT_OK, "t = 19 meets p99<200ms up to 150");
	add_rate(26, 151, 160, false);
	tune->out_of_time = true;
	expect(CWT_INCONCLUSIVE, "--budget");
}
