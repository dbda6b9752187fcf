/*
 * An io_uring, and a pool of buffers that the kernel receives into: it takes one when bytes have
 * come, so who waits for bytes holds none. For one thread, which alone may use it.
 */
#pragma once
#include <liburing.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* A buffer that the kernel has filled; bytes [at, end) of it were not taken yet. */
struct ring_chunk {
	struct ring_chunk *next;
	uint32_t at;
	uint32_t end;
};

/* Chunks in the order in which they came. Empty when zeroed. */
struct ring_queue {
	struct ring_chunk *first;
	struct ring_chunk *last;
};

struct ring {
	struct io_uring io;
	struct io_uring_buf_ring *pool; /* what the kernel may fill; the bytes are behind it */
	char *bytes;
	struct ring_chunk *chunks;
};

/*
 * Set up the ring and its pool. Returns 0, or -errno with a line on stderr that names cause and
 * remedy: a kernel before Linux 6.1, or one where io_uring is forbidden.
 */
int ring_open(struct ring *ring);

/* Free it all; what is in flight is cancelled. */
void ring_close(struct ring *ring);

/*
 * An empty submission that will complete with `user_data`. What it points to must last until it is
 * submitted; if there is no room, those before it are submitted now.
 */
struct io_uring_sqe *ring_sqe(struct ring *ring, uint64_t user_data);

/* Prepare to receive on `fd` into the pool, until an error, the end, or -ENOBUFS: it is empty. */
void ring_prepare_receive(struct io_uring_sqe *sqe, int fd);

/* Append what was received to the queue, if anything was. */
void ring_queue_push(struct ring *ring, struct ring_queue *queue, int result, unsigned flags);

/* Move bytes from the queue into `space`, and emptied buffers to the pool. Returns how many. */
size_t ring_queue_take(struct ring *ring, struct ring_queue *queue, struct iovec space);

/* Give all of the queue back to the pool. */
void ring_queue_clear(struct ring *ring, struct ring_queue *queue);
