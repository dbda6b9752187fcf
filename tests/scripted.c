#include "tests/scripted.h"
#include "common/clock.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_MAX = 65536, REQUESTS_BYTES = 8192, GATHER_MAX = 64 };

const char scripted_good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* One connection. */
struct visit {
	struct scripted *server;
	int fd;
	int index;
	int requests;
	int64_t replied_ns; /* 0: not yet */
	size_t length;      /* of what is read and not yet taken */
	char bytes[REQUESTS_BYTES];
};

/* What is to be known of a request. */
struct asked {
	char path; /* its first character */
	bool is_last;
};

/* The bytes of the first request's head among those read; 0 if it isn't complete. */
static size_t head_length(const struct visit *visit)
{
	const char *end = memmem(visit->bytes, visit->length, "\r\n\r\n", 4);

	return end ? (size_t)(end - visit->bytes) + 4 : 0;
}

/* Take a request, which has no body. False at the end of the connection. */
static bool take_request(struct visit *visit, struct asked *asked)
{
	static const char last[] = "\r\nConnection: close\r\n";
	struct scripted *server = visit->server;
	size_t head;
	char *path;

	while ((head = head_length(visit)) == 0) {
		ssize_t rc = read(visit->fd, visit->bytes + visit->length,
				  sizeof(visit->bytes) - visit->length);

		if (rc <= 0) {
			atomic_fetch_add(rc == 0 ? &server->client_ends : &server->resets, 1);
			return false;
		}
		visit->length += (size_t)rc;
	}
	path = memchr(visit->bytes, '/', head);
	asked->path = path ? path[1] : ' ';
	asked->is_last = memmem(visit->bytes, head, last, sizeof(last) - 1);
	visit->length -= head;
	memmove(visit->bytes, visit->bytes + head, visit->length);
	atomic_fetch_add(&server->paths[(unsigned char)asked->path % SCRIPTED_PATHS], 1);
	return true;
}

