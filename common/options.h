/*
 * A program's options as one table: parsing, checking and help all come from it, so they cannot
 * disagree. Parsing is getopt_long's; what this adds is units, ranges, defaults shown live, and
 * messages that name the value and the remedy.
 */
#pragma once
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char *, pointing into argv */
	OPTION_DURATION, /* int64_t, ns */
	OPTION_COUNT,    /* int64_t */
	OPTION_SIZE,     /* int64_t, bytes */
	OPTION_CHOICE,   /* int, an index into `choices` */
	OPTION_CPUS,     /* cpu_set_t */
	OPTION_ADDRESS,  /* struct net_address */
	OPTION_NUMBER,   /* double, not negative */
	OPTION_LIST,     /* struct option_list; the option may be repeated */
};

enum { OPTION_LIST_MAX = 64 };

/* The values of a repeated option, in their order; the texts are argv's. */
struct option_list {
	const char *items[OPTION_LIST_MAX];
	int count;
};

struct option_spec {
	const char *name; /* without the dashes */
	enum option_type type;
	void *value;          /* of the type's kind; holds the default before parsing */
	const char *argument; /* the argument's name in the help, such as "TIME" */
	const char *help;
	const char *const *choices; /* OPTION_CHOICE: names, ended by NULL */
	int64_t least;              /* numbers: the smallest value allowed */
	int64_t most;               /* numbers: the largest; 0 is no bound */
	bool hide_default;          /* the help says what happens without the option */
	const char *section;        /* a heading of the help that begins here, or NULL */
	bool given;                 /* out: the option was on the command line */
};

struct option_table {
	const char *program; /* "cwt load" */
	const char *usage;   /* what follows the program's name: "[OPTION]... URL" */
	const char *about;   /* one paragraph for --help */
	const char *notes;   /* printed after the options, or NULL */
	struct option_spec *specs;
	size_t count;
};

/* What options_parse() returns when the program has nothing more to do. */
enum options_result {
	OPTIONS_OK = 0,
	OPTIONS_HELP,  /* --help was printed to stdout: exit with status 0 */
	OPTIONS_USAGE, /* one line was printed to stderr: exit with status 2 */
};

/*
 * Parse argv (argv[0] is skipped). *operands is the index of the first argument that is no
 * option; argv is permuted so that those come last.
 */
enum options_result options_parse(struct option_table *table, int argc, char **argv, int *operands);

/* The spec of that name, which must be in the table. */
struct option_spec *options_find(const struct option_table *table, const char *name);

/* Print "PROGRAM: message" and a pointer to --help on stderr. Returns 2, the usage status. */
int options_complain(const struct option_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Print "PROGRAM: message" on stderr: a failure that is not one of usage. Returns 1. */
int options_fail(const char *program, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
