/* `cwt load --target`: a server that is started for the run, and gone after it. */
#include "tests/folders.h"
#include "tests/outcomes.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(load_target, .timeout = 60);

#define SHORTLY "--duration", "300ms", "--warmup", "100ms", "--calibrate", "0", "--json"

/* It was measured, if not well on a busy machine. */
static json_t *loaded(const char *const *words)
{
	struct outcome outcome = cwt(words);

	cr_assert(outcome.status == 0 || outcome.status == 5, "%d: %s", outcome.status,
		  outcome.errors);
	cr_expect_str_empty(outcome.errors);
	return outcome_json(&outcome);
}

static const json_t *target_of(const json_t *root)
{
	const json_t *target = json_object_get(json_object_get(root, "settings"), "target");

	cr_assert(json_is_object(target));
	return target;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	cr_assert_not_null(text, "no text %s", name);
	return text;
}

/* No more can be served at once than it has threads, so there are as many connections. */
Test(load_target, our_pool_is_started_and_metered)
{
	json_t *root = loaded(WORDS("load", "--target", "pool", "--target-threads", "3",
				    "--target-cpu", "200us", "--target-wall", "2ms", SHORTLY));
	const json_t *target = target_of(root);

	cr_expect_str_eq(text_of(target, "name"), "pool");
	cr_expect_str_eq(text_of(target, "service"), "app");
	cr_expect_eq(expect_number(target, "threads"), 3);
	cr_expect_eq(expect_number(target, "cpu_ns"), 200e3);
	cr_expect_eq(expect_number(target, "wall_ns"), 2e6);
	cr_expect_eq(expect_number(root, "connections"), 3);
	cr_expect_gt(expect_number(root, "requests"), 3);
	cr_expect_gt(expect_number(root, "server_cpu_ns_per_request"), 200e3);
	cr_expect_geq(expect_number(root, "server_threads"), 3);
	cr_expect_eq(expect_number(json_object_get(root, "errors"), "status"), 0);
	json_decref(root);
}

Test(load_target, a_proxy_asks_the_backend_to_wait)
{
	json_t *root = loaded(WORDS("load", "--target", "loop", "--target-service", "proxy",
				    "--target-cpu", "0", "--target-wall", "20ms", "--connections",
				    "2", SHORTLY));

	cr_expect_str_eq(text_of(target_of(root), "service"), "proxy");
	cr_expect_eq(expect_number(root, "connections"), 2);
	cr_expect_gt(expect_number(root, "requests"), 0);
	cr_expect_geq(expect_number(json_object_get(root, "latency_ns"), "min"), 20e6);
	json_decref(root);
}

/* Runs the target server in that mode. Returns what came of it; the server is gone. */
static struct outcome load_other(const char *mode)
{
	const char *server = getenv("CWT_TARGET_SERVER");
	char folder[FOLDER_PATH_MAX];
	char ini[FOLDER_PATH_MAX + 16];
	char text[FOLDER_TEXT_MAX];
	struct outcome outcome;
	pid_t pid;

	cr_assert_not_null(server, "run this test with `meson test`");
	folder_make(folder);
	snprintf(text, sizeof(text),
		 "[target]\n"
		 "command = python3 %s {port} %s {threads} {folder}/pids\n"
		 "limit = requests\nready-time = 10s\ngrace = 300ms\n",
		 server, mode);
	folder_write(folder, "mine.ini", text);
	snprintf(ini, sizeof(ini), "%s/mine.ini", folder);
	outcome = cwt(WORDS("load", "--target", ini, "/a", "/b", "--target-threads", "2",
			    "--connections", "4", SHORTLY));
	pid = (pid_t)strtol(folder_read(folder, "pids", text), NULL, 10);
	cr_expect_gt(pid, 0);
	cr_expect_eq(kill(pid, 0), -1, "%s: it is left", mode);
	folder_remove(folder);
	return outcome;
}

Test(load_target, a_server_of_others_is_started_from_its_file)
{
	struct outcome outcome = load_other("good");
	json_t *root;

	cr_assert(outcome.status == 0 || outcome.status == 5, "%d: %s", outcome.status,
		  outcome.errors);
	cr_expect_str_empty(outcome.errors);
	root = outcome_json(&outcome);
	cr_expect_str_eq(text_of(target_of(root), "name"), "mine");
	cr_expect_eq(json_array_size(json_object_get(json_object_get(root, "settings"), "urls")),
		     2);
	cr_expect_gt(expect_number(root, "requests"), 0);
	cr_expect_gt(expect_number(root, "server_cpu_ns_per_request"), 0);
	json_decref(root);
}

Test(load_target, one_that_ends_badly_is_told)
{
	struct outcome outcome = load_other("frail");

	cr_expect_eq(outcome.status, 5, "%d", outcome.status);
	expect_one_line(outcome.errors, "mine ended while it was needed, with status 3");
	free(outcome.output.bytes);
	outcome = load_other("deaf");
	expect_one_line(outcome.errors, "mine did not end within 300ms of SIGTERM, and was killed");
	free(outcome.output.bytes);
}

Test(load_target, what_cannot_be_is_refused_before_anything_is_started)
{
	static const struct {
		const char *words[10];
		const char *word;
	} table[] = {
		{ { "load", "--target", "nonsense" }, "want one of" },
		{ { "load", "--target", "pool" }, "--target-threads T" },
		{ { "load", "--target", "loop", "--target-threads", "5" }, "no such limit" },
		{ { "load", "--target", "loop", "http://127.0.0.1:80/" }, "want a path" },
		{ { "load", "--target", "loop", "--target-cpu", "2ms", "--target-wall", "1ms" },
		  "--target-wall is below" },
		{ { "load", "--target", "node", "--target-service", "proxy" }, "node is no proxy" },
		{ { "load", "--target", "loop", "--target-cpus", "1000" }, "can be used" },
		{ { "load", "--target", "loop", "--pid", "1" }, "exclude each other" },
		{ { "load", "--target-cpu", "5ms", "http://127.0.0.1:80/" },
		  "says nothing without --target" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_refused(table[i].words, 2, table[i].word);
}
