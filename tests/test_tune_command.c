/* `cwt tune` as a program, on our own servers and on those of others, good and bad. */
#include "tests/folders.h"
#include "tests/outcomes.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(tune_command, .timeout = 120);

/* A target, in a folder of its own. */
struct target {
	char folder[FOLDER_PATH_MAX];
	char ini[FOLDER_PATH_MAX + 16];
};

static struct target target_make(const char *mode)
{
	const char *server = getenv("CWT_TARGET_SERVER");
	struct target target;
	char text[1024];

	cr_assert_not_null(server, "run this test with `meson test`");
	folder_make(target.folder);
	snprintf(text, sizeof(text),
		 "[target]\n"
		 "command = python3 %s {port} %s {threads} {folder}/pids\n"
		 "limit = requests\nconfig = --at-once={threads}\n"
		 "ready-time = 10s\ngrace = 300ms\n",
		 server, mode);
	folder_write(target.folder, "mine.ini", text);
	snprintf(target.ini, sizeof(target.ini), "%s/mine.ini", target.folder);
	return target;
}

/* It was started, and nothing of it is left. */
static void target_remove(const struct target *target)
{
	char text[FOLDER_TEXT_MAX];
	char *rest = folder_read(target->folder, "pids", text);
	const char *line;
	int count = 0;

	while ((line = strsep(&rest, "\n")) && line[0] != '\0') {
		pid_t pid = (pid_t)strtol(line, NULL, 10);

		cr_expect_eq(kill(pid, 0), -1, "%s is left", line);
		count++;
	}
	cr_expect_gt(count, 0);
	folder_remove(target->folder);
}

/* What makes it short; it does not have to be known well. */
#define SHORTLY "--window", "100ms", "--cpu", "1ms", "--wall", "10ms", "--budget", "3s"

static const char *word_of(const json_t *object, const char *name)
{
	const char *word = json_string_value(json_object_get(object, name));

	cr_assert_not_null(word, "no text %s", name);
	return word;
}

/* It was told, or not known well enough, or not at all where other tests disturb it. */
static bool is_measured(int status)
{
	return status == 0 || status == 3 || status == 5;
}

static json_t *tuned(const char *const *words)
{
	struct outcome outcome = cwt(words);

	cr_assert(is_measured(outcome.status), "%d: %s", outcome.status, outcome.errors);
	return outcome_json(&outcome);
}

Test(tune_command, our_pool_is_measured_and_told_as_json)
{
	json_t *root = tuned(WORDS("tune", "pool", SHORTLY, "--json"));

	cr_expect_str_eq(word_of(root, "target"), "pool");
	cr_expect_gt(expect_number(root, "cpu_alone_ns"), 9e5);
	cr_expect_gt(expect_number(root, "wall_ns"), 9e6);
	if (expect_number(root, "status") != 5) {
		cr_expect_geq(expect_number(root, "runs"), 1);
		cr_expect_geq(expect_number(root, "threads"), 1);
		cr_expect_gt(expect_number(root, "plateau_rps"), 20);
		cr_expect_gt(json_array_size(json_object_get(root, "points")), 1);
		cr_expect_gt(json_array_size(json_object_get(root, "rules")), 0);
	}
	json_decref(root);
}

/* Two at once, 10 ms each: no more than 200/s, whatever there are more of. */
Test(tune_command, a_server_of_others_is_measured_from_its_file)
{
	struct target target = target_make("good");
	json_t *root = tuned(WORDS("tune", target.ini, SHORTLY, "--most", "4", "--json"));
	const char *config = word_of(root, "config");
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "--at-once=%.0f", expect_number(root, "threads"));
	cr_expect_str_eq(config, expect_number(root, "status") != 5 ? wanted : "");
	cr_expect_str_eq(word_of(root, "target"), "mine");
	cr_expect_gt(expect_number(root, "wall_ns"), 9e6);
	cr_expect_gt(expect_number(root, "cpu_alone_ns"), 1e4);
	json_decref(root);
	target_remove(&target);
}

Test(tune_command, a_server_of_others_is_measured_from_a_command_line)
{
	struct target target = target_make("good");
	char pids[FOLDER_PATH_MAX + 8];
	json_t *root;

	snprintf(pids, sizeof(pids), "%s/pids", target.folder);
	root = tuned(WORDS("tune", SHORTLY, "--most", "2", "--json", "--", "python3",
			   getenv("CWT_TARGET_SERVER"), "{port}", "good", "{threads}", pids));
	cr_expect_str_eq(word_of(root, "target"), "command");
	cr_expect_gt(expect_number(root, "wall_ns"), 9e6);
	json_decref(root);
	target_remove(&target);
}

static void expect_bad(const char *mode, int status, const char *word)
{
	struct target target = target_make(mode);
	struct outcome outcome = cwt(WORDS("tune", target.ini, SHORTLY, "--most", "2"));
	bool said = strstr(outcome.errors, word) || strstr(outcome.output.bytes, word);

	cr_expect_eq(outcome.status, status, "%s: %d", mode, outcome.status);
	cr_expect(said, "%s: '%s', '%s'", mode, outcome.output.bytes, outcome.errors);
	free(outcome.output.bytes);
	target_remove(&target);
}

Test(tune_command, one_that_ends_meanwhile_is_told)
{
	expect_bad("frail", 5, "mine ended while it was needed, with status 3");
}

Test(tune_command, one_that_answers_with_errors_is_told)
{
	expect_bad("wrong", 5, "answered with an error (status 4xx or 5xx)");
}

