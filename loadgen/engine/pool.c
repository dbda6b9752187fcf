#include "loadgen/engine/pool.h"
#include <errno.h>
#include <sys/mman.h>

static const size_t pool_size = POOL_CHUNKS * (sizeof(struct io_uring_buf) + POOL_CHUNK_BYTES);

static unsigned chunk_of(const struct io_uring_cqe *cqe)
{
	return cqe->flags >> IORING_CQE_BUFFER_SHIFT;
}

static char *bytes_of(const struct pool *pool, unsigned chunk)
{
	return pool->bytes + (size_t)chunk * POOL_CHUNK_BYTES;
}

static void give(struct pool *pool, unsigned chunk)
{
	io_uring_buf_ring_add(pool->ring, bytes_of(pool, chunk), POOL_CHUNK_BYTES,
			      (unsigned short)chunk, io_uring_buf_ring_mask(POOL_CHUNKS), 0);
	io_uring_buf_ring_advance(pool->ring, 1);
}

int pool_open(struct pool *pool, struct io_uring *io)
{
	struct io_uring_buf_reg registration = { .ring_entries = POOL_CHUNKS, .bgid = POOL_GROUP };
	int rc;

	pool->ring =
		mmap(NULL, pool_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool->ring == MAP_FAILED)
		return -errno;
	pool->bytes = (char *)(pool->ring->bufs + POOL_CHUNKS);
	registration.ring_addr = (uintptr_t)pool->ring;
	rc = io_uring_register_buf_ring(io, &registration, 0);
	if (rc != 0) {
		munmap(pool->ring, pool_size);
		return rc;
	}
	io_uring_buf_ring_init(pool->ring);
	for (unsigned i = 0; i < POOL_CHUNKS; i++)
		give(pool, i);
	return 0;
}

void pool_close(struct pool *pool)
{
	munmap(pool->ring, pool_size);
}

const char *pool_bytes(const struct pool *pool, const struct io_uring_cqe *cqe)
{
	return bytes_of(pool, chunk_of(cqe));
}

void pool_release(struct pool *pool, const struct io_uring_cqe *cqe)
{
	give(pool, chunk_of(cqe));
}
