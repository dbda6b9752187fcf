/*
 * SIGTERM: what is in hand is finished, what is idle is closed, the status is 0. That a request is
 * in hand shows in what the server says (100 Continue) or does (a call to a backend that the test
 * plays), so nothing here depends on time.
 */
#include "tests/conversations.h"
#include "tests/matrix.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE = 3 };

/* Connections that had a reply and ask for nothing more, and one that never asked. */
static void open_idle(const struct pair *pair, int fds[IDLE])
{
	for (int i = 0; i < IDLE; i++) {
		fds[i] = client_connect(&pair->server);
		if (i == 0)
			continue;
		client_send(fds[i], GET_HELLO, strlen(GET_HELLO));
		matrix_expect(pair->name, "before", client_receive(fds[i], strlen(HELLO)), HELLO);
	}
}

static void expect_closed(const struct pair *pair, const int fds[IDLE])
{
	for (int i = 0; i < IDLE; i++) {
		matrix_expect(pair->name, "idle", client_receive(fds[i], 0), "");
		close(fds[i]);
	}
}

static void check_idle(struct pair *pair)
{
	int fds[IDLE];

	open_idle(pair, fds);
	program_tell(&pair->server);
	expect_closed(pair, fds);
}

Test(stop, idle_connections_do_not_keep_a_server_that_was_told_to_stop)
{
	/* Patience is long: who waits for it here fails by meson's timeout. */
	matrix_for_each("--client-timeout 1h", check_idle);
}

/* Half a head: the server waits for the rest of it, but not for ever. */
static void check_late(struct pair *pair)
{
	static const char half[] = "GET /delay/0 HTTP/1.1\r\nHo";
	int fd = client_connect(&pair->server);

	client_send(fd, GET_HELLO, strlen(GET_HELLO));
	matrix_expect(pair->name, "before", client_receive(fd, strlen(HELLO)), HELLO);
	client_send(fd, half, strlen(half));
	program_tell(&pair->server);
	free(client_receive(fd, 0).bytes); /* to the end: a refusal, or none */
	close(fd);
}

Test(stop, a_client_that_is_late_does_not_keep_a_server_beyond_its_patience)
{
	matrix_for_each("--client-timeout 100ms", check_late);
}

static void check_in_hand(struct pair *pair)
{
	static const char head[] = "POST /delay/0 HTTP/1.1\r\nHost: h\r\n"
				   "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
	int fds[IDLE];
	int fd;

	open_idle(pair, fds);
	fd = client_connect(&pair->server);
	client_send(fd, head, strlen(head));
	matrix_expect(pair->name, "in hand", client_receive_until(fd, "\r\n\r\n"),
		      "HTTP/1.1 100 Continue\r\n\r\n");
	program_tell(&pair->server);
	expect_closed(pair, fds);
	program_await_deaf(&pair->server);
	client_send(fd, "hello", 5);
	/* What was pipelined behind it is not in hand. */
	client_send(fd, GET_HELLO, strlen(GET_HELLO));
	matrix_expect(pair->name, "stopped", client_receive(fd, 0), HELLO_CLOSE);
	close(fd);
}

Test(stop, a_request_whose_body_is_on_its_way_is_answered_after_SIGTERM)
{
	matrix_for_each("", check_in_hand);
}

static void check_call(struct pair *pair, int listening)
{
	static const char answer[] = HELLO;
	int client = client_connect(&pair->server);
	int backend;

	client_send(client, GET_HELLO, strlen(GET_HELLO));
	backend = peer_accept(listening);
	free(client_receive_until(backend, "\r\n\r\n").bytes);
	program_tell(&pair->server);
	program_await_deaf(&pair->server);
	client_send(backend, answer, strlen(answer));
	/* The proxy passes the backend's head on, with its own last line. */
	matrix_expect(pair->name, "stopped", client_receive(client, 0), HELLO_CLOSE);
	close(client);
	close(backend);
}

Test(stop, a_request_that_waits_for_its_backend_is_answered_after_SIGTERM)
{
	matrix_for_each_caller("", check_call);
}

static void check_relay(struct pair *pair, int listening)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
	int client;
	int backend;

	if (!strstr(pair->name, "proxy"))
		return;
	client = client_connect(&pair->server);
	client_send(client, GET_HELLO, strlen(GET_HELLO));
	backend = peer_accept(listening);
	free(client_receive_until(backend, "\r\n\r\n").bytes);
	client_send(backend, head, strlen(head));
	matrix_expect(pair->name, "under way", client_receive(client, strlen(head)), head);
	program_tell(&pair->server);
	program_await_deaf(&pair->server);
	client_send(backend, "world", 5);
	matrix_expect(pair->name, "stopped", client_receive(client, 0), "world");
	close(client);
	close(backend);
}

Test(stop, a_response_under_way_is_relayed_to_its_end_after_SIGTERM)
{
	matrix_for_each_caller("", check_relay);
}

static void check_at_once(struct pair *pair)
{
	(void)pair;
}

Test(stop, a_server_may_be_stopped_as_soon_as_it_is_ready)
{
	matrix_for_each("", check_at_once);
}

Test(stop, a_backend_of_several_processes_stops_with_status_0_whenever_it_is_told)
{
	static const char *const words[] = { "--connections", "300", NULL };

	for (int i = 0; i < 20; i++) {
		struct program backend;

		program_start_limited(&backend, "CWT_BACKEND", words, 200);
		program_await_ready(&backend);
		if (i % 2 == 1)
			matrix_expect("backend", "several", client_talk(&backend, GET_HELLO, 0),
				      HELLO);
		program_stop(&backend);
	}
}

Test(stop, a_second_signal_ends_a_server_that_still_waits_for_a_client)
{
	for (size_t a = 0; a < arch_count; a++) {
		static const struct service_row app = { "app", "--service app", false };
		static const char waiting[] = "POST / HTTP/1.1\r\nHost: h\r\n"
					      "Expect: 100-continue\r\n"
					      "Content-Length: 5\r\n\r\n";
		struct pair pair;
		int fd;

		pair_set_up(&pair, &archs[a], &app, "--client-timeout 1h");
		fd = client_connect(&pair.server);
		client_send(fd, waiting, strlen(waiting));
		free(client_receive_until(fd, "\r\n\r\n").bytes);
		program_tell(&pair.server);
		program_await_deaf(&pair.server);
		kill(pair.server.pid, SIGTERM);
		cr_expect_eq(program_wait(&pair.server), -1, "%s", pair.name);
		close(fd);
	}
}
