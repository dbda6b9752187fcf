#include "servers/ring.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

enum {
	SUBMISSIONS = 1024,
	COMPLETIONS = 8192, /* more of them wait in the kernel: none is lost */
	CHUNKS = 1024,      /* a power of two */
	CHUNK_BYTES = 4096,
	POOL = 0, /* the only group of buffers */
};

static const size_t pool_bytes = CHUNKS * (sizeof(struct io_uring_buf) + CHUNK_BYTES);

static void explain(int error)
{
	struct utsname kernel;

	switch (error) {
	case EPERM:
		fprintf(stderr, "cwt-server: io_uring is forbidden here: set sysctl "
				"kernel.io_uring_disabled=0, or allow it in the container's "
				"seccomp profile\n");
		break;
	case ENOSYS:
		fprintf(stderr, "cwt-server: there is no io_uring here: it needs a kernel with "
				"CONFIG_IO_URING, and a seccomp profile that allows it\n");
		break;
	case EINVAL:
		uname(&kernel);
		fprintf(stderr,
			"cwt-server: io_uring here lacks what is needed: Linux 6.1 or later"
			" (this is %s)\n",
			kernel.release);
		break;
	default:
		fprintf(stderr, "cwt-server: io_uring cannot be set up: %s\n", strerror(error));
		break;
	}
}

static void give(struct ring *ring, struct ring_chunk *chunk)
{
	ptrdiff_t id = chunk - ring->chunks;

	io_uring_buf_ring_add(ring->pool, ring->bytes + id * CHUNK_BYTES, CHUNK_BYTES,
			      (unsigned short)id, io_uring_buf_ring_mask(CHUNKS), 0);
	io_uring_buf_ring_advance(ring->pool, 1);
}

static int open_pool(struct ring *ring)
{
	struct io_uring_buf_reg registration = { .ring_entries = CHUNKS, .bgid = POOL };
	int rc;

	ring->chunks = calloc(CHUNKS, sizeof(*ring->chunks));
	if (!ring->chunks)
		return -ENOMEM;
	ring->pool =
		mmap(NULL, pool_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring->pool == MAP_FAILED) {
		rc = -errno;
		goto free_chunks;
	}
	ring->bytes = (char *)(ring->pool->bufs + CHUNKS);
	registration.ring_addr = (uintptr_t)ring->pool;
	rc = io_uring_register_buf_ring(&ring->io, &registration, 0);
	if (rc != 0)
		goto unmap;
	io_uring_buf_ring_init(ring->pool);
	for (int i = 0; i < CHUNKS; i++)
		give(ring, &ring->chunks[i]);
	return 0;
unmap:
	munmap(ring->pool, pool_bytes);
free_chunks:
	free(ring->chunks);
	return rc;
}

int ring_open(struct ring *ring)
{
	struct io_uring_params params = {
		/* One thread, which gets its completions when it asks for them: no interrupts. */
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
		.cq_entries = COMPLETIONS,
	};
	int rc = io_uring_queue_init_params(SUBMISSIONS, &ring->io, &params);

	if (rc == 0) {
		rc = open_pool(ring);
		if (rc != 0)
			io_uring_queue_exit(&ring->io);
	}
	if (rc != 0) {
		explain(-rc);
		return rc;
	}
	io_uring_register_ring_fd(&ring->io); /* saves its look-up with each call */
	return 0;
}

void ring_close(struct ring *ring)
{
	io_uring_queue_exit(&ring->io);
	munmap(ring->pool, pool_bytes);
	free(ring->chunks);
}

struct io_uring_sqe *ring_sqe(struct ring *ring, uint64_t user_data)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&ring->io)))
		io_uring_submit(&ring->io);
	io_uring_sqe_set_data64(sqe, user_data);
	return sqe;
}

void ring_prepare_receive(struct io_uring_sqe *sqe, int fd)
{
	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = POOL;
}

void ring_queue_push(struct ring *ring, struct ring_queue *queue, int result, unsigned flags)
{
	struct ring_chunk *chunk;

	if (!(flags & IORING_CQE_F_BUFFER))
		return;
	chunk = &ring->chunks[flags >> IORING_CQE_BUFFER_SHIFT];
	if (result <= 0) {
		give(ring, chunk);
		return;
	}
	*chunk = (struct ring_chunk){ .end = (uint32_t)result };
	if (queue->first)
		queue->last->next = chunk;
	else
		queue->first = chunk;
	queue->last = chunk;
}

size_t ring_queue_take(struct ring *ring, struct ring_queue *queue, struct iovec space)
{
	struct ring_chunk *chunk;
	size_t taken = 0;

	while ((chunk = queue->first) && taken < space.iov_len) {
		size_t length = chunk->end - chunk->at;

		if (length > space.iov_len - taken)
			length = space.iov_len - taken;
		memcpy((char *)space.iov_base + taken,
		       ring->bytes + (chunk - ring->chunks) * CHUNK_BYTES + chunk->at, length);
		taken += length;
		chunk->at += (uint32_t)length;
		if (chunk->at < chunk->end)
			break;
		queue->first = chunk->next;
		give(ring, chunk);
	}
	return taken;
}

void ring_queue_clear(struct ring *ring, struct ring_queue *queue)
{
	while (queue->first) {
		struct ring_chunk *chunk = queue->first;

		queue->first = chunk->next;
		give(ring, chunk);
	}
}
