/* `cwt compare` and `cwt selftest` as programs: exit statuses, and what they leave. */
#include "tests/folders.h"
#include "tests/outcomes.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(compare_command, .timeout = 120);

enum { WORD_MAX = 2 * FOLDER_PATH_MAX + 64, RUNS_MAX = 12 };

/* Two sweeps, and the words that name them. */
struct sides {
	char folder[FOLDER_PATH_MAX];
	char base[WORD_MAX];
	char newer[WORD_MAX];
};

static struct sides make_sides(void)
{
	struct sides place;

	folder_make(place.folder);
	snprintf(place.base, sizeof(place.base), "%s/base", place.folder);
	snprintf(place.newer, sizeof(place.newer), "%s/new", place.folder);
	return place;
}

/* Points of the heavy app that differ in t, with three repetitions each at `share` of t/w. */
static void write_sweep(const struct sides *place, const char *name, const double *shares,
			size_t points)
{
	struct run runs[RUNS_MAX];

	for (size_t i = 0; i < 3 * points; i++) {
		int64_t t = 10 + (int64_t)(i / 3);
		double x = 10 * (double)t * shares[i / 3] * (1 + 0.001 * (double)(i % 3));

		runs[i] = lawful_run(t, 5000000, 100000000, x);
		strcpy(runs[i].distribution, "constant");
	}
	folder_write_runs(place->folder, name, runs, 3 * points);
}

static void write_both(const struct sides *place, double first, double second)
{
	const double base[] = { 1, 1 };
	const double newer[] = { first, second };

	write_sweep(place, "base", base, 2);
	write_sweep(place, "new", newer, 2);
}

/* The status, and a word in what is said on stdout or stderr. */
static void expect(const char *const *words, int status, const char *word)
{
	struct outcome outcome = cwt(words);

	cr_expect_eq(outcome.status, status, "%s: %d: %s", word, outcome.status, outcome.errors);
	cr_expect(strstr(outcome.output.bytes, word) || strstr(outcome.errors, word),
		  "no '%s' in: %s%s", word, outcome.output.bytes, outcome.errors);
	free(outcome.output.bytes);
}

static json_t *json_of(const char *const *words, int status)
{
	struct outcome outcome = cwt(words);
	json_t *root = outcome_json(&outcome);

	cr_expect_eq(outcome.status, status, "%d", outcome.status);
	return root;
}

static const char *text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

Test(compare_command, the_status_is_the_worst_of_all_points)
{
	static const struct {
		double shares[2];
		int status;
		const char *word;
	} table[] = {
		{ { 1, 1 }, 0, "pass: 2 points: 0 regressions, 0 inconclusive, 2 pass" },
		{ { 1, 0.9 }, 1, "regression: 2 points: 1 regression," },
		{ { 0.9, 1.1 }, 1, "1 pass (1 improved)" },
		{ { 1.1, 1.2 }, 0, "2 pass (2 improved)" },
		{ { 1, 0.98 }, 3, "inconclusive: 2 points: 0 regressions, 1 inconclusive" },
		{ { 0.98, 0.9 }, 1, "1 regression, 1 inconclusive" },
	};
	struct sides place = make_sides();

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		write_both(&place, table[i].shares[0], table[i].shares[1]);
		expect(WORDS("compare", place.base, place.newer), table[i].status, table[i].word);
	}
	/* 5 % less is within a threshold of 10 %. */
	write_both(&place, 0.95, 1);
	expect(WORDS("compare", place.base, place.newer, "--threshold", "10%"), 0, "2 pass");
	folder_remove(place.folder);
}

Test(compare_command, a_missing_baseline_is_status_4_and_one_line)
{
	struct sides place = make_sides();
	const double shares[] = { 1 };

	write_sweep(&place, "new", shares, 1);
	expect(WORDS("compare", place.base, place.newer), 4, "no baseline: ");
	folder_write_runs(place.folder, "base", NULL, 0);
	expect(WORDS("compare", place.base, place.newer), 4, "no run in it");
	expect(WORDS("compare", place.newer, "/nonexistent"), 2, "/nonexistent/runs.csv");
	folder_remove(place.folder);
}

Test(compare_command, nothing_valid_is_status_5)
{
	struct sides place = make_sides();
	struct run runs[3];

	write_both(&place, 1, 1);
	for (int i = 0; i < 3; i++) {
		runs[i] = lawful_run(10, 5000000, 100000000, 100);
		strcpy(runs[i].distribution, "constant");
		runs[i].error_reset = 1;
	}
	folder_write_runs(place.folder, "new", runs, 3);
	expect(WORDS("compare", place.base, place.newer), 5, "no valid repetition in NEW");
	for (int i = 0; i < 3; i++)
		runs[i] = lawful_run(10, 1000000, 100000000, 100);
	folder_write_runs(place.folder, "new", runs, 3);
	expect(WORDS("compare", place.base, place.newer), 5, "not compared: only in NEW");
	folder_remove(place.folder);
}

