/*
 * A server process that the sweep starts and stops. It ends with this program, however this
 * program ends, and a Ctrl-C at the terminal does not reach it.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_ARGUMENTS_MAX = 40, PROCESS_WHY_MAX = 640 };

struct process {
	pid_t pid;        /* 0: not running */
	char address[80]; /* HOST:PORT, from its "ready" line */
};

/*
 * Start argv[0] and wait, for at most `patience_ns`, for its line "ready HOST:PORT". What it says
 * on stderr goes to the end of the file `log`. Returns 0, or -errno with a sentence in `why`; no
 * process is left then.
 */
int process_start(struct process *process, char *const argv[], const char *log, int64_t patience_ns,
		  char why[PROCESS_WHY_MAX]);

/* SIGTERM, and SIGKILL if it still runs after `grace_ns`. Returns its exit status, or -signal. */
int process_stop(struct process *process, int64_t grace_ns);
