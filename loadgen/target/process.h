/*
 * A server process that the sweep starts and stops. It ends with this program, however this
 * program ends, and a Ctrl-C at the terminal does not reach it.
 */
#pragma once
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_ARGUMENTS_MAX = 40, PROCESS_WHY_MAX = 640 };

/*
 * What the kernel counted of it, from its start to its end: with its ended threads, and with its
 * children as far as it waited for them.
 */
struct process_usage {
	int64_t voluntary; /* context switches: it had to wait */
	int64_t involuntary;
	int64_t cpu_ns;
};

/* The folder that this program is in, where cwt-server and cwt-backend are, too. Returns it. */
const char *process_programs(char folder[PATH_MAX]);

/* What to start. */
struct process_spec {
	char *const *argv;        /* the first is looked for on the path */
	char *const *environment; /* NAME=VALUE each, ended by NULL; NULL: ours */
	const cpu_set_t *cpus;    /* its processors; NULL: ours */
	const char *log;          /* what it says on stderr goes to its end */
};

struct process {
	pid_t pid;                  /* 0: not running; also the id of its process group */
	char address[128];          /* HOST:PORT, from its "ready" line */
	struct process_usage usage; /* set by process_stop() */
};

/*
 * Start argv[0] and wait, for at most `patience_ns`, for its line "ready HOST:PORT". What it says
 * on stderr goes to the end of the file `log`. Returns 0, or -errno with a sentence in `why`; no
 * process is left then.
 */
int process_start(struct process *process, char *const argv[], const char *log, int64_t patience_ns,
		  char why[PROCESS_WHY_MAX]);

/*
 * Start it, and wait for nothing; what it says on stdout goes to the log too. One that cannot be
 * executed says so there and ends with status 127. Returns 0 or -errno.
 */
int process_spawn(struct process *process, const struct process_spec *spec);

/* It has ended, and was not waited for yet. */
bool process_has_ended(const struct process *process);

/* The length of a log, and its last line behind that, without its end: "" if there is none. */
off_t process_log_size(const char *log);
void process_last_line(const char *log, off_t start, char *text, size_t size);

/*
 * SIGTERM, and SIGKILL if it still runs after `grace_ns`. Whatever is left of its process group
 * then is killed, so that no worker survives it. Returns its exit status, or -signal;
 * process->usage holds what it used.
 */
int process_stop(struct process *process, int64_t grace_ns);

/* The same by another signal. */
int process_stop_by(struct process *process, int signal, int64_t grace_ns);