Test(compare_command, one_invalid_point_leaves_the_whole_inconclusive)
{
	struct sides place = make_sides();
	struct run runs[6];

	write_both(&place, 1, 1);
	for (int i = 0; i < 6; i++) {
		runs[i] = lawful_run(i < 3 ? 10 : 11, 5000000, 100000000, i < 3 ? 100 : 110);
		strcpy(runs[i].distribution, "constant");
		runs[i].error_reset = i < 3;
	}
	folder_write_runs(place.folder, "new", runs, 6);
	expect(WORDS("compare", place.base, place.newer), 3, "1 pass, 1 invalid");
	folder_remove(place.folder);
}

Test(compare_command, a_damaged_file_is_reported_with_its_line)
{
	static const struct {
		const char *tail;
		const char *word;
	} table[] = {
		{ "3,too few,1\n", "runs.csv:8: too few columns" },
		{ "3,too few,1\n3,half a li", "runs.csv:8: too few columns" },
	};
	struct sides place = make_sides();

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		write_both(&place, 1, 1);
		folder_append(place.newer, "runs.csv", table[i].tail);
		expect(WORDS("compare", place.base, place.newer), 5, table[i].word);
		expect(WORDS("compare", place.newer, place.base), 5, table[i].word);
	}
	folder_write(place.newer, "runs.csv", "schema,of,tomorrow\n9,1,2\n");
	expect(WORDS("compare", place.base, place.newer), 5, "runs.csv:1: not the header");
	folder_remove(place.folder);
}

Test(compare_command, a_last_line_that_was_cut_short_is_told_and_the_others_are_used)
{
	struct sides place = make_sides();

	write_both(&place, 1, 1);
	folder_append(place.newer, "runs.csv", "3,half a li");
	expect(WORDS("compare", place.base, place.newer), 0, "runs.csv:8: the last line was cut");
	expect(WORDS("compare", place.newer, place.base), 0, "runs.csv:8: the last line was cut");
	folder_remove(place.folder);
}

