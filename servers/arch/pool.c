/*
 * pool: t threads, each of which accepts a connection and serves it to its end, blocking wherever
 * there is something to wait for. Connection t + 1 waits, unaccepted, until one of the first t
 * closes. With --accept shared one more thread accepts, and gives each connection to a worker that
 * has none.
 *
 * Cost per request: one context switch for each wait; system calls: recv and send, and for a
 * backend call a look at the link, send and recv more. A thread costs its stack and, mostly, what
 * the kernel keeps for it. With --accept shared, two more switches for a connection.
 *
 * Source: the threaded server of McGranaghan 2010; Apache's worker MPM.
 */
#include "servers/arch/arch.h"
#include "servers/blocking.h"
#include "servers/queue.h"
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAUSE_US = 10000 };

struct worker {
	struct queue_item item; /* in pool->idle */
	struct pool *pool;
	sem_t given; /* a connection, or the end */
	int fd;      /* given, or -1 */
	pthread_t thread;
	struct blocking blocking;
	struct blocking_own own;
};

struct pool {
	const struct server *server;
	atomic_bool stopping;
	struct worker *workers;
	int64_t started;
	struct queue idle; /* workers without a connection: --accept shared */
	pthread_t acceptor;
};

static bool is_shared(const struct pool *pool)
{
	return pool->server->accepts == SERVER_ACCEPTS_SHARED;
}

/* The next connection, or -1 when there will be none. */
static int accept_next(struct pool *pool)
{
	while (!atomic_load(&pool->stopping)) {
		int fd = accept4(pool->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		enum server_accept next;

		if (fd >= 0)
			return fd;
		next = server_accept_failed(errno);
		if (next == SERVER_ACCEPT_END)
			break;
		if (next == SERVER_ACCEPT_PAUSE)
			usleep(PAUSE_US);
	}
	return -1;
}

/* The next connection that the acceptor gives, or -1. */
static int await_next(struct worker *worker)
{
	int fd;

	queue_push(&worker->pool->idle, &worker->item);
	while (sem_wait(&worker->given) != 0)
		;
	fd = worker->fd;
	worker->fd = -1;
	return fd;
}

static void *accept_for_all(void *arg)
{
	struct pool *pool = arg;
	struct queue_item *item;

	while ((item = queue_pop(&pool->idle))) {
		struct worker *worker = (struct worker *)item;

		worker->fd = accept_next(pool);
		if (worker->fd < 0)
			break;
		sem_post(&worker->given);
	}
	return NULL;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct pool *pool = worker->pool;
	_Alignas(void *) char buffers[2][CONN_BUFFER]; /* all that a connection can hold */
	int fd;

	prctl(PR_SET_TIMERSLACK, 1);
	conn_buffers_add(&worker->own.buffers, buffers[0]);
	conn_buffers_add(&worker->own.buffers, buffers[1]);
	while ((fd = is_shared(pool) ? await_next(worker) : accept_next(pool)) >= 0)
		blocking_serve(&worker->blocking, fd);
	return NULL;
}

static int start_workers(struct pool *pool)
{
	pthread_attr_t attributes;
	int rc;

	pthread_attr_init(&attributes);
	rc = pthread_attr_setstacksize(&attributes, (size_t)pool->server->stack_bytes);
	while (rc == 0 && pool->started < pool->server->threads) {
		struct worker *worker = &pool->workers[pool->started];

		worker->pool = pool;
		worker->fd = -1;
		sem_init(&worker->given, 0, 0);
		blocking_init(&worker->blocking, &worker->own, pool->server, &pool->stopping);
		rc = pthread_create(&worker->thread, &attributes, work, worker);
		if (rc == 0)
			pool->started++;
		else
			blocking_end(&worker->blocking);
	}
	if (rc == 0 && is_shared(pool))
		rc = pthread_create(&pool->acceptor, &attributes, accept_for_all, pool);
	pthread_attr_destroy(&attributes);
	return -rc;
}

static void stop_workers(struct pool *pool, bool accepting)
{
	atomic_store(&pool->stopping, true);
	shutdown(pool->server->listen_fd, SHUT_RD); /* ends every accept() */
	queue_close(&pool->idle);
	if (accepting)
		pthread_join(pool->acceptor, NULL);
	for (int64_t i = 0; is_shared(pool) && i < pool->started; i++)
		sem_post(&pool->workers[i].given);
	for (int64_t i = 0; i < pool->started; i++)
		blocking_wake(&pool->workers[i].blocking);
	for (int64_t i = 0; i < pool->started; i++) {
		pthread_join(pool->workers[i].thread, NULL);
		blocking_end(&pool->workers[i].blocking);
		sem_destroy(&pool->workers[i].given);
	}
	close(pool->server->listen_fd);
}

static int run(const struct server *server)
{
	struct pool pool = { .server = server };
	int rc = -ENOMEM;

	server_block_signals();
	queue_init(&pool.idle);
	pool.workers = calloc((size_t)server->threads, sizeof(*pool.workers));
	if (pool.workers)
		rc = start_workers(&pool);
	if (rc == 0) {
		server_ready(server);
		server_await_stop();
	} else {
		server_complain_of_threads(pool.started, server->threads, -rc);
	}
	stop_workers(&pool, rc == 0 && is_shared(&pool));
	queue_destroy(&pool.idle);
	free(pool.workers);
	return rc;
}

const struct arch arch_pool = {
	.name = "pool",
	.summary = "--threads threads, each serves one connection to its end, blocking",
	.knobs = ARCH_THREADS | ARCH_STACK | ARCH_ACCEPT,
	.run = run,
};
