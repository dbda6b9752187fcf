#include "loadgen/target/wrk.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "tests/scripted.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char get[] = "GET / HTTP/1.1\r\nHost: cwt\r\n\r\n";
static const char head[] = "HEAD / HTTP/1.1\r\nHost: cwt\r\n\r\n";

static void expect_no_child(void)
{
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(errno, ECHILD);
}

/* Two connections for a second. */
static struct wrk_config config_to(const char *url)
{
	return (struct wrk_config){
		.url = url,
		.request = get,
		.request_length = strlen(get),
		.connections = 2,
		.threads = 1,
		.duration_ns = NS_PER_S,
		.timeout_ns = 2LL * NS_PER_S,
	};
}

static void url_of(const struct net_address *address, char url[NET_TEXT_MAX + 16])
{
	char text[NET_TEXT_MAX];

	net_format(address, text);
	snprintf(url, NET_TEXT_MAX + 16, "http://%s/", text);
}

/* Runs against a server that does what the script says. */
static struct wrk_result run_against(const struct script *script, struct wrk_config config,
				     int *requests)
{
	static struct scripted server;
	char url[NET_TEXT_MAX + 16];
	char why[WRK_WHY_MAX] = "";
	struct wrk_result result;
	int rc;

	scripted_start(&server, script);
	url_of(&server.address, url);
	config.url = url;
	rc = wrk_run(&config, &result, why, sizeof(why));
	scripted_stop(&server);
	cr_assert_eq(rc, 0, "%d: %s", rc, why);
	expect_no_child();
	*requests = server.requests;
	return result;
}

Test(wrk, its_figures_are_those_of_the_replies_that_the_server_gave)
{
	int requests;
	struct wrk_result result =
		run_against(&(struct script){ .reply = scripted_good }, config_to(NULL), &requests);

	cr_expect_gt(result.requests, 0);
	cr_expect_eq(result.requests, result.replies);
	/* At the end, each connection may wait for a reply. */
	cr_expect_leq(result.replies, (uint64_t)requests);
	cr_expect_geq(result.replies + 2, (uint64_t)requests);
	cr_expect_geq(result.duration_ns, NS_PER_S - 100 * NS_PER_MS);
	cr_expect_float_eq(result.throughput * (double)result.duration_ns,
			   (double)result.requests * NS_PER_S, 1e3);
	cr_expect_eq(result.latency.count, result.replies);
	cr_expect_gt(result.latency.least, 0);
	cr_expect_lt(result.latency.most, 2LL * NS_PER_S);
	cr_expect_gt(result.latency_deviation_ns, 0);
	cr_expect_gt(result.cpu_ns, 0);
	cr_expect_not_null(strstr(result.version, "4."), "%s", result.version);
	for (int i = 0; i < WRK_ERRORS; i++)
		cr_expect_eq(result.errors[i], 0, "%s", wrk_error_names[i]);
}

Test(wrk, a_warm_up_loads_the_server_and_is_not_in_the_figures)
{
	struct wrk_config config = config_to(NULL);
	struct wrk_result result;
	int requests;

	config.warmup_ns = NS_PER_S;
	result = run_against(&(struct script){ .reply = scripted_good }, config, &requests);
	cr_expect_gt(result.replies, 0);
	cr_expect_gt((uint64_t)requests, result.replies + 2);
	cr_expect_lt(result.duration_ns, 100LL * NS_PER_S);
	cr_expect_eq(result.latency.count, result.replies);
}

