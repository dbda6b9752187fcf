/*
 * A server process that the sweep starts and stops. It ends with this program, however this
 * program ends, and a Ctrl-C at the terminal does not reach it.
 */
#pragma once
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

struct process {
	pid_t pid;                  /* 0: not running; also the id of its process group */
	char address[80];           /* HOST:PORT, from its "ready" line */
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
 * SIGTERM, and SIGKILL if it still runs after `grace_ns`. Whatever is left of its process group
 * then is killed, so that no worker survives it. Returns its exit status, or -signal;
 * process->usage holds what it used.
 */
int process_stop(struct process *process, int64_t grace_ns);
