/* `cwt check` and `cwt report` as programs, on folders as sweeps leave them. */
#include "tests/folders.h"
#include "tests/outcomes.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(report_command, .timeout = 120);

/* Of the heavy app's server with t = 10: 100/s by the model, here `share` of it. */
static void add_point(struct run **at, int repetitions, int64_t cpu_ns, double share)
{
	for (int i = 0; i < repetitions; i++)
		*(*at)++ = lawful_run(10, cpu_ns, 100000000, 100 * share);
}

Test(report_command, the_status_of_a_check_is_the_worst_of_all_points)
{
	/* Points differ in c, which leaves t/w = 100/s the bound. */
	static const struct {
		const char *name;
		double shares[2]; /* of the prediction; 0: a point that fails an audit */
		int repetitions[2];
		int status;
		const char *verdicts[2];
	} table[] = {
		{ "both hold", { 1, 1 }, { 3, 3 }, 0, { "holds", "holds" } },
		{ "one below", { 1, 0.9 }, { 3, 3 }, 1, { "holds", "below" } },
		{ "one above", { 1.1, 1 }, { 3, 3 }, 1, { "above", "holds" } },
		{ "one with too few", { 1, 1 }, { 3, 2 }, 3, { "holds", "inconclusive" } },
		{ "one invalid", { 0, 1 }, { 3, 3 }, 5, { "invalid", "holds" } },
		{ "invalid and below", { 0, 0.9 }, { 3, 3 }, 1, { "invalid", "below" } },
		{ "invalid and too few", { 0, 1 }, { 3, 2 }, 5, { "invalid", "inconclusive" } },
	};
	struct place place = place_make("");

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run runs[8];
		struct run *end = runs;
		struct outcome outcome;
		json_t *root;

		for (int j = 0; j < 2; j++) {
			struct run *start = end;
			bool is_invalid = table[i].shares[j] == 0;

			add_point(&end, table[i].repetitions[j], 4000000 + 1000000 * j,
				  is_invalid ? 1 : table[i].shares[j]);
			for (struct run *run = start; is_invalid && run < end; run++)
				run->error_reset = 1;
		}
		place_write_runs(&place, runs, (int)(end - runs));
		outcome = cwt(WORDS("check", place.out, "--json"));
		cr_expect_eq(outcome.status, table[i].status, "%s: %d", table[i].name,
			     outcome.status);
		root = outcome_json(&outcome);
		for (size_t j = 0; j < 2; j++)
			cr_expect_str_eq(json_string_value(json_object_get(json_array_get(root, j),
									   "verdict")),
					 table[i].verdicts[j], "%s", table[i].name);
		json_decref(root);
	}
	place_remove(&place);
}

Test(report_command, what_was_not_measured_is_no_figure)
{
	struct place place = place_make("");
	struct run runs[4];
	struct run *end = runs;
	struct outcome outcome;

	add_point(&end, 3, 4000000, 1);
	for (struct run *run = runs; run < end; run++)
		run->error_reset = 1;
	place_write_runs(&place, runs, (int)(end - runs));
	outcome = cwt(WORDS("check", place.out));
	cr_expect_eq(outcome.status, 5, "%d", outcome.status);
	cr_expect_not_null(strstr(outcome.output.bytes, "invalid"));
	cr_expect_null(strstr(outcome.output.bytes, "±0 "), "%s", outcome.output.bytes);
	free(outcome.output.bytes);
	place_remove(&place);
}

/* Where there is no idle connection: (3 - 1) MiB for 200 more of them, and what has one N, nothing.
 */
Test(report_command, memory_is_told_by_what_further_connections_add)
{
	static const char *const archs[] = { "pool", "thread", "handoff" };
	struct place place = place_make("");
	struct run runs[4];
	struct outcome outcome;

	for (int i = 0; i < 4; i++) {
		runs[i] = lawful_run(i == 3 ? 210 : 10, 5000000, i == 3 ? 10000000000 : 100000000,
				     i == 3 ? 21 : 100);
		snprintf(runs[i].arch, sizeof(runs[i].arch), "%s", archs[i % 3]);
		runs[i].pss_bytes = (i == 3 ? 3 : 1) * 1024 * 1024;
	}
	place_write_runs(&place, runs, 4);
	outcome = cwt(WORDS("report", place.out));
	free(outcome.output.bytes);
	cr_expect(place_file_has(&place, "report.md", " | +10.2 KiB |\n"));
	cr_expect(place_file_has(&place, "report.md", " | – |\n| handoff | "));
	place_remove(&place);
}

/* Bytes off the end of runs.csv. */
static void cut_runs(const struct place *place, int64_t bytes)
{
	char path[PATH_MAX];
	struct stat info;

	snprintf(path, sizeof(path), "%s/runs.csv", place->out);
	cr_assert_eq(stat(path, &info), 0);
	cr_assert_eq(truncate(path, info.st_size - bytes), 0);
}

