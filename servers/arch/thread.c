/*
 * thread: a thread is created for each connection, serves it to its end, blocking wherever there
 * is something to wait for, and is gone with it. No more than --threads at once; others wait,
 * unaccepted.
 *
 * Cost per request: one context switch for each wait; system calls: recv and send. Cost per
 * connection: a thread's creation and end, and a backend connection of its own; glibc keeps the
 * stacks for the next ones.
 *
 * Source: Lim, "Thread-based or event-based?", where it is the simplest server.
 */
#include "servers/arch/arch.h"
#include "servers/blocking.h"
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAUSE_US = 10000 };

struct threads {
	const struct server *server;
	pthread_attr_t attributes;
	atomic_bool stopping;
	sem_t free; /* how many more there may be */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct session *sessions;
};

/* One connection with its thread. */
struct session {
	struct threads *threads;
	struct session *next;
	struct session **at; /* what points at this session */
	struct blocking blocking;
	struct blocking_own own;
	int fd;
};

static void enlist(struct session *session)
{
	struct threads *threads = session->threads;

	pthread_mutex_lock(&threads->lock);
	session->next = threads->sessions;
	session->at = &threads->sessions;
	if (session->next)
		session->next->at = &session->next;
	threads->sessions = session;
	pthread_mutex_unlock(&threads->lock);
}

static void end_session(struct session *session)
{
	struct threads *threads = session->threads;

	pthread_mutex_lock(&threads->lock);
	*session->at = session->next;
	if (session->next)
		session->next->at = session->at;
	blocking_end(&session->blocking);
	free(session);
	sem_post(&threads->free);
	pthread_cond_signal(&threads->ended);
	pthread_mutex_unlock(&threads->lock);
}

static void *serve(void *arg)
{
	struct session *session = arg;
	_Alignas(void *) char buffers[2][CONN_BUFFER]; /* all that a connection can hold */

	prctl(PR_SET_TIMERSLACK, 1);
	conn_buffers_add(&session->own.buffers, buffers[0]);
	conn_buffers_add(&session->own.buffers, buffers[1]);
	blocking_serve(&session->blocking, session->fd);
	end_session(session);
	return NULL;
}

static int start_session(struct threads *threads, int fd)
{
	struct session *session = calloc(1, sizeof(*session));
	pthread_t thread;
	int rc;

	if (!session) {
		sem_post(&threads->free);
		return -ENOMEM;
	}
	session->threads = threads;
	session->fd = fd;
	blocking_init(&session->blocking, &session->own, threads->server, &threads->stopping);
	enlist(session);
	rc = pthread_create(&thread, &threads->attributes, serve, session);
	if (rc != 0)
		end_session(session);
	return -rc;
}

static void *accept_connections(void *arg)
{
	struct threads *threads = arg;

	for (;;) {
		enum server_accept next = SERVER_ACCEPT_RETRY;
		int fd;
		int rc;

		while (sem_wait(&threads->free) != 0)
			;
		fd = accept4(threads->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			next = server_accept_failed(errno);
			sem_post(&threads->free);
		} else if ((rc = start_session(threads, fd)) != 0) {
			server_complain_of_threads(0, 1, -rc);
			close(fd);
			next = SERVER_ACCEPT_PAUSE;
		}
		if (next == SERVER_ACCEPT_END || atomic_load(&threads->stopping))
			return NULL;
		if (next == SERVER_ACCEPT_PAUSE)
			usleep(PAUSE_US);
	}
}

static void stop_sessions(struct threads *threads)
{
	pthread_mutex_lock(&threads->lock);
	for (struct session *session = threads->sessions; session; session = session->next)
		blocking_wake(&session->blocking);
	while (threads->sessions)
		pthread_cond_wait(&threads->ended, &threads->lock);
	pthread_mutex_unlock(&threads->lock);
}

static int run(const struct server *server)
{
	struct threads threads = { .server = server };
	pthread_t acceptor;
	int rc;

	server_block_signals();
	pthread_mutex_init(&threads.lock, NULL);
	pthread_cond_init(&threads.ended, NULL);
	sem_init(&threads.free, 0, (unsigned)server->threads);
	pthread_attr_init(&threads.attributes);
	pthread_attr_setstacksize(&threads.attributes, (size_t)server->stack_bytes);
	rc = pthread_create(&acceptor, &threads.attributes, accept_connections, &threads);
	pthread_attr_setdetachstate(&threads.attributes, PTHREAD_CREATE_DETACHED);
	if (rc != 0) {
		server_complain_of_threads(0, 1, rc);
	} else {
		server_ready(server);
		server_await_stop();
		atomic_store(&threads.stopping, true);
		shutdown(server->listen_fd, SHUT_RD); /* ends accept() */
		sem_post(&threads.free);
		pthread_join(acceptor, NULL);
		stop_sessions(&threads);
	}
	close(server->listen_fd);
	pthread_attr_destroy(&threads.attributes);
	sem_destroy(&threads.free);
	pthread_cond_destroy(&threads.ended);
	pthread_mutex_destroy(&threads.lock);
	return -rc;
}

const struct arch arch_thread = {
	.name = "thread",
	.summary = "a thread created for each connection, --threads at once",
	.knobs = ARCH_THREADS | ARCH_STACK,
	.run = run,
};
