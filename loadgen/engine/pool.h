/*
 * The memory that an io_uring receives into: the kernel takes a chunk of it when bytes have come,
 * so that a connection that waits for bytes holds none, and a few chunks do for all.
 */
#pragma once
#include <liburing.h>

enum {
	POOL_GROUP = 0, /* the number by which a submission names the pool */
	/* Together they stay in the cache; each is long, so that a long reply has few pieces. */
	POOL_CHUNKS = 64, /* a power of two */
	POOL_CHUNK_BYTES = 16384,
};

struct pool {
	struct io_uring_buf_ring *ring; /* what the kernel may fill; the bytes are behind it */
	char *bytes;
};

/* Register a new pool with the ring. Returns 0 or -errno; the caller closes it. */
int pool_open(struct pool *pool, struct io_uring *io);

/* Free the memory. The ring must be gone by then. */
void pool_close(struct pool *pool);

/* The bytes of a completion that has some (IORING_CQE_F_BUFFER). They last until pool_release(). */
const char *pool_bytes(const struct pool *pool, const struct io_uring_cqe *cqe);

/* They are done with. */
void pool_release(struct pool *pool, const struct io_uring_cqe *cqe);