Test(report_command, a_last_row_that_was_cut_short_is_told_and_the_others_are_checked)
{
	struct place place = place_make("");
	struct run runs[4];
	struct run *end = runs;
	struct outcome outcome;

	add_point(&end, 4, 5000000, 1);
	place_write_runs(&place, runs, 4);
	cut_runs(&place, 10);
	for (int i = 0; i < 2; i++) {
		outcome = cwt(WORDS(i ? "report" : "check", place.out));
		cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
		expect_one_line(outcome.errors, "runs.csv:5: ");
		expect_one_line(outcome.errors, "the 3 runs before it are used");
		free(outcome.output.bytes);
	}
	place_remove(&place);
}

Test(report_command, a_bad_row_is_named_with_its_line_and_status_5)
{
	struct place place = place_make("");
	struct run runs[4];
	struct run *end = runs;

	add_point(&end, 4, 5000000, 1);
	place_write_runs(&place, runs, 4);
	folder_append(place.out, "runs.csv", "3,not,a,row\n");
	expect_refused(WORDS("check", place.out), 5, "runs.csv:6: ");
	expect_refused(WORDS("report", place.out), 5, "runs.csv:6: ");
	cr_expect_not(place_has(&place, "summary.json"));
	place_remove(&place);
}

Test(report_command, a_check_writes_a_summary_for_a_pull_request_and_tests_for_a_build_server)
{
	struct place place = place_make("");
	char markdown[PATH_MAX];
	char junit[PATH_MAX];
	struct run runs[12];
	struct run *end = runs;
	struct outcome outcome;

	add_point(&end, 3, 4000000, 1);
	add_point(&end, 3, 5000000, 0.9);
	add_point(&end, 2, 6000000, 1);
	add_point(&end, 3, 7000000, 1);
	for (int i = 1; i <= 3; i++)
		end[-i].error_reset = 1;
	place_write_runs(&place, runs, (int)(end - runs));
	snprintf(markdown, sizeof(markdown), "%s/pull.md", place.out);
	snprintf(junit, sizeof(junit), "%s/junit.xml", place.out);
	outcome = cwt(WORDS("check", place.out, "--markdown", markdown, "--junit", junit));
	cr_expect_eq(outcome.status, 1, "%s", outcome.errors);
	cr_expect_not_null(strstr(outcome.output.bytes, "2 of 4 points were judged"), "%s",
			   outcome.output.bytes);
	free(outcome.output.bytes);
	cr_expect(place_file_has(&place, "pull.md", "the model holds at 1 of 4 points\n"));
	cr_expect(place_file_has(&place, "pull.md", "Where it fails:\n"));
	cr_expect(place_file_has(&place, "junit.xml",
				 "name=\"cwt check\" tests=\"4\" failures=\"1\" "
				 "errors=\"1\" skipped=\"1\""));
	cr_expect(place_file_has(
		&place, "junit.xml",
		"name=\"pool t=10 c=5ms w=100ms N=10 constant\" classname=\"a case\""));
	cr_expect(place_file_has(&place, "junit.xml", "<failure message=\"10.0 % below"));

	outcome = cwt(WORDS("check", place.out, "--junit", "/nonexistent/junit.xml"));
	cr_expect_eq(outcome.status, 2);
	expect_one_line(outcome.errors, "/nonexistent/junit.xml");
	free(outcome.output.bytes);
	place_remove(&place);
}

Test(report_command, points_without_a_prediction_do_not_decide_a_check_unless_they_are_invalid)
{
	static const struct {
		int repetitions;
		int64_t error_reset;
		int status;
	} table[] = { { 3, 0, 0 }, { 2, 0, 0 }, { 3, 1, 5 } };
	struct place place = place_make("");

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run runs[8];
		struct run *end = runs;
		struct outcome outcome;

		add_point(&end, 3, 5000000, 1);
		for (int j = 0; j < table[i].repetitions; j++) {
			add_point(&end, 1, 5000000, 1);
			end[-1].requests_per_connection = 1;
			end[-1].error_reset = table[i].error_reset;
		}
		place_write_runs(&place, runs, (int)(end - runs));
		outcome = cwt(WORDS("check", place.out));
		cr_expect_eq(outcome.status, table[i].status, "row %zu: %d", i, outcome.status);
		free(outcome.output.bytes);
	}
	place_remove(&place);
}

/* A space of two w/c and three t, both servers, each point with three runs. */
static int fill_space(struct run *runs)
{
	struct run *end = runs;

	for (int64_t w = 10000000; w <= 100000000; w *= 10) {
		for (int64_t t = 1; t <= 100; t *= 10)
			for (int i = 0; i < 3; i++)
				*end++ = lawful_run(t, 1000000, w,
						    t < w / 1000000 ? 1e9 * (double)t / (double)w
								    : 1000);
		for (int i = 0; i < 3; i++) {
			*end = lawful_run(200, 1000000, w, 1000);
			end->threads = 0;
			strcpy(end++->arch, "loop");
		}
	}
	return (int)(end - runs);
}

