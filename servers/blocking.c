#include "servers/blocking.h"
#include "common/clock.h"
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

void blocking_init(struct blocking *blocking, struct blocking_own *own, const struct server *server,
		   const atomic_bool *stopping)
{
	*own = (struct blocking_own){ .upstream = { .address = &server->upstream } };
	blocking->server = server;
	blocking->calls = &blocking_calls;
	blocking->stopping = stopping;
	blocking->upstream = &own->upstream;
	blocking->buffers = &own->buffers;
	pthread_mutex_init(&blocking->lock, NULL);
	atomic_init(&blocking->idle_fd, -1);
}

void blocking_end(struct blocking *blocking)
{
	upstream_end(blocking->upstream);
	pthread_mutex_destroy(&blocking->lock);
}

void blocking_wake_self(struct blocking *blocking)
{
	if (atomic_load(&blocking->idle_fd) >= 0)
		shutdown(atomic_load(&blocking->idle_fd), SHUT_RD);
}

void blocking_wake(struct blocking *blocking)
{
	pthread_mutex_lock(&blocking->lock);
	blocking_wake_self(blocking);
	pthread_mutex_unlock(&blocking->lock);
}

/* Calls that block the thread: a socket's own timeout bounds each. */

/* A socket's timeout shows as EAGAIN. */
static ssize_t outcome(ssize_t rc)
{
	if (rc >= 0)
		return rc;
	return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
}

static int block_open(struct blocking *blocking, int fd)
{
	int64_t patience = blocking->server->client_patience_ns;

	net_set_timeout(fd, SO_RCVTIMEO, patience);
	net_set_timeout(fd, SO_SNDTIMEO, patience);
	return 0;
}

/* The thread has its buffers for good. */
static int block_await(struct blocking *blocking, int fd, int64_t patience_ns)
{
	(void)blocking;
	(void)fd;
	(void)patience_ns;
	return 0;
}

static ssize_t block_read(struct blocking *blocking, int fd, void *bytes, size_t length,
			  int64_t patience_ns)
{
	ssize_t rc;

	(void)blocking;
	(void)patience_ns; /* the socket knows it */
	do
		rc = outcome(net_read(fd, bytes, length));
	while (rc == -EINTR);
	return rc;
}

static ssize_t block_write(struct blocking *blocking, int fd, const struct iovec *vectors,
			   int count, int64_t patience_ns)
{
	ssize_t rc;

	(void)blocking;
	(void)patience_ns;
	do
		rc = outcome(net_write(fd, vectors, count));
	while (rc == -EINTR);
	return rc;
}

static int block_connect(struct blocking *blocking, struct upstream_link **link)
{
	return upstream_open(blocking->upstream, blocking->server->backend_patience_ns, link);
}

static void block_sleep(struct blocking *blocking, int64_t ns)
{
	int64_t due_ns = clock_now_ns() + ns;

	(void)blocking;
	while (clock_sleep_until(due_ns) == -EINTR)
		;
}

/* The kernel sees to that. */
static void block_turn(struct blocking *blocking)
{
	(void)blocking;
}

static void block_forget(struct blocking *blocking, int fd)
{
	(void)blocking;
	(void)fd;
}

const struct blocking_calls blocking_calls = {
	.open = block_open,
	.await = block_await,
	.read = block_read,
	.write = block_write,
	.connect = block_connect,
	.sleep = block_sleep,
	.turn = block_turn,
	.forget = block_forget,
};

/* Steps */

/*
 * How long the read at hand may take. A head that comes in pieces, and a client that takes its
 * time to close, have less than the usual left.
 */
int64_t line_patience_ns(struct line *line)
{
	int64_t left = line->blocking->server->client_patience_ns;

	switch (conn_patience(&line->conn)) {
	case CONN_PATIENCE_LINGER:
		if (left > SERVER_LINGER_NS)
			left = SERVER_LINGER_NS;
		/* fall through */
	case CONN_PATIENCE_HEAD:
		if (line->since_patience != conn_patience(&line->conn))
			line->since_ns = clock_now_ns();
		left += line->since_ns - clock_now_ns();
		break;
	default:
		break;
	}
	line->since_patience = conn_patience(&line->conn);
	return left > 0 ? left : 1;
}

