/* The commands of `cwt`: each parses its own arguments and returns an exit status. */
#pragma once
#include "common/options.h"
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
int command_tune(int argc, char **argv);

/* What command_parse() returns when the command has something to do. */
enum { COMMAND_GOES_ON = -1 };

/*
 * Parse the arguments of a command that takes `count` operands, which are the last of argv then.
 * Returns COMMAND_GOES_ON; or the exit status, after help, or after a line on stderr that says what
 * is wrong. `wanted` is that line for another number of operands; NULL if there are to be none.
 */
int command_parse(struct option_table *table, int argc, char **argv, int count, const char *wanted);

/* The same for a command that counts its operands itself: *operands is the first one's index. */
int command_parse_any(struct option_table *table, int argc, char **argv, int *operands);

/* Set by SIGINT or SIGTERM once command_catch_stop() was called; a second signal ends at once. */
extern atomic_bool command_stopped;
void command_catch_stop(void);

/* A time left, to the second: "4:05" or "1:04:05"; 0:00 for one below 0. Returns `text`. */
enum { COMMAND_CLOCK_MAX = 32 };
char *command_format_clock(char text[COMMAND_CLOCK_MAX], int64_t ns);

/* Print the value on stdout, with a newline, and release it. */
void command_print_json(json_t *value);
