#include "tests/programs.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(commands, .timeout = 120);

enum { PATH_SIZE = 512 };

struct outcome {
	int status;
	struct text output;
	char errors[PROGRAM_ERRORS_MAX];
};

/* Run `cwt` with the words, each a text of its own, the last one NULL. */
static struct outcome cwt(const char *const *words)
{
	struct program program;
	struct outcome outcome;

	program_start(&program, "CWT", words);
	outcome.output = client_receive(program.output, 0);
	outcome.status = program_wait(&program);
	program_errors(&program, outcome.errors);
	return outcome;
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static json_t *json_of(struct outcome *outcome)
{
	json_error_t error;
	json_t *root = json_loads(outcome->output.bytes, 0, &error);

	cr_assert_not_null(root, "%s in '%s'; %s", error.text, outcome->output.bytes,
			   outcome->errors);
	free(outcome->output.bytes);
	return root;
}

static double number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	cr_expect(json_is_number(value), "no number %s", name);
	return json_number_value(value);
}

static void expect_one_line(const char *text, const char *word)
{
	const char *end = strchr(text, '\n');

	cr_expect(end && end[1] == '\0' && end > text, "not one line: '%s'", text);
	cr_expect_not_null(strstr(text, word), "'%s' lacks '%s'", text, word);
}

static void expect_refused(const char *const *words, int status, const char *word)
{
	struct outcome outcome = cwt(words);

	cr_expect_eq(outcome.status, status, "%s: %d", word, outcome.status);
	cr_expect_str_empty(outcome.output.bytes);
	expect_one_line(outcome.errors, word);
	free(outcome.output.bytes);
}

