#include "loadgen/target/process.h"
#include "common/clock.h"
#include "loadgen/target/ready.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Only what fails takes so long. */
static const int64_t patience_ns = 20LL * NS_PER_S;

static char log_path[] = "/tmp/cwt-test-process-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(log_path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(log_path);
}

TestSuite(process, .init = setup, .fini = teardown);

static int start(struct process *process, const char *script, int64_t for_ns, char *why)
{
	char *argv[] = { "/bin/sh", "-c", (char *)script, NULL };

	why[0] = '\0';
	return process_start(process, argv, log_path, for_ns, why);
}

static void expect_no_child(void)
{
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(errno, ECHILD);
}

Test(process, a_ready_line_tells_the_address)
{
	static const struct {
		const char *script;
		const char *address;
	} table[] = {
		{ "echo ready 127.0.0.1:8080; exec sleep 100", "127.0.0.1:8080" },
		{ "echo 'ready [::1]:1'; exec sleep 100", "[::1]:1" },
		{ "echo starting; echo; echo ready 127.0.0.1:2; exec sleep 100", "127.0.0.1:2" },
		{ "printf 'ready 127.0'; printf '.0.1:3\\nmore'; exec sleep 100", "127.0.0.1:3" },
		{ "head -c 5000 /dev/zero | tr '\\0' x; echo; echo ready 127.0.0.1:4;"
		  "exec sleep 100",
		  "127.0.0.1:4" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct process process;
		char why[PROCESS_WHY_MAX];
		pid_t pid;

		cr_assert_eq(start(&process, table[i].script, patience_ns, why), 0, "%s", why);
		cr_expect_str_eq(process.address, table[i].address);
		cr_expect_gt(process.pid, 0);
		pid = process.pid;
		cr_expect_eq(process_stop(&process, patience_ns), -SIGTERM);
		cr_expect_eq(process.pid, 0);
		cr_expect_eq(kill(pid, 0), -1);
		expect_no_child();
	}
}

Test(process, one_that_ends_before_it_is_ready_leaves_its_last_words)
{
	static const struct {
		const char *script;
		const char *word;
	} table[] = {
		{ "echo first >&2; echo no such port >&2; exit 2", ": no such port" },
		{ "printf 'without a newline' >&2; exit 1", "without a newline" },
		{ "exit 0", "it said nothing" },
		{ "echo ready; exit 0", "it said nothing" },
		{ "kill -KILL $$", "it said nothing" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct process process;
		char why[PROCESS_WHY_MAX];

		cr_expect_eq(start(&process, table[i].script, patience_ns, why), -EPIPE);
		cr_expect_not_null(strstr(why, "/bin/sh ended before it was ready"), "%s", why);
		cr_expect_not_null(strstr(why, table[i].word), "'%s' lacks '%s'", why,
				   table[i].word);
		cr_expect_eq(process.pid, 0);
		expect_no_child();
	}
}

Test(process, a_program_that_is_not_there_is_named)
{
	struct process process;
	char why[PROCESS_WHY_MAX] = "";
	char *argv[] = { "/nonexistent/cwt-server", NULL };

	cr_expect_lt(process_start(&process, argv, log_path, patience_ns, why), 0);
	cr_expect_not_null(strstr(why, "/nonexistent/cwt-server"), "%s", why);
	cr_expect_not_null(strstr(why, "No such file"), "%s", why);
	expect_no_child();
}

Test(process, one_that_is_never_ready_is_given_up_and_ended)
{
	static const char *const scripts[] = {
		"exec sleep 100",
		"echo starting; exec sleep 100",
		"printf ready; exec sleep 100",
		"trap '' TERM; while :; do echo not yet; sleep 0.01; done",
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct process process;
		char why[PROCESS_WHY_MAX];

		cr_expect_eq(start(&process, scripts[i], 50 * NS_PER_MS, why), -ETIMEDOUT);
		cr_expect_not_null(strstr(why, "not ready in time"), "%s", why);
		cr_expect_eq(process.pid, 0);
		expect_no_child();
	}
}

Test(process, stopping_waits_for_the_exit_status)
{
	struct process process;
	char why[PROCESS_WHY_MAX];

	cr_assert_eq(start(&process,
			   "trap 'exit 7' TERM; echo ready 127.0.0.1:1;"
			   "while :; do sleep 0.01; done",
			   patience_ns, why),
		     0, "%s", why);
	cr_expect_eq(process_stop(&process, patience_ns), 7);
	expect_no_child();
}

Test(process, one_that_ignores_the_polite_signal_is_killed)
{
	struct process process;
	char why[PROCESS_WHY_MAX];

	cr_assert_eq(start(&process,
			   "trap '' TERM; echo ready 127.0.0.1:1; while :; do sleep 0.01; done",
			   patience_ns, why),
		     0, "%s", why);
	cr_expect_eq(process_stop(&process, 20 * NS_PER_MS), -SIGKILL);
	expect_no_child();
}

Test(process, one_that_has_ended_by_itself_tells_its_status)
{
	struct process process;
	char why[PROCESS_WHY_MAX];
	siginfo_t info;

	cr_assert_eq(start(&process, "echo ready 127.0.0.1:1; exit 3", patience_ns, why), 0);
	cr_assert_eq(waitid(P_PID, (id_t)process.pid, &info, WEXITED | WNOWAIT), 0);
	cr_expect_eq(process_stop(&process, patience_ns), 3);
	expect_no_child();
}

Test(process, stopping_what_does_not_run_is_no_matter)
{
	struct process process = { 0 };

	cr_expect_eq(process_stop(&process, 0), 0);
	cr_expect_eq(process_stop(&process, 0), 0);
}

Test(process, its_words_are_appended_to_the_log)
{
	struct process process;
	char why[PROCESS_WHY_MAX];
	char text[64] = "";
	int fd;

	for (int i = 0; i < 2; i++) {
		cr_assert_eq(start(&process,
				   "echo said >&2; echo ready 127.0.0.1:1; exec sleep 100",
				   patience_ns, why),
			     0);
		process_stop(&process, patience_ns);
	}
	fd = open(log_path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	cr_expect_str_eq(text, "said\nsaid\n");
}

Test(process, what_an_earlier_one_said_is_not_the_words_of_a_silent_one)
{
	struct process process;
	char why[PROCESS_WHY_MAX];

	cr_expect_lt(start(&process, "echo the port is taken >&2; exit 1", patience_ns, why), 0);
	cr_expect_lt(start(&process, "exit 1", patience_ns, why), 0);
	cr_expect_null(strstr(why, "taken"), "%s", why);
	cr_expect_not_null(strstr(why, "it said nothing"), "%s", why);
}

Test(process, an_interrupt_at_the_terminal_does_not_reach_it)
{
	struct process process;
	char why[PROCESS_WHY_MAX];

	cr_assert_eq(start(&process, "echo ready 127.0.0.1:1; exec sleep 100", patience_ns, why),
		     0);
	cr_expect_neq(getpgid(process.pid), getpgid(0));
	process_stop(&process, patience_ns);
}

/* The first word of the log, which is the id of a worker. */
static pid_t worker_of_log(void)
{
	FILE *file = fopen(log_path, "re");
	int pid = 0;

	cr_assert_not_null(file);
	cr_assert_eq(fscanf(file, "%d", &pid), 1);
	fclose(file);
	return pid;
}

/* Ended, whether or not whoever inherited it has noticed. */
static bool is_gone(pid_t pid)
{
	char path[64];
	char state = 'Z';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state == 'Z';
}

Test(process, no_worker_survives_it)
{
	static const struct {
		const char *script;
		int status;
	} table[] = {
		{ "trap 'exit 5' TERM; sleep 100 & echo $! >&2; echo ready 127.0.0.1:1;"
		  "while :; do sleep 0.01; done",
		  5 },
		{ "(trap '' TERM; while :; do sleep 0.01; done) & echo $! >&2;"
		  "echo ready 127.0.0.1:1; exec sleep 100",
		  -SIGTERM },
		{ "trap '' TERM; sleep 100 & echo $! >&2; echo ready 127.0.0.1:1;"
		  "while :; do sleep 0.01; done",
		  -SIGKILL },
		{ "sleep 100 & echo $! >&2; echo ready 127.0.0.1:1; exit 0", 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct process process;
		char why[PROCESS_WHY_MAX];
		siginfo_t info;

		cr_assert_eq(truncate(log_path, 0), 0);
		cr_assert_eq(start(&process, table[i].script, patience_ns, why), 0, "%s", why);
		if (table[i].status == 0)
			waitid(P_PID, (id_t)process.pid, &info, WEXITED | WNOWAIT);
		cr_expect_not(is_gone(worker_of_log()));
		cr_expect_eq(process_stop(&process, 50 * NS_PER_MS), table[i].status, "%zu", i);
		cr_expect(is_gone(worker_of_log()), "%zu", i);
		expect_no_child();
	}
}

Test(process, one_that_is_given_up_leaves_no_worker)
{
	struct process process;
	char why[PROCESS_WHY_MAX];

	cr_expect_lt(start(&process, "sleep 100 >&- & echo $! >&2; exit 1", patience_ns, why), 0);
	cr_expect(is_gone(worker_of_log()));
}

Test(process, its_usage_counts_children_that_have_ended)
{
	struct process process;
	char why[PROCESS_WHY_MAX];

	cr_assert_eq(start(&process,
			   "(i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done);"
			   "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.001; done;"
			   "echo ready 127.0.0.1:1; exec sleep 100",
			   patience_ns, why),
		     0, "%s", why);
	process_stop(&process, patience_ns);
	cr_expect_geq(process.usage.voluntary, 20, "each sleep, and the wait for it");
	cr_expect_lt(process.usage.voluntary, 200);
	cr_expect_gt(process.usage.cpu_ns, 15 * NS_PER_MS);
	cr_expect_lt(process.usage.cpu_ns, 5LL * NS_PER_S);
	cr_expect_geq(process.usage.involuntary, 0);
}

/* A share of a processor for each of a hundred would be more than there are. */
Test(process, a_hundred_processes_are_quiet_only_if_none_is_at_work)
{
	struct process process;
	char why[PROCESS_WHY_MAX];
	char busy[64];
	char script[512];
	int rc = 0;

	snprintf(busy, sizeof(busy), "%s.busy", log_path);
	cr_assert_eq(close(open(busy, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	snprintf(script, sizeof(script),
		 "i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i + 1)); done; "
		 "for i in 1 2; do while [ -e %s ]; do :; done && sleep 60 & done; "
		 "echo ready 127.0.0.1:1; wait",
		 busy);
	cr_assert_eq(start(&process, script, patience_ns, why), 0, "%s", why);
	/* A machine that stands still for a moment is quiet, too. */
	for (int i = 0; i < 10 && rc == 0; i++)
		rc = ready_await_processes(&process, 103, NS_PER_S / 2, NULL, why);
	cr_expect_eq(rc, -ETIMEDOUT);
	cr_expect_not_null(strstr(why, "they are busy"), "%s", why);
	unlink(busy);
	cr_expect_eq(ready_await_processes(&process, 103, patience_ns, NULL, why), 0, "%s", why);
	process_stop(&process, patience_ns);
	expect_no_child();
}
