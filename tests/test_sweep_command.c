/* `cwt sweep` as a program, and `cwt check` and `cwt report` of what it leaves. */
#include "tests/folders.h"
#include "tests/outcomes.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

TestSuite(sweep_command, .timeout = 120);

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

Test(sweep_command, a_bad_plan_is_refused_with_file_and_line)
{
	struct place place = place_make("[plan]\nname = x\ncolour = red\n");
	char where[sizeof(place.plan) + 8];

	snprintf(where, sizeof(where), "%s:3:", place.plan);
	expect_refused(WORDS("sweep", place.plan, "--out", place.out), 2, where);
	expect_refused(WORDS("sweep", place.plan, "--dry-run"), 2, where);
	cr_expect_not(place_has(&place, "runs.csv"));
	place_remove(&place);
}

Test(sweep_command, a_dry_run_lists_the_points_and_measures_nothing)
{
	struct place place = place_make(TINY "[case heavy app]\narch = pool, loop\nthreads = 7\n"
					     "cpu = 5ms\nwall = 100ms\n");
	struct outcome outcome = cwt(WORDS("sweep", place.plan, "--dry-run", "--out", place.out));

	cr_expect_eq(outcome.status, 0);
	cr_expect_not_null(strstr(outcome.output.bytes, "light app: loop"));
	cr_expect_not_null(strstr(outcome.output.bytes, "heavy app: pool t=7"));
	cr_expect_not_null(strstr(outcome.output.bytes, "3 points in 2 groups, 9 runs"));
	cr_expect_not(place_has(&place, "runs.csv"));
	free(outcome.output.bytes);
	place_remove(&place);
}

static void expect_checked(const struct place *place)
{
	static const char *const names[] = { "threads",      "cpu_ns",      "wall_ns",
					     "measured_rps", "nominal_rps", "calibrated_rps" };
	struct outcome outcome = cwt(WORDS("check", place->out, "--json"));
	json_t *root = outcome_json(&outcome);
	const json_t *point = json_array_get(root, 0);

	/* The verdict is the machine's to give: 0, 1, 3 and 5 are verdicts, 2 is not. */
	cr_expect_neq(outcome.status, 2, "%s", outcome.errors);
	cr_assert_eq(json_array_size(root), 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_number(point, names[i]);
	cr_expect_str_eq(json_string_value(json_object_get(point, "arch")), "loop");
	cr_expect_str_eq(json_string_value(json_object_get(point, "service")), "app");
	cr_expect(json_is_string(json_object_get(point, "verdict")));
	cr_expect_eq(expect_number(point, "cpu_ns"), 1000000);
	cr_expect_eq(expect_number(point, "nominal_rps"), 1000);
	cr_expect_eq(expect_number(point, "runs"), 3);
	cr_expect(place_has(place, "summary.json"));
	json_decref(root);
}

Test(sweep_command, a_sweep_is_measured_checked_and_reported)
{
	struct place place = place_make(TINY);
	struct outcome outcome;

	if (!has_two_processors())
		cr_skip_test("needs processors 0 and 1");
	outcome = cwt(WORDS("sweep", place.plan, "--out", place.out, "--doctor", "100ms"));
	cr_assert_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	cr_expect(place_has(&place, "runs.csv"));
	cr_expect(place_has(&place, "machine.json"));
	cr_expect(place_has(&place, "doctor.json"));
	cr_expect(place_has(&place, "plan.ini"));
	cr_expect(place_has(&place, "server.log"));
	expect_checked(&place);

	outcome = cwt(WORDS("report", place.out));
	cr_expect_eq(outcome.status, 0, "%s", outcome.errors);
	free(outcome.output.bytes);
	cr_expect(place_has(&place, "report.md"));
	expect_refused(WORDS("sweep", place.plan, "--out", place.out), 1, "runs.csv");
	place_remove(&place);
}

#define DRAWN(how)                                                                                 \
	"[case " how "]\n" how "\narch = loop\nconnections = 20\ncpu = 0\nwall = 4ms\n"            \
	"distribution = exponential\n"

/* Whichever of server and backend is to wait: of exponential times p90 is ln 10 / ln 2 times p50.
 */
Test(sweep_command, a_sweep_of_exponential_points_has_their_waits_drawn)
{
	struct place place =
		place_make("[plan]\nrepetitions = 1\nwindow = 300ms\nwarmup = 0\ntries = 1\n" DRAWN(
			"wait = timer") DRAWN("wait = backend") DRAWN("service = proxy"));
	char path[sizeof(place.plan) + 16];
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
	place_remove(&place);
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

Test(sweep_command, an_interrupted_sweep_leaves_valid_runs_and_no_process)
{
	struct place place = place_make("[plan]\nrepetitions = 1000\nwindow = 50ms\nwarmup = 0\n"
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
	json_decref(outcome_json(&outcome));
	place_remove(&place);
}
