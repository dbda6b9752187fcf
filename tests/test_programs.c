/*
 * Every architecture with every service, end to end over loopback: the same conversations, the
 * same bytes; and whatever clients and backends do, the server still serves afterwards and holds
 * no descriptor more than before.
 */
#include "common/clock.h"
#include "tests/conversations.h"
#include "tests/matrix.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROW_COUNT(table) (sizeof(table) / sizeof((table)[0]))

Test(programs, every_architecture_of_the_server_is_under_test)
{
	static const char *const words[] = { "--arch", "?", NULL };
	static const char before_list[] = "want one of ";
	struct program program;
	char errors[PROGRAM_ERRORS_MAX];
	char *name;
	char *rest;
	size_t count = 0;

	program_start(&program, "CWT_SERVER", words);
	cr_assert_eq(program_wait(&program), 2);
	name = strstr(program_errors(&program, errors), before_list);
	cr_assert_not_null(name, "%s", errors);
	*strchr(name, '(') = '\0';
	for (name = strtok_r(name + strlen(before_list), ", ", &rest); name;
	     name = strtok_r(NULL, ", ", &rest)) {
		size_t row = 0;

		while (row < arch_count && strcmp(archs[row].name, name) != 0)
			row++;
		cr_expect_lt(row, arch_count, "add a row for %s to matrix.c", name);
		count++;
	}
	cr_expect_gt(count, 1);
	close(program.errors);
}

static void check_conversations(struct pair *pair)
{
	for (size_t i = 0; i < conversation_count; i++) {
		const struct conversation *talk = &conversations[i];

		for (size_t step = 0; step <= 3; step++)
			matrix_expect(pair->name, talk->name,
				      client_talk(&pair->server, talk->client, step), talk->server);
	}
}

Test(programs, conversations_go_the_same_way_with_every_architecture_and_service)
{
	matrix_for_each("", check_conversations);
}

Test(programs, conversations_go_the_same_way_with_drawn_times)
{
	static const struct service_row services[] = {
		{ "app that draws its work and its wait",
		  "--service app --cpu 20us --overhead 0 --wall 220us --wait timer "
		  "--distribution exponential",
		  false },
		{ "app that draws its work and calls",
		  "--service app --cpu 20us --overhead 0 --wall 220us --wait backend --upstream %s "
		  "--distribution exponential --seed 1",
		  true },
	};

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		matrix_for_each_arch(&services[i], check_conversations);
}

static void check_cuts(struct pair *pair)
{
	static const char script[] =
		"POST /delay/0 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" GET_HELLO
		"POST /delay/0 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nhello\r\n0\r\n\r\nGET / HTTP/2.0\r\n\r\n";

	for (size_t cut = 1; cut < sizeof(script) - 1; cut++)
		matrix_expect(pair->name, "cut", client_talk_cut(&pair->server, script, cut),
			      HELLO HELLO HELLO REFUSAL("505 HTTP Version Not Supported", "31"));
}

Test(programs, requests_may_be_cut_at_every_byte)
{
	matrix_for_each("", check_cuts);
}

/* Clients that go away at every point of a conversation. */