Test(commands, the_model_predicts_a_load_in_json)
{
	static const struct {
		const char *t, *c, *w, *k;
		double threaded, evented, t_star;
	} table[] = {
		{ "25", "5ms", "100ms", "1", 200, 200, 20 },
		{ "25", "2ms", "250ms", "1", 100, 500, 125 },
		{ "25", "100us", "10ms", "2", 2500, 20000, 200 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct outcome outcome =
			cwt(WORDS("model", "--threads", table[i].t, "--cpu", table[i].c, "--wall",
				  table[i].w, "--cores", table[i].k, "--json"));
		json_t *root = json_of(&outcome);

		cr_expect_eq(outcome.status, 0);
		cr_expect_float_eq(number(root, "threaded"), table[i].threaded, 1e-6);
		cr_expect_float_eq(number(root, "evented"), table[i].evented, 1e-6);
		cr_expect_float_eq(number(root, "t_star"), table[i].t_star, 1e-6);
		if (i == 0)
			cr_expect_float_eq(number(root, "closed_network"), 192.7, 0.05);
		cr_expect_leq(number(root, "closed_network"), table[i].threaded);
		json_decref(root);
	}
}

Test(commands, the_model_lists_its_seven_cases_in_json)
{
	static const double expected[][2] = { { 2500, 10000 }, { 500, 500 },  { 200, 200 },
					      { 100, 500 },    { 2.5, 1000 }, { 25, 1000 },
					      { 1000, 1000 } };
	struct outcome outcome = cwt(WORDS("model", "--json"));
	json_t *root = json_of(&outcome);

	cr_assert_eq(json_array_size(root), 7);
	for (size_t i = 0; i < 7; i++) {
		const json_t *row = json_array_get(root, i);

		cr_expect(json_is_string(json_object_get(row, "case")));
		cr_expect_float_eq(number(row, "threaded"), expected[i][0], 1e-6);
		cr_expect_float_eq(number(row, "evented"), expected[i][1], 1e-6);
	}
	json_decref(root);
}

Test(commands, a_mistake_in_usage_is_one_line_and_status_2)
{
	static const struct {
		const char *words[8];
		const char *word;
	} table[] = {
		{ { NULL }, "which command" },
		{ { "fly" }, "fly" },
		{ { "model", "--cpu", "5ms" }, "--wall" },
		{ { "model", "--cpu", "5ms", "--wall", "1ms" }, "--wall" },
		{ { "model", "extra" }, "extra" },
		{ { "load" }, "which URL" },
		{ { "load", "http://127.0.0.1:1/", "http://127.0.0.1:2/" },
		  "another host or port" },
		{ { "load", "127.0.0.1:1" }, "127.0.0.1:1" },
		{ { "load", "https://127.0.0.1:1/" }, "only http://" },
		{ { "load", "http://no-such-host.invalid/" }, "no such host" },
		{ { "load", "http://127.0.0.1:1/", "--connections", "0" }, "--connections" },
		{ { "load", "http://127.0.0.1:1/", "--duration", "5" }, "--duration" },
		{ { "load", "http://127.0.0.1:1/", "--method", "P UT" }, "method" },
		{ { "load", "http://127.0.0.1:1/", "--speed", "5" }, "speed" },
		{ { "load", "http://127.0.0.1:1/", "--connections", "1000000" }, "limit" },
		{ { "sweep" }, "which plan" },
		{ { "sweep", "a.ini", "b.ini" }, "one plan" },
		{ { "sweep", "/nonexistent/plan.ini", "--dry-run" }, "/nonexistent/plan.ini" },
		{ { "sweep", "/nonexistent/plan.ini" }, "--out" },
		{ { "check" }, "folder" },
		{ { "check", "/nonexistent" }, "/nonexistent" },
		{ { "report" }, "folder" },
		{ { "report", "/nonexistent" }, "/nonexistent" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_refused(table[i].words, 2, table[i].word);
}

Test(commands, a_dead_port_is_one_line_and_status_1)
{
	struct net_address address;
	char text[NET_TEXT_MAX];
	char url[128];

	close(peer_listen(&address));
	snprintf(url, sizeof(url), "http://%s/", net_format(&address, text));
	expect_refused(WORDS("load", url, "--duration", "50ms"), 1, "refused");
}

/*
 * On a machine with other work to do, a run may be found invalid for that: it says so, in status
 * and report alike.
 */
static void expect_verdict(const struct outcome *outcome, const json_t *root)
{
	const char *verdict = json_string_value(json_object_get(root, "verdict"));

	cr_assert_not_null(verdict);
	cr_expect_str_neq(verdict, "errors");
	cr_expect_eq(outcome->status, strcmp(verdict, "valid") == 0 ? 0 : 5, "%s: %d", verdict,
		     outcome->status);
}

Test(commands, a_load_is_reported_in_json)
{
	static const char *const latencies[] = { "mean", "p50", "p90", "p99", "p999", "max" };
	static const char *const errors[] = { "connect",   "reset",   "closed",
					      "short",     "timeout", "status",
					      "malformed", "changed", "idle_lost" };
	struct program server;
	struct outcome outcome;
	char text[NET_TEXT_MAX];
	char url[128];
	json_t *root;
	double before = 0;

	program_serve(&server, "CWT_SERVER", "--arch loop --service app");
	snprintf(url, sizeof(url), "http://%s/", net_format(&server.address, text));
	outcome = cwt(WORDS("load", url, "--json", "--connections", "3", "--duration", "100ms",
			    "--warmup", "0", "--same-reply"));
	program_stop(&server);
	root = json_of(&outcome);
	expect_verdict(&outcome, root);
	cr_expect_gt(number(root, "requests"), 0);
	cr_expect_float_eq(number(root, "throughput_rps") * number(root, "window_ns") / 1e9,
			   number(root, "requests"), 1e-3 * number(root, "requests"));
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		cr_expect_eq(number(json_object_get(root, "errors"), errors[i]), 0);
	for (size_t i = 0; i < sizeof(latencies) / sizeof(latencies[0]); i++) {
		double value = number(json_object_get(root, "latency_ns"), latencies[i]);

		cr_expect_gt(value, 0);
		if (i > 0)
			cr_expect_geq(value, before, "%s", latencies[i]);
		before = i > 0 ? value : 0;
	}
	cr_expect_eq(number(root, "never_served"), 0);
	cr_expect_gt(number(root, "client_cpu_ns_per_request"), 0);
	cr_expect_eq(number(root, "connections"), 3);
	cr_expect_eq(number(root, "connects"), 3);
	cr_expect_eq(number(root, "idle"), 0);
	json_decref(root);
}

Test(commands, a_load_meters_the_server_that_it_is_told)
{
	struct program server;
	struct outcome outcome;
	char text[NET_TEXT_MAX];
	char url[128];
	char pid[16];
	json_t *root;

	program_serve(&server, "CWT_SERVER", "--arch loop --service app --cpu 20us --wall 20us");
	snprintf(url, sizeof(url), "http://%s/", net_format(&server.address, text));
	snprintf(pid, sizeof(pid), "%d", server.pid);
	outcome = cwt(WORDS("load", url, "--json", "--connections", "3", "--duration", "100ms",
			    "--pid", pid, "--idle", "20", "--requests-per-connection", "2"));
	program_stop(&server);
	root = json_of(&outcome);
	expect_verdict(&outcome, root);
	cr_expect_eq(number(root, "idle"), 20);
	cr_expect_eq(number(json_object_get(root, "errors"), "idle_lost"), 0);
	cr_expect_gt(number(root, "connects"), number(root, "requests") / 2);
	cr_expect_gt(number(root, "server_cpu_ns_per_request"), 10000);
	cr_expect_gt(number(root, "server_voluntary_switches_per_request"), 0);
	cr_expect_geq(number(root, "server_involuntary_switches_per_request"), 0);
	cr_expect_eq(number(root, "server_processes"), 1);
	cr_expect_eq(number(root, "server_threads"), 1);
	cr_expect_gt(number(root, "server_pss_bytes"), 100000);
	cr_expect_geq(number(root, "server_rss_bytes"), number(root, "server_pss_bytes"));
	json_decref(root);
}

Test(commands, an_idle_herd_that_the_server_does_not_hold_ends_the_load)
{
	struct program server;
	struct outcome outcome;
	char text[NET_TEXT_MAX];
	char url[128];

	program_serve(&server, "CWT_SERVER", "--arch pool --threads 2 --service app");
	snprintf(url, sizeof(url), "http://%s/", net_format(&server.address, text));
	outcome = cwt(WORDS("load", url, "--idle", "5", "--timeout", "200ms"));
	program_stop(&server);
	cr_expect_eq(outcome.status, 1);
	cr_expect_not_null(strstr(outcome.errors, "2 of 5 idle connections were served: no reply"),
			   "%s", outcome.errors);
}

/* Sweeps */

struct place {
	char folder[64];
	char plan[PATH_SIZE];
	char out[PATH_SIZE];
};

static void write_plan(const struct place *place, const char *text)
{
	FILE *file = fopen(place->plan, "we");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static struct place make_place(const char *plan)
{
	struct place place = { .folder = "/tmp/cwt-test-commands-XXXXXX" };

	cr_assert_not_null(mkdtemp(place.folder));
	snprintf(place.plan, sizeof(place.plan), "%s/plan.ini", place.folder);
	snprintf(place.out, sizeof(place.out), "%s/out", place.folder);
	write_plan(&place, plan);
	return place;
}

static void remove_all(const char *path)
{
	DIR *folder = opendir(path);

	for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
	     entry = readdir(folder)) {
		char inside[PATH_MAX];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		remove_all(inside);
	}
	if (folder)
		closedir(folder);
	remove(path);
}

static bool has_file(const struct place *place, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", place->out, name);
	return access(path, R_OK) == 0;
}

/* Server and generator need a processor each, as a plan demands. */
static bool has_two_processors(void)
{
	cpu_set_t set;

	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	return CPU_ISSET(0, &set) && CPU_ISSET(1, &set);
}

#define TINY                                                                                       \
	"[plan]\nrepetitions = 3\nrepetitions-most = 3\nwindow = 100ms\nwarmup = 0\ntries = 1\n"   \
	"[case light app]\nwait = none\narch = loop\ncpu = 1ms\nwall = 1ms\n"

Test(commands, a_bad_plan_is_refused_with_file_and_line)
{
	struct place place = make_place("[plan]\nname = x\ncolour = red\n");
	char where[PATH_SIZE + 8];

	snprintf(where, sizeof(where), "%s:3:", place.plan);
	expect_refused(WORDS("sweep", place.plan, "--out", place.out), 2, where);
	expect_refused(WORDS("sweep", place.plan, "--dry-run"), 2, where);
	cr_expect_not(has_file(&place, "runs.csv"));
	remove_all(place.folder);
}

Test(commands, a_dry_run_lists_the_points_and_measures_nothing)
{
	struct place place = make_place(TINY "[case heavy app]\narch = pool, loop\nthreads = 7\n"
					     "cpu = 5ms\nwall = 100ms\n");
	struct outcome outcome = cwt(WORDS("sweep", place.plan, "--dry-run", "--out", place.out));

	cr_expect_eq(outcome.status, 0);
	cr_expect_not_null(strstr(outcome.output.bytes, "light app: loop"));
	cr_expect_not_null(strstr(outcome.output.bytes, "heavy app: pool t=7"));
	cr_expect_not_null(strstr(outcome.output.bytes, "3 points in 2 groups, 9 runs"));
	cr_expect_not(has_file(&place, "runs.csv"));
	free(outcome.output.bytes);
	remove_all(place.folder);
}

static void expect_checked(const struct place *place)
{
	static const char *const names[] = { "threads",      "cpu_ns",      "wall_ns",
					     "measured_rps", "nominal_rps", "calibrated_rps" };
	struct outcome outcome = cwt(WORDS("check", place->out, "--json"));
	json_t *root = json_of(&outcome);
	const json_t *point = json_array_get(root, 0);

	/* The verdict is the machine's to give: 0, 1, 3 and 5 are verdicts, 2 is not. */
	cr_expect_neq(outcome.status, 2, "%s", outcome.errors);
	cr_assert_eq(json_array_size(root), 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		number(point, names[i]);
	cr_expect_str_eq(json_string_value(json_object_get(point, "arch")), "loop");
	cr_expect_str_eq(json_string_value(json_object_get(point, "service")), "app");
	cr_expect(json_is_string(json_object_get(point, "verdict")));
	cr_expect_eq(number(point, "cpu_ns"), 1000000);
	cr_expect_eq(number(point, "nominal_rps"), 1000);
	cr_expect_eq(number(point, "runs"), 3);
	cr_expect(has_file(place, "summary.json"));
	json_decref(root);
}

Test(commands, a_sweep_is_measured_checked_and_reported)
{
	struct place place = make_place(TINY);
	struct outcome outcome;

	if (!has_two_processors())
		cr_skip_test("needs processors 0 and 1");
	outcome = cwt(WORDS("sweep", place.plan, "--out", place.out, "--doctor", "100ms"));
	cr_assert_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	cr_expect(has_file(&place, "runs.csv"));
	cr_expect(has_file(&place, "machine.json"));
	cr_expect(has_file(&place, "doctor.json"));
	cr_expect(has_file(&place, "plan.ini"));
	cr_expect(has_file(&place, "server.log"));
	expect_checked(&place);

	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	cr_expect(has_file(&place, "report.md"));
	expect_refused(WORDS("sweep", place.plan, "--out", place.out), 1, "runs.csv");
	remove_all(place.folder);
}

#define DRAWN(how)                                                                                 \
	"[case " how "]\n" how "\narch = loop\nconnections = 20\ncpu = 0\nwall = 4ms\n"            \
	"distribution = exponential\n"

/* Whichever of server and backend is to wait: of exponential times p90 is ln 10 / ln 2 times p50.
 */
Test(commands, a_sweep_of_exponential_points_has_their_waits_drawn)
{
	struct place place =
		make_place("[plan]\nrepetitions = 1\nwindow = 300ms\nwarmup = 0\ntries = 1\n" DRAWN(
			"wait = timer") DRAWN("wait = backend") DRAWN("service = proxy"));
	char path[PATH_SIZE + 16];
	char why[256] = "";
	struct outcome outcome;
	struct run *runs;

	if (!has_two_processors())
		cr_skip_test("needs processors 0 and 1");
	outcome = cwt(WORDS("sweep", place.plan, "--out", place.out));
	cr_assert_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	snprintf(path, sizeof(path), "%s/runs.csv", place.out);
	cr_assert_eq(run_read_all(path, &runs, why, sizeof(why)), 3, "%s", why);
	for (int i = 0; i < 3; i++) {
		cr_expect_str_eq(runs[i].distribution, "exponential");
		cr_expect_gt((double)runs[i].p90_ns / (double)runs[i].p50_ns, 2, "%s",
			     runs[i].case_name);
	}
	free(runs);
	remove_all(place.folder);
}

/* A folder as a sweep leaves it, with these runs. */
static void write_runs(const struct place *place, const struct run *runs, int count)
{
	char path[PATH_MAX];
	FILE *file;

	cr_assert_eq(mkdir(place->out, 0777) == 0 || errno == EEXIST, true);
	snprintf(path, sizeof(path), "%s/runs.csv", place->out);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	cr_assert_eq(run_write_header(file), 0);
	for (int i = 0; i < count; i++)
		cr_assert_eq(run_write(file, &runs[i]), 0);
	fclose(file);
}

/* Of the heavy app's server with t = 10: 100/s by the model, here `share` of it. */
static void add_point(struct run **at, int repetitions, int64_t cpu_ns, double share)
{
	for (int i = 0; i < repetitions; i++)
		*(*at)++ = lawful_run(10, cpu_ns, 100000000, 100 * share);
}

Test(commands, the_status_of_a_check_is_the_worst_of_all_points)
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
	struct place place = make_place("");

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
		write_runs(&place, runs, (int)(end - runs));
		outcome = cwt(WORDS("check", place.out, "--json"));
		cr_expect_eq(outcome.status, table[i].status, "%s: %d", table[i].name,
			     outcome.status);
		root = json_of(&outcome);
		for (size_t j = 0; j < 2; j++)
			cr_expect_str_eq(json_string_value(json_object_get(json_array_get(root, j),
									   "verdict")),
					 table[i].verdicts[j], "%s", table[i].name);
		json_decref(root);
	}
	remove_all(place.folder);
}

Test(commands, what_was_not_measured_is_no_figure)
{
	struct place place = make_place("");
	struct run runs[4];
	struct run *end = runs;
	struct outcome outcome;

	add_point(&end, 3, 4000000, 1);
	for (struct run *run = runs; run < end; run++)
		run->error_reset = 1;
	write_runs(&place, runs, (int)(end - runs));
	outcome = cwt(WORDS("check", place.out));
	cr_expect_eq(outcome.status, 5, "%d", outcome.status);
	cr_expect_not_null(strstr(outcome.output.bytes, "invalid"));
	cr_expect_null(strstr(outcome.output.bytes, "±0 "), "%s", outcome.output.bytes);
	remove_all(place.folder);
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

static void append_to_runs(const struct place *place, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/runs.csv", place->out);
	file = fopen(path, "ae");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

Test(commands, a_last_row_that_was_cut_short_is_told_and_the_others_are_checked)
{
	struct place place = make_place("");
	struct run runs[4];
	struct run *end = runs;
	struct outcome outcome;

	add_point(&end, 4, 5000000, 1);
	write_runs(&place, runs, 4);
	cut_runs(&place, 10);
	for (int i = 0; i < 2; i++) {
		outcome = cwt(WORDS(i ? "report" : "check", place.out));
		cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
		expect_one_line(outcome.errors, "runs.csv:5: ");
		expect_one_line(outcome.errors, "the 3 runs before it are used");
		free(outcome.output.bytes);
	}
	remove_all(place.folder);
}

Test(commands, a_bad_row_is_named_with_its_line_and_status_5)
{
	struct place place = make_place("");
	struct run runs[4];
	struct run *end = runs;

	add_point(&end, 4, 5000000, 1);
	write_runs(&place, runs, 4);
	append_to_runs(&place, "3,not,a,row\n");
	expect_refused(WORDS("check", place.out), 5, "runs.csv:6: ");
	expect_refused(WORDS("report", place.out), 5, "runs.csv:6: ");
	cr_expect_not(has_file(&place, "summary.json"));
	remove_all(place.folder);
}

static bool file_has(const struct place *place, const char *name, const char *word);

Test(commands, a_check_writes_a_summary_for_a_pull_request_and_tests_for_a_build_server)
{
	struct place place = make_place("");
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
	write_runs(&place, runs, (int)(end - runs));
	snprintf(markdown, sizeof(markdown), "%s/pull.md", place.out);
	snprintf(junit, sizeof(junit), "%s/junit.xml", place.out);
	outcome = cwt(WORDS("check", place.out, "--markdown", markdown, "--junit", junit));
	cr_expect_eq(outcome.status, 1, "%s", outcome.errors);
	cr_expect_not_null(strstr(outcome.output.bytes, "2 of 4 points were judged"), "%s",
			   outcome.output.bytes);
	free(outcome.output.bytes);
	cr_expect(file_has(&place, "pull.md", "the model holds at 1 of 4 points\n"));
	cr_expect(file_has(&place, "pull.md", "Where it fails:\n"));
	cr_expect(file_has(&place, "junit.xml",
			   "name=\"cwt check\" tests=\"4\" failures=\"1\" "
			   "errors=\"1\" skipped=\"1\""));
	cr_expect(file_has(&place, "junit.xml",
			   "name=\"pool t=10 c=5ms w=100ms N=10 constant\" classname=\"a case\""));
	cr_expect(file_has(&place, "junit.xml", "<failure message=\"10.0 % below"));

	outcome = cwt(WORDS("check", place.out, "--junit", "/nonexistent/junit.xml"));
	cr_expect_eq(outcome.status, 2);
	expect_one_line(outcome.errors, "/nonexistent/junit.xml");
	free(outcome.output.bytes);
	remove_all(place.folder);
}

Test(commands, points_without_a_prediction_do_not_decide_a_check_unless_they_are_invalid)
{
	static const struct {
		int repetitions;
		int64_t error_reset;
		int status;
	} table[] = { { 3, 0, 0 }, { 2, 0, 0 }, { 3, 1, 5 } };
	struct place place = make_place("");

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
		write_runs(&place, runs, (int)(end - runs));
		outcome = cwt(WORDS("check", place.out));
		cr_expect_eq(outcome.status, table[i].status, "row %zu: %d", i, outcome.status);
		free(outcome.output.bytes);
	}
	remove_all(place.folder);
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

Test(commands, a_report_has_a_page_and_drawings)
{
	struct place place = make_place("");
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
	write_runs(&place, runs, (int)(end - runs));
	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	cr_expect_not_null(strstr(outcome.output.bytes, "report.md"));
	free(outcome.output.bytes);
	cr_expect(has_file(&place, "report.md"));
	/* The cases, the sweep over t, and the crossover. */
	cr_expect_geq(count_drawings(place.out), 3);
	remove_all(place.folder);
}

Test(commands, a_report_of_a_space_has_its_maps)
{
	static const char *const names[] = { "residual", "nominal", "peaks", "lead" };
	struct place place = make_place("");
	struct run runs[24];
	struct outcome outcome;

	write_runs(&place, runs, fill_space(runs));
	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	cr_expect_str_empty(outcome.errors); /* no warning of gnuplot's */
	free(outcome.output.bytes);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "figures/%s.svg", names[i]);
		cr_expect(has_file(&place, name), "%s", name);
		cr_expect(file_has(&place, "report.md", name), "%s", name);
		snprintf(name, sizeof(name), "figures/%s.dat", names[i]);
		cr_expect(has_file(&place, name), "%s", name);
	}
	count_drawings(place.out);
	/* In the same folder, runs that are no space: nothing of the maps is left. */
	write_runs(&place, runs, 3);
	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	cr_expect_str_empty(outcome.errors);
	free(outcome.output.bytes);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "figures/%s.svg", names[i]);
		cr_expect_not(has_file(&place, name), "%s", name);
	}
	remove_all(place.folder);
}

