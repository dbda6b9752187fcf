/*
 * Drives a conn with calls that block: a connection is a straight line of code, from accept to
 * close. What "block" means is up to a small table: the calling thread waits in the kernel
 * (blocking_calls), or its coroutine makes way for another (arch/coroutine.c).
 */
#pragma once
#include "servers/conn.h"
#include "servers/server.h"
#include "servers/upstream.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct blocking;

/* All return -errno for a failure, and -ETIMEDOUT when patience is over. */
struct blocking_calls {
	/* A connection was accepted: get it ready for these calls. */
	int (*open)(struct blocking *blocking, int fd);
	/* Between requests: wait until there is something to read, if that holds no buffer then. */
	int (*await)(struct blocking *blocking, int fd, int64_t patience_ns);
	/* Bytes read, 0 at the end of input. Each fd has a patience: see blocking.c. */
	ssize_t (*read)(struct blocking *blocking, int fd, void *bytes, size_t length,
			int64_t patience_ns);
	ssize_t (*write)(struct blocking *blocking, int fd, const struct iovec *vectors, int count,
			 int64_t patience_ns);
	/* A new connection to the backend, in *link. */
	int (*connect)(struct blocking *blocking, struct upstream_link **link);
	void (*sleep)(struct blocking *blocking, int64_t ns);
	/* A request's work is next: let others have their turn. */
	void (*turn)(struct blocking *blocking);
	/* The descriptor is about to be closed. */
	void (*forget)(struct blocking *blocking, int fd);
};

extern const struct blocking_calls blocking_calls;

/* What one thread, or coroutine, needs to serve connections one after the other. */
struct blocking {
	const struct server *server;
	const struct blocking_calls *calls;
	const atomic_bool *stopping;
	struct upstream *upstream;
	struct conn_buffers *buffers;
	pthread_mutex_t lock; /* of idle_fd, against its being closed */
	atomic_int idle_fd;   /* the connection that waits for its next request, or -1 */
};

/* What a thread that shares nothing has for itself. */
struct blocking_own {
	struct upstream upstream;
	struct conn_buffers buffers;
};

/* For a thread with `own`; both stay where they are. */
void blocking_init(struct blocking *blocking, struct blocking_own *own, const struct server *server,
		   const atomic_bool *stopping);

/* Serve the connection `fd` to its end and close it. */
void blocking_serve(struct blocking *blocking, int fd);

/*
 * From another thread, once *stopping is set: end the wait of a connection that is between
 * requests. One that has a request in hand ends after it by itself.
 */
void blocking_wake(struct blocking *blocking);

/* The same from a signal handler of the thread that serves. */
void blocking_wake_self(struct blocking *blocking);

/* Close what is kept for the next connection. */
void blocking_end(struct blocking *blocking);

/* One connection being served. */
struct line {
	struct blocking *blocking; /* of the thread that has it in hand */
	struct conn conn;
	int fd;
	struct upstream_link *link;
	enum conn_patience since_patience; /* of the last read */
	int64_t since_ns;                  /* when a patience that is not renewed began */
	int64_t patience_ns;               /* of the last read: what the socket was told */
};

/* Begin with the connection `fd`. Returns 0 or -errno; then the descriptor is closed. */
int line_open(struct line *line, struct blocking *blocking, int fd);

/* How long the read at hand may take from now on. */
int64_t line_patience_ns(struct line *line);

/* Carry out one step. Returns what conn_done() is to be told. */
ssize_t line_step(struct line *line, enum conn_step step);

/* Give back all that it holds, and close. */
void line_close(struct line *line);
