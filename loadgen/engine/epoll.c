/*
 * Readiness: one epoll instance, edge-triggered, each socket registered once for all that may
 * happen. There is no epoll_ctl per request: a reply makes an edge of its own, and room for the
 * rest of a request does.
 */
#include "common/clock.h"
#include "loadgen/engine/transport.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256, READ_BYTES = 65536 };

struct slot {
	int fd;
	uint32_t turn; /* counts closes, so that an event of before is known as such */
	bool connecting;
	const char *rest; /* of what is being sent */
	size_t rest_length;
};

struct readiness {
	struct transport_setup setup;
	int epoll_fd;
	struct slot *slots;
	char bytes[READ_BYTES];
};

static uint64_t mark_of(const struct readiness *r, uint32_t index)
{
	return (uint64_t)r->slots[index].turn << 32 | index;
}

static bool is_current(const struct readiness *r, uint64_t mark)
{
	return mark == mark_of(r, (uint32_t)mark) && r->slots[(uint32_t)mark].fd >= 0;
}

static void readiness_destroy(void *made)
{
	struct readiness *r = made;

	for (uint32_t i = 0; i < r->setup.slots; i++)
		if (r->slots[i].fd >= 0)
			close(r->slots[i].fd);
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	free(r->slots);
	free(r);
}

static int readiness_create(const struct transport_setup *setup, void **made)
{
	struct readiness *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->setup = *setup;
	r->epoll_fd = -1;
	r->slots = calloc(setup->slots, sizeof(*r->slots));
	if (!r->slots) {
		free(r);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < setup->slots; i++)
		r->slots[i].fd = -1;
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0) {
		int rc = -errno;

		readiness_destroy(r);
		return rc;
	}
	*made = r;
	return 0;
}

static int readiness_open(void *made, uint32_t index)
{
	struct readiness *r = made;
	struct slot *slot = &r->slots[index];
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.u64 = mark_of(r, index) };
	bool connected = false;
	int fd = transport_connect(&r->setup, index, &connected);

	if (fd < 0)
		return fd;
	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	slot->fd = fd;
	slot->connecting = !connected;
	slot->rest_length = 0;
	return connected ? TRANSPORT_DONE : TRANSPORT_PENDING;
}

static int readiness_send(void *made, uint32_t index, const char *bytes, size_t length)
{
	struct readiness *r = made;
	struct slot *slot = &r->slots[index];
	ssize_t rc = send(slot->fd, bytes, length, MSG_NOSIGNAL);

	if (rc < 0 && errno != EAGAIN)
		return -errno;
	if (rc == (ssize_t)length)
		return TRANSPORT_DONE;
	if (rc < 0)
		rc = 0;
	slot->rest = bytes + rc;
	slot->rest_length = length - (size_t)rc;
	return TRANSPORT_PENDING;
}

static void readiness_close(void *made, uint32_t index, enum transport_ending ending)
{
	struct readiness *r = made;
	struct slot *slot = &r->slots[index];
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (slot->fd < 0)
		return;
	if (ending == TRANSPORT_RESET)
		setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(slot->fd);
	slot->fd = -1;
	slot->turn++;
}

/* Go on with what is pending. */
static void send_rest(struct readiness *r, uint32_t index)
{
	struct slot *slot = &r->slots[index];
	const struct transport_client *client = &r->setup.client;
	int rc = readiness_send(r, index, slot->rest, slot->rest_length);

	if (rc < 0) {
		client->received(client->context, index, NULL, 0, rc);
	} else if (rc == TRANSPORT_DONE) {
		slot->rest_length = 0;
		client->sent(client->context, index);
	}
}

/*
 * An edge is told once: read on while there may be more, which is when the buffer was filled, or
 * when the peer has ended, as that makes no further edge.
 */
static void receive(struct readiness *r, uint64_t mark, bool has_ended)
{
	const struct transport_client *client = &r->setup.client;
	uint32_t index = (uint32_t)mark;
	ssize_t rc;

	do {
		rc = recv(r->slots[index].fd, r->bytes, sizeof(r->bytes), 0);
		if (rc > 0)
			client->received(client->context, index, r->bytes, (size_t)rc, 0);
		else if (rc == 0 || errno != EAGAIN)
			client->received(client->context, index, NULL, 0, rc == 0 ? 0 : -errno);
	} while (rc > 0 && (has_ended || rc == (ssize_t)sizeof(r->bytes)) && is_current(r, mark));
}

static void tell(struct readiness *r, const struct epoll_event *event)
{
	const struct transport_client *client = &r->setup.client;
	uint64_t mark = event->data.u64;
	uint32_t index = (uint32_t)mark;
	struct slot *slot = &r->slots[index];

	if (!is_current(r, mark))
		return;
	if (slot->connecting) {
		slot->connecting = false;
		client->connected(client->context, index, net_connect_result(slot->fd));
	} else if (slot->rest_length > 0 && (event->events & EPOLLOUT)) {
		send_rest(r, index);
	}
	if ((event->events & ~EPOLLOUT) && is_current(r, mark) && !slot->connecting)
		receive(r, mark, event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

static int readiness_wait(void *made, int64_t timeout_ns, int64_t *woke_ns)
{
	struct readiness *r = made;
	struct epoll_event events[EVENTS_AT_ONCE];
	struct timespec timeout = clock_timespec(timeout_ns);
	int count = epoll_pwait2(r->epoll_fd, events, EVENTS_AT_ONCE, &timeout, NULL);

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	if (count > 0)
		*woke_ns = clock_now_ns();
	for (int i = 0; i < count; i++)
		tell(r, &events[i]);
	return count;
}

const struct transport transport_epoll = {
	.name = "epoll",
	.create = readiness_create,
	.destroy = readiness_destroy,
	.open = readiness_open,
	.send = readiness_send,
	.close = readiness_close,
	.wait = readiness_wait,
};
