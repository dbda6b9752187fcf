#include "loadgen/target/capture.h"
#include "common/clock.h"
#include "loadgen/target/process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { POLL_MS = 50, OUTPUT_MAX_BYTES = 256 << 20 };

static const int64_t grace_ns = 1LL * NS_PER_S;

/* Its own process group: a Ctrl-C at the terminal reaches us, who then end it. */
static _Noreturn void run_child(const struct capture *capture, int output, pid_t parent)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;
	int error;
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || input < 0)
		_exit(CAPTURE_NOT_STARTED);
	sigaction(SIGINT, &standard, NULL);
	sigaction(SIGTERM, &standard, NULL);
	sigaction(SIGPIPE, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	if (capture->cpus && sched_setaffinity(0, sizeof(*capture->cpus), capture->cpus) != 0) {
		dprintf(STDERR_FILENO, "no such processors: %s\n", strerror(errno));
		_exit(CAPTURE_NOT_STARTED);
	}
	if (capture->inherited >= 0)
		fcntl(capture->inherited, F_SETFD, 0);
	execvp(capture->arguments[0], (char *const *)capture->arguments);
	error = errno;
	dprintf(STDERR_FILENO, "%s: %s\n", capture->arguments[0], strerror(error));
	_exit(error == ENOENT ? CAPTURE_NOT_FOUND : CAPTURE_NOT_STARTED);
}

/* Read all that it prints. Returns 0 at the end of it. */
static int read_output(const struct capture *capture, int fd, FILE *output)
{
	int64_t deadline_ns = clock_now_ns() + capture->patience_ns;
	size_t length = 0;
	char piece[16384];

	for (;;) {
		struct pollfd waiting = { .fd = fd, .events = POLLIN };
		ssize_t rc;

		if (capture->stop && atomic_load(capture->stop))
			return -EINTR;
		if (clock_now_ns() > deadline_ns)
			return -ETIMEDOUT;
		if (poll(&waiting, 1, POLL_MS) <= 0)
			continue;
		rc = read(fd, piece, sizeof(piece));
		if (rc < 0 && errno == EINTR)
			continue;
		if (rc <= 0)
			return rc == 0 ? 0 : -errno;
		length += (size_t)rc;
		if (length > OUTPUT_MAX_BYTES)
			return -EFBIG;
		fwrite(piece, 1, (size_t)rc, output);
	}
}

int capture_run(struct capture *capture)
{
	struct process process = { 0 };
	size_t length;
	pid_t parent = getpid();
	int pipe_fds[2] = { -1, -1 };
	FILE *output = open_memstream(&capture->output, &length);
	int rc;

	if (!output) {
		capture->output = NULL;
		return -errno;
	}
	if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
		rc = -errno;
		goto out;
	}
	process.pid = fork();
	if (process.pid == 0)
		run_child(capture, pipe_fds[1], parent);
	rc = process.pid < 0 ? -errno : 0;
	close(pipe_fds[1]);
	if (rc == 0) {
		setpgid(process.pid, process.pid); /* whoever of the two comes first */
		rc = read_output(capture, pipe_fds[0], output);
		/* Its output has ended because it is ending: no signal changes its status now. */
		capture->status = process_stop(&process, grace_ns);
		capture->cpu_ns = process.usage.cpu_ns;
	}
	close(pipe_fds[0]);
out:
	if (fclose(output) != 0 && rc == 0)
		rc = -ENOMEM;
	if (rc < 0) {
		free(capture->output);
		capture->output = NULL;
	}
	return rc;
}
