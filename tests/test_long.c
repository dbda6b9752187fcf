/* What takes minutes, or all descriptors that there are: for scripts/test --long. */
#include "tests/programs.h"
#include "tests/sweeps.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PROCESSES = 6,
	EACH = 17000,
	ONE_PROCESS = 19500,
	FLAT_KIB = 512, /* that memory may differ by, between an early and a late reading */
	WORDS_MAX = 400,
	SWEEP_KILLS = 20,
	SWEEP_KILLS_EACH = 5,
};

TestSuite(long, .timeout = 900);

static void start(struct program *program, const char *name, const char *text)
{
	static char words[WORDS_MAX];
	const char *split[PROGRAM_WORDS_MAX] = { NULL };
	int count = 0;
	char *place;

	snprintf(words, sizeof(words), "%s", text);
	for (char *word = strtok_r(words, " ", &place); word; word = strtok_r(NULL, " ", &place))
		split[count++] = word;
	program_start(program, name, split);
}

static json_t *read_report(struct program *program, FILE *copy)
{
	struct text text = client_receive(program->output, 0);
	json_error_t error;
	json_t *root = json_loadb(text.bytes, text.length, 0, &error);
	int status = program_wait(program);
	char errors[PROGRAM_ERRORS_MAX];

	/* Five is a run that this machine disturbed: its counts still stand. */
	cr_assert(status == 0 || status == 5, "%d: %s", status, program_errors(program, errors));
	cr_assert_not_null(root, "%s", error.text);
	if (copy)
		cr_assert_eq(fwrite(text.bytes, 1, text.length, copy), text.length);
	free(text.bytes);
	return root;
}

static json_int_t integer(const json_t *root, const char *name)
{
	const json_t *value = json_object_get(root, name);

	cr_assert(json_is_integer(value), "%s", name);
	return json_integer_value(value);
}

static void expect_no_errors(const json_t *root)
{
	const json_t *errors = json_object_get(root, "errors");
	const char *kind;
	json_t *value;

	json_object_foreach((json_t *)errors, kind, value)
		cr_expect_eq(json_integer_value(value), 0, "%s: %lld", kind,
			     (long long)json_integer_value(value));
}

static long rss_kib(const struct program *program)
{
	char path[64];
	char line[256];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", program->pid);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

/* What is awaited here is the passing of time itself. */
static void pass(int seconds)
{
	struct timespec left = { .tv_sec = seconds };

	while (nanosleep(&left, &left) != 0)
		;
}

Test(long, five_minutes_of_an_open_loop_need_no_more_memory_than_one)
{
	struct program server;
	struct program load;
	char command[WORDS_MAX];
	char text[NET_TEXT_MAX];
	json_t *root;
	long early;
	long late;

	program_serve(&server, "CWT_BACKEND", "--listen 127.0.0.1:0");
	snprintf(command, sizeof(command),
		 "load http://%s/delay/1ms --rate 1000 --arrivals poisson --duration 5m --json",
		 net_format(&server.address, text));
	start(&load, "CWT", command);
	pass(30);
	early = rss_kib(&load);
	pass(260);
	late = rss_kib(&load);
	root = read_report(&load, NULL);
	expect_no_errors(root);
	cr_expect_leq(labs(late - early), FLAT_KIB, "%ld KiB, then %ld", early, late);
	cr_expect_eq(json_array_size(json_object_get(root, "series")), 300);
	json_decref(root);
	program_stop(&server);
}

Test(long, one_process_serves_every_one_of_19500_connections)
{
	struct program server;
	struct program load;
	char command[WORDS_MAX];
	char text[NET_TEXT_MAX];
	json_t *root;

	program_serve(&server, "CWT_BACKEND", "--listen 127.0.0.1:0 --connections 19700");
	snprintf(command, sizeof(command),
		 "load http://%s/delay/1s --connections %d --duration 3s --json",
		 net_format(&server.address, text), ONE_PROCESS);
	start(&load, "CWT", command);
	root = read_report(&load, NULL);
	expect_no_errors(root);
	cr_expect_eq(integer(root, "never_served"), 0);
	cr_expect_eq(integer(root, "connects"), ONE_PROCESS);
	json_decref(root);
	program_stop(&server);
}

static void merge(char paths[PROCESSES][32])
{
	const char *words[PROGRAM_WORDS_MAX] = { "load", "--merge" };
	struct program program;
	json_t *root;

	for (int i = 0; i < PROCESSES; i++)
		words[2 + i] = paths[i];
	words[2 + PROCESSES] = "--json";
	program_start(&program, "CWT", words);
	root = read_report(&program, NULL);
	expect_no_errors(root);
	cr_expect_eq(integer(root, "connections"), PROCESSES * EACH);
	cr_expect_eq(integer(root, "never_served"), 0);
	cr_expect_gt(integer(root, "requests"), PROCESSES * EACH);
	json_decref(root);
}

/* Each process has a source address of its own, as one has some 28,000 ports only. */
Test(long, several_processes_hold_100000_connections_and_one_report_has_them_all)
{
	struct program server;
	struct program loads[PROCESSES];
	char paths[PROCESSES][32];
	char command[WORDS_MAX];
	char text[NET_TEXT_MAX];

	program_serve(&server, "CWT_BACKEND", "--listen 127.0.0.1:0 --connections 130000");
	for (int i = 0; i < PROCESSES; i++) {
		snprintf(command, sizeof(command),
			 "load http://%s/delay/10s --connections %d --source 127.0.0.%d --ramp 20s "
			 "--warmup 15s --duration 15s --timeout 60s --calibrate 0 --json",
			 net_format(&server.address, text), EACH, 2 + i);
		start(&loads[i], "CWT", command);
	}
	for (int i = 0; i < PROCESSES; i++) {
		FILE *file;

		snprintf(paths[i], sizeof(paths[i]), "/tmp/cwt-long-XXXXXX");
		file = fdopen(mkstemp(paths[i]), "w");
		cr_assert_not_null(file);
		json_decref(read_report(&loads[i], file));
		fclose(file);
	}
	merge(paths);
	for (int i = 0; i < PROCESSES; i++)
		unlink(paths[i]);
	program_stop(&server);
}

Test(long, a_sweep_that_is_killed_20_times_loses_nothing_and_doubles_nothing)
{
	int killed = 0;

	if (!sweeps_are_possible())
		cr_skip_test("needs processors 0 and 1");
	for (uint64_t seed = 1; killed < SWEEP_KILLS; seed++)
		killed += sweeps_kill(SWEEP_KILLS_EACH, seed);
}
