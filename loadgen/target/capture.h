/*
 * Runs a program to the end of its output, and keeps that. It ends with this program, however this
 * program ends, and a Ctrl-C at the terminal does not reach it.
 */
#pragma once
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
	CAPTURE_ARGUMENTS_MAX = 20,
	CAPTURE_NOT_STARTED = 126, /* the status of what is there and could not be started */
	CAPTURE_NOT_FOUND = 127,   /* of what is not there; as a shell has them */
};

struct capture {
	const char *arguments[CAPTURE_ARGUMENTS_MAX]; /* the first is looked for on the path */
	int inherited;           /* a descriptor that it gets, by the same number, or -1 */
	const cpu_set_t *cpus;   /* its processors, or NULL for ours */
	const atomic_bool *stop; /* ends it early, or NULL */
	int64_t patience_ns;     /* it is ended after so long */
	/* Set by capture_run(): */
	char *output; /* of stdout and stderr, in the order in which it came; the caller frees it */
	int status;   /* its exit status, or -signal */
	int64_t cpu_ns; /* what it used, from start to end */
};

/*
 * Run it. Returns 0, or -EINTR (stopped), -ETIMEDOUT, -EFBIG (it printed more than 256 MiB), or
 * what a system call gave; then it has been ended, and `output` is NULL.
 */
int capture_run(struct capture *capture);
