/*
 * process: a process is forked for each connection, serves it to its end, blocking wherever there
 * is something to wait for, and is gone with it. No more than --threads at once; others wait,
 * unaccepted.
 *
 * Cost per request: one context switch for each wait; system calls: recv and send. Cost per
 * connection: a fork, with the copying of page tables and of each page that is written to, an
 * exit, a SIGCHLD and a wait; and a backend connection of its own.
 *
 * Source: the servers before 2000 (NCSA httpd, inetd); what Apache's prefork MPM saves by forking
 * beforehand.
 */
#include "servers/arch/arch.h"
#include "servers/blocking.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAUSE_MS = 10 };

static atomic_bool stopping;
static struct blocking serving; /* in a child */

struct nursery {
	const struct server *server;
	pid_t *children;
	int64_t count;
	sigset_t usual; /* the signals that are blocked while it waits: not SIGCHLD */
};

/* A child is told to stop: it ends at once if its connection is between requests. */
static void stop_child(int number)
{
	(void)number;
	atomic_store(&stopping, true);
	blocking_wake_self(&serving);
}

static void stop_parent(int number)
{
	(void)number;
	atomic_store(&stopping, true);
}

static void note_child(int number)
{
	(void)number; /* it ends a wait */
}

/* A signal in the middle of connect() would fail it; reads and writes are just taken up again. */
static int connect_unsignalled(struct blocking *blocking, struct upstream_link **link)
{
	int rc;

	server_block_signals();
	rc = blocking_calls.connect(blocking, link);
	server_unblock_signals();
	return rc;
}

static void serve(const struct server *server, int fd)
{
	_Alignas(void *) char buffers[2][CONN_BUFFER]; /* all that a connection can hold */
	struct blocking_calls calls = blocking_calls;
	struct blocking_own own;

	calls.connect = connect_unsignalled;
	blocking_init(&serving, &own, server, &stopping);
	serving.calls = &calls;
	conn_buffers_add(&own.buffers, buffers[0]);
	conn_buffers_add(&own.buffers, buffers[1]);
	server_on_stop_signals(stop_child);
	blocking_serve(&serving, fd);
	blocking_end(&serving);
}

static int fork_child(struct nursery *nursery, int fd)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* as by a second signal to the parent */
		if (getppid() != parent)
			_exit(1);
		prctl(PR_SET_TIMERSLACK, 1);
		close(nursery->server->listen_fd);
		serve(nursery->server, fd);
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	nursery->children[nursery->count++] = pid;
	return 0;
}

/* Forget the children that have ended; with `flags` 0, wait for one. */
static void reap(struct nursery *nursery, int flags)
{
	pid_t pid;

	while (nursery->count > 0 && (pid = waitpid(-1, NULL, flags)) > 0) {
		int64_t i = 0;

		while (i < nursery->count && nursery->children[i] != pid)
			i++;
		if (i < nursery->count)
			nursery->children[i] = nursery->children[--nursery->count];
	}
}

/* Wait for a connection, or if there may be no more of them, for a child's end; or to be told. */
static void await(struct nursery *nursery, bool full, int timeout_ms)
{
	struct pollfd listening = { .fd = nursery->server->listen_fd, .events = POLLIN };
	struct timespec timeout = { .tv_nsec = timeout_ms * 1000000L };

	server_block_signals();
	if (!atomic_load(&stopping))
		ppoll(&listening, full ? 0 : 1, timeout_ms > 0 ? &timeout : NULL, &nursery->usual);
	server_unblock_signals();
}

static bool is_full(struct nursery *nursery)
{
	reap(nursery, WNOHANG);
	return nursery->count == nursery->server->threads;
}

static void accept_connections(struct nursery *nursery)
{
	while (!atomic_load(&stopping)) {
		bool full = is_full(nursery);
		int fd = full ? -1 : accept4(nursery->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		bool pause = false;

		if (fd >= 0) {
			int rc = fork_child(nursery, fd);

			if (rc != 0)
				fprintf(stderr,
					"cwt-server: fork: %s (limits: ulimit -u, "
					"kernel.pid_max)\n",
					strerror(-rc));
			close(fd);
			pause = rc != 0;
		} else if (!full && errno != EAGAIN) {
			pause = server_accept_failed(errno) == SERVER_ACCEPT_PAUSE;
		}
		if (fd < 0 || pause)
			await(nursery, full || pause, pause ? PAUSE_MS : 0);
	}
}

static void stop_children(struct nursery *nursery)
{
	for (int64_t i = 0; i < nursery->count; i++)
		kill(nursery->children[i], SIGTERM);
	server_on_stop_signals(SIG_DFL); /* a second signal ends the process */
	close(nursery->server->listen_fd);
	while (nursery->count > 0)
		reap(nursery, 0);
}

static int run(const struct server *server)
{
	struct nursery nursery = { .server = server };
	struct sigaction on_child = { .sa_handler = note_child };
	sigset_t child;

	nursery.children = calloc((size_t)server->threads, sizeof(*nursery.children));
	if (!nursery.children) {
		fprintf(stderr, "cwt-server: no memory for --threads %lld\n",
			(long long)server->threads);
		return -ENOMEM;
	}
	sigprocmask(SIG_SETMASK, NULL, &nursery.usual);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	sigaction(SIGCHLD, &on_child, NULL);
	server_on_stop_signals(stop_parent);
	server_ready(server);
	accept_connections(&nursery);
	stop_children(&nursery);
	free(nursery.children);
	return 0;
}

const struct arch arch_process = {
	.name = "process",
	.summary = "a process forked for each connection, --threads at once",
	.knobs = ARCH_THREADS,
	.listen = NET_NONBLOCKING,
	.processes = true,
	.run = run,
};
