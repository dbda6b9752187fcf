/* Recipes, read and started: with our own programs as the servers of others, good ones and bad. */
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/target/recipe.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 256, TEXT_MAX = 2048 };

static char folder[] = "/tmp/cwt-test-recipe-XXXXXX";
static char programs[PATH_MAX];
static char log_path[PATH_BYTES];
static char path[PATH_BYTES];
static struct recipe recipe;
static struct recipe_server server;
static struct process process;
static char why[RECIPE_WHY_MAX];

static void setup(void)
{
	const char *program = getenv("CWT_BACKEND");

	cr_assert_not_null(program, "run this test with `meson test`");
	snprintf(programs, sizeof(programs), "%s", program);
	cr_assert_eq(dirname(programs), programs); /* in place */
	cr_assert_not_null(mkdtemp(folder));
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	snprintf(path, sizeof(path), "%s/some.ini", folder);
}

static void teardown(void)
{
	char text[PATH_BYTES + 16];

	snprintf(text, sizeof(text), "rm -r %s", folder);
	cr_expect_eq(system(text), 0);
}

TestSuite(recipe, .init = setup, .fini = teardown, .timeout = 60);

static void write_file(const char *name, const char *text)
{
	char full[PATH_BYTES + 32];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", folder, name);
	file = fopen(full, "we");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static int read_text(const char *text)
{
	write_file("some.ini", text);
	return recipe_read(path, &recipe, why);
}

static int start(void)
{
	struct recipe_use use = {
		.threads = 3,
		.connections = 5,
		.cpu_ns = 1000,
		.wait_ns = 2000000,
		.upstream = "127.0.0.1:4321",
		.programs = programs,
		.log = log_path,
	};

	return recipe_start(&recipe, &use, &process, &server, why);
}

static void expect_no_process(void)
{
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(errno, ECHILD);
}

#define BACKEND "{programs}/cwt-backend --listen {address}"

Test(recipe, what_a_file_says_is_what_it_is)
{
	cr_assert_eq(read_text("# some\n[target]\nabout = a server\ncommand = " BACKEND "\n"
			       "  --delay {threads}\nenvironment = A=1\nenvironment = B={work_ns}\n"
			       "files = a.conf, b.conf\nneeds = sh\npackage = dash\nready = /x\n"
			       "ready-time = 2s\nlimit = requests\nservices = app, proxy\n"
			       "processes = yes\nconfig = -t {threads}\nstop = QUIT\ngrace = 1s\n"),
		     0, "%s", why);
	cr_expect_str_eq(recipe.name, "some");
	cr_expect_str_eq(recipe.folder, folder);
	cr_expect_str_eq(recipe.command, BACKEND " --delay {threads}");
	cr_expect_str_eq(recipe.environment, "A=1 B={work_ns}");
	cr_assert_eq(recipe.file_count, 2);
	cr_expect_str_eq(recipe.files[0], "a.conf");
	cr_expect_str_eq(recipe.files[1], "b.conf");
	cr_expect_str_eq(recipe.ready, "/x");
	cr_expect_eq(recipe.ready_ns, 2LL * NS_PER_S);
	cr_expect_eq(recipe.limit, RECIPE_LIMIT_REQUESTS);
	cr_expect_eq(recipe.services, RECIPE_APP | RECIPE_PROXY);
	cr_expect(recipe.processes);
	cr_expect_eq(recipe.stop, SIGQUIT);
	cr_expect_eq(recipe.grace_ns, NS_PER_S);
	cr_expect_str_eq(recipe_config(&recipe, 27, (char[32]){ 0 }, 32), "-t 27");
}

Test(recipe, what_is_wrong_in_a_file_is_told_with_its_line)
{
	static const struct {
		const char *text;
		const char *word;
	} table[] = {
		{ "", "no command" },
		{ "[target]\ncomand = x\n", ":2: unknown key comand (about, command" },
		{ "[server]\ncommand = x\n", "[server]: want [target]" },
		{ "[target]\ncommand = x\nlimit = much\n", ":3: limit = much: want connections" },
		{ "[target]\ncommand = x\nstop = KILL\n", "want TERM" },
		{ "[target]\ncommand = x\ngrace = 5\n", "want a time" },
		{ "[target]\ncommand = x\nready = x\n", "begins with /" },
		{ "[target]\ncommand = x {prot}\n", "{prot} stands for nothing" },
		{ "[target]\ncommand = 'x\n", "quote" },
		{ "[target]\ncommand = x\nlimit = requests\n", "{threads} is nowhere" },
		{ "[target]\ncommand = x\nfiles = ../a\n", "in the recipe's folder" },
		{ "[target]\ncommand = x\nservices = web\n", "want app, proxy" },
		{ "[target]\ncommand = x\nprocesses = 1\n", "want yes or no" },
		{ "[target]\nnonsense\n", ":2: neither" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		why[0] = '\0';
		cr_expect_eq(read_text(table[i].text), -EINVAL, "%s", table[i].text);
		cr_expect_not_null(strstr(why, table[i].word), "%s", why);
		cr_expect_not_null(strstr(why, "some.ini"), "%s", why);
		cr_expect_null(strchr(why, '\n'));
	}
	cr_expect_eq(recipe_read("/nonexistent/x.ini", &recipe, why), -ENOENT);
	cr_expect_eq(recipe_read("/dev/null", &recipe, why), -EINVAL);
	cr_expect_not_null(strstr(why, "NAME.ini"), "%s", why);
}

Test(recipe, a_good_server_is_started_answers_and_is_stopped)
{
	struct stat status;

	write_file("hello.txt", "{threads} or {threads_and_one} at {port} in {run}, { x } {y}\n");
	cr_assert_eq(
		read_text("[target]\ncommand = " BACKEND "\nfiles = hello.txt\nready = /delay/0\n"
			  "environment = CWT_TEST_RECIPE={work_ns},{wait_us},{upstream_port}\n"),
		0, "%s", why);
	cr_assert_eq(start(), 0, "%s", why);
	cr_expect_gt(process.pid, 0);
	{
		char full[RECIPE_PATH_MAX + 32];
		char line[TEXT_MAX] = "";
		char wanted[RECIPE_PATH_MAX + TEXT_MAX];
		FILE *file;

		snprintf(full, sizeof(full), "%s/hello.txt", server.run);
		file = fopen(full, "re");
		cr_assert_not_null(file);
		cr_assert_not_null(fgets(line, sizeof(line), file));
		fclose(file);
		snprintf(wanted, sizeof(wanted), "3 or 4 at %s in %s, { x } {y}\n",
			 strchr(process.address, ':') + 1, server.run);
		cr_expect_str_eq(line, wanted);
		snprintf(full, sizeof(full), "/proc/%d/environ", (int)process.pid);
		file = fopen(full, "re");
		cr_assert_not_null(file);
		line[fread(line, 1, sizeof(line) - 1, file)] = '\0';
		fclose(file);
		cr_expect_str_eq(line, "CWT_TEST_RECIPE=1000,2000,4321"); /* the first of them */
	}
	cr_expect_null(recipe_stop(&server, why), "%s", why);
	cr_expect_neq(stat(server.run, &status), 0);
	expect_no_process();
}

Test(recipe, a_bad_server_is_told_and_nothing_of_it_is_left)
{
	static const struct {
		const char *text;
		int rc;
		const char *word;
	} table[] = {
		{ "command = sleep 100\nready-time = 200ms\n", -ETIMEDOUT, "nor listens" },
		{ "command = sh -c 'echo it is broken >&2; exit 3'\n", -EPIPE, "it is broken" },
		{ "command = {programs}/cwt-backend\nready-time = 500ms\n", -ETIMEDOUT,
		  "listens on port" },
		{ "command = " BACKEND "\nready = /nonsense\nready-time = 200ms\n", -EPROTO,
		  "HTTP/1.1 4" },
		{ "command = no-such-program-here\n", -ENOENT, "is not installed" },
		{ "command = no-such-program-here\npackage = such\n", -ENOENT,
		  "apt-get install such" },
		{ "command = " BACKEND "\nneeds = no-such-file-here\n", -ENOENT,
		  "no-such-file-here is not installed" },
		{ "command = " BACKEND "\nfiles = missing.conf\n", -ENOENT, "missing.conf" },
		{ "command = " BACKEND "\nenvironment = nonsense\n", -EINVAL, "NAME=VALUE" },
	};
	char text[TEXT_MAX];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(text, sizeof(text), "[target]\n%s", table[i].text);
		cr_assert_eq(read_text(text), 0, "%s", why);
		cr_expect_eq(start(), table[i].rc, "%s: %s", table[i].text, why);
		cr_expect_not_null(strstr(why, table[i].word), "%s", why);
		cr_expect_eq(strncmp(why, "some: ", 6), 0, "%s", why);
		cr_expect_null(strchr(why, '\n'));
		expect_no_process();
	}
}

Test(recipe, one_that_does_not_heed_its_signal_is_killed_with_its_children)
{
	cr_assert_eq(read_text("[target]\ncommand = sh -c "
			       "'trap \"\" TERM; " BACKEND " & while :; do sleep 1; done'\n"
			       "grace = 100ms\nready = /delay/0\n"),
		     0, "%s", why);
	cr_assert_eq(start(), 0, "%s", why);
	cr_assert_not_null(recipe_stop(&server, why));
	cr_expect_not_null(strstr(why, "SIGTERM, and was killed"), "%s", why);
	expect_no_process();
}

Test(recipe, one_that_ends_before_its_time_is_told)
{
	cr_assert_eq(read_text("[target]\ncommand = " BACKEND "\nready = /delay/0\n"), 0, "%s",
		     why);
	cr_assert_eq(start(), 0, "%s", why);
	kill(process.pid, SIGKILL);
	while (!process_has_ended(&process))
		clock_sleep_until(clock_now_ns() + NS_PER_MS);
	cr_assert_not_null(recipe_stop(&server, why));
	cr_expect_not_null(strstr(why, "signal 9"), "%s", why);
	expect_no_process();
}

Test(recipe, it_is_bound_to_its_processors)
{
	struct recipe_use use = { .programs = programs, .log = log_path };
	cpu_set_t cpus;
	cpu_set_t bound;

	cr_assert_eq(cpus_parse("0", &cpus), 0);
	use.cpus = &cpus;
	cr_assert_eq(read_text("[target]\ncommand = " BACKEND "\nready = /delay/0\n"), 0, "%s",
		     why);
	cr_assert_eq(recipe_start(&recipe, &use, &process, &server, why), 0, "%s", why);
	cr_assert_eq(sched_getaffinity(process.pid, sizeof(bound), &bound), 0);
	cr_expect(CPU_EQUAL(&bound, &cpus));
	recipe_stop(&server, why);
}
