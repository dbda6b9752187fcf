/* The commands of `cwt`: each parses its own arguments and returns an exit status. */
#pragma once
#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>

enum cwt_status {
	CWT_OK = 0,
	CWT_BROKEN = 1, /* a failure, a verdict against the model, or a regression */
	CWT_USAGE = 2,
	CWT_INCONCLUSIVE = 3,
	CWT_NO_BASELINE = 4,
	CWT_INVALID = 5,
	CWT_INTERRUPTED = 130,
};

struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

int command_model(int argc, char **argv);
int command_load(int argc, char **argv);
int command_sweep(int argc, char **argv);
int command_check(int argc, char **argv);
int command_report(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_selftest(int argc, char **argv);

/* Set by SIGINT or SIGTERM once command_catch_stop() was called; a second signal ends at once. */
extern atomic_bool command_stopped;
void command_catch_stop(void);

/* Print the value on stdout, with a newline, and release it. */
void command_print_json(json_t *value);