/* Is there more than was taken, now? */
static bool has_more(const struct visit *visit)
{
	char byte;

	return visit->length > 0 || recv(visit->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Has the client ended the connection, now? */
static bool has_ended(const struct visit *visit)
{
	char byte;
	ssize_t rc = recv(visit->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return rc == 0 || (rc < 0 && errno != EAGAIN);
}

static void note_gap(struct visit *visit)
{
	struct scripted *server = visit->server;
	int64_t gap_ns = clock_now_ns() - visit->replied_ns;
	int64_t least_ns = server->least_gap_ns;

	if (visit->replied_ns == 0)
		return;
	while (gap_ns < least_ns &&
	       !atomic_compare_exchange_weak(&server->least_gap_ns, &least_ns, gap_ns))
		;
	atomic_fetch_add(&server->gaps_ns, gap_ns);
	atomic_fetch_add(&server->gaps, 1);
}

static bool send_all(int fd, const char *bytes, size_t length, int flags)
{
	while (length > 0) {
		ssize_t rc = send(fd, bytes, length, MSG_NOSIGNAL | flags);

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
		if (!send_all(fd, bytes, piece, 0))
			return false;
		bytes += piece;
		length -= piece;
		piece = step;
		if (length > 0)
			pause_briefly();
	}
	return true;
}

static void replace_all(char *text, char from, char to)
{
	for (char *at = text; (at = strchr(at, from)); at++)
		*at = to;
}

/* False when the connection is to end. */
static bool answer(const struct scripted *server, int fd, const struct asked *asked, int number)
{
	const struct script *script = &server->script;
	bool is_good = number < script->good_replies;
	bool is_last = asked->is_last && script->last_reply;
	const char *reply = is_last ? script->last_reply : is_good ? scripted_good : script->reply;
	char changed[REPLY_MAX];
	size_t length;
	size_t first = script->step;

	if (strpbrk(reply, "#@")) {
		snprintf(changed, sizeof(changed), "%s", reply);
		replace_all(changed, '#', (char)('0' + number % 10));
		replace_all(changed, '@', asked->path);
		reply = changed;
	}
	length = strlen(reply);
	if (script->cut)
		first = 1 + (size_t)number % (length - 1);
	/* A reply in one piece leaves together with the end, lest a request comes between the two.
	 */
	if (first == 0 && (is_last || (!is_good && script->then == SCRIPTED_CLOSE))) {
		send_all(fd, reply, length, MSG_MORE);
		return false;
	}
	return send_in_pieces(fd, reply, length, first, script->step) && !is_last &&
	       (is_good || script->then == SCRIPTED_KEEP);
}

/* Be as slow as the script has it. */
static void hold(struct scripted *server, int number)
{
	const struct script *script = &server->script;

	if (script->stall_ns > 0 && number == script->stall_at)
		server->stalled_until_ns = clock_now_ns() + script->stall_ns;
	if (script->delay_ns > 0)
		clock_sleep_until(clock_now_ns() + script->delay_ns);
	while (clock_now_ns() < server->stalled_until_ns)
		clock_sleep_until(server->stalled_until_ns);
}

/* Gather requests and answer them. False when the connection is to end. */
static bool serve_some(struct visit *visit)
{
	struct scripted *server = visit->server;
	int gather = server->script.gather > 1 ? server->script.gather : 1;
	struct asked asked[GATHER_MAX];
	int numbers[GATHER_MAX];
	bool goes_on = true;

	for (int i = 0; i < gather; i++) {
		if (!take_request(visit, &asked[i]))
			return false;
		if (i == 0)
			note_gap(visit);
		numbers[i] = atomic_fetch_add(&server->requests, 1);
		if (++visit->requests == 2)
			atomic_fetch_add(&server->returned, 1);
	}
	hold(server, numbers[0]);
	if (server->script.gather > 0 && has_more(visit))
		atomic_fetch_add(&server->excess, 1);
	/* Before it is sent: the client may have it, and time may pass, before the send returns. */
	visit->replied_ns = clock_now_ns();
	for (int i = 0; i < gather && goes_on; i++)
		goes_on = answer(server, visit->fd, &asked[i], numbers[i]);
	if (!goes_on && server->script.then != SCRIPTED_SILENT && !has_ended(visit))
		atomic_fetch_add(&server->server_ends, 1);
	return goes_on;
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
	while (!is_left_waiting && serve_some(visit))
		;
	if (is_left_waiting || script->then == SCRIPTED_SILENT)
		while (read(visit->fd, &byte, 1) > 0)
			;
	if (script->then == SCRIPTED_RESET)
		setsockopt(visit->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(visit->fd);
	free(visit);
	return NULL;
}

static int last_byte(const struct sockaddr_in *address)
{
	return (int)(ntohl(address->sin_addr.s_addr) & 255);
}

static void *accept_all(void *context)
{
	struct scripted *server = context;
	int most = server->script.deaf_after > 0 ? server->script.deaf_after : SCRIPTED_THREADS_MAX;

	for (int i = 0; i < most; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t size = sizeof(from);
		int fd = accept4(server->listening, (struct sockaddr *)&from, &size, SOCK_CLOEXEC);
		struct visit *visit;

		if (fd < 0)
			return NULL;
		visit = calloc(1, sizeof(*visit));
		visit->server = server;
		visit->fd = fd;
		visit->index = i;
		if (i < SCRIPTED_SOURCES_MAX && from.ss_family == AF_INET)
			server->sources[i] = last_byte((struct sockaddr_in *)&from);
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
	server->least_gap_ns = INT64_MAX;
	cr_assert_leq(script->gather, GATHER_MAX);
	if (script->unix_path)
		cr_assert_eq(net_unix(script->unix_path, &server->address), 0);
	else
		cr_assert_eq(net_parse(script->address ? script->address : "127.0.0.1:0",
				       &server->address),
			     0);
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
	if (server->script.unix_path)
		unlink(server->script.unix_path);
}
