/*
 * Completion: one io_uring. What a turn of the engine wants sent is handed over by the same system
 * call that waits for what comes next, so a request costs its share of one call instead of two.
 * Receiving is asked for once a connection, and goes on by itself. Registered descriptors would
 * save 2 % more at the most, and cost a call for each connection.
 *
 * Source: Axboe, "Efficient IO with io_uring", 2019.
 */
#include "common/clock.h"
#include "loadgen/engine/operations.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/param.h>
#include <unistd.h>

enum {
	SUBMISSIONS_MIN = 64, /* few, so that they stay in the cache */
	SUBMISSIONS_MAX = 1024,
	COMPLETIONS_A_SLOT = 4,   /* there is room for all that may come at once */
	SILENT_BYTES_MAX = 65536, /* what is longer is PENDING */
};

static int completion_send(void *made, uint32_t index, const char *bytes, size_t length)
{
	struct operations *u = made;
	struct slot *slot = &u->slots[index];

	if (slot->send_round == u->round) { /* has the one before been sent? */
		operations_submit(u);
		operations_look(u);
	}
	if (u->failure)
		return u->failure;
	if (slot->sending) {
		slot->held = bytes;
		slot->held_length = length;
		return TRANSPORT_PENDING;
	}
	slot->rest = bytes;
	slot->rest_length = length;
	slot->tells = length > SILENT_BYTES_MAX;
	if (slot->tells)
		operations_send_rest(u, index);
	else
		operations_send(u, index);
	return slot->tells ? TRANSPORT_PENDING : TRANSPORT_DONE;
}

/* Life of a connection */

static int completion_open(void *made, uint32_t index)
{
	struct operations *u = made;
	struct slot *slot = &u->slots[index];
	bool connected = false;
	int fd = u->failure ? u->failure : transport_connect(&u->setup, index, &connected);

	if (fd < 0)
		return fd;
	*slot = (struct slot){ .fd = fd, .turn = slot->turn, .send_round = u->round - 1 };
	if (connected)
		operations_receive(u, index);
	else
		operations_connect(u, index);
	return connected ? TRANSPORT_DONE : TRANSPORT_PENDING;
}

/*
 * Operations in flight keep the socket alive, so closing its descriptor would end nothing. What
 * ends the connection here ends them as well: a connect() to no address, which sends a RST, or
 * shutdown(). Those that are not handed over yet are first, as the descriptor will be another's.
 */
static void completion_close(void *made, uint32_t index, enum transport_ending ending)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	static const struct linger reset = { .l_onoff = 1 };
	struct operations *u = made;
	struct slot *slot = &u->slots[index];

	if (slot->fd < 0)
		return;
	if (slot->round == u->round)
		operations_submit(u);
	if (ending == TRANSPORT_FIN)
		shutdown(slot->fd, SHUT_RDWR);
	else if (connect(slot->fd, &nowhere, sizeof(nowhere)) != 0) {
		/* A Unix socket: the receive that is armed keeps it, unless it is ended. */
		setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		shutdown(slot->fd, SHUT_RDWR);
	}
	close(slot->fd);
	slot->fd = -1;
	slot->turn++;
}

/* Completions */

static void on_connect(struct operations *u, uint32_t index, int result)
{
	const struct transport_client *client = &u->setup.client;
	int error = result;

	if (result >= 0)
		error = result & (POLLERR | POLLHUP) ? net_connect_result(u->slots[index].fd) : 0;
	if (error == 0)
		operations_receive(u, index);
	client->connected(client->context, index, error);
}

/* The rest has come so far, or failed. */
static void on_send(struct operations *u, uint32_t index, int result)
{
	const struct transport_client *client = &u->setup.client;
	struct slot *slot = &u->slots[index];
	bool tells = slot->tells;

	if (result < 0 && result != -EAGAIN) {
		client->received(client->context, index, NULL, 0, result);
		return;
	}
	if (result > 0) {
		slot->rest += result;
		slot->rest_length -= (size_t)result;
	}
	if (slot->rest_length == 0) {
		slot->sending = false;
		slot->rest = slot->held;
		slot->rest_length = slot->held_length;
		slot->tells = true;
		slot->held_length = 0;
	}
	if (slot->rest_length > 0)
		operations_send_rest(u, index);
	if (!slot->sending && tells)
		client->sent(client->context, index);
}