static void abort_after(const struct program *server, const char *script, size_t length, bool reset)
{
	int fd = client_connect(server);
	struct linger at_once = { .l_onoff = 1 };

	client_send(fd, script, length);
	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void check_aborts(struct pair *pair)
{
	static const char script[] =
		GET_HELLO "POST /delay/0 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
			  "Content-Length: 50\r\n\r\nhello" GET_HELLO GET_HELLO GET_HELLO;
	int before;

	matrix_expect_hello(pair, "at first");
	before = program_descriptors(&pair->server);
	for (size_t length = 0; length < sizeof(script); length++)
		for (int reset = 0; reset <= 1; reset++)
			abort_after(&pair->server, script, length, reset);
	matrix_expect_hello(pair, "after clients went away");
	program_await_descriptors(&pair->server, before);
}

Test(programs, clients_may_go_away_at_any_byte)
{
	matrix_for_each("", check_aborts);
}

/*
 * Bytes and the reset behind them: one in some thousands of pairs comes while the server takes the
 * bytes, and must not be lost to it. Every other client ends in order, which keeps the server
 * awake.
 */
static void check_resets(struct pair *pair)
{
	enum { TIMES = 4000, PART = 14 };
	int before;

	matrix_expect_hello(pair, "at first");
	before = program_descriptors(&pair->server);
	for (int i = 0; i < TIMES; i++)
		abort_after(&pair->server, GET_HELLO, PART, i % 2);
	matrix_expect_hello(pair, "after resets");
	program_await_descriptors(&pair->server, before);
}

Test(programs, a_reset_behind_bytes_is_noticed)
{
	static const struct service_row service = { "app that works",
						    "--service app --cpu 20us --overhead 0",
						    false };

	matrix_for_each_arch(&service, check_resets);
}

static void check_late_replies(struct pair *pair)
{
	int before;

	matrix_expect_hello(pair, "at first");
	before = program_descriptors(&pair->server);
	/* Many replies, and nobody who takes them. */
	for (int i = 0; i < 8; i++) {
		int fd = client_connect(&pair->server);
		bool open = true;

		for (int j = 0; j < 100 && open; j++)
			open = client_send(fd, GET_HELLO, strlen(GET_HELLO));
		close(fd);
	}
	matrix_expect_hello(pair, "after replies nobody took");
	program_await_descriptors(&pair->server, before);
}

Test(programs, clients_need_not_take_their_replies)
{
	matrix_for_each("", check_late_replies);
}

/* Clients that take their time. */

static void check_silence(struct pair *pair)
{
	static const char late[] = REFUSAL("408 Request Timeout", "20");
	static const struct {
		const char *name;
		const char *script;
		const char *reply;
	} table[] = {
		{ "silence", "", "" },
		{ "half a head", "GET /delay/0 HTTP/1.1\r\nHo", late },
		{ "half a body",
		  "POST /delay/0 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell", late },
		{ "a request, then half a head", GET_HELLO "GET",
		  HELLO REFUSAL("408 Request Timeout", "20") },
	};
	int fds[ROW_COUNT(table)];
	int before;

	matrix_expect_hello(pair, "at first");
	before = program_descriptors(&pair->server);
	/* All at once, so that their patience runs out at once. */
	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		fds[i] = client_connect(&pair->server);
		client_send(fds[i], table[i].script, strlen(table[i].script));
	}
	for (size_t i = 0; i < ROW_COUNT(table); i++) {
		matrix_expect(pair->name, table[i].name, client_receive(fds[i], 0), table[i].reply);
		close(fds[i]);
	}
	matrix_expect_hello(pair, "after silent clients");
	program_await_descriptors(&pair->server, before);
}

Test(programs, a_client_that_falls_silent_is_answered_408_or_closed)
{
	matrix_for_each("--client-timeout 300ms", check_silence);
}

/* A head that comes byte by byte, each in time, but not the whole. */
static void check_slow_head(struct pair *pair)
{
	static const char late[] = REFUSAL("408 Request Timeout", "20");
	const struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };
	int fd = client_connect(&pair->server);

	do {
		char reply[256];
		ssize_t got;

		if (!client_send(fd, "a", 1))
			break;
		nanosleep(&pause, NULL);
		got = recv(fd, reply, sizeof(reply) - 1, MSG_DONTWAIT);
		if (got < 0)
			continue;
		reply[got] = '\0';
		cr_expect_str_eq(reply, late, "%s: %s", pair->name, reply);
		break;
	} while (true);
	close(fd);
	matrix_expect_hello(pair, "after a drip");
}

Test(programs, a_head_that_drips_in_is_not_waited_for_for_ever)
{
	matrix_for_each("--client-timeout 300ms", check_slow_head);
}

/* Backends that fail. */

static void check_missing(struct pair *pair, int listening)
{
	int before = program_descriptors(&pair->server);

	shutdown(listening, SHUT_RDWR);
	for (int i = 0; i < 3; i++)
		matrix_expect(
			pair->name, "no backend",
			client_talk(&pair->server, GET_HELLO GET_HELLO, 0),
			REPLY_HEAD("502 Bad Gateway", "16", "") "502 Bad Gateway\n" REPLY_HEAD(
				"502 Bad Gateway", "16", "") "502 Bad Gateway\n");
	program_await_descriptors(&pair->server, before);
}

Test(programs, a_missing_backend_is_502)
{
	matrix_for_each_caller("", check_missing);
}

