#include "loadgen/engine/operations.h"
#include <errno.h>
#include <poll.h>
#include <sys/param.h>

enum { OPERATION_BITS = 2, PIECE_BYTES_MAX = 1 << 30 };

static uint64_t mark_of(const struct operations *u, uint32_t index, enum operation operation)
{
	return (uint64_t)index << 32 | (uint32_t)(u->slots[index].turn << OPERATION_BITS) |
	       operation;
}

uint32_t operations_slot(uint64_t mark)
{
	return (uint32_t)(mark >> 32);
}

enum operation operations_kind(uint64_t mark)
{
	return mark & ((1U << OPERATION_BITS) - 1);
}

bool operations_is_current(const struct operations *u, uint64_t mark)
{
	uint32_t index = operations_slot(mark);

	return u->slots[index].fd >= 0 && mark == mark_of(u, index, operations_kind(mark));
}

void operations_submit(struct operations *u)
{
	int rc = io_uring_submit(&u->io);

	if (rc < 0 && rc != -EINTR)
		u->failure = rc;
}

/*
 * An operation to be prepared on the slot's socket. The caller fills it with io_uring_prep_...(),
 * which leave the mark alone. When the ring has failed, it is one that goes nowhere.
 */
static struct io_uring_sqe *begin(struct operations *u, uint32_t index, enum operation operation)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->io);

	if (!sqe) {
		operations_submit(u);
		sqe = io_uring_get_sqe(&u->io);
	}
	if (!sqe) {
		u->failure = u->failure ? u->failure : -EBUSY;
		sqe = &u->nowhere;
	}
	io_uring_sqe_set_data64(sqe, mark_of(u, index, operation));
	u->slots[index].round = u->round;
	return sqe;
}

void operations_connect(struct operations *u, uint32_t index)
{
	io_uring_prep_poll_add(begin(u, index, OPERATION_CONNECT), u->slots[index].fd, POLLOUT);
}

void operations_receive(struct operations *u, uint32_t index)
{
	struct io_uring_sqe *sqe = begin(u, index, OPERATION_RECEIVE);

	io_uring_prep_recv_multishot(sqe, u->slots[index].fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = POOL_GROUP;
}

void operations_send_rest(struct operations *u, uint32_t index)
{
	struct slot *slot = &u->slots[index];
	struct io_uring_sqe *sqe = begin(u, index, OPERATION_SEND_REST);
	size_t length = MIN(slot->rest_length, PIECE_BYTES_MAX);

	io_uring_prep_send(sqe, slot->fd, slot->rest, length, MSG_NOSIGNAL | MSG_WAITALL);
	slot->sending = true;
}

/*
 * All or nothing is silent. MSG_WAITALL makes less than all a failure, which is told even so; and
 * MSG_DONTWAIT makes it one at once.
 */
void operations_send(struct operations *u, uint32_t index)
{
	struct slot *slot = &u->slots[index];
	struct io_uring_sqe *sqe = begin(u, index, OPERATION_SEND);

	io_uring_prep_send(sqe, slot->fd, slot->rest, slot->rest_length,
			   MSG_NOSIGNAL | MSG_WAITALL | MSG_DONTWAIT);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	slot->send_round = u->round;
}

void operations_look(struct operations *u)
{
	struct io_uring_cq *cq = &u->io.cq;
	unsigned tail = io_uring_smp_load_acquire(cq->ktail);

	for (; u->looked != tail; u->looked++) {
		uint64_t mark = cq->cqes[u->looked & *cq->kring_mask].user_data;

		if (operations_kind(mark) == OPERATION_SEND && operations_is_current(u, mark))
			u->slots[operations_slot(mark)].sending = true;
	}
}