Test(wrk, a_bad_status_is_a_reply_and_an_error_but_no_request)
{
	static const struct {
		const char *reply;
		bool is_good;
	} table[] = {
		{ "HTTP/1.1 204 No Content\r\n\r\n", true },
		{ "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", true },
		{ "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false },
		{ "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int requests;
		struct wrk_result result = run_against(&(struct script){ .reply = table[i].reply },
						       config_to(NULL), &requests);

		cr_expect_gt(result.replies, 0);
		cr_expect_eq(result.requests, table[i].is_good ? result.replies : 0, "%zu", i);
		cr_expect_eq(result.errors[WRK_ERROR_STATUS], table[i].is_good ? 0 : result.replies,
			     "%zu", i);
	}
}

Test(wrk, a_server_that_says_nothing_has_no_replies)
{
	int requests;
	struct wrk_result result =
		run_against(&(struct script){ .reply = "H", .then = SCRIPTED_SILENT },
			    config_to(NULL), &requests);

	cr_expect_eq(requests, 2);
	cr_expect_eq(result.replies, 0);
	cr_expect_eq(result.throughput, 0);
	cr_expect_eq(result.latency.count, 0);
}

Test(wrk, figures_with_replies_that_nobody_asked_for_are_refused)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		static struct scripted server;
		char url[NET_TEXT_MAX + 16];
		struct wrk_config config = config_to(url);
		struct wrk_result result;
		char why[WRK_WHY_MAX] = "";

		scripted_start(&server, &(struct script){ .reply = replies[i] });
		url_of(&server.address, url);
		cr_expect_eq(wrk_run(&config, &result, why, sizeof(why)), -EPROTO);
		scripted_stop(&server);
		cr_expect_not_null(strstr(why, "more than one reply"), "%s", why);
	}
}

/*
 * Takes what it is sent in portions of so many bytes, on one connection at a time, and answers
 * each; every 100th after a while. The last is kept.
 */
struct taker {
	size_t portion_bytes;
	struct net_address address;
	int listening;
	pthread_t thread;
	atomic_bool *on_first; /* set at the first portion, or NULL */
	char last[4096];
	int portions;
};

static bool take(struct taker *taker, int fd)
{
	static const struct timespec pause = { .tv_nsec = 50L * NS_PER_MS };

	if (recv(fd, taker->last, taker->portion_bytes, MSG_WAITALL) !=
	    (ssize_t)taker->portion_bytes)
		return false;
	if (taker->on_first)
		atomic_store(taker->on_first, true);
	if (++taker->portions % 100 == 0)
		nanosleep(&pause, NULL);
	return send(fd, scripted_good, strlen(scripted_good), MSG_NOSIGNAL) > 0;
}