Test(tune_command, one_that_has_to_be_killed_is_told_and_measured_all_the_same)
{
	struct target target = target_make("deaf");
	struct outcome outcome = cwt(WORDS("tune", target.ini, SHORTLY, "--most", "2"));

	cr_expect(is_measured(outcome.status), "%d", outcome.status);
	expect_one_line(outcome.errors, "mine did not end within 300ms of SIGTERM, and was killed");
	free(outcome.output.bytes);
	target_remove(&target);
}

/* Keeps the server's processor busy. */
static pid_t spin(void)
{
	pid_t pid = fork();
	cpu_set_t first;

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setaffinity(0, sizeof(first), &first) != 0)
		_exit(1);
	for (;;)
		;
}

Test(tune_command, what_is_measured_beside_other_work_does_not_count)
{
	pid_t spinner = spin();
	struct outcome outcome = cwt(WORDS("tune", "pool", SHORTLY, "--assert", "200"));

	kill(spinner, SIGKILL);
	waitpid(spinner, NULL, 0);
	cr_expect_eq(outcome.status, 5, "%d: %s", outcome.status, outcome.errors);
	cr_expect_not_null(strstr(outcome.output.bytes, "a request alone was disturbed"), "%s",
			   outcome.output.bytes);
	cr_expect_not_null(strstr(outcome.output.bytes, "something other than the server"), "%s",
			   outcome.output.bytes);
	free(outcome.output.bytes);
}

Test(tune_command, one_that_is_not_there_is_refused_with_what_to_install)
{
	char folder[FOLDER_PATH_MAX];
	char ini[FOLDER_PATH_MAX + 16];

	folder_make(folder);
	folder_write(folder, "none.ini",
		     "[target]\ncommand = no-such-server\npackage = such-a-server\n"
		     "limit = requests\nconfig = -t {threads}\nenvironment = T={threads}\n");
	snprintf(ini, sizeof(ini), "%s/none.ini", folder);
	expect_refused(WORDS("tune", ini), 2, "apt-get install such-a-server");
	folder_remove(folder);
}

Test(tune_command, what_has_no_limit_is_not_tuned)
{
	struct outcome outcome = cwt(WORDS("tune", "loop"));

	cr_expect_eq(outcome.status, 0);
	cr_expect_not_null(strstr(outcome.output.bytes, "no limit matters here"));
	free(outcome.output.bytes);
}

Test(tune_command, what_cannot_be_is_refused)
{
	static const struct {
		const char *words[8];
		int status;
		const char *word;
	} table[] = {
		{ { "tune" }, 2, "which target?" },
		{ { "tune", "nonsense" }, 2, "want one of" },
		{ { "tune", "pool", "--cpu", "2ms", "--wall", "1ms" }, 2, "--wall is below --cpu" },
		{ { "tune", "pool", "--least", "5", "--most", "4" }, 2, "--least is above" },
		{ { "tune", "pool", "--share", "100%" }, 2, "below 100%" },
		{ { "tune", "pool", "--rate", "5" }, 2, "without --slo" },
		{ { "tune", "pool", "--slo", "fast" }, 2, "--slo" },
		{ { "tune", "pool", "--baseline", "/nonexistent/x.json" }, 4, "--save" },
		{ { "tune", "pool", "--baseline", "/dev/null" }, 5, "/dev/null" },
		{ { "tune", "--", "sleep", "1" }, 2, "{port}" },
		{ { "tune", "--", "sleep", "{port}" }, 2, "{threads}" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_refused(table[i].words, table[i].status, table[i].word);
}

/* The files of a job: a baseline, then one that asserts what cannot be right. */
Test(tune_command, a_limit_that_is_far_off_fails_the_job_and_all_files_say_so)
{
	char folder[FOLDER_PATH_MAX];
	char paths[3][FOLDER_PATH_MAX + 16];
	char text[FOLDER_TEXT_MAX];
	struct outcome outcome;

	folder_make(folder);
	snprintf(paths[0], sizeof(paths[0]), "%s/tune.json", folder);
	snprintf(paths[1], sizeof(paths[1]), "%s/tune.md", folder);
	snprintf(paths[2], sizeof(paths[2]), "%s/tune.xml", folder);
	folder_write(folder, "tune.json",
		     "{\"schema\": 1, \"target\": \"pool\", \"share\": 0.95, \"threads\": 20, "
		     "\"interval\": [19, 21], \"cpu_ns\": 1e6, "
		     "\"wall_ns\": 2e7, \"cores\": 1, \"plateau_rps\": 1000}");
	outcome = cwt(WORDS("tune", "pool", SHORTLY, "--assert", "200", "--baseline", paths[0],
			    "--markdown", paths[1], "--junit", paths[2]));
	cr_assert(outcome.status == 1 || is_measured(outcome.status), "%d: %s", outcome.status,
		  outcome.errors);
	cr_expect_neq(outcome.status, 0);
	if (outcome.status == 1) {
		cr_expect_not_null(strstr(outcome.output.bytes, "t = 200 has left"));
		cr_expect_not_null(strstr(outcome.output.bytes, "wall time w is 0.5"));
		cr_expect_not_null(
			strstr(folder_read(folder, "tune.md", text), "t = 200 has left"));
		cr_expect_not_null(strstr(folder_read(folder, "tune.xml", text), "<failure"));
	}
	free(outcome.output.bytes);
	folder_remove(folder);
}