static void on_receive(struct operations *u, const struct io_uring_cqe *cqe)
{
	const struct transport_client *client = &u->setup.client;
	uint32_t index = operations_slot(cqe->user_data);
	bool is_over = cqe->res <= 0 && cqe->res != -ENOBUFS;

	if (cqe->res > 0)
		client->received(client->context, index, pool_bytes(&u->pool, cqe),
				 (size_t)cqe->res, 0);
	else if (is_over)
		client->received(client->context, index, NULL, 0, cqe->res);
	if (!is_over && !(cqe->flags & IORING_CQE_F_MORE) &&
	    operations_is_current(u, cqe->user_data))
		operations_receive(u, index); /* there was no room in the pool */
}

static void on_completion(struct operations *u, const struct io_uring_cqe *cqe)
{
	uint64_t mark = cqe->user_data;

	if (operations_is_current(u, mark)) {
		switch (operations_kind(mark)) {
		case OPERATION_CONNECT:
			on_connect(u, operations_slot(mark), cqe->res);
			break;
		case OPERATION_RECEIVE:
			on_receive(u, cqe);
			break;
		case OPERATION_SEND:
		case OPERATION_SEND_REST:
			on_send(u, operations_slot(mark), cqe->res);
			break;
		}
	}
	if (cqe->flags & IORING_CQE_F_BUFFER)
		pool_release(&u->pool, cqe);
}

static int hand_over_and_wait(struct operations *u, int64_t timeout_ns)
{
	struct __kernel_timespec timeout = { .tv_sec = timeout_ns / NS_PER_S,
					     .tv_nsec = timeout_ns % NS_PER_S };
	struct io_uring_cqe *cqe;

	if (timeout_ns <= 0)
		return io_uring_submit_and_get_events(&u->io);
	return io_uring_submit_and_wait_timeout(&u->io, &cqe, 1, &timeout, NULL);
}

/* Returns how many. Some may make more of them meanwhile. */
static int tell_all(struct operations *u)
{
	struct io_uring_cqe *cqe;
	unsigned head;
	int count = 0;

	io_uring_for_each_cqe(&u->io, head, cqe)
	{
		if (u->looked == head) /* it came meanwhile */
			u->looked++;
		on_completion(u, cqe);
		count++;
	}
	io_uring_cq_advance(&u->io, (unsigned)count);
	return count;
}

static int completion_wait(void *made, int64_t timeout_ns, int64_t *woke_ns)
{
	struct operations *u = made;
	int rc = u->failure ? u->failure : hand_over_and_wait(u, timeout_ns);

	if (rc < 0 && rc != -ETIME && rc != -EINTR && rc != -EAGAIN && rc != -EBUSY)
		return rc;
	if (io_uring_cq_ready(&u->io) > 0)
		*woke_ns = clock_now_ns();
	operations_look(u);
	if (io_uring_sq_ready(&u->io) == 0)
		u->round++;
	return tell_all(u);
}

/*
 * The kernel takes the ring apart when this has returned, and some ms later ends one call in which
 * the thread waits with EINTR, as a signal would.
 */
static void completion_destroy(void *made)
{
	struct operations *u = made;

	for (uint32_t i = 0; i < u->setup.slots; i++)
		completion_close(u, i, TRANSPORT_FIN);
	io_uring_queue_exit(&u->io);
	pool_close(&u->pool);
	free(u->slots);
	free(u);
}

/* By the thread that will use it: the kernel takes operations from no other. */
static int completion_create(const struct transport_setup *setup, void **made)
{
	struct io_uring_params params = {
		/* One thread, which gets its completions when it asks for them: no interrupts. */
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
		.cq_entries = COMPLETIONS_A_SLOT * (setup->slots + POOL_CHUNKS),
	};
	unsigned entries = MIN(MAX(setup->slots, SUBMISSIONS_MIN), SUBMISSIONS_MAX);
	struct operations *u = calloc(1, sizeof(*u));
	int rc = -ENOMEM;

	if (!u)
		return rc;
	u->setup = *setup;
	u->round = 1;
	u->slots = calloc(setup->slots, sizeof(*u->slots));
	if (!u->slots)
		goto free_it;
	for (uint32_t i = 0; i < setup->slots; i++)
		u->slots[i].fd = -1;
	rc = io_uring_queue_init_params(entries, &u->io, &params);
	if (rc != 0)
		goto free_slots;
	rc = pool_open(&u->pool, &u->io);
	if (rc != 0)
		goto exit_ring;
	io_uring_register_ring_fd(&u->io); /* saves its look-up with each call */
	*made = u;
	return 0;
exit_ring:
	io_uring_queue_exit(&u->io);
free_slots:
	free(u->slots);
free_it:
	free(u);
	return rc;
}

const struct transport transport_uring = {
	.name = "uring",
	.create = completion_create,
	.destroy = completion_destroy,
	.open = completion_open,
	.send = completion_send,
	.close = completion_close,
	.wait = completion_wait,
};