static void check_silent(struct pair *pair, int listening)
{
	int before = program_descriptors(&pair->server);
	int fd;

	matrix_expect(pair->name, "silent backend", client_talk(&pair->server, GET_HELLO, 0),
		      REPLY_HEAD("504 Gateway Timeout", "20", "") "504 Gateway Timeout\n");
	/* The connection that stayed silent is given up: here is its end. */
	fd = peer_accept(listening);
	free(client_receive(fd, 0).bytes);
	close(fd);
	program_await_descriptors(&pair->server, before);
}

Test(programs, a_silent_backend_is_504)
{
	matrix_for_each_caller("--upstream-timeout 100ms", check_silent);
}

static void check_stale(struct pair *pair, int listening)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n"
				     "Content-Type: text/plain\r\n\r\n" HELLO_TEXT;
	int client = client_connect(&pair->server);
	int fd = -1;

	/* One backend connection for each request, closed behind the server's back. */
	for (int i = 0; i < 3; i++) {
		struct text got;

		client_send(client, GET_HELLO, strlen(GET_HELLO));
		fd = peer_accept(listening);
		free(client_receive_until(fd, "\r\n\r\n").bytes);
		client_send(fd, answer, strlen(answer));
		got = client_receive(client, strlen(HELLO));
		cr_expect_eq(strncmp(got.bytes, "HTTP/1.1 200 OK", 15), 0, "%s: %s", pair->name,
			     got.bytes);
		free(got.bytes);
		close(fd);
	}
	close(client);
}

Test(programs, a_backend_connection_closed_while_idle_costs_no_request)
{
	matrix_for_each_caller("", check_stale);
}

static void check_truncated(struct pair *pair, int listening)
{
	static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHello";
	int client = client_connect(&pair->server);
	struct text got;
	int fd;

	client_send(client, GET_HELLO, strlen(GET_HELLO));
	fd = peer_accept(listening);
	free(client_receive_until(fd, "\r\n\r\n").bytes);
	client_send(fd, half, strlen(half));
	close(fd);
	shutdown(client, SHUT_WR);
	got = client_receive(client, 0);
	/* A proxy can only break off; an app has said nothing yet. */
	if (strstr(pair->name, "proxy"))
		cr_expect_str_eq(got.bytes, half, "%s: %s", pair->name, got.bytes);
	else
		cr_expect_str_eq(got.bytes,
				 REPLY_HEAD("502 Bad Gateway", "16", "") "502 Bad Gateway\n");
	free(got.bytes);
	close(client);
}

Test(programs, a_truncated_response_is_never_taken_for_a_whole_one)
{
	matrix_for_each_caller("", check_truncated);
}

static void check_abandoned(struct pair *pair, int listening)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
	int client;
	int fd;

	if (!strstr(pair->name, "proxy"))
		return;
	client = client_connect(&pair->server);
	client_send(client, GET_HELLO, strlen(GET_HELLO));
	fd = peer_accept(listening);
	free(client_receive_until(fd, "\r\n\r\n").bytes);
	client_send(fd, head, strlen(head));
	matrix_expect(pair->name, "under way", client_receive(client, strlen(head)), head);
	close(client);
	/* Nobody takes the rest; sending goes on until the proxy has noticed. */
	while (client_send(fd, GET_HELLO, strlen(GET_HELLO)))
		;
	close(fd);
}

Test(programs, a_backend_is_left_in_peace_when_the_client_has_gone)
{
	matrix_for_each_caller("", check_abandoned);
}

/* Work is done for each request, also when many come at once and for longer than patience lasts. */

static void check_pipelined_work(struct pair *pair)
{
	enum { REQUESTS = 300, WORK_NS = 1000000 };
	static char script[REQUESTS * sizeof(GET_HELLO)];
	char *end = script;
	int64_t before = program_cpu_ns(&pair->server);
	int64_t used = 0;
	struct text got;

	for (int i = 0; i < REQUESTS; i++)
		end = stpcpy(end, GET_HELLO);
	got = client_talk(&pair->server, script, 0);
	cr_expect_eq(got.length, REQUESTS * strlen(HELLO), "%s", pair->name);
	/* A child's time counts once it is waited for. */
	for (int tries = 0; tries < 100 && used < (int64_t)REQUESTS * WORK_NS * 95 / 100; tries++) {
		used = program_cpu_ns(&pair->server) - before;
		clock_sleep_until(clock_now_ns() + 10 * NS_PER_MS);
	}
	cr_expect_geq(used, (int64_t)REQUESTS * WORK_NS * 95 / 100,
		      "%s: %lld ns of CPU for %d requests of 1 ms", pair->name, (long long)used,
		      REQUESTS);
	free(got.bytes);
}

