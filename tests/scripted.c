#include "tests/scripted.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_MAX = 65536 };

const char scripted_good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct visit {
	struct scripted *server;
	int fd;
	int index;
};

/* Read to the end of a request's head. False at the end of the connection. */
static bool read_request(int fd)
{
	char last[4] = "";

	while (memcmp(last, "\r\n\r\n", 4) != 0) {
		memmove(last, last + 1, 3);
		if (read(fd, last + 3, 1) != 1)
			return false;
	}
	return true;
}

static bool send_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t rc = send(fd, bytes, length, MSG_NOSIGNAL);

		if (rc <= 0)
			return false;
		bytes += rc;
		length -= (size_t)rc;
	}
	return true;
}

/* So that pieces have a chance to be read one by one; right or wrong does not depend on it. */
static void pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

static bool send_in_pieces(int fd, const char *bytes, size_t length, size_t first, size_t step)
{
	size_t piece = first;

	while (length > 0) {
		if (piece == 0 || piece > length)
			piece = length;
		if (!send_all(fd, bytes, piece))
			return false;
		bytes += piece;
		length -= piece;
		piece = step;
		if (length > 0)
			pause_briefly();
	}
	return true;
}

static bool answer(const struct scripted *server, int fd, int number)
{
	const struct script *script = &server->script;
	bool is_good = number < script->good_replies;
	char reply[REPLY_MAX];
	size_t length;
	size_t first = script->step;
	char *digit;

	length = (size_t)snprintf(reply, sizeof(reply), "%s",
				  is_good ? scripted_good : script->reply);
	while ((digit = strchr(reply, '#')))
		*digit = (char)('0' + number % 10);
	if (script->cut)
		first = 1 + (size_t)number % (length - 1);
	return send_in_pieces(fd, reply, length, first, script->step) &&
	       (is_good || script->then == SCRIPTED_KEEP);
}

static void *serve(void *context)
{
	struct linger reset = { .l_onoff = 1 };
	struct visit *visit = context;
	struct scripted *server = visit->server;
	const struct script *script = &server->script;
	bool is_left_waiting = script->connections > 0 && visit->index >= script->connections;
	char byte;

	net_tune(visit->fd);
	while (!is_left_waiting && read_request(visit->fd))
		if (!answer(server, visit->fd, atomic_fetch_add(&server->requests, 1)))
			break;
	if (is_left_waiting || script->then == SCRIPTED_SILENT)
		while (read(visit->fd, &byte, 1) > 0)
			;
	if (script->then == SCRIPTED_RESET)
		setsockopt(visit->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(visit->fd);
	free(visit);
	return NULL;
}

static void *accept_all(void *context)
{
	struct scripted *server = context;
	int most = server->script.deaf_after > 0 ? server->script.deaf_after : SCRIPTED_THREADS_MAX;

	for (int i = 0; i < most; i++) {
		int fd = accept4(server->listening, NULL, NULL, SOCK_CLOEXEC);
		struct visit *visit;

		if (fd < 0)
			return NULL;
		visit = malloc(sizeof(*visit));
		*visit = (struct visit){ server, fd, i };
		if (pthread_create(&server->threads[i], NULL, serve, visit) != 0)
			abort();
		atomic_fetch_add(&server->accepted, 1);
	}
	shutdown(server->listening, SHUT_RDWR);
	return NULL;
}

void scripted_start(struct scripted *server, const struct script *script)
{
	memset(server, 0, sizeof(*server));
	server->script = *script;
	cr_assert_eq(net_parse("127.0.0.1:0", &server->address), 0);
	server->listening = net_listen(&server->address, 0);
	cr_assert_geq(server->listening, 0);
	cr_assert_eq(pthread_create(&server->acceptor, NULL, accept_all, server), 0);
}

void scripted_stop(struct scripted *server)
{
	shutdown(server->listening, SHUT_RDWR);
	pthread_join(server->acceptor, NULL);
	for (int i = 0; i < server->accepted; i++)
		pthread_join(server->threads[i], NULL);
	close(server->listening);
}
