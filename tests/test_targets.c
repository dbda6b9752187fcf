/* The targets of scripts/targets, each with the real server, where that is installed. */
#include "common/clock.h"
#include "loadgen/target/meter.h"
#include "loadgen/target/recipe.h"
#include "tests/programs.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

TestSuite(targets, .timeout = 180);

enum { REQUESTS = 5, THREADS = 3, CONNECTIONS = 4, HEAD_MAX = 256 };

static const int64_t work_ns = 20 * NS_PER_MS;
static const int64_t wait_ns = 30 * NS_PER_MS;

static const char *const names[] = {
	"apache-event",     "apache-prefork", "apache-worker", "erlang", "gunicorn-gevent",
	"gunicorn-gthread", "gunicorn-sync",  "haproxy",       "nginx",  "node",
};

static const char *programs_of_ours(char path[RECIPE_PATH_MAX])
{
	const char *program = getenv("CWT_SERVER");

	cr_assert_not_null(program, "run this test with `meson test`");
	snprintf(path, RECIPE_PATH_MAX, "%s", program);
	return dirname(path);
}

static int connect_to(const char *text)
{
	struct net_address address;
	int fd;

	cr_assert_eq(net_parse(text, &address), 0, "%s", text);
	fd = net_connect(&address, 10LL * NS_PER_S, NULL);
	cr_assert_geq(fd, 0, "%s: %s", text, strerror(-fd));
	return fd;
}

/* It answers hello, with 200. */
static void expect_hello(const struct recipe *recipe, const struct process *process,
			 const char *request)
{
	int fd = connect_to(process->address);
	struct text reply;

	cr_assert(client_send(fd, request, strlen(request)), "%s", recipe->name);
	reply = client_receive_until(fd, recipe->services & RECIPE_APP ? "hello, world\n"
								       : "Hello, world.\n");
	cr_expect_eq(strncmp(reply.bytes, "HTTP/1.1 200", 12), 0, "%s: %s", recipe->name,
		     reply.bytes);
	free(reply.bytes);
	close(fd);
}

/* What a request costs and takes can be more than what was asked for, but not less. */
static void check(const struct recipe *recipe, const struct process *process)
{
	bool is_app = recipe->services & RECIPE_APP;
	char request[HEAD_MAX];
	int64_t before_ns;
	int64_t after_ns;
	int64_t began_ns;

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
		 is_app ? "/" : "/delay/30ms");
	expect_hello(recipe, process, request);
	cr_assert_eq(meter_cpu_ns(process->pid, &before_ns), 0);
	began_ns = clock_now_ns();
	for (int i = 0; i < REQUESTS; i++)
		expect_hello(recipe, process, request);
	cr_expect_geq(clock_now_ns() - began_ns, REQUESTS * wait_ns, "%s does not wait",
		      recipe->name);
	cr_assert_eq(meter_cpu_ns(process->pid, &after_ns), 0);
	if (is_app)
		cr_expect_geq(after_ns - before_ns, REQUESTS * work_ns * 3 / 4,
			      "%s: %lld ns of CPU", recipe->name,
			      (long long)(after_ns - before_ns));
}

Test(targets, each_serves_as_it_says_or_is_named_as_not_installed)
{
	char programs[RECIPE_PATH_MAX];
	char upstream[NET_TEXT_MAX];
	struct program backend;
	struct recipe_use use = {
		.threads = THREADS,
		.connections = CONNECTIONS,
		.cpu_ns = work_ns,
		.wait_ns = wait_ns,
		.upstream = upstream,
		.programs = programs_of_ours(programs),
		.log = "/dev/null",
	};

	program_serve(&backend, "CWT_BACKEND", "");
	net_format(&backend.address, upstream);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[RECIPE_PATH_MAX];
		char why[RECIPE_WHY_MAX];
		struct recipe recipe;
		struct recipe_server server;
		struct process process;

		snprintf(path, sizeof(path), "%s/%s.ini", getenv("CWT_TARGETS"), names[i]);
		cr_assert_eq(recipe_read(path, &recipe, why), 0, "%s", why);
		if (recipe_missing(&recipe, use.programs, why)) {
			fprintf(stderr, "not tested: %s\n", why);
			continue;
		}
		cr_assert_eq(recipe_start(&recipe, &use, &process, &server, why), 0, "%s", why);
		check(&recipe, &process);
		cr_expect_null(recipe_stop(&server, why), "%s", why);
	}
	program_stop(&backend);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(errno, ECHILD);
}
