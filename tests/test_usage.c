/* Usage errors: status 2, and one line on stderr that names the cause. */
#include "tests/programs.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <linux/sched/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ROW_COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char server[] = "CWT_SERVER";
static const char backend[] = "CWT_BACKEND";

struct row {
	const char *program;
	const char *words[10];
	const char *causes[3]; /* in the line */
	int descriptors;       /* the hard limit, or 0 */
};

static const struct row rows[] = {
	{ server, { NULL }, { "--arch" } },
	{ server, { "--arch" }, { "--arch needs a value" } },
	{ server, { "--arch", "none" }, { "--arch none", "pool", "loop" } },
	{ server, { "--arch", "loop", "--brush" }, { "unknown option --brush" } },
	{ server, { "--arch", "loop", "north" }, { "north" } },
	{ server, { "--arch", "loop", "--cpu", "5" }, { "--cpu 5", "a time" } },
	{ server, { "--arch", "loop", "--cpu", "-5ms" }, { "--cpu -5ms" } },
	{ server, { "--arch", "loop", "--w", "5ms" }, { "unknown option --w" } },
	{ server, { "--arch", "pool", "--threads", "0" }, { "--threads 0", "the least is 1" } },
	{ server, { "--arch", "pool", "--threads", "x" }, { "--threads x" } },
	{ server, { "--arch", "pool", "--stack", "1KiB" }, { "--stack 1KiB", "the least is" } },
	{ server, { "--arch", "pool", "--slice", "1us" }, { "--slice 1us", "the least is" } },
	{ server, { "--arch", "pool", "--slice", "1s" }, { "--slice 1s", "the most is" } },
	{ server, { "--arch", "loop", "--threads", "5" }, { "--threads", "loop" } },
	{ server, { "--arch", "loop", "--stack", "1MiB" }, { "--stack", "loop" } },
	{ server, { "--arch", "uring", "--threads", "5" }, { "--threads", "uring" } },
	{ server, { "--arch", "coroutine", "--threads", "5" }, { "--threads", "coroutine" } },
	{ server, { "--arch", "process", "--stack", "1MiB" }, { "--stack", "process" } },
	{ server, { "--arch", "loop", "--accept", "own" }, { "--accept", "loop" } },
	{ server, { "--arch", "pool", "--events", "poll" }, { "--events", "pool" } },
	{ server, { "--arch", "loops", "--events", "poll" }, { "--events", "loops" } },
	{ server, { "--arch", "loop", "--events", "kqueue" }, { "--events kqueue", "select" } },
	{ server, { "--arch", "followers", "--reply", "worker" }, { "--reply", "followers" } },
	{ server, { "--arch", "handoff", "--active", "1" }, { "--active", "handoff" } },
	{ server, { "--arch", "followers", "--active", "0" }, { "--active 0" } },
	{ server, { "--arch", "loop", "--footprint", "64KiB" }, { "--footprint", "--cpu" } },
	{ server, { "--arch", "loop", "--service", "echo" }, { "--service echo", "app", "proxy" } },
	{ server, { "--arch", "loop", "--service", "proxy" }, { "--upstream HOST:PORT" } },
	{ server, { "--arch", "loop", "--wait", "backend" }, { "--upstream HOST:PORT" } },
	{ server, { "--arch", "loop", "--upstream", "nowhere" }, { "--upstream nowhere" } },
	{ server,
	  { "--arch", "loop", "--upstream", "127.0.0.1:1", "--wait", "timer" },
	  { "--upstream", "timer" } },
	{ server,
	  { "--arch", "loop", "--service", "proxy", "--upstream", "127.0.0.1:1", "--wait",
	    "timer" },
	  { "--wait", "proxy" } },
	{ server,
	  { "--arch", "loop", "--cpu", "5ms", "--wall", "2ms", "--overhead", "1us" },
	  { "--wall 2ms", "--cpu 5ms" } },
	{ server, { "--arch", "loop", "--wall", "2ms", "--wait", "none" }, { "--wall 2ms" } },
	{ server,
	  { "--arch", "loop", "--upstream", "127.0.0.1:1", "--wall", "2s", "--upstream-timeout",
	    "1s" },
	  { "--wall 2s", "--upstream-timeout" } },
	{ server,
	  { "--arch", "loop", "--cpu", "1us", "--overhead", "10us" },
	  { "1us", "10us", "--cpu" } },
	{ server,
	  { "--arch", "pool", "--cpu", "999us", "--overhead", "1ms" },
	  { "999us", "1ms", "--cpu" } },
	{ server, { "--arch", "loop", "--overhead", "10us" }, { "--overhead", "--cpu" } },
	{ server, { "--arch", "loop", "--work", "ops" }, { "--work", "--cpu" } },
	{ server,
	  { "--arch", "loop", "--distribution", "normal" },
	  { "--distribution normal", "constant", "exponential" } },
	{ server,
	  { "--arch", "loop", "--distribution", "exponential" },
	  { "--distribution", "neither work nor wait" } },
	{ server,
	  { "--arch", "loop", "--distribution", "constant" },
	  { "--distribution", "neither work nor wait" } },
	{ server,
	  { "--arch", "loop", "--service", "proxy", "--upstream", "127.0.0.1:1", "--distribution",
	    "exponential" },
	  { "--distribution", "proxy", "--cpu" } },
	{ server,
	  { "--arch", "loop", "--upstream", "127.0.0.1:1", "--wall", "2s", "--distribution",
	    "exponential" },
	  { "--distribution exponential", "37 times", "--upstream-timeout" } },
	{ server, { "--arch", "loop", "--seed", "1" }, { "--seed", "--distribution exponential" } },
	{ server,
	  { "--arch", "loop", "--cpu", "1ms", "--distribution", "constant", "--seed", "1" },
	  { "--seed", "--distribution exponential" } },
	{ server, { "--arch", "loop", "--cpus", "x" }, { "--cpus x" } },
	{ server, { "--arch", "loop", "--cpus", "1000" }, { "--cpus" } },
	{ server, { "--arch", "loop", "--client-timeout", "0" }, { "--client-timeout 0" } },
	{ server, { "--arch", "loop", "--listen", "127.0.0.1" }, { "--listen 127.0.0.1" } },
	{ server,
	  { "--arch", "pool", "--threads", "100" },
	  { "--threads 100", "file descriptors", "64" },
	  64 },
	{ server,
	  { "--arch", "pool", "--threads", "40", "--wait", "backend", "--upstream", "127.0.0.1:1" },
	  { "--threads 40", "file descriptors", "64" },
	  64 },
	{ backend, { "--brush" }, { "unknown option --brush" } },
	{ backend, { "north" }, { "north" } },
	{ backend, { "--connections", "0" }, { "--connections 0" } },
	{ backend, { "--dist", "normal" }, { "--dist normal", "constant", "exponential" } },
	{ backend, { "--seed", "x" }, { "--seed x" } },
	{ backend, { "--cpus", "1000" }, { "--cpus" } },
	{ backend, { "--stall", "10ms" }, { "--stall", "--every" } },
	{ backend, { "--every", "10ms" }, { "--stall", "--every" } },
	{ backend, { "--stall", "1s", "--every", "1s" }, { "--stall", "shorter" } },
	{ backend, { "--stall", "2s", "--every", "1s" }, { "--stall", "shorter" } },
	{ backend, { "--stall", "0", "--every", "1s" }, { "--stall 0" } },
	{ backend, { "--stall", "5", "--every", "1s" }, { "--stall 5", "a time" } },
	{ backend, { "--stall", "1ms", "--every", "0" }, { "--every 0" } },
	{ backend, { "--drift", "0" }, { "--drift 0", "10%" } },
	{ backend, { "--drift", "-10%" }, { "--drift -10%" } },
	{ backend, { "--drift", "fast" }, { "--drift fast" } },
	{ backend, { "--reset-every", "0" }, { "--reset-every 0" } },
	{ backend, { "--status-every", "0" }, { "--status-every 0" } },
	{ backend, { "--status-every", "10%" }, { "--status-every 10%" } },
	{ backend,
	  { "--reset-every", "1", "--status-every", "2" },
	  { "--status-every", "--reset-every 1" } },
	{ backend, { "--connections", "100k" }, { "100000", "file descriptors", "128" }, 128 },
	{ backend,
	  { "--connections", "100", "--drift", "1%" },
	  { "--connections 100", "one process", "128" },
	  128 },
	{ backend, { "--connections", "10" }, { "file descriptors", "64" }, 64 },
};