static ssize_t read_client(struct line *line)
{
	struct blocking *blocking = line->blocking;
	bool idle = conn_is_idle(&line->conn);
	int64_t patience = line_patience_ns(line);
	struct iovec space;
	ssize_t rc = 0;

	if (patience != line->patience_ns)
		net_set_timeout(line->fd, SO_RCVTIMEO, patience);
	line->patience_ns = patience;
	if (idle) {
		/* Either we see `stopping`, or blocking_wake() sees idle_fd. */
		atomic_store(&blocking->idle_fd, line->fd);
		if (atomic_load(blocking->stopping))
			shutdown(line->fd, SHUT_RD);
	}
	if (idle)
		rc = blocking->calls->await(blocking, line->fd, patience);
	if (rc == 0) {
		space = conn_space(&line->conn);
		rc = -ENOMEM;
		if (space.iov_len > 0)
			rc = blocking->calls->read(blocking, line->fd, space.iov_base,
						   space.iov_len, patience);
	}
	if (idle)
		atomic_store(&blocking->idle_fd, -1);
	return rc;
}

static ssize_t read_backend(struct line *line)
{
	struct blocking *blocking = line->blocking;
	struct iovec space = conn_space(&line->conn);

	if (space.iov_len == 0)
		return -ENOMEM;
	return blocking->calls->read(blocking, line->link->fd, space.iov_base, space.iov_len,
				     blocking->server->backend_patience_ns);
}

static void drop_link(struct line *line)
{
	if (!line->link)
		return;
	line->blocking->calls->forget(line->blocking, line->link->fd);
	upstream_close(line->link);
	line->link = NULL;
}

static ssize_t call_backend(struct line *line)
{
	struct blocking *blocking = line->blocking;

	while (!line->conn.call_afresh && (line->link = upstream_take(blocking->upstream))) {
		if (upstream_is_quiet(line->link))
			return 1;
		drop_link(line);
	}
	line->link = NULL;
	return blocking->calls->connect(blocking, &line->link);
}

ssize_t line_step(struct line *line, enum conn_step step)
{
	struct conn *conn = &line->conn;
	struct blocking *blocking = line->blocking;
	const struct server *server = blocking->server;

	switch (step) {
	case CONN_READ:
		return read_client(line);
	case CONN_WRITE:
		return blocking->calls->write(blocking, line->fd, conn->out, conn->out_count,
					      server->client_patience_ns);
	case CONN_WORK:
		blocking->calls->turn(blocking);
		work_do(&conn->work, conn->memory);
		return 0;
	case CONN_WAIT:
		blocking->calls->sleep(blocking, conn->wait_ns);
		return 0;
	case CONN_CALL:
		return call_backend(line);
	case CONN_CALL_READ:
		return read_backend(line);
	case CONN_CALL_WRITE:
		return blocking->calls->write(blocking, line->link->fd, conn->out, conn->out_count,
					      server->backend_patience_ns);
	case CONN_CALL_KEEP:
		upstream_keep(blocking->upstream, line->link);
		line->link = NULL;
		return 0;
	case CONN_CALL_DROP:
		drop_link(line);
		return 0;
	case CONN_SHUTDOWN:
		shutdown(line->fd, SHUT_WR);
		return 0;
	case CONN_CLOSE:
		break;
	}
	return 0;
}

int line_open(struct line *line, struct blocking *blocking, int fd)
{
	int rc = blocking->calls->open(blocking, fd);

	if (rc != 0) {
		close(fd);
		return rc;
	}
	*line = (struct line){ .blocking = blocking,
			       .fd = fd,
			       .patience_ns = blocking->server->client_patience_ns };
	net_tune(fd);
	conn_begin(&line->conn, &blocking->server->service, blocking->buffers,
		   server_seed(blocking->server));
	return 0;
}

void line_close(struct line *line)
{
	struct blocking *blocking = line->blocking;

	conn_end(&line->conn);
	drop_link(line);
	blocking->calls->forget(blocking, line->fd);
	pthread_mutex_lock(&blocking->lock);
	close(line->fd);
	pthread_mutex_unlock(&blocking->lock);
}

void blocking_serve(struct blocking *blocking, int fd)
{
	struct line line;
	enum conn_step step;

	if (line_open(&line, blocking, fd) != 0)
		return;
	while ((step = conn_next(&line.conn)) != CONN_CLOSE) {
		ssize_t result = line_step(&line, step);

		if (atomic_load_explicit(blocking->stopping, memory_order_relaxed))
			conn_stop(&line.conn);
		conn_done(&line.conn, result);
	}
	line_close(&line);
}
