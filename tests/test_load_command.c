/* What a user of `cwt load` is told: of mistakes, of targets that don't answer, of a stop. */
#include "tests/outcomes.h"
#include "tests/scripted.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(load_command, .timeout = 60);

enum { WORDS_MAX = 16, URL_SIZE = 160, HELP_COLUMNS = 100, UNDER_WAY = 1000 };

/* `cwt load URL` with the words, ended by NULL. */
static void start(struct program *program, const char *url, const char *const *words)
{
	const char *all[WORDS_MAX + 3] = { "load", url };

	for (int i = 0; words[i]; i++)
		all[i + 2] = words[i];
	program_start(program, "CWT", all);
}

static struct outcome cwt_load(const char *url, const char *const *words)
{
	struct program program;

	start(&program, url, words);
	return outcome_of(&program);
}

static void make_url(char url[URL_SIZE], const struct net_address *address)
{
	char text[NET_TEXT_MAX];

	snprintf(url, URL_SIZE, "http://%s/", net_format(address, text));
}

/* One line, which has the word in it, and nothing on stdout. */
static void expect_line(struct outcome *outcome, int status, const char *word)
{
	cr_expect_eq(outcome->status, status, "'%s': %d", word, outcome->status);
	cr_expect_str_empty(outcome->output.bytes, "'%s'", word);
	expect_one_line(outcome->errors, word);
	free(outcome->output.bytes);
}

Test(load_command, a_url_that_cannot_be_driven_is_refused_with_what_to_write_instead)
{
	static const struct {
		const char *url;
		const char *word;
	} table[] = {
		{ "", "begins with http://" },
		{ "localhost:8080", "begins with http://" },
		{ "/index.html", "begins with http://" },
		{ "https://127.0.0.1/", "only http://" },
		{ "http://", "names no host" },
		{ "http:///path", "names no host" },
		{ "http://me:secret@127.0.0.1/", "--header 'Authorization" },
		{ "http://127.0.0.1/a b", "%20" },
		{ "http://127.0.0.1:99999/", "1...65535" },
		{ "http://127.0.0.1:port/", "1...65535" },
		{ "http://127.0.0.1:0/", "1...65535" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct outcome outcome = cwt_load(table[i].url, WORDS("--duration", "10ms"));

		expect_line(&outcome, 2, table[i].word);
	}
}

Test(load_command, a_mistake_that_would_show_after_the_run_is_refused_before_it)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *word;
	} table[] = {
		{ { "--plot", "/nonexistent/a.svg" }, "--plot /nonexistent/a.svg cannot be" },
		{ { "--plot", "/tmp" }, "directory" },
		{ { "--plot", "" }, "--plot" },
		{ { "--hdr-log", "/nonexistent/a.log" }, "--hdr-log" },
		{ { "--plot", "/tmp/a.svg", "--hdr-log", "/tmp/a.svg" }, "would overwrite" },
		{ { "--plot", "/tmp/a.svg", "--hdr-log", "/tmp/a.dat" }, "would overwrite" },
		{ { "--source", "192.0.2.1" }, "not an address of this machine" },
		{ { "--source", "::1" }, "IPv6" },
		{ { "--source", "here" }, "--source here" },
		{ { "--rate", "0" }, "the least is" },
		{ { "--rate", "2000M" }, "the most is 10000000" },
		{ { "--rate", "fast" }, "--rate fast" },
		{ { "--weight", "1", "--weight", "2" }, "2 given, and 1 URL;" },
		{ { "--weight", "inf" }, "above 0" },
		{ { "--threads", "8", "--connections", "4" }, "more than the 4" },
		{ { "--pid", "4194303" }, "no such process" },
		{ { "--trace", "/dev/null" }, "no time in it" },
		{ { "--unix-socket", "" }, "--unix-socket" },
		{ { "--body", "@/nonexistent" }, "/nonexistent" },
		{ { "--fail-on", "p99<5ms" }, "p99>TIME" },
		{ { "--spin", "1ms" }, "--rate" },
		{ { "--cpus", "0,1023" }, "only 0 can be used" },
		{ { "--cpus", "1023" }, "none of these" },
		{ { "--duration", "3000h" }, "the most is 10000000s" },
		{ { "--warmup", "3000h" }, "the most is" },
		{ { "--ramp", "3000h" }, "the most is" },
		{ { "--think", "3000h" }, "the most is" },
		{ { "--timeout", "3000h" }, "the most is" },
		{ { "--calibrate", "3000h" }, "the most is" },
		{ { "--rate", "1", "--spin", "3000h" }, "the most is" },
		{ { "--engine", "wrk", "--duration", "300ms" }, "--duration" },
		{ { "--engine", "wrk", "--duration", "1s", "--warmup", "1ms" }, "--warmup" },
		{ { "--engine", "wrk", "--seed", "2" }, "wrk has no --seed" },
		{ { "--compare-engines", "--duration", "300ms" }, "--duration" },
		{ { "--compare-engines", "--method", "HEAD" }, "HEAD" },
		{ { "--engine", "wrk", "--search", "saturation" }, "--search" },
		{ { "--engine", "wrk", "--pid", "1" }, "--pid" },
		{ { "--engine", "null", "--idle", "5" }, "--idle" },
		{ { "--search", "saturation", "--pid", "1" }, "exclude" },
		{ { "--search", "saturation", "--fail-on", "p99>5ms" }, "one run" },
		{ { "--search", "slo=p99>5ms" }, "p99<20ms" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct outcome outcome = cwt_load("http://127.0.0.1:1/", table[i].words);

		expect_line(&outcome, 2, table[i].word);
	}
}