static void expect_refusal(const struct row *row)
{
	struct program program;
	char text[PROGRAM_ERRORS_MAX];
	int status;

	program_start_limited(&program, row->program, row->words, row->descriptors);
	status = program_wait(&program);
	program_errors(&program, text);
	cr_expect_eq(status, 2, "%s %s %s: status %d: %s", row->program, row->words[0],
		     row->words[2], status, text);
	cr_expect_eq(strcspn(text, "\n") + 1, strlen(text), "not one line: '%s'", text);
	for (size_t i = 0; i < ROW_COUNT(row->causes) && row->causes[i]; i++)
		cr_expect_not_null(strstr(text, row->causes[i]), "no '%s' in: %s", row->causes[i],
				   text);
	close(program.errors);
}

Test(usage, an_impossible_command_line_is_refused_with_one_line_that_names_the_cause)
{
	for (size_t i = 0; i < ROW_COUNT(rows); i++)
		expect_refusal(&rows[i]);
}

Test(usage, a_busy_port_is_refused_with_its_number)
{
	struct net_address address;
	char text[NET_TEXT_MAX];
	int listening = peer_listen(&address);
	const struct row table[] = {
		{ server, { "--arch", "loop", "--listen", text }, { text, "in use" } },
		{ server, { "--arch", "pool", "--listen", text }, { text, "in use" } },
		{ backend, { "--listen", text }, { text, "in use" } },
	};

	net_format(&address, text);
	for (size_t i = 0; i < ROW_COUNT(table); i++)
		expect_refusal(&table[i]);
	close(listening);
}