static int count_drawings(const char *out)
{
	char path[PATH_MAX];
	DIR *folder;
	int count = 0;

	snprintf(path, sizeof(path), "%s/figures", out);
	folder = opendir(path);
	for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
	     entry = readdir(folder)) {
		const char *end = strrchr(entry->d_name, '.');
		char head[1024] = "";
		FILE *file;

		if (!end || strcmp(end, ".svg") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/figures/%s", out, entry->d_name);
		file = fopen(path, "re");
		cr_assert_not_null(file);
		head[fread(head, 1, sizeof(head) - 1, file)] = '\0';
		fclose(file);
		cr_expect_not_null(strstr(head, "<svg"), "%s: %s", path, head);
		count++;
	}
	if (folder)
		closedir(folder);
	return count;
}

Test(report_command, a_report_has_a_page_and_drawings)
{
	struct place place = place_make("");
	struct run runs[32];
	struct run *end = runs;
	struct outcome outcome;

	for (int64_t t = 5; t <= 40; t *= 2)
		for (int i = 0; i < 3; i++)
			*end++ = lawful_run(t, 5000000, 100000000, t < 20 ? 10.0 * (double)t : 200);
	for (int i = 0; i < 3; i++) {
		*end = lawful_run(40, 5000000, 100000000, 200);
		end->threads = 0;
		strcpy(end++->arch, "loop");
	}
	place_write_runs(&place, runs, (int)(end - runs));
	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	cr_expect_not_null(strstr(outcome.output.bytes, "report.md"));
	free(outcome.output.bytes);
	cr_expect(place_has(&place, "report.md"));
	cr_expect(place_has(&place, "report.html"));
	/* The cases, the sweep over t, and the crossover. */
	cr_expect_geq(count_drawings(place.out), 3);
	place_remove(&place);
}

/* report.html, for the caller to free; it is longer than other files. */
static char *read_page(const struct place *place)
{
	char path[FOLDER_PATH_MAX + 32];
	char *page = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/report.html", place->out);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	cr_assert_gt(getdelim(&page, &size, '\0', file), 0);
	fclose(file);
	return page;
}

/* A browser sees to the rest: test_report_page.py. */
Test(report_command, a_page_has_all_in_it_and_nothing_outside)
{
	struct place place = place_make("");
	struct run runs[24];
	char *page;

	place_write_runs(&place, runs, fill_space(runs));
	free(cwt(WORDS("report", place.out)).output.bytes);
	page = read_page(&place);
	cr_expect_null(strstr(page, "http:"));
	cr_expect_null(strstr(page, "https:"));
	cr_expect_null(strstr(page, "<script"));
	cr_expect_null(strstr(page, "figures/"), "a link to a file beside it");
	cr_expect_not_null(strstr(page, "<h2 id=\"how-well-it-fits\">How well it fits</h2>"));
	cr_expect_not_null(strstr(page, "<a href=\"#how-well-it-fits\">"));
	cr_expect_not_null(strstr(page, "<img src=\"data:image/svg+xml;base64,"));
	cr_expect_not_null(strstr(page, "<caption>w/c = 10</caption>"), "the data of a figure");
	cr_expect_not_null(strstr(page, ">Every run</h2>"));
	free(page);
	place_remove(&place);
}

