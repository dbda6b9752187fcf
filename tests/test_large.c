/* Bodies of a few MB through a proxy, in both framings and both directions. */
#include "tests/conversations.h"
#include "tests/matrix.h"
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGE = 3 << 20, CHUNK = 50000, SLACK = 4096 };

static const struct service_row proxy = { "proxy", "--service proxy --upstream %s", true };

static char content_at(size_t i)
{
	return (char)('a' + i % 23 + i / 65536 % 3);
}

/* A message with `head` and LARGE bytes of content, in chunks if asked. */
static struct text make_message(const char *head, bool chunked)
{
	struct text text = { .bytes = malloc(LARGE + LARGE / CHUNK * 16 + SLACK) };
	char *at;

	cr_assert_not_null(text.bytes);
	at = text.bytes +
	     sprintf(text.bytes, "%s%s\r\n\r\n", head,
		     chunked ? "Transfer-Encoding: chunked" : "Content-Length: 3145728");
	for (size_t i = 0; i < LARGE; i++) {
		if (chunked && i % CHUNK == 0)
			at += sprintf(at, "%s%x\r\n", i > 0 ? "\r\n" : "",
				      (unsigned)(LARGE - i < CHUNK ? LARGE - i : CHUNK));
		*at++ = content_at(i);
	}
	if (chunked)
		at += sprintf(at, "\r\n0\r\nSum: 1\r\n\r\n");
	*at = '\0';
	text.length = (size_t)(at - text.bytes);
	return text;
}

/* A backend that takes one request, keeps it, and gives one response. */
struct peer {
	int listening;
	size_t request_length;
	const struct text *response;
	struct text request;
};

static void *serve_once(void *arg)
{
	struct peer *peer = arg;
	int fd = accept(peer->listening, NULL, NULL);

	peer->request = client_receive(fd, peer->request_length);
	client_send(fd, peer->response->bytes, peer->response->length);
	close(fd);
	return NULL;
}

static void *receive_all(void *arg)
{
	struct text *text = malloc(sizeof(*text));

	*text = client_receive(*(int *)arg, 0);
	return text;
}

static void expect_same(const char *name, const char *what, const struct text *got,
			const struct text *expected)
{
	cr_expect_eq(got->length, expected->length, "%s, %s: %zu bytes, not %zu", name, what,
		     got->length, expected->length);
	if (got->length == expected->length)
		cr_expect_eq(memcmp(got->bytes, expected->bytes, got->length), 0, "%s, %s", name,
			     what);
}

/* The request's head as the proxy passes it on is the one that came: no header is hop-by-hop. */
#define POST "POST /x HTTP/1.1\r\nHost: h\r\n"
#define GET  "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK   "HTTP/1.1 200 OK\r\n"
#define HI   OK "Content-Length: 2\r\n\r\nhi"

static void exchange(const struct arch_row *arch, struct text request, struct text response,
		     struct text passed)
{
	struct net_address address;
	struct peer peer = { .listening = peer_listen(&address),
			     .request_length = request.length,
			     .response = &response };
	char options[128];
	char text[NET_TEXT_MAX];
	struct service_row service = { "proxy", options, false };
	struct pair pair;
	pthread_t server;
	pthread_t reader;
	struct text *got;
	int fd;

	snprintf(options, sizeof(options), "--service proxy --upstream %s",
		 net_format(&address, text));
	pair_set_up(&pair, arch, &service, "--max-body 1GiB");
	fd = client_connect(&pair.server);
	cr_assert_eq(pthread_create(&server, NULL, serve_once, &peer), 0);
	cr_assert_eq(pthread_create(&reader, NULL, receive_all, &fd), 0);
	cr_expect(client_send(fd, request.bytes, request.length));
	shutdown(fd, SHUT_WR);
	pthread_join(reader, (void **)&got);
	pthread_join(server, NULL);
	expect_same(pair.name, "request", &peer.request, &request);
	expect_same(pair.name, "response", got, &passed);
	cr_expect_leq(program_descriptors(&pair.server), 40, "%s", pair.name);
	close(fd);
	close(peer.listening);
	free(got->bytes);
	free(got);
	free(peer.request.bytes);
	free(request.bytes);
	free(response.bytes);
	free(passed.bytes);
	pair_tear_down(&pair);
}