static void *take_all(void *context)
{
	struct taker *taker = context;
	int fd;

	while ((fd = accept4(taker->listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		while (take(taker, fd))
			;
		close(fd);
	}
	return NULL;
}

static void taker_start(struct taker *taker, char url[NET_TEXT_MAX + 16])
{
	cr_assert_eq(net_parse("127.0.0.1:0", &taker->address), 0);
	taker->listening = net_listen(&taker->address, 0);
	cr_assert_geq(taker->listening, 0);
	cr_assert_eq(pthread_create(&taker->thread, NULL, take_all, taker), 0);
	url_of(&taker->address, url);
}

static void taker_stop(struct taker *taker)
{
	shutdown(taker->listening, SHUT_RDWR);
	pthread_join(taker->thread, NULL);
	close(taker->listening);
}

Test(wrk, the_request_is_sent_as_it_is)
{
	char request[1024];
	int length = snprintf(request, sizeof(request),
			      "POST /a\"b\\n%%20?c HTTP/1.1\r\nHost: elsewhere\r\nX: 1\r\n"
			      "x: 2\r\nX: ]]\r\nContent-Length: 256\r\n\r\n");
	struct taker taker = { .portion_bytes = (size_t)length + 256 };
	char url[NET_TEXT_MAX + 16];
	struct wrk_config config = config_to(url);
	struct wrk_result result;
	char why[WRK_WHY_MAX] = "";

	for (int i = 0; i < 256; i++)
		request[length + i] = (char)i;
	config.request = request;
	config.request_length = taker.portion_bytes;
	config.connections = 1;
	taker_start(&taker, url);
	cr_expect_eq(wrk_run(&config, &result, why, sizeof(why)), 0, "%s", why);
	taker_stop(&taker);
	cr_expect_gt(result.requests, 0);
	cr_expect_arr_eq(taker.last, request, taker.portion_bytes);
}

Test(wrk, what_it_invents_for_a_server_that_pauses_is_taken_out_again)
{
	struct taker taker = { .portion_bytes = strlen(get) };
	char url[NET_TEXT_MAX + 16];
	struct wrk_config config = config_to(url);
	struct wrk_result result;
	char why[WRK_WHY_MAX] = "";

	config.connections = 1;
	taker_start(&taker, url);
	cr_expect_eq(wrk_run(&config, &result, why, sizeof(why)), 0, "%s", why);
	taker_stop(&taker);
	cr_expect_gt(result.invented, 0);
	cr_expect_eq(result.latency.count, result.replies);
	cr_expect_geq(result.latency.most, 49 * NS_PER_MS);
}

Test(wrk, it_can_be_stopped)
{
	atomic_bool stop = false;
	struct taker taker = { .portion_bytes = strlen(get), .on_first = &stop };
	char url[NET_TEXT_MAX + 16];
	struct wrk_config config = config_to(url);
	struct wrk_result result;
	char why[WRK_WHY_MAX] = "";

	config.duration_ns = 1000LL * NS_PER_S;
	config.stop = &stop;
	taker_start(&taker, url);
	cr_expect_eq(wrk_run(&config, &result, why, sizeof(why)), -EINTR);
	taker_stop(&taker);
	cr_expect_not_null(strstr(why, "stopped"), "%s", why);
	expect_no_child();
}

Test(wrk, what_it_would_do_otherwise_than_asked_is_refused)
{
	static const struct {
		int64_t connections;
		int threads;
		int64_t duration_ns;
		int64_t warmup_ns;
		int64_t timeout_ns;
		const char *request;
		const char *word;
	} table[] = {
		{ 400, 12, NS_PER_S, 0, NS_PER_S, get, "leave out 4 of the 400" },
		{ 1, 2, NS_PER_S, 0, NS_PER_S, get, "a connection at least" },
		{ 0, 1, NS_PER_S, 0, NS_PER_S, get, "a connection at least" },
		{ 1, 0, NS_PER_S, 0, NS_PER_S, get, "a connection at least" },
		{ 2, 1, 0, 0, NS_PER_S, get, "whole seconds" },
		{ 2, 1, NS_PER_S / 2, 0, NS_PER_S, get, "whole seconds" },
		{ 2, 1, NS_PER_S + 1, 0, NS_PER_S, get, "whole seconds" },
		{ 2, 1, -NS_PER_S, 0, NS_PER_S, get, "whole seconds" },
		{ 2, 1, NS_PER_S, 1, NS_PER_S, get, "warm up" },
		{ 2, 1, NS_PER_S, -NS_PER_S, NS_PER_S, get, "warm up" },
		{ 2, 1, NS_PER_S, 0, 0, get, "timeout" },
		{ 2, 1, NS_PER_S, 0, NS_PER_S / 2, get, "timeout" },
		{ 2, 1, NS_PER_S, 0, 301LL * NS_PER_S, get, "timeout" },
		{ 2, 1, NS_PER_S, 0, NS_PER_S, head, "HEAD" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct wrk_config config = config_to("http://127.0.0.1:1/");
		struct wrk_result result;
		char why[WRK_WHY_MAX] = "";

		config.connections = table[i].connections;
		config.threads = table[i].threads;
		config.duration_ns = table[i].duration_ns;
		config.warmup_ns = table[i].warmup_ns;
		config.timeout_ns = table[i].timeout_ns;
		config.request = table[i].request;
		config.request_length = strlen(table[i].request);
		cr_expect_eq(wrk_run(&config, &result, why, sizeof(why)), -EINVAL, "row %zu", i);
		cr_expect_not_null(strstr(why, table[i].word), "row %zu: %s", i, why);
	}
}

Test(wrk, what_it_complains_of_is_told)
{
	static const struct {
		const char *url;
		const char *request;
		int rc;
		const char *word;
	} table[] = {
		{ "http://127.0.0.1:1/", get, -ECONNREFUSED, "unable to connect" },
		{ "http://nowhere.invalid/", get, -EADDRNOTAVAIL, "unable to resolve" },
		{ "nonsense", get, -EIO, "invalid URL: nonsense" },
		{ "--version", get, -EIO, "invalid URL: --version" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct wrk_config config = config_to(table[i].url);
		struct wrk_result result;
		char why[WRK_WHY_MAX] = "";

		config.request = table[i].request;
		config.request_length = strlen(table[i].request);
		cr_expect_eq(wrk_run(&config, &result, why, sizeof(why)), table[i].rc,
			     "row %zu: %s", i, why);
		cr_expect_not_null(strstr(why, table[i].word), "row %zu: %s", i, why);
		expect_no_child();
	}
}

/* The rest is told by a program of that name, which is the only one on the path. */

static char folder[] = "/tmp/cwt-test-wrk-XXXXXX";
static char program[64];

static void setup_fake(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(program, sizeof(program), "%s/wrk", folder);
	cr_assert_eq(setenv("PATH", folder, 1), 0);
}

static void teardown_fake(void)
{
	unlink(program);
	rmdir(folder);
}

TestSuite(fake_wrk, .init = setup_fake, .fini = teardown_fake);

/* A version, and then what the commands say. */
static void make_fake(const char *commands)
{
	FILE *file = fopen(program, "we");

	cr_assert_not_null(file);
	fprintf(file, "#!/bin/sh\n[ \"$1\" != --version ] || { echo 'wrk 9.9 [fake]'; exit 1; }\n");
	fprintf(file, "%s\n", commands);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(program, 0755), 0);
}

Test(fake_wrk, one_that_is_not_installed_is_named_with_the_remedy)
{
	struct wrk_config config = config_to("http://127.0.0.1:1/");
	struct wrk_result result;
	char why[WRK_WHY_MAX] = "";

	cr_expect_eq(wrk_run(&config, &result, why, sizeof(why)), -ENOENT);
	cr_expect_not_null(strstr(why, "scripts/setup bench"), "%s", why);
	expect_no_child();
}

Test(fake_wrk, what_it_ends_with_is_told)
{
	static const struct {
		const char *commands;
		int rc;
		const char *word;
	} table[] = {
		{ "echo 'cwt-wrk: {\"duration_us\":1000000,\"replies\":1,\"connect\":0,"
		  "\"read\":0,\"write\":0,\"status\":0,\"timeout\":0,\"latency_us\":[[5,1]]}'",
		  0, "" },
		{ "echo hello; echo world", -EPROTO, "no figures, but: hello" },
		{ "exit 0", -EPROTO, "no figures, but: nothing" },
		{ "echo out of luck >&2; echo Usage; exit 1", -EIO, "wrk: out of luck" },
		{ "exit 3", -EIO, "failed with status 3 and said nothing" },
		{ "kill -KILL $$", -EIO, "ended by signal 9" },
		{ "echo 'cwt-wrk: {}'", -EPROTO, "otherwise than wrk 4.1.0" },
		{ "echo 'cwt-wrk: {\"dur'", -EPROTO, "do not add up" },
		{ "echo \"$*\"; exit 1", -EIO,
		  "wrk: -c 2 -t 1 -d 1s --timeout 2s -s /proc/self/fd/" },
		{ "echo \"$*\"; exit 1", -EIO, " -- http://127.0.0.1:1/" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct wrk_config config = config_to("http://127.0.0.1:1/");
		struct wrk_result result;
		char why[WRK_WHY_MAX] = "";

		make_fake(table[i].commands);
		cr_expect_eq(wrk_run(&config, &result, why, sizeof(why)), table[i].rc,
			     "row %zu: %s", i, why);
		cr_expect_not_null(strstr(why, table[i].word), "row %zu: %s", i, why);
		if (table[i].rc == 0)
			cr_expect_str_eq(result.version, "9.9");
		expect_no_child();
	}
}

Test(fake_wrk, it_runs_on_the_processors_that_it_is_given)
{
	struct wrk_config config = config_to("http://127.0.0.1:1/");
	struct wrk_result result;
	cpu_set_t allowed;
	cpu_set_t one;
	int cpu = 0;
	char why[WRK_WHY_MAX] = "";
	char word[64];

	cr_assert_geq(cpus_allowed(&allowed), 0);
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	config.cpus = &one;
	snprintf(word, sizeof(word), "Cpus_allowed_list:\t%d", cpu);
	make_fake("while read -r line; do case $line in Cpus_allowed_list*) echo \"$line\";; esac;"
		  "done </proc/self/status");
	cr_expect_eq(wrk_run(&config, &result, why, sizeof(why)), -EPROTO);
	cr_expect(strlen(why) >= strlen(word) &&
			  strcmp(why + strlen(why) - strlen(word), word) == 0,
		  "%s", why);
}