static const struct service_row works = { "app that works", "--service app --cpu 1ms --overhead 0",
					  false };

Test(programs, pipelined_requests_get_all_of_their_work)
{
	for (size_t a = 0; a < arch_count; a++) {
		struct pair pair;

		pair_set_up(&pair, &archs[a], &works, "--client-timeout 150ms");
		check_pipelined_work(&pair);
		pair_tear_down(&pair);
	}
}

static void check_turns(struct pair *pair)
{
	enum { REQUESTS = 400 };
	static char script[REQUESTS * sizeof(GET_HELLO)];
	char *end = script;
	int fd = client_connect(&pair->server);
	int waiting = 0;

	for (int i = 0; i < REQUESTS; i++)
		end = stpcpy(end, GET_HELLO);
	client_send(fd, script, (size_t)(end - script));
	matrix_expect(pair->name, "first", client_receive(fd, strlen(HELLO)), HELLO);
	matrix_expect_hello(pair, "while others are at work");
	cr_assert_eq(ioctl(fd, FIONREAD, &waiting), 0);
	cr_expect_lt(waiting, (int)((REQUESTS - 1) * strlen(HELLO)),
		     "%s: another connection waited for all of this one's requests", pair->name);
	close(fd);
}

Test(programs, one_client_that_pipelines_does_not_keep_the_others_waiting)
{
	for (size_t a = 0; a < arch_count; a++) {
		struct pair pair;

		pair_set_up(&pair, &archs[a], &works, "");
		check_turns(&pair);
		pair_tear_down(&pair);
	}
}

/* Patience is for clients: who has sent a request may have to wait longer for its turn. */
static void check_fifth(struct pair *pair)
{
	enum { BUSY = 4 };
	int fds[BUSY + 1];

	for (int i = 0; i <= BUSY; i++) {
		fds[i] = client_connect(&pair->server);
		client_send(fds[i], GET_HELLO, strlen(GET_HELLO));
	}
	for (int i = 0; i <= BUSY; i++) {
		matrix_expect(pair->name, "turn", client_receive(fds[i], strlen(HELLO)), HELLO);
		close(fds[i]);
	}
}

Test(programs, a_request_that_waits_for_its_turn_is_not_late)
{
	static const struct service_row slow = { "slow app",
						 "--service app --cpu 0 --wall 800ms --wait timer",
						 false };

	for (size_t a = 0; a < arch_count; a++) {
		struct pair pair;

		pair_set_up(&pair, &archs[a], &slow, "--client-timeout 200ms");
		check_fifth(&pair);
		pair_tear_down(&pair);
	}
}

Test(programs, what_a_request_costs_is_metered_at_the_start_and_said)
{
	static const struct service_row metered[] = {
		{ "app", "--service app --cpu 20ms", false },
		{ "app that calls", "--cpu 20ms --wall 20ms --upstream %s", true },
		{ "proxy", "--service proxy --cpu 20ms --upstream %s", true },
	};

	for (size_t s = 0; s < ROW_COUNT(metered); s++) {
		struct pair pair;
		char text[PROGRAM_ERRORS_MAX];

		pair_set_up(&pair, &archs[s % arch_count], &metered[s], "");
		program_errors(&pair.server, text);
		cr_expect_not_null(strstr(text, "o_ref, metered"), "%s", text);
		cr_expect_eq(strcspn(text, "\n") + 1, strlen(text), "not one line: %s", text);
		matrix_expect_hello(&pair, "after metering");
		pair_tear_down(&pair);
	}
}

/* The backend on its own. */

Test(programs, the_backend_answers_what_its_path_asks_for)
{
	struct program backend;
	struct text got;

	program_serve(&backend, "CWT_BACKEND", "");
	for (size_t i = 0; i < conversation_count; i++) {
		/* Its own limit of content is another. */
		if (!strstr(conversations[i].name, "past the limit"))
			matrix_expect("backend", conversations[i].name,
				      client_talk(&backend, conversations[i].client, 1),
				      conversations[i].server);
	}
	got = client_talk(&backend,
			  "GET /delay/1ms?bytes=3MiB HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
			  "\r\n",
			  0);
	cr_expect_eq(got.length, (3 << 20) + strlen(REPLY_HEAD("200 OK", "3145728", CLOSE)));
	free(got.bytes);
	program_stop(&backend);
}
