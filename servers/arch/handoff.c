/*
 * handoff: a listener accepts, reads and parses for all connections, and hands each request over
 * a queue to one of t workers, which does the rest of it, blocking wherever there is something to
 * wait for. The reply is sent by the worker, or goes back over a second queue to the listener
 * (--reply listener). Requests past t wait in the queue.
 *
 * Cost per request: two context switches, listener and worker; with the listener's reply some
 * more: back to the listener, and each wakes the other in the middle of what it does. Among many
 * connections one wake-up serves several. System calls: recv, send, epoll_wait and epoll_ctl, and
 * the queues' futexes; with the listener's reply also the eventfd that wakes it.
 *
 * Source: Darcy, "High-performance server architecture": what costs most there is context
 * switches, one or two for a request, and more if the same thread has to see it twice.
 */
#include "servers/arch/arch.h"
#include "servers/crew.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct handoff {
	struct shared shared;
	struct crew listener;
	struct crew workers;
	struct queue requests;
	struct queue replies; /* for the listener to send */
	int replies_fd;       /* an eventfd: there are some */
};

/* The worker has no more to do: the line waits again, or the listener sends the reply. */
static void leave(struct handoff *handoff, struct shared_line *line, enum conn_step step)
{
	uint64_t one = 1;

	if (step == CONN_CLOSE)
		shared_close(line);
	else if (shared_is_between(line, step))
		shared_await(line);
	else if (queue_push(&handoff->replies, &line->item) &&
		 write(handoff->replies_fd, &one, sizeof(one)) < 0)
		perror("cwt-server: eventfd");
}

/* Whether the step is for the listener: a reply without the backend's part in it. */
static bool is_reply(const struct handoff *handoff, const struct shared_line *line,
		     enum conn_step step)
{
	return handoff->shared.server->replies == SERVER_REPLIES_LISTENER && !line->line.link &&
	       (step == CONN_WRITE || step == CONN_SHUTDOWN);
}

static void *work(struct crew_member *member)
{
	struct handoff *handoff = member->context;
	struct queue_item *item;

	while ((item = queue_pop(&handoff->requests))) {
		struct shared_line *line = shared_line_of(item);
		enum conn_step step = shared_step(line);

		while (step != CONN_CLOSE && !shared_is_between(line, step) &&
		       !is_reply(handoff, line, step)) {
			shared_carry_out(line, &member->blocking, step);
			step = shared_step(line);
		}
		leave(handoff, line, step);
	}
	return NULL;
}

/* Whatever comes next is a worker's, but for waiting. */
static void hand_over(struct handoff *handoff, struct shared_line *line)
{
	enum conn_step step = shared_step(line);

	if (step == CONN_CLOSE)
		shared_close(line);
	else if (shared_is_between(line, step))
		shared_await(line);
	else
		queue_push(&handoff->requests, &line->item);
}

static void send_reply(struct handoff *handoff, struct shared_line *line, struct blocking *blocking)
{
	enum shared_written written = SHARED_WRITTEN_SOME;

	while (written == SHARED_WRITTEN_SOME && shared_step(line) == CONN_WRITE)
		written = shared_write(line);
	if (written == SHARED_BLOCKED) {
		shared_await(line);
		return;
	}
	if (shared_step(line) == CONN_SHUTDOWN)
		shared_carry_out(line, blocking, CONN_SHUTDOWN);
	hand_over(handoff, line);
}

/* A line's event: the client has sent something, or there is room for more of a reply. */
static void listen_to(struct handoff *handoff, struct shared_line *line, struct blocking *blocking)
{
	enum conn_step step = shared_step(line);

	if (step == CONN_WRITE) {
		send_reply(handoff, line, blocking);
		return;
	}
	if (step == CONN_READ)
		shared_read(line);
	hand_over(handoff, line);
}

static void send_replies(struct handoff *handoff, struct blocking *blocking)
{
	struct queue_item *next;
	uint64_t count;

	if (read(handoff->replies_fd, &count, sizeof(count)) < 0)
		return;
	for (struct queue_item *item = queue_take_all(&handoff->replies); item; item = next) {
		next = item->next;
		send_reply(handoff, shared_line_of(item), blocking);
	}
}

static void *listen_to_all(struct crew_member *member)
{
	struct handoff *handoff = member->context;
	struct shared_line *line;

	for (;;) {
		switch (shared_next(&handoff->shared, &line)) {
		case SHARED_LINE:
			listen_to(handoff, line, &member->blocking);
			break;
		case SHARED_ACCEPT:
			shared_accept(&handoff->shared);
			break;
		case SHARED_OTHER:
			send_replies(handoff, &member->blocking);
			break;
		case SHARED_END:
			queue_close(&handoff->requests);
			return NULL;
		}
	}
}

static int start(struct handoff *handoff, const struct server *server)
{
	int rc = shared_init(&handoff->shared, server);

	handoff->replies_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (rc == 0)
		rc = handoff->replies_fd < 0 ? -errno
					     : shared_watch(&handoff->shared, handoff->replies_fd);
	if (rc != 0) {
		fprintf(stderr, "cwt-server: no epoll set: %s\n", strerror(-rc));
		return rc;
	}
	rc = crew_start(&handoff->listener, &handoff->shared, 1, listen_to_all, handoff);
	if (rc == 0)
		rc = crew_start(&handoff->workers, &handoff->shared, server->threads, work,
				handoff);
	return rc;
}

static int run(const struct server *server)
{
	struct handoff handoff = { .replies_fd = -1 };
	int rc;

	server_block_signals();
	queue_init(&handoff.requests);
	queue_init(&handoff.replies);
	rc = start(&handoff, server);
	if (rc == 0) {
		server_ready(server);
		shared_supervise(&handoff.shared);
	} else {
		shared_give_up(&handoff.shared);
		queue_close(&handoff.requests);
	}
	crew_join(&handoff.listener);
	crew_join(&handoff.workers);
	close(handoff.replies_fd);
	queue_destroy(&handoff.requests);
	queue_destroy(&handoff.replies);
	shared_destroy(&handoff.shared);
	return rc;
}

const struct arch arch_handoff = {
	.name = "handoff",
	.summary = "one listener reads and parses, --threads workers do the rest",
	.knobs = ARCH_THREADS | ARCH_STACK | ARCH_REPLY,
	.listen = NET_NONBLOCKING,
	.run = run,
};