static bool file_has(const struct place *place, const char *name, const char *word)
{
	static char text[65536];
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", place->out, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return strstr(text, word) != NULL;
}

/* A plan as a sweep leaves it, with evidence over idle connections. */
static void write_evidence(const struct place *place)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/plan.ini", place->out);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	fputs("[plan]\nclaim = Threads cost memory.\nx = idle\ny = cpu, memory\n"
	      "[case idle]\narch = thread, loop --events poll\nwait = none\ncpu = 0\n"
	      "wall = 0\nconnections = 10\nidle = 0, 100\nthreads = connections\n",
	      file);
	fclose(file);
}

Test(commands, a_report_of_evidence_has_the_claim_its_figure_and_a_line_for_each_point)
{
	struct place place = make_place("");
	struct run runs[12];
	struct run *end = runs;
	struct outcome outcome;

	for (int i = 0; i < 12; i++) {
		bool loop = i % 2 == 1;

		*end = lawful_run(10, 5000000, 100000000, 100);
		end->cpu_ns = end->wall_ns = end->work_ns = 0;
		end->idle = i < 6 ? 0 : 100;
		end->threads = loop ? 0 : 10 + end->idle;
		end->client_cpu_ns = end->window_ns;
		strcpy(end++->arch, loop ? "loop --events poll" : "thread");
	}
	write_runs(&place, runs, (int)(end - runs));
	write_evidence(&place);
	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	cr_expect_eq(count_drawings(place.out), 1);
	cr_expect(file_has(&place, "report.md", "> Threads cost memory.\n"));
	cr_expect(file_has(&place, "report.md", "(figures/series.svg)"));
	cr_expect(file_has(&place, "report.md", "| thread | 0 | ≥ 100 "));
	cr_expect(file_has(&place, "report.md", "| loop --events poll | 100 | ≥ 100 "));
	cr_expect(file_has(&place, "figures/series.dat", "# series: thread\n\"thread\"\n0 \"0\" "));
	remove_all(place.folder);
}

