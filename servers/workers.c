#include "servers/workers.h"
#include "servers/evented.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Close all of them but `kept` (-1: none). The same socket may be in the list more than once. */
static void close_others(const int *fds, int64_t count, int kept)
{
	for (int64_t i = 0; i < count; i++)
		if (fds[i] != kept && (i == 0 || fds[i] != fds[i - 1]))
			close(fds[i]);
}

static int run_worker(const struct server *shared, int listen_fd)
{
	struct server server = *shared;
	sigset_t none;

	server.listen_fd = listen_fd;
	server.supervised = true;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return evented_run(&server);
}

/*
 * Start a worker that ends with its supervisor, and wait until it is ready, as before that a
 * signal would end it at once. Returns its id, or -errno.
 */
static pid_t start_worker(const struct server *server, const int *listen_fds, int64_t count,
			  int64_t index)
{
	pid_t supervisor = getpid();
	int said[2];
	char ready;
	pid_t pid;

	if (pipe2(said, O_CLOEXEC) != 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != supervisor || dup2(said[1], STDOUT_FILENO) < 0)
			_exit(1);
		close(said[0]);
		close(said[1]);
		close_others(listen_fds, count, listen_fds[index]);
		_exit(run_worker(server, listen_fds[index]) == 0 ? 0 : 1);
	}
	if (pid < 0)
		pid = -errno;
	close(said[1]);
	if (pid > 0 && read(said[0], &ready, 1) != 1)
		pid = -EPIPE; /* it has said why */
	close(said[0]);
	return pid;
}

/* Say which worker has ended, if one has. */
static bool has_lost_worker(const char *program)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
		return false; /* it was only stopped, or goes on */
	fprintf(stderr, "%s: worker process %d ended on its own, %s %d\n", program, info.si_pid,
		info.si_code == CLD_EXITED ? "with status" : "by signal", info.si_status);
	return true;
}

/* Wait for the signal to stop, or for a worker that failed. Returns 0 or -ECHILD. */
static int await_stop(const char *program)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	do
		sigwait(&set, &number);
	while (number == SIGCHLD && !has_lost_worker(program));
	server_unblock_signals(); /* a second one ends the process, and the workers with it */
	return number == SIGCHLD ? -ECHILD : 0;
}

static int stop_workers(const pid_t *workers, int64_t count)
{
	int failed = 0;
	int status;

	for (int64_t i = 0; i < count; i++)
		kill(workers[i], SIGTERM);
	for (int64_t i = 0; i < count; i++)
		if (waitpid(workers[i], &status, 0) != workers[i] || status != 0)
			failed = -ECHILD;
	return failed;
}

int workers_run(const char *program, const struct server *server, const int *listen_fds,
		int64_t count)
{
	pid_t *workers = calloc((size_t)count, sizeof(*workers));
	int64_t started = 0;
	sigset_t child;
	int stopped;
	int rc = workers ? 0 : -ENOMEM;

	server_block_signals();
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	while (rc == 0 && started < count) {
		workers[started] = start_worker(server, listen_fds, count, started);
		if (workers[started] > 0)
			started++;
		else
			rc = (int)workers[started];
	}
	close_others(listen_fds, count, -1);
	if (rc == 0) {
		server_ready(server);
		rc = await_stop(program);
	} else {
		fprintf(stderr, "%s: only %lld of %lld processes could be started: %s\n", program,
			(long long)started, (long long)count, strerror(-rc));
	}
	stopped = stop_workers(workers, started);
	free(workers);
	return rc != 0 ? rc : stopped;
}