/* The text with "Connection: close" as its head's last line. */
static struct text insert_close(struct text text)
{
	char *bytes = malloc(text.length + sizeof(CLOSE));
	size_t head = (size_t)(strstr(text.bytes, "\r\n\r\n") + 2 - text.bytes);

	cr_assert_not_null(bytes);
	memcpy(bytes, text.bytes, head);
	memcpy(bytes + head, CLOSE, strlen(CLOSE));
	memcpy(bytes + head + strlen(CLOSE), text.bytes + head, text.length - head + 1);
	free(text.bytes);
	return (struct text){ bytes, text.length + strlen(CLOSE) };
}

static struct text copy(const char *bytes)
{
	return (struct text){ strdup(bytes), strlen(bytes) };
}

Test(large, bodies_pass_the_proxy_verbatim_in_both_directions_and_framings)
{
	for (size_t a = 0; a < arch_count; a++) {
		for (int chunked = 0; chunked <= 1; chunked++) {
			exchange(&archs[a], make_message(POST, chunked), copy(HI), copy(HI));
			exchange(&archs[a], copy(GET), make_message(OK, chunked),
				 make_message(OK, chunked));
			exchange(&archs[a], make_message(POST, chunked), make_message(OK, chunked),
				 make_message(OK, chunked));
		}
	}
}

Test(large, a_response_that_ends_with_the_connection_passes_whole)
{
	for (size_t a = 0; a < arch_count; a++) {
		/* So it has the header that says so in its own name, not in another's. */
		struct text response = make_message(OK "Connection: close\r\nX-", false);
		struct text passed = make_message(OK "X-", false);

		exchange(&archs[a], copy(GET), response, insert_close(passed));
	}
}

/* The most that the process has ever held. */
static long most_resident_kib(int pid)
{
	char path[64];
	char line[256];
	long kib = -1;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "r");
	cr_assert_not_null(status);
	while (kib < 0 && fgets(line, sizeof(line), status))
		sscanf(line, "VmHWM: %ld kB", &kib);
	fclose(status);
	return kib;
}

static long most_resident_kib_of_all(const struct program *program)
{
	int children[PROGRAM_CHILDREN_MAX];
	int count = program_children(program, children);
	long sum = most_resident_kib((int)program->pid);

	for (int i = 0; i < count; i++)
		sum += most_resident_kib(children[i]);
	return sum;
}

static void upload(int fd, const char *head, size_t length)
{
	static char piece[1 << 20];

	client_send(fd, head, strlen(head));
	for (size_t sent = 0; sent < length; sent += sizeof(piece))
		client_send(fd, piece,
			    length - sent < sizeof(piece) ? length - sent : sizeof(piece));
}

/* What a server's memory may grow by for one connection is a few buffers, not the body. */
Test(large, the_proxy_relays_100_MB_both_ways_in_constant_memory)
{
	static const char download[] = "GET /delay/0?bytes=100000000 HTTP/1.1\r\nHost: h\r\n\r\n";
	static const char post[] = "POST /delay/0 HTTP/1.1\r\nHost: h\r\n"
				   "Content-Length: 100000000\r\n\r\n";
	size_t length = 100000000 + strlen(REPLY_HEAD("200 OK", "100000000", ""));

	for (size_t a = 0; a < arch_count; a++) {
		struct pair pair;
		struct text got;
		long before;
		int fd;

		pair_set_up(&pair, &archs[a], &proxy, "--max-body 100000000");
		fd = client_connect(&pair.server);
		client_send(fd, GET_HELLO, strlen(GET_HELLO));
		matrix_expect(pair.name, "at first", client_receive(fd, strlen(HELLO)), HELLO);
		before = most_resident_kib_of_all(&pair.server);
		client_send(fd, download, strlen(download));
		got = client_receive(fd, length);
		cr_expect_eq(got.length, length, "%s", pair.name);
		free(got.bytes);
		upload(fd, post, 100000000);
		matrix_expect(pair.name, "upload", client_receive(fd, strlen(HELLO)), HELLO);
		cr_expect_leq(most_resident_kib_of_all(&pair.server) - before, 4096, "%s",
			      pair.name);
		close(fd);
		pair_tear_down(&pair);
	}
}