Test(usage, help_is_printed_to_stdout_with_status_0)
{
	static const char *const words[] = { "--help", NULL };
	static const char *const programs[] = { server, backend };

	for (size_t i = 0; i < ROW_COUNT(programs); i++) {
		struct program program;
		char text[PROGRAM_ERRORS_MAX];
		struct text help;

		program_start(&program, programs[i], words);
		help = client_receive(program.output, 0);
		cr_expect_eq(program_wait(&program), 0);
		cr_expect_str_eq(program_errors(&program, text), "");
		cr_expect_eq(strncmp(help.bytes, "usage: cwt-", 11), 0, "%s", help.bytes);
		free(help.bytes);
		close(program.errors);
	}
}

Test(usage, as_many_threads_as_descriptors_allow_do_start)
{
	static const char *const words[] = { "--arch", "pool", "--threads", "48", NULL };
	struct program program;

	program_start_limited(&program, server, words, 64);
	program_await_ready(&program);
	program_stop(&program);
}

static void expect_slices(pid_t pid, uint64_t ns)
{
	char path[64];
	DIR *threads;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	cr_assert_not_null(threads);
	for (const struct dirent *entry = readdir(threads); entry; entry = readdir(threads)) {
		struct sched_attr attr = { .size = sizeof(attr) };

		if (entry->d_name[0] == '.')
			continue;
		cr_assert_eq(syscall(SYS_sched_getattr, strtol(entry->d_name, NULL, 10), &attr,
				     sizeof(attr), 0),
			     0);
		count += attr.sched_runtime == ns;
	}
	closedir(threads);
	cr_expect_geq(count, 3, "%d", count); /* the main one and the two that serve */
}

/* The slice of each of its threads; on an older kernel it is said that there is none. */
Test(usage, a_slice_is_that_of_all_threads_or_refused)
{
	static const char *const words[] = { "--arch",  "pool", "--threads", "2",
					     "--slice", "20ms", NULL };
	struct program program;
	char errors[PROGRAM_ERRORS_MAX];
	struct utsname name;
	int major = 0;
	int minor = 0;

	cr_assert_eq(uname(&name), 0);
	cr_assert_eq(sscanf(name.release, "%d.%d", &major, &minor), 2);
	program_start(&program, server, words);
	if (major < 6 || (major == 6 && minor < 12)) {
		cr_expect_eq(program_wait(&program), 1);
		cr_expect_not_null(strstr(program_errors(&program, errors), "Linux 6.12"));
		return;
	}
	program_await_ready(&program);
	free(client_talk(&program, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0).bytes);
	expect_slices(program.pid, 20000000);
	program_stop(&program);
}
