#include "loadgen/target/process.h"
#include "common/clock.h"
#include "common/cpus.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 256, POLL_NS = 2 * NS_PER_MS, GROUP_PATIENCE_NS = 200 * NS_PER_MS };

static void run_child(const struct process_spec *spec, int out_fd, pid_t parent)
{
	int log_fd = open(spec->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	struct sigaction standard = { .sa_handler = SIG_DFL };

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || log_fd < 0)
		_exit(126);
	sigaction(SIGINT, &standard, NULL);
	sigaction(SIGTERM, &standard, NULL);
	sigaction(SIGPIPE, &standard, NULL);
	dup2(out_fd >= 0 ? out_fd : log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	if (!spec->cpus || cpus_bind(spec->cpus) == 0) {
		if (spec->environment)
			environ = (char **)spec->environment;
		execvp(spec->argv[0], spec->argv);
	}
	fprintf(stderr, "%s: %s\n", spec->argv[0], strerror(errno));
	_exit(127);
}

/* Fork, with its stdout to a descriptor, or to the log where that is -1. */
static int spawn(struct process *process, const struct process_spec *spec, int out_fd)
{
	pid_t parent = getpid();

	process->pid = fork();
	if (process->pid < 0) {
		process->pid = 0;
		return -errno;
	}
	if (process->pid == 0)
		run_child(spec, out_fd, parent);
	setpgid(process->pid, process->pid); /* whoever of the two comes first */
	return 0;
}

int process_spawn(struct process *process, const struct process_spec *spec)
{
	return spawn(process, spec, -1);
}

off_t process_log_size(const char *log)
{
	struct stat status;

	return stat(log, &status) == 0 ? status.st_size : 0;
}

void process_last_line(const char *log, off_t start, char *text, size_t size)
{
	FILE *file = fopen(log, "re");
	char line[LINE_MAX_BYTES];

	text[0] = '\0';
	if (!file)
		return;
	fseeko(file, start, SEEK_SET);
	while (fgets(line, sizeof(line), file))
		if (line[0] != '\n')
			snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);
	fclose(file);
}

/* Read its output up to the ready line. Returns 0, -ETIMEDOUT or -EPIPE. */
static int await_ready(struct process *process, int fd, int64_t patience_ns)
{
	int64_t deadline = clock_now_ns() + patience_ns;
	char line[LINE_MAX_BYTES];
	size_t length = 0;

	for (;;) {
		struct pollfd waiting = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_now_ns();
		int ready = left > 0 ? poll(&waiting, 1, (int)(left / NS_PER_MS) + 1) : 0;
		ssize_t rc;

		if (ready == 0)
			return -ETIMEDOUT;
		if (ready < 0 && errno == EINTR)
			continue;
		rc = read(fd, line + length, 1);
		if (rc < 0 && errno == EINTR)
			continue;
		if (rc <= 0)
			return -EPIPE;
		if (line[length] != '\n') {
			length += length + 1 < sizeof(line);
			continue;
		}
		line[length] = '\0';
		if (sscanf(line, "ready %79s", process->address) == 1)
			return 0;
		length = 0;
	}
}

int process_start(struct process *process, char *const argv[], const char *log, int64_t patience_ns,
		  char why[PROCESS_WHY_MAX])
{
	struct process_spec spec = { .argv = argv, .log = log };
	char said[LINE_MAX_BYTES];
	int pipe_fds[2];
	off_t log_start = process_log_size(log);
	int rc;

	if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
		snprintf(why, PROCESS_WHY_MAX, "no pipe: %s", strerror(errno));
		return -errno;
	}
	rc = spawn(process, &spec, pipe_fds[1]);
	close(pipe_fds[1]);
	if (rc == 0)
		rc = await_ready(process, pipe_fds[0], patience_ns);
	close(pipe_fds[0]);
	if (rc == 0)
		return 0;
	process_last_line(log, log_start, said, sizeof(said));
	process_stop(process, 0);
	if (rc == -ETIMEDOUT)
		snprintf(why, PROCESS_WHY_MAX, "%s was not ready in time", argv[0]);
	else
		snprintf(why, PROCESS_WHY_MAX, "%s ended before it was ready: %s", argv[0],
			 said[0] ? said : "it said nothing");
	return rc;
}

static int64_t timeval_ns(const struct timeval *t)
{
	return (int64_t)t->tv_sec * NS_PER_S + (int64_t)t->tv_usec * NS_PER_US;
}

bool process_has_ended(const struct process *process)
{
	siginfo_t info = { 0 };
	int rc = waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT);

	return rc == 0 ? info.si_pid == process->pid : errno == ECHILD;
}

/* Reap it. While it is not, neither its id nor its group's can be another's. */
static int reap(struct process *process)
{
	struct rusage usage = { 0 };
	int status = 0;

	while (wait4(process->pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	process->usage = (struct process_usage){
		.voluntary = usage.ru_nvcsw,
		.involuntary = usage.ru_nivcsw,
		.cpu_ns = timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime),
	};
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/*
 * What was killed takes a moment to go, and may hold a port or a processor until then. Not for
 * long: where nobody waits for orphans, they stay in the group for ever.
 */
static void await_end_of_group(pid_t group)
{
	int64_t deadline = clock_now_ns() + GROUP_PATIENCE_NS;

	while (kill(-group, 0) == 0 && clock_now_ns() < deadline)
		clock_sleep_until(clock_now_ns() + POLL_NS);
}

int process_stop(struct process *process, int64_t grace_ns)
{
	return process_stop_by(process, SIGTERM, grace_ns);
}

int process_stop_by(struct process *process, int signal, int64_t grace_ns)
{
	int64_t deadline = clock_now_ns() + grace_ns;
	pid_t pid = process->pid;
	int status;

	if (pid <= 0)
		return 0;
	kill(pid, signal);
	while (!process_has_ended(process) && clock_now_ns() < deadline)
		clock_sleep_until(clock_now_ns() + POLL_NS);
	/* For one that has ended this is no matter; one that has left its group is named itself. */
	kill(pid, SIGKILL);
	kill(-pid, SIGKILL);
	status = reap(process);
	await_end_of_group(pid);
	process->pid = 0;
	return status;
}

const char *process_programs(char folder[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);

	folder[length > 0 ? length : 0] = '\0';
	return dirname(folder);
}
