/* What came of `cwt load`, for people or for scripts. */
#pragma once
#include "loadgen/commands/load_job.h"
#include <jansson.h>

enum { LOAD_SCHEMA = 2 };

/* Of enum schedule_kind, as reports have them. */
extern const char *const load_arrival_names[SCHEDULE_TRACE + 1];

/*
 * Print it on stdout, and write the files that were asked for. Returns CWT_OK, or CWT_BROKEN with a
 * line on stderr if a file could not be written.
 */
int load_report(const struct load_job *job);

/* Say that a run was stopped before there was anything to report. Returns CWT_INTERRUPTED. */
int load_report_nothing(void);

/* The report as a new reference to a JSON object: docs/load.md says what is in it. */
json_t *load_json(const struct load_job *job);

/* The reasons of the verdict, as a new reference to a JSON array. */
json_t *load_reasons_json(const struct load_job *job);

/* A latency's figures, in ns, with the interval of each percentile, as a new reference. */
json_t *load_latency_json(const struct histogram *histogram, int64_t floor_ns);

/*
 * The bounds within which a percentile of the server's own latency lies: its 95 % interval, if
 * requests are independent, less up to `floor_ns` which are the way's and the generator's.
 */
void load_interval_ns(const struct histogram *histogram, double quantile, int64_t floor_ns,
		      int64_t *low_ns, int64_t *high_ns);

/* The generator's CPU time, and that spent in spinning, as shares of the window. */
double load_client_utilisation(const struct load_job *job);
double load_client_spin(const struct load_job *job);

/* Requests that were meant to go, per second. */
double load_scheduled_rps(const struct load_job *job);

struct load_lags load_lags(const struct load_job *job);

/* CPU per request of the generator, and of the metered server, in ns; 0 if unknown. */
double load_client_cpu_ns(const struct load_result *result);
double load_server_cpu_ns(const struct load_job *job);

/*
 * The server's switches per request, voluntary and not. A thread's are gone when it has ended: they
 * are known, and true is returned, only if none came or went.
 */
bool load_switches(const struct load_job *job, double *voluntary, double *involuntary);
