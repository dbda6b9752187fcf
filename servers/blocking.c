#include "servers/blocking.h"
#include "common/clock.h"
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* One connection being served. */
struct line {
	struct blocking *blocking;
	struct conn conn;
	int fd;
	struct upstream_link *link;
	enum conn_patience since_patience; /* of the last read */
	int64_t since_ns;                  /* when a patience that is not renewed began */
	bool short_patience;               /* the socket's receive timeout is not the usual one */
};

void blocking_init(struct blocking *blocking, const struct server *server,
		   const atomic_bool *stopping)
{
	blocking->server = server;
	blocking->stopping = stopping;
	blocking->upstream = (struct upstream){
		.address = &server->upstream,
		.patience_ns = server->backend_patience_ns,
	};
	blocking->buffers.free = NULL;
	blocking->random = 1;
	pthread_mutex_init(&blocking->lock, NULL);
	atomic_init(&blocking->idle_fd, -1);
}

void blocking_end(struct blocking *blocking)
{
	upstream_end(&blocking->upstream);
	pthread_mutex_destroy(&blocking->lock);
}

void blocking_wake(struct blocking *blocking)
{
	pthread_mutex_lock(&blocking->lock);
	if (atomic_load(&blocking->idle_fd) >= 0)
		shutdown(atomic_load(&blocking->idle_fd), SHUT_RD);
	pthread_mutex_unlock(&blocking->lock);
}

/* A socket's timeout shows as EAGAIN. */
static ssize_t outcome(ssize_t rc)
{
	if (rc >= 0)
		return rc;
	return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
}

/*
 * The socket's own timeout bounds each read. A head that comes in pieces, and a client that takes
 * its time to close, have less than that left.
 */
static void adapt_patience(struct line *line)
{
	int64_t usual = line->blocking->server->client_patience_ns;
	int64_t left = usual;

	switch (conn_patience(&line->conn)) {
	case CONN_PATIENCE_LINGER:
		if (usual > SERVER_LINGER_NS)
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
	if (left == usual && !line->short_patience)
		return;
	net_set_timeout(line->fd, SO_RCVTIMEO, left > 0 ? left : 1);
	line->short_patience = left != usual;
}

static ssize_t read_client(struct line *line)
{
	struct blocking *blocking = line->blocking;
	struct iovec space = conn_space(&line->conn);
	bool idle = conn_is_idle(&line->conn);
	ssize_t rc;

	if (space.iov_len == 0)
		return -ENOMEM;
	adapt_patience(line);
	if (idle) {
		/* Either we see `stopping`, or blocking_wake() sees idle_fd. */
		atomic_store(&blocking->idle_fd, line->fd);
		if (atomic_load(blocking->stopping))
			shutdown(line->fd, SHUT_RD);
	}
	rc = outcome(read(line->fd, space.iov_base, space.iov_len));
	if (idle)
		atomic_store(&blocking->idle_fd, -1);
	return rc;
}

static ssize_t read_backend(struct line *line)
{
	struct iovec space = conn_space(&line->conn);

	return space.iov_len > 0 ? outcome(read(line->link->fd, space.iov_base, space.iov_len))
				 : -ENOMEM;
}

static void drop_link(struct line *line)
{
	if (line->link)
		upstream_close(line->link);
	line->link = NULL;
}

/* Nothing has come on an idle link: neither its end, nor bytes that answer no request. */
static bool is_quiet(const struct upstream_link *link)
{
	char byte;

	return recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static ssize_t call_backend(struct line *line)
{
	struct upstream *upstream = &line->blocking->upstream;

	while (!line->conn.call_afresh && (line->link = upstream_take(upstream))) {
		if (is_quiet(line->link))
			return 1;
		upstream_close(line->link);
	}
	line->link = NULL;
	return upstream_open(upstream, &line->link);
}

static ssize_t carry_out(struct line *line, enum conn_step step)
{
	struct conn *conn = &line->conn;

	switch (step) {
	case CONN_READ:
		return read_client(line);
	case CONN_WRITE:
		return outcome(writev(line->fd, conn->out, conn->out_count));
	case CONN_WORK:
		work_do(&conn->service->work);
		return 0;
	case CONN_WAIT:
		clock_sleep_until(clock_now_ns() + conn->wait_ns);
		return 0;
	case CONN_CALL:
		return call_backend(line);
	case CONN_CALL_READ:
		return read_backend(line);
	case CONN_CALL_WRITE:
		return outcome(writev(line->link->fd, conn->out, conn->out_count));
	case CONN_CALL_KEEP:
		upstream_keep(&line->blocking->upstream, line->link);
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

void blocking_serve(struct blocking *blocking, int fd)
{
	struct line line = { .blocking = blocking, .fd = fd };
	int64_t patience = blocking->server->client_patience_ns;
	enum conn_step step;

	net_tune(fd);
	net_set_timeout(fd, SO_RCVTIMEO, patience);
	net_set_timeout(fd, SO_SNDTIMEO, patience);
	conn_begin(&line.conn, &blocking->server->service, &blocking->buffers, &blocking->random);
	while ((step = conn_next(&line.conn)) != CONN_CLOSE) {
		ssize_t result = carry_out(&line, step);

		if (atomic_load_explicit(blocking->stopping, memory_order_relaxed))
			conn_stop(&line.conn);
		conn_done(&line.conn, result);
	}
	conn_end(&line.conn);
	drop_link(&line);
	pthread_mutex_lock(&blocking->lock);
	close(fd);
	pthread_mutex_unlock(&blocking->lock);
}