/* Points are measured in a random order, and told in the plan's; what it does not have comes last.
 */
Test(commands, points_are_told_in_the_order_of_the_plan)
{
	static const int64_t measured_ms[] = { 7, 5, 9, 4 };
	static const int64_t told_ms[] = { 4, 5, 9, 7 };
	struct place place = make_place("");
	struct run runs[12];
	struct run *end = runs;
	struct outcome outcome;
	char path[PATH_MAX];
	FILE *file;
	json_t *root;

	for (size_t i = 0; i < 4; i++)
		add_point(&end, 3, measured_ms[i] * 1000000, 1);
	write_runs(&place, runs, (int)(end - runs));
	snprintf(path, sizeof(path), "%s/plan.ini", place.out);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	fputs("[case a case]\narch = pool\nthreads = 10\nwait = timer\n"
	      "cpu = 4ms, 5ms, 9ms\nwall = 100ms\n",
	      file);
	fclose(file);
	outcome = cwt(WORDS("check", place.out, "--json"));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	root = json_of(&outcome);
	cr_assert_eq(json_array_size(root), 4);
	for (size_t i = 0; i < 4; i++) {
		json_t *cpu = json_object_get(json_array_get(root, i), "cpu_ns");

		cr_expect_eq(json_integer_value(cpu), told_ms[i] * 1000000, "place %zu", i);
	}
	json_decref(root);
	remove_all(place.folder);
}