Test(compare_command, mistakes_in_usage_are_status_2)
{
	static const struct {
		const char *words[6];
		const char *word;
	} table[] = {
		{ { "compare" }, "BASE NEW" },
		{ { "compare", "a" }, "BASE NEW" },
		{ { "compare", "a", "b", "c" }, "BASE NEW" },
		{ { "compare", "a", "b", "--threshold", "5" }, "--threshold 5" },
		{ { "compare", "a", "b", "--threshold", "100%" }, "below 100%" },
		{ { "compare", "a", "b", "--figure", "speed" }, "throughput" },
		{ { "compare", "a,,b", "b" }, "a folder's name is missing" },
		{ { "selftest", "extra" }, "extra" },
		{ { "selftest", "--cpu", "0" }, "--cpu" },
		{ { "selftest", "--cpu", "2ms", "--wall", "1ms" }, "--wall" },
		{ { "selftest", "--plant", "0" }, "--plant" },
		{ { "selftest", "--arch", "none" }, "--arch" },
		{ { "selftest", "--threads", "5" }, "loop has no such limit" },
		{ { "selftest", "--pairs", "5", "--repetitions", "6" }, "--pairs" },
		{ { "selftest", "--server-cpus", "0", "--load-cpus", "0" }, "different" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect(table[i].words, 2, table[i].word);
}

Test(compare_command, differences_of_the_sweeps_come_first)
{
	struct sides place = make_sides();
	struct outcome outcome;

	write_both(&place, 1, 1);
	folder_write(place.base, "machine.json",
		     "{\"kernel\": \"6.1\", \"cpu_model\": \"A\", \"cores\": 2}");
	folder_write(place.newer, "machine.json",
		     "{\"kernel\": \"6.2\", \"cpu_model\": \"A\", \"cores\": 2}");
	outcome = cwt(WORDS("compare", place.base, place.newer));
	cr_expect_eq(outcome.status, 0);
	cr_expect_eq(strncmp(outcome.output.bytes, "The sweeps differ", 17), 0, "%s",
		     outcome.output.bytes);
	cr_expect_lt(strstr(outcome.output.bytes, "6.2"), strstr(outcome.output.bytes, "verdict"));
	cr_expect_null(strstr(outcome.output.bytes, "cpu_model"));
	free(outcome.output.bytes);
	folder_write(place.newer, "machine.json",
		     "{\"kernel\": \"6.1\", \"cpu_model\": \"B\", \"cores\": 2}");
	expect(WORDS("compare", place.base, place.newer), 5, "cpu_model: A and B");
	expect(WORDS("compare", place.base, place.newer, "--across-machines"), 0, "2 pass");
	folder_remove(place.folder);
}

Test(compare_command, json_has_every_point_with_its_interval)
{
	struct sides place = make_sides();
	json_t *root;
	const json_t *point;

	write_both(&place, 1, 0.9);
	root = json_of(WORDS("compare", place.base, place.newer, "--json"), 1);
	cr_expect_eq(expect_number(root, "schema"), 1);
	cr_expect_str_eq(text(root, "figure"), "throughput");
	cr_expect_str_eq(text(root, "verdict"), "regression");
	cr_expect_float_eq(expect_number(root, "threshold"), 0.02, 1e-12);
	cr_expect_float_eq(expect_number(root, "confidence"), 0.95, 1e-12);
	cr_assert_eq(json_array_size(json_object_get(root, "points")), 2);
	point = json_array_get(json_object_get(root, "points"), 1);
	cr_expect_str_eq(text(point, "arch"), "pool");
	cr_expect_str_eq(text(point, "verdict"), "regression");
	cr_expect_str_eq(text(point, "unit"), "repetitions");
	cr_expect_eq(expect_number(point, "threads"), 11);
	cr_expect_float_eq(expect_number(point, "ratio"), 0.9, 1e-6);
	cr_expect_lt(expect_number(point, "low"), 0.9);
	cr_expect_gt(expect_number(point, "high"), 0.9);
	cr_expect_leq(expect_number(point, "p_regression"), 0.025);
	cr_expect_eq(expect_number(json_object_get(point, "base"), "valid_runs"), 3);
	cr_expect_float_eq(expect_number(json_object_get(point, "base"), "mean"), 110.11, 0.01);
	cr_expect_float_eq(expect_number(json_object_get(point, "new"), "mean"), 99.1, 0.01);
	json_decref(root);
	folder_remove(place.folder);
}

Test(compare_command, json_has_no_number_where_there_is_none)
{
	struct sides place = make_sides();
	struct run run = lawful_run(10, 5000000, 100000000, 100);
	json_t *root;
	const json_t *point;

	strcpy(run.distribution, "constant");
	write_both(&place, 1, 1);
	folder_write_runs(place.folder, "new", &run, 1);
	root = json_of(WORDS("compare", place.base, place.newer, "--json"), 3);
	point = json_array_get(json_object_get(root, "points"), 0);
	cr_expect_float_eq(expect_number(point, "ratio"), 1, 0.01);
	cr_expect(json_is_null(json_object_get(point, "low")));
	cr_expect(json_is_null(json_object_get(point, "high")));
	cr_expect_eq(json_array_size(json_object_get(root, "refused")), 1);
	json_decref(root);
	folder_remove(place.folder);
}

Test(compare_command, markdown_and_junit_tell_the_same)
{
	static char file[FOLDER_TEXT_MAX];
	struct sides place = make_sides();
	char markdown[WORD_MAX];
	char junit[WORD_MAX];
	const char *worst;

	snprintf(markdown, sizeof(markdown), "%s/a.md", place.folder);
	snprintf(junit, sizeof(junit), "%s/a.xml", place.folder);
	write_both(&place, 1, 0.9);
	expect(WORDS("compare", place.base, place.newer, "--markdown", markdown, "--junit", junit),
	       1, "1 regression");

	folder_read(place.folder, "a.md", file);
	worst = strstr(file, "t=11");
	cr_assert_not_null(worst, "%s", file);
	cr_expect_lt(worst, strstr(file, "t=10"), "%s", file);
	cr_expect_not_null(strstr(worst, "-10.0 % ("), "%s", worst);
	cr_expect_not_null(strstr(worst, "**regression**"), "%s", worst);

	folder_read(place.folder, "a.xml", file);
	cr_expect_not_null(strstr(file, "tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""),
			   "%s", file);
	cr_expect_not_null(strstr(file, "<failure message=\"worse by 11.1 %,"), "%s", file);
	write_both(&place, 1, 0.98);
	expect(WORDS("compare", place.base, place.newer, "--junit", junit), 3, "inconclusive");
	folder_read(place.folder, "a.xml", file);
	cr_expect_not_null(strstr(file, "<skipped message=\""), "%s", file);
	expect(WORDS("compare", place.base, place.newer, "--junit", "/nonexistent/a.xml"), 2,
	       "/nonexistent/a.xml");
	folder_remove(place.folder);
}

Test(compare_command, a_refused_comparison_is_an_error_in_junit)
{
	static char file[FOLDER_TEXT_MAX];
	struct sides place = make_sides();
	char junit[WORD_MAX];

	snprintf(junit, sizeof(junit), "%s/a.xml", place.folder);
	write_both(&place, 1, 1);
	folder_write(place.base, "machine.json", "{\"cores\": 2}");
	folder_write(place.newer, "machine.json", "{\"cores\": 8}");
	expect(WORDS("compare", place.base, place.newer, "--junit", junit), 5, "cores: 2 and 8");
	folder_read(place.folder, "a.xml", file);
	cr_expect_not_null(strstr(file, "<error message=\"the sweeps are of different machines"),
			   "%s", file);
	folder_remove(place.folder);
}

Test(compare_command, several_folders_on_a_side_are_several_sweeps)
{
	struct sides place = make_sides();
	const double shares[] = { 1.001 };
	char two[2 * WORD_MAX];
	json_t *root;
	const json_t *point;

	write_sweep(&place, "base", shares, 1);
	write_sweep(&place, "again", shares, 1);
	write_sweep(&place, "new", shares, 1);
	snprintf(two, sizeof(two), "%s,%s/again", place.base, place.folder);
	root = json_of(WORDS("compare", two, place.newer, "--json"), 0);
	point = json_array_get(json_object_get(root, "points"), 0);
	cr_expect_str_eq(text(point, "unit"), "sweeps");
	cr_expect_eq(expect_number(json_object_get(point, "base"), "units"), 2);
	cr_expect_eq(expect_number(json_object_get(point, "base"), "runs"), 6);
	cr_expect_eq(json_array_size(json_object_get(root, "base")), 2);
	json_decref(root);
	folder_remove(place.folder);
}

Test(compare_command, another_plan_of_a_point_is_refused)
{
	static const char plan[] = "[plan]\nwindow = %s\n[case heavy app]\narch = pool\n"
				   "threads = 10, 11\ncpu = 5ms\nwall = 100ms\nwait = timer\n";
	struct sides place = make_sides();
	char words[256];

	write_both(&place, 1, 1);
	snprintf(words, sizeof(words), plan, "2s");
	folder_write(place.base, "plan.ini", words);
	folder_write(place.newer, "plan.ini", words);
	expect(WORDS("compare", place.base, place.newer), 0, "2 pass");
	snprintf(words, sizeof(words), plan, "4s");
	folder_write(place.newer, "plan.ini", words);
	expect(WORDS("compare", place.base, place.newer), 5,
	       "window is 2s in BASE, 4s in NEW; measure both by the same plan");
	folder_remove(place.folder);
}

/* Server and generator need a processor each. */
static bool has_two_processors(void)
{
	cpu_set_t set;

	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	return CPU_ISSET(0, &set) && CPU_ISSET(1, &set);
}

Test(compare_command, a_selftest_measures_judges_and_keeps_its_runs)
{
	struct sides place = make_sides();
	struct outcome outcome;
	char out[WORD_MAX];
	char sides[2][WORD_MAX];

	if (!has_two_processors())
		cr_skip_test("needs processors 0 and 1");
	snprintf(out, sizeof(out), "%s/out", place.folder);
	outcome = cwt(WORDS("selftest", "--pairs", "3", "--repetitions", "3", "--duration", "100ms",
			    "--cpu", "2ms", "--wall", "2ms", "--trials", "100", "--out", out,
			    "--json"));
	/* On a machine with other work to do, the runs may be invalid. */
	cr_expect(outcome.status != 2 && outcome.status != 4 && outcome.status <= 5, "%d: %s",
		  outcome.status, outcome.errors);
	if (outcome.output.length > 0) {
		json_t *root = json_loads(outcome.output.bytes, 0, NULL);

		cr_assert_not_null(root, "%s", outcome.output.bytes);
		cr_expect_eq(expect_number(root, "runs"), 6);
		cr_expect_gt(expect_number(root, "mean"), 0);
		cr_expect_eq(expect_number(json_object_get(root, "trials"), "count"), 100);
		cr_expect_eq(outcome.status, json_is_true(json_object_get(root, "good")) ? 0 : 1);
		json_decref(root);
	}
	free(outcome.output.bytes);
	snprintf(sides[0], sizeof(sides[0]), "%s/out/a", place.folder);
	snprintf(sides[1], sizeof(sides[1]), "%s/out/b", place.folder);
	outcome = cwt(WORDS("compare", sides[0], sides[1]));
	cr_expect(outcome.status != 2 && outcome.status != 4, "%d: %s", outcome.status,
		  outcome.errors);
	free(outcome.output.bytes);
	folder_remove(place.folder);
}
