/*
 * Servers that are not ours, as INI files tell of them: how one is started, how it is known to be
 * ready, what t is a limit of, how it is stopped. docs/targets.md has the keys.
 */
#pragma once
#include "loadgen/target/process.h"
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RECIPE_NAME_MAX = 32,
	RECIPE_TEXT_MAX = 1024,
	RECIPE_PATH_MAX = PATH_MAX,
	RECIPE_FILES_MAX = 8,
	RECIPE_WHY_MAX = PROCESS_WHY_MAX,
};

/* What t is a limit of. */
enum recipe_limit {
	RECIPE_LIMIT_NONE,     /* there is no t: k/c */
	RECIPE_LIMIT_REQUESTS, /* requests in hand; a connection between requests needs no thread */
	RECIPE_LIMIT_CONNECTIONS, /* connections: each has a thread (or process) until it ends */
};

enum recipe_service { RECIPE_APP = 1 << 0, RECIPE_PROXY = 1 << 1 };

struct recipe {
	char name[RECIPE_NAME_MAX]; /* of the file, without .ini */
	char about[RECIPE_TEXT_MAX];
	char path[RECIPE_PATH_MAX];   /* of the file */
	char folder[RECIPE_PATH_MAX]; /* that it is in */
	char command[RECIPE_TEXT_MAX];
	char environment[RECIPE_TEXT_MAX];
	char files[RECIPE_FILES_MAX][RECIPE_NAME_MAX]; /* templates, in the folder */
	size_t file_count;
	char needs[RECIPE_TEXT_MAX];   /* programs, beside the command's own */
	char package[RECIPE_TEXT_MAX]; /* what to install when one of them is missing */
	char ready[RECIPE_TEXT_MAX];   /* a path that answers 2xx or 3xx */
	int64_t ready_ns;              /* how long that may take */
	char config[RECIPE_TEXT_MAX];  /* the setting of t in the server's own words */
	enum recipe_limit limit;
	unsigned services; /* of enum recipe_service */
	bool processes;    /* connections are spread over several */
	int stop;          /* the signal that ends it in order */
	int64_t grace_ns;  /* it is killed after so long */
};

/*
 * Read a file. Returns 0, or -errno with a sentence in `why` that names file and line; -EINVAL for
 * what is wrong in it.
 */
int recipe_read(const char *path, struct recipe *recipe, char why[RECIPE_WHY_MAX]);

/*
 * A recipe for a command line, whose words have places like a file's: {threads}, and {port} or
 * {address}. Returns 0, or -EINVAL with a sentence in `why`.
 */
int recipe_of_command(char *const *words, int count, enum recipe_limit limit, struct recipe *recipe,
		      char why[RECIPE_WHY_MAX]);

/* What to start it for. Times are those of one request. */
struct recipe_use {
	int64_t threads;      /* t; 0: it has none */
	int64_t connections;  /* that will be open at once, for servers that have to know */
	int64_t cpu_ns;       /* CPU time to spend in work */
	int64_t wait_ns;      /* what to wait besides, by a call of the backend */
	const char *upstream; /* HOST:PORT of the backend */
	const char *programs; /* the folder of ours; NULL: where this one is */
	const cpu_set_t *cpus;
	const char *log;         /* where it says what it says */
	const atomic_bool *stop; /* set: do not wait for it any longer; may be NULL */
};

/* One that runs. */
struct recipe_server {
	const struct recipe *recipe; /* NULL: none */
	struct process *process;     /* the caller's; its address is where the server answers */
	char run[RECIPE_PATH_MAX];   /* its folder while it runs */
};

/*
 * What is not there that it needs, as a sentence with the remedy; NULL if nothing is missing.
 * `programs` as in recipe_use.
 */
const char *recipe_missing(const struct recipe *recipe, const char *programs,
			   char why[RECIPE_WHY_MAX]);

/*
 * Start it, bound to the processors, on a free port of 127.0.0.1, and wait until it answers.
 * *process is then set, its address too. Returns 0, or -errno with a sentence in `why`: -ENOENT
 * (missing), -EPIPE (it ended), -ETIMEDOUT (not ready in time), -EPROTO (it answers, but not well),
 * -EINTR. Nothing is left of it then.
 */
int recipe_start(const struct recipe *recipe, const struct recipe_use *use, struct process *process,
		 struct recipe_server *server, char why[RECIPE_WHY_MAX]);

/*
 * Stop it, and remove its folder. Returns NULL, or a sentence in `why` if it had to be killed or
 * had ended before.
 */
const char *recipe_stop(struct recipe_server *server, char why[RECIPE_WHY_MAX]);

/* Its `config` for that t. Returns text, cut to `size`. */
char *recipe_config(const struct recipe *recipe, int64_t threads, char *text, size_t size);
