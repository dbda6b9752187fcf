/*
 * Drives a conn with calls that block: a connection is a straight line of code on a thread of its
 * own, from accept to close.
 */
#pragma once
#include "servers/conn.h"
#include "servers/server.h"
#include "servers/upstream.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* What one thread needs to serve connections one after the other. */
struct blocking {
	const struct server *server;
	const atomic_bool *stopping;
	struct upstream upstream;
	struct conn_buffers buffers;
	uint64_t random;
	pthread_mutex_t lock; /* of idle_fd, against its being closed */
	atomic_int idle_fd;   /* the connection that waits for its next request, or -1 */
};

void blocking_init(struct blocking *blocking, const struct server *server,
		   const atomic_bool *stopping);

/* Serve the connection `fd` to its end and close it. */
void blocking_serve(struct blocking *blocking, int fd);

/*
 * From another thread, once *stopping is set: end the wait of a connection that is between
 * requests. One that has a request in hand ends after it by itself.
 */
void blocking_wake(struct blocking *blocking);

void blocking_end(struct blocking *blocking);
