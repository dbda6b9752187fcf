/*
 * `cwt load` over several threads, as a program: what the engine's own tests cannot see is whether
 * the threads keep off each other's data, and that only a program shows under ThreadSanitizer.
 */
#include "tests/programs.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(load_program, .timeout = 100);

enum { INTERRUPTED = 130, URL_MAX = NET_TEXT_MAX + 32 };

static struct program backend;
static struct program load;

static void start(const struct net_address *address, const char *rest)
{
	char words[PROGRAM_WORDS_MAX * 32];
	const char *list[PROGRAM_WORDS_MAX] = { "load" };
	char host[NET_TEXT_MAX];
	char url[URL_MAX];
	int count = 1;

	net_format(address, host);
	snprintf(url, sizeof(url), "http://%s/delay/1ms", host);
	list[count++] = url;
	/* The null engine has nothing to calibrate, and says so. */
	snprintf(words, sizeof(words), "--json --fail-on none %s %s",
		 strstr(rest, "--engine null") ? "" : "--calibrate 0", rest);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		list[count++] = word;
	program_start(&load, "CWT", list);
}

/* An integer of the report, wherever it is in it. */
static int64_t number(const struct text *report, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\": ", name);
	at = strstr(report->bytes, key);
	cr_assert_not_null(at, "no %s in: %s", name, report->bytes);
	return strtoll(at + strlen(key), NULL, 10);
}

static void expect_no_errors(const char *words, const struct text *report)
{
	static const char *const kinds[] = { "refused", "connect", "reset",
					     "closed",  "short",   "malformed" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		cr_expect_eq(number(report, kinds[i]), 0, "%s: %s", words, kinds[i]);
}

/* Not valid is an answer, too: under a sanitizer, the generator is what limits. */
enum { VALID = 0, INVALID = 5 };

Test(load_program, several_threads_load_in_every_way_there_is)
{
	static const char *const table[] = {
		"",
		"--rate 300",
		"--rate 300 --arrivals poisson --spin 1ms",
		"--rate 9",
		"--think 2ms",
		"--pipeline 4",
		"--requests-per-connection 3",
		"--requests-per-connection 3 --close client --rate 300",
		"--requests-per-connection 3 --close server",
		"--ramp 50ms --same-reply",
		"--source 127.0.0.2 --source 127.0.0.3",
		"--engine null",
	};

	program_serve(&backend, "CWT_BACKEND", "");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char words[256];
		char errors[PROGRAM_ERRORS_MAX];
		struct text report;
		int status;

		snprintf(words, sizeof(words),
			 "--threads 3 --connections 7 --duration 200ms --warmup 20ms %s", table[i]);
		start(&backend.address, words);
		report = client_receive(load.output, 0);
		status = program_wait(&load);
		cr_expect(status == VALID || status == INVALID, "%s: status %d: %s", words, status,
			  program_errors(&load, errors));
		if (status == VALID || status == INVALID) {
			cr_expect_eq(number(&report, "threads"), 3, "%s", words);
			cr_expect_gt(number(&report, "requests"), 0, "%s", words);
			expect_no_errors(words, &report);
		}
		free(report.bytes);
		close(load.errors);
	}
	program_stop(&backend);
}

/* The server is the test, which answers nothing: when all of them are connected, all threads run.
 */
Test(load_program, a_signal_ends_all_threads)
{
	static const char *const table[] = { "", "--rate 300" };
	enum { THREADS = 3 };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct net_address address;
		int listening = peer_listen(&address);
		int fds[THREADS];
		char words[256];
		struct text report;

		snprintf(words, sizeof(words),
			 "--threads 3 --connections 3 --duration 1h --ramp 1ms %s", table[i]);
		start(&address, words);
		for (int k = 0; k < THREADS; k++)
			fds[k] = peer_accept(listening);
		program_tell(&load);
		report = client_receive(load.output, 0);
		cr_expect_eq(program_wait(&load), INTERRUPTED, "%s", words);
		free(report.bytes);
		for (int k = 0; k < THREADS; k++)
			close(fds[k]);
		close(listening);
		close(load.errors);
	}
}

Test(load_program, more_threads_than_connections_are_refused)
{
	struct net_address address;
	char errors[PROGRAM_ERRORS_MAX];

	cr_assert_eq(net_parse("127.0.0.1:1", &address), 0);
	start(&address, "--threads 3 --connections 2");
	cr_expect_eq(program_wait(&load), 2);
	cr_expect_not_null(strstr(program_errors(&load, errors), "more than the 2 connections"),
			   "%s", errors);
	close(load.errors);
}
