/*
 * pool: t threads, each of which accepts a connection and serves it to its end, blocking wherever
 * there is something to wait for. Connection t + 1 waits, unaccepted, until one of the first t
 * closes.
 *
 * Cost per request: one context switch for each wait; system calls: read and write, and with a
 * backend call a read and a write more. A thread costs its stack and, mostly, what the kernel
 * keeps for it.
 *
 * Source: the threaded server of McGranaghan 2010; Apache's worker MPM.
 */
#include "servers/arch/arch.h"
#include "servers/blocking.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAUSE_US = 10000 };

struct worker {
	struct pool *pool;
	pthread_t thread;
	struct blocking blocking;
};

struct pool {
	const struct server *server;
	atomic_bool stopping;
	struct worker *workers;
	int64_t started;
};

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct pool *pool = worker->pool;
	_Alignas(void *) char buffers[2][CONN_BUFFER]; /* all that a connection can hold */

	prctl(PR_SET_TIMERSLACK, 1);
	conn_buffers_add(&worker->blocking.buffers, buffers[0]);
	conn_buffers_add(&worker->blocking.buffers, buffers[1]);
	while (!atomic_load(&pool->stopping)) {
		int fd = accept4(pool->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		enum server_accept next;

		if (fd >= 0) {
			blocking_serve(&worker->blocking, fd);
			continue;
		}
		next = server_accept_failed(errno);
		if (next == SERVER_ACCEPT_END)
			break;
		if (next == SERVER_ACCEPT_PAUSE)
			usleep(PAUSE_US);
	}
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
		blocking_init(&worker->blocking, pool->server, &pool->stopping);
		rc = pthread_create(&worker->thread, &attributes, work, worker);
		if (rc == 0)
			pool->started++;
		else
			blocking_end(&worker->blocking);
	}
	pthread_attr_destroy(&attributes);
	return -rc;
}

static void stop_workers(struct pool *pool)
{
	atomic_store(&pool->stopping, true);
	shutdown(pool->server->listen_fd, SHUT_RD); /* ends every accept() */
	for (int64_t i = 0; i < pool->started; i++)
		blocking_wake(&pool->workers[i].blocking);
	for (int64_t i = 0; i < pool->started; i++) {
		pthread_join(pool->workers[i].thread, NULL);
		blocking_end(&pool->workers[i].blocking);
	}
	close(pool->server->listen_fd);
}

static int run(const struct server *server)
{
	struct pool pool = { .server = server };
	int rc = -ENOMEM;

	server_block_signals();
	pool.workers = calloc((size_t)server->threads, sizeof(*pool.workers));
	if (pool.workers)
		rc = start_workers(&pool);
	if (rc == 0) {
		server_ready(server);
		server_await_stop();
	} else {
		fprintf(stderr,
			"cwt-server: only %lld of %lld threads could be started: %s (limits: "
			"kernel.threads-max, kernel.pid_max, vm.max_map_count with two maps per "
			"thread, ulimit -u)\n",
			(long long)pool.started, (long long)server->threads, strerror(-rc));
	}
	stop_workers(&pool);
	free(pool.workers);
	return rc;
}

const struct arch arch_pool = {
	.name = "pool",
	.summary = "--threads threads, each serves one connection to its end, blocking",
	.knobs = ARCH_THREADS | ARCH_STACK,
	.run = run,
};