Test(report_command, another_sweep_is_set_beside_it)
{
	struct place base = place_make("");
	struct place newer = place_make("");
	struct run runs[6];
	struct outcome outcome;

	for (int i = 0; i < 3; i++)
		runs[i] = lawful_run(10, 5000000, 100000000, 100);
	place_write_runs(&base, runs, 3);
	for (int i = 0; i < 3; i++)
		runs[i] = lawful_run(10, 5000000, 100000000, 90);
	place_write_runs(&newer, runs, 3);
	outcome = cwt(WORDS("report", newer.out, base.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	cr_expect(place_file_has(&newer, "report.md", "## Beside "));
	cr_expect(place_file_has(&newer, "report.md", "-10.0 % ("));
	cr_expect(place_file_has(&newer, "report.md", "**regression**"));
	outcome = cwt(WORDS("report", newer.out, "/nonexistent"));
	cr_expect_neq(outcome.status, 0);
	cr_expect_not_null(strstr(outcome.errors, "/nonexistent"));
	free(outcome.output.bytes);
	place_remove(&newer);
	place_remove(&base);
}

Test(report_command, figures_are_there_as_png_if_asked_for)
{
	struct place place = place_make("");
	struct run runs[24];
	struct outcome outcome;

	place_write_runs(&place, runs, fill_space(runs));
	outcome = cwt(WORDS("report", "--png", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	cr_expect(place_has(&place, "figures/residual.png"));
	cr_expect(place_has(&place, "figures/lead.png"));
	place_remove(&place);
}

Test(report_command, a_report_of_a_space_has_its_maps)
{
	static const char *const names[] = { "residual", "nominal", "peaks", "lead" };
	struct place place = place_make("");
	struct run runs[24];
	struct outcome outcome;

	place_write_runs(&place, runs, fill_space(runs));
	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	cr_expect_str_empty(outcome.errors); /* no warning of gnuplot's */
	free(outcome.output.bytes);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "figures/%s.svg", names[i]);
		cr_expect(place_has(&place, name), "%s", name);
		cr_expect(place_file_has(&place, "report.md", name), "%s", name);
		snprintf(name, sizeof(name), "figures/%s.dat", names[i]);
		cr_expect(place_has(&place, name), "%s", name);
	}
	count_drawings(place.out);
	/* In the same folder, runs that are no space: nothing of the maps is left. */
	place_write_runs(&place, runs, 3);
	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	cr_expect_str_empty(outcome.errors);
	free(outcome.output.bytes);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "figures/%s.svg", names[i]);
		cr_expect_not(place_has(&place, name), "%s", name);
	}
	place_remove(&place);
}

/* A plan as a sweep leaves it, with evidence over idle connections. */
static void write_evidence(const struct place *place)
{
	folder_write(
		place->out, "plan.ini",
		"[plan]\nclaim = Threads <script>cost</script> memory.\nx = idle\ny = cpu, memory\n"
		"[case idle]\narch = thread, loop --events poll\nwait = none\ncpu = 0\n"
		"wall = 0\nconnections = 10\nidle = 0, 100\nthreads = connections\n");
}

Test(report_command, a_report_of_evidence_has_the_claim_its_figure_and_a_line_for_each_point)
{
	struct place place = place_make("");
	struct run runs[12];
	struct run *end = runs;
	struct outcome outcome;
	char *page;

	for (int i = 0; i < 12; i++) {
		bool loop = i % 2 == 1;

		*end = lawful_run(10, 5000000, 100000000, 100);
		end->cpu_ns = end->wall_ns = end->work_ns = 0;
		end->idle = i < 6 ? 0 : 100;
		end->threads = loop ? 0 : 10 + end->idle;
		end->client_cpu_ns = end->window_ns;
		strcpy(end++->arch, loop ? "loop --events poll" : "thread");
	}
	place_write_runs(&place, runs, (int)(end - runs));
	write_evidence(&place);
	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	cr_expect_eq(count_drawings(place.out), 1);
	cr_expect(place_file_has(&place, "report.md", "> Threads <script>cost</script> memory.\n"));
	cr_expect(place_file_has(&place, "report.md", "(figures/series.svg)"));
	cr_expect(place_file_has(&place, "report.md", "| thread | 0 | ≥ 100 "));
	cr_expect(place_file_has(&place, "report.md", "| loop --events poll | 100 | ≥ 100 "));
	cr_expect(place_file_has(&place, "figures/series.dat",
				 "# series: thread\n\"thread\"\n0 \"0\" "));
	page = read_page(&place);
	cr_expect_null(strstr(page, "<script"), "HTML of a plan is text");
	cr_expect_not_null(strstr(page, "&lt;script&gt;cost"));
	free(page);
	place_remove(&place);
}

/* Points are measured in a random order, and told in the plan's; what it does not have comes last.
 */
Test(report_command, points_are_told_in_the_order_of_the_plan)
{
	static const int64_t measured_ms[] = { 7, 5, 9, 4 };
	static const int64_t told_ms[] = { 4, 5, 9, 7 };
	struct place place = place_make("");
	struct run runs[12];
	struct run *end = runs;
	struct outcome outcome;
	json_t *root;

	for (size_t i = 0; i < 4; i++)
		add_point(&end, 3, measured_ms[i] * 1000000, 1);
	place_write_runs(&place, runs, (int)(end - runs));
	folder_write(place.out, "plan.ini",
		     "[case a case]\narch = pool\nthreads = 10\nwait = timer\n"
		     "cpu = 4ms, 5ms, 9ms\nwall = 100ms\n");
	outcome = cwt(WORDS("check", place.out, "--json"));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	root = outcome_json(&outcome);
	cr_assert_eq(json_array_size(root), 4);
	for (size_t i = 0; i < 4; i++) {
		json_t *cpu = json_object_get(json_array_get(root, i), "cpu_ns");

		cr_expect_eq(json_integer_value(cpu), told_ms[i] * 1000000, "place %zu", i);
	}
	json_decref(root);
	place_remove(&place);
}