Test(load_command, the_data_of_a_plot_must_have_its_place_too)
{
	char folder[] = "/tmp/cwt-test-plot-XXXXXX";
	char data[URL_SIZE];
	char svg[URL_SIZE];
	struct outcome outcome;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(svg, sizeof(svg), "%s/a.svg", folder);
	snprintf(data, sizeof(data), "%s/a.dat", folder);
	cr_assert_eq(mkdir(data, 0700), 0);
	outcome = cwt_load("http://127.0.0.1:1/", WORDS("--plot", svg));
	expect_line(&outcome, 2, "a.dat cannot be written: Is a directory");
	rmdir(data);
	rmdir(folder);
}

Test(load_command, a_target_without_a_good_first_reply_is_one_line_with_the_cause_and_status_1)
{
	static const struct {
		struct script script;
		const char *word;
	} table[] = {
		{ { "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n" }, "neither 2xx nor 3xx" },
		{ { "SSH-2.0-OpenSSH_9.2\r\n" }, "not HTTP/1.x" },
		{ { "", SCRIPTED_CLOSE }, "ended before the first reply" },
		{ { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", SCRIPTED_CLOSE },
		  "body ended" },
		{ { "", SCRIPTED_SILENT }, "no reply within 100ms (--timeout)" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct scripted server;
		struct outcome outcome;
		char url[URL_SIZE];

		scripted_start(&server, &table[i].script);
		make_url(url, &server.address);
		outcome = cwt_load(url, WORDS("--calibrate", "0", "--timeout", "100ms"));
		scripted_stop(&server);
		expect_line(&outcome, 1, table[i].word);
	}
}

Test(load_command, a_unix_socket_that_is_not_there_is_named_and_the_host_is_not_looked_for)
{
	struct outcome outcome =
		cwt_load("http://no-such-host.invalid/",
			 WORDS("--unix-socket", "/nonexistent/s", "--calibrate", "0"));

	expect_line(&outcome, 1, "/nonexistent/s: No such file");
}

/* stdout as one JSON document, which owns nothing of the outcome any more. */
static json_t *take_json(struct outcome *outcome)
{
	cr_expect_str_empty(outcome->errors);
	return outcome_json(outcome);
}

Test(load_command, every_run_that_is_reported_is_one_json_document_whatever_its_verdict)
{
	static const char bad[] = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
	static const struct {
		struct script script;
		const char *words[WORDS_MAX];
		int status;
		const char *verdict;
	} table[] = {
		{ { bad, .good_replies = 5 }, { "--fail-on", "errors" }, 5, "errors" },
		{ { bad, .good_replies = 5 }, { "--rate", "1k" }, 5, "errors" },
		{ { bad, .good_replies = 1 }, { "--warmup", "50ms" }, 5, "errors" },
		{ { "", SCRIPTED_SILENT, .good_replies = 1 },
		  { "--connections", "1" },
		  5,
		  "server-limited" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *words[WORDS_MAX] = { "--json",        "--calibrate", "0",
						 "--connections", "2",           "--duration",
						 "50ms",          "--timeout",   "5s" };
		struct scripted server;
		struct outcome outcome;
		char url[URL_SIZE];
		json_t *root;

		for (int k = 0; table[i].words[k]; k++)
			words[9 + k] = table[i].words[k];
		scripted_start(&server, &table[i].script);
		make_url(url, &server.address);
		outcome = cwt_load(url, words);
		scripted_stop(&server);
		cr_expect_eq(outcome.status, table[i].status, "%zu: %d", i, outcome.status);
		root = take_json(&outcome);
		cr_expect_str_eq(json_string_value(json_object_get(root, "verdict")),
				 table[i].verdict, "%zu", i);
		json_decref(root);
	}
}

/* Stop a run that is so far under way. */
static struct outcome stop_at(struct scripted *server, int requests, const char *const *words)
{
	struct program program;
	char url[URL_SIZE];

	scripted_start(server, &(struct script){ scripted_good });
	make_url(url, &server->address);
	start(&program, url, words);
	while (server->requests < requests)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	kill(program.pid, SIGINT);
	return outcome_of(&program);
}

Test(load_command, a_run_that_is_stopped_has_figures_and_no_verdict)
{
	struct scripted server;
	struct outcome outcome =
		stop_at(&server, UNDER_WAY,
			WORDS("--json", "--calibrate", "0", "--ramp", "0", "--warmup", "0",
			      "--duration", "100s", "--connections", "1"));
	json_t *root;

	scripted_stop(&server);
	cr_expect_eq(outcome.status, 130);
	root = take_json(&outcome);
	cr_expect(json_is_null(json_object_get(root, "verdict")));
	cr_expect_eq(json_array_size(json_object_get(root, "reasons")), 0);
	cr_expect(json_is_true(json_object_get(root, "interrupted")));
	cr_expect_gt(json_integer_value(json_object_get(root, "requests")), 0);
	json_decref(root);
}

Test(load_command, a_run_that_is_stopped_before_it_measures_is_one_line)
{
	struct scripted server;
	struct outcome outcome =
		stop_at(&server, 1, WORDS("--calibrate", "0", "--warmup", "100s", "--json"));

	scripted_stop(&server);
	expect_line(&outcome, 130, "interrupted before");
}

/* With stdout on a device that takes nothing. */
static int run_onto_full(const char *url, const char *format)
{
	int status;
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(full, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl(getenv("CWT"), "cwt", "load", url, "--duration", "10ms", "--calibrate", "0",
		      "--warmup", "0", "--fail-on", "none", format, (char *)NULL);
		_exit(127);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(load_command, a_report_that_cannot_be_written_is_a_failure)
{
	static const char *const formats[] = { "--json", NULL };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct scripted server;
		char url[URL_SIZE];

		scripted_start(&server, &(struct script){ scripted_good });
		make_url(url, &server.address);
		cr_expect_eq(run_onto_full(url, formats[i]), 1, "%zu", i);
		scripted_stop(&server);
	}
}

Test(load_command, the_help_is_no_wider_than_a_hundred_columns)
{
	struct outcome outcome = cwt_load("--help", WORDS(NULL));
	const char *line = outcome.output.bytes;

	cr_expect_eq(outcome.status, 0);
	cr_expect_not_null(strstr(line, "--connections N"));
	while (*line) {
		size_t length = strcspn(line, "\n");

		cr_expect_leq(length, HELP_COLUMNS, "'%.*s'", (int)length, line);
		line += length + (line[length] == '\n');
	}
	free(outcome.output.bytes);
}
