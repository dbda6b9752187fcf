/*
 * One repetition of one point: what was asked, what was metered beforehand, and what came out. A
 * row of runs.csv; run.c has the table of its columns, from which both writing and reading come.
 */
#pragma once
#include "loadgen/sweep/archs.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A file of an older schema is read too; what it lacks is 0. */
enum { RUN_NAME_MAX = 64, RUN_WORD_MAX = 16, RUN_WINDOWS_TEXT = 640, RUN_SCHEMA = 3 };

/* Where c is less, o is a good part of it, and its error shows (docs/model.md). */
enum { RUN_SMALL_CPU_NS = 1000000 };

struct run {
	int64_t schema;
	char case_name[RUN_NAME_MAX];
	int64_t twin; /* the case stands for one whose times are so many times longer; 1: itself */
	char service[RUN_WORD_MAX];
	char wait[RUN_WORD_MAX];
	char work[RUN_WORD_MAX];
	char arch[ARCHS_VARIANT_MAX];    /* name and options */
	int64_t threads;                 /* t; 0: the architecture has no such limit */
	int64_t cores;                   /* k */
	int64_t cpu_ns;                  /* c; 0: no work at all */
	int64_t wall_ns;                 /* w */
	int64_t connections;             /* N, those that are kept busy */
	int64_t footprint_bytes;         /* of memory that each request's work touches */
	int64_t idle;                    /* connections beside N that were served once and stay */
	int64_t requests_per_connection; /* then a new one; 0: connections last */
	char distribution[RUN_WORD_MAX]; /* of work and wait: constant or exponential */
	int64_t repetition;
	int64_t sequence; /* in the order of measuring */
	int64_t seed;     /* of the order in which the sweep measures, and of what is random */
	int64_t block; /* contenders measured next to each other, for the sake of comparing them */
	int64_t attempt; /* 0, or how many before were rejected for the same repetition */
	char started[32];

	/* Metered beforehand (docs/model.md). */
	int64_t overhead_ref_ns; /* o_ref: `loop`, this service, this N, no work */
	int64_t overhead_ns;     /* o: likewise, this architecture */
	int64_t work_ns;         /* c - o_ref */
	int64_t wall_cal_ns;     /* the latency of one connection alone */
	int64_t cpu_alone_ns; /* CPU of a request of one connection alone: it wakes an idle core */

	/* The window. */
	int64_t window_ns;
	int64_t requests;
	double throughput_rps;
	char window_requests[RUN_WINDOWS_TEXT]; /* of its parts, joined by ';' */
	double mean_ns;
	int64_t p50_ns;
	int64_t p90_ns;
	int64_t p99_ns;
	int64_t p999_ns;
	int64_t max_ns;

	/* The generator. */
	int64_t error_connect;
	int64_t error_reset;
	int64_t error_closed;
	int64_t error_timeout;
	int64_t error_status;
	int64_t error_malformed;
	int64_t error_changed;
	int64_t never_served;
	int64_t all_requests; /* ramp and warm-up included */
	int64_t connects;     /* likewise */
	int64_t idle_lost;    /* idle connections that the server ended */
	int64_t client_cpu_ns;
	int64_t client_lag_p99_ns;

	/* The server, from outside. */
	int64_t server_cpu_ns; /* in the window */
	int64_t processes;     /* at the window's end, like threads and memory */
	int64_t tasks_changed; /* 1: threads or processes came or went, and switches are of all */
	int64_t voluntary_switches; /* in the whole run, like the next two */
	int64_t involuntary_switches;
	int64_t run_delay_ns;
	int64_t server_threads;
	int64_t rss_bytes;
	int64_t pss_bytes;

	/* The machine. */
	int64_t available_before_bytes; /* MemAvailable before the server was started */
	int64_t available_after_bytes;  /* at the window's end */
	int64_t listen_overflows;
	int64_t listen_drops;
	int64_t run_ns; /* the time that the next three refer to */
	int64_t steal_ns;
	int64_t others_cpu_ns;
	int64_t ping_pong_before_ns;
	int64_t ping_pong_after_ns;
	char rejected[RUN_WORD_MAX]; /* the first audit that it failed, or "-" */
};

/* Write the line of column names. Returns 0 or -errno. */
int run_write_header(FILE *file);

/* Write a row and have it on disk when this returns. Returns 0 or -errno. */
int run_write(FILE *file, const struct run *run);

/* A column of runs.csv as docs/files.md has it. Texts live as long as the program. */
struct run_column {
	const char *name;
	const char *type; /* integer, real or text */
	int64_t since;    /* the first schema that has it */
};

/* The column at that place, 0 for the first. Returns false past the last one. */
bool run_column(size_t index, struct run_column *column);

/*
 * Read the file `path` into *runs, which the caller frees. Returns the number of runs, or -errno
 * with a sentence that names file and line in `why`; -EINVAL is a file with something wrong in it.
 * A last line without its newline is what a sweep leaves that was killed while it wrote: it counts
 * for nothing, and is no failure, but `why` has a sentence about it, which must be told. It is
 * empty otherwise.
 */
int64_t run_read_all(const char *path, struct run **runs, char *why, size_t size);

/*
 * A run to ask for that is in no plan: of the app, its times constant, its work CPU time. All else,
 * architecture and times too, is the caller's to set.
 */
struct run run_usual(const char *case_name, const char *wait);

/* Whether two runs differ at most in architecture, t and N: the same requests, beside as many. */
bool run_same_load(const struct run *a, const struct run *b);

/* Whether two runs are repetitions of the same point. */
int run_same_point(const struct run *a, const struct run *b);

/* Whether work and wait are drawn anew for each request, from exponential distributions. */
bool run_is_exponential(const struct run *run);

/*
 * Whether the model has something to say of it: not where there is no work, nor where the work is a
 * number of operations, whose time drifts with the processor's speed, nor where a request's cost
 * includes an unmetered part of a connection's.
 */
bool run_is_predicted(const struct run *run);