static int count_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	int lines = 0;
	int byte;

	if (!file)
		return 0;
	while ((byte = fgetc(file)) != EOF)
		lines += byte == '\n';
	fclose(file);
	return lines;
}

/* Processes that have `word` in their command line. */
static int processes_with(const char *word)
{
	DIR *folder = opendir("/proc");
	int count = 0;

	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		char path[300];
		char line[4096];
		size_t length;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		file = strspn(entry->d_name, "0123456789") > 0 ? fopen(path, "re") : NULL;
		if (!file)
			continue;
		length = fread(line, 1, sizeof(line) - 1, file);
		fclose(file);
		line[length] = '\0';
		count += memmem(line, length, word, strlen(word)) != NULL;
	}
	closedir(folder);
	return count;
}

/* The children of `pid`, by the kernel's list. */
static int children_of(pid_t pid, pid_t children[8])
{
	char path[128];
	FILE *file;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	while (file && count < 8 && fscanf(file, "%d", &children[count]) == 1)
		count++;
	if (file)
		fclose(file);
	return count;
}

Test(commands, an_interrupted_sweep_leaves_valid_runs_and_no_process)
{
	struct place place = make_place("[plan]\nrepetitions = 1000\nwindow = 50ms\nwarmup = 0\n"
					"tries = 1\n[case a]\nwait = none\narch = loop\n"
					"cpu = 1ms\nwall = 1ms\n");
	struct program sweep;
	struct outcome outcome;
	pid_t children[8];
	char runs[PATH_MAX];
	int count;

	if (!has_two_processors())
		cr_skip_test("needs processors 0 and 1");
	snprintf(runs, sizeof(runs), "%s/runs.csv", place.out);
	program_start(&sweep, "CWT",
		      WORDS("sweep", place.plan, "--out", place.out, "--doctor", "0"));
	/* Its first run is the signal that it is well under way. */
	while (count_lines(runs) < 2 && waitpid(sweep.pid, NULL, WNOHANG) == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	count = children_of(sweep.pid, children);
	cr_expect_gt(count, 0);
	kill(sweep.pid, SIGINT);
	free(client_receive(sweep.output, 0).bytes);
	cr_expect_eq(program_wait(&sweep), 130);
	for (int i = 0; i < count; i++)
		cr_expect(kill(children[i], 0) != 0 && errno == ESRCH, "%d lives", children[i]);
	cr_expect_eq(processes_with(place.folder), 0);

	outcome = cwt(WORDS("check", place.out, "--json"));
	cr_expect_neq(outcome.status, 2, "%s", outcome.errors);
	json_decref(json_of(&outcome));
	remove_all(place.folder);
}
