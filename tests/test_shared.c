#include "servers/shared.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static void await_event(struct shared *shared, struct shared_line **line, enum shared_event wanted)
{
	enum shared_event event = shared_next(shared, line);

	cr_assert_eq(event, wanted, "event %d", (int)event);
}

/*
 * A thread in epoll_wait() may hold a connection's file when another closes it, and would let go
 * of it at the next event only. Here another descriptor stands for that thread.
 */
Test(shared, a_connection_leaves_the_set_before_it_is_closed, .timeout = 30)
{
	struct server server = { .client_patience_ns = 10000000000, .threads = 1 };
	struct shared shared;
	struct shared_line *line = NULL;
	int client;
	int fd;
	int held;

	cr_assert_eq(net_parse("127.0.0.1:0", &server.listen), 0);
	server.listen_fd = net_listen(&server.listen, NET_NONBLOCKING);
	cr_assert_geq(server.listen_fd, 0);
	cr_assert_eq(shared_init(&shared, &server), 0);
	client = net_connect(&server.listen, 1000000000, NULL);
	cr_assert_geq(client, 0);
	await_event(&shared, &line, SHARED_ACCEPT);
	shared_accept(&shared);
	close(client);
	await_event(&shared, &line, SHARED_LINE);
	fd = line->line.fd;
	held = dup(fd);
	shared_close(line);
	cr_assert_eq(dup2(held, fd), fd);
	cr_assert_eq(epoll_ctl(shared.epoll_fd, EPOLL_CTL_DEL, fd, NULL), -1, "it was in the set");
	cr_assert_eq(errno, ENOENT);
	close(fd);
	close(held);
	shared_destroy(&shared);
}
