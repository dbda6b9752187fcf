/* What `cwt load` is asked for, and what came of it. */
#pragma once
#include "common/options.h"
#include "loadgen/engine/calibrate.h"
#include "loadgen/engine/fail_on.h"
#include "loadgen/engine/load.h"
#include "loadgen/engine/requests.h"
#include "loadgen/engine/url.h"
#include "loadgen/engine/validity.h"
#include "loadgen/target/machine.h"
#include "loadgen/target/meter.h"
#include "loadgen/target/wrk.h"
#include <jansson.h>

enum { LOAD_URLS_MAX = 64, LOAD_SOURCES_MAX = 64 };

/* ENGINE_MIXED is only that of a report that is merged from several engines'. */
enum load_engine { ENGINE_EPOLL, ENGINE_URING, ENGINE_NULL, ENGINE_WRK, ENGINE_MIXED };

enum load_search { SEARCH_NONE, SEARCH_SLO, SEARCH_SATURATION };

/*
 * A local server that is metered: its CPU time in the window, its switches from before the load to
 * the window's end. To read them takes long where there are many threads, and would be felt at the
 * window's start.
 */
struct load_metered {
	int64_t pid; /* 0: none */
	int64_t start_ns;
	int64_t end_ns;
	struct meter before;
	struct meter after;
	bool is_complete; /* the window's end was reached, and the server was there */
};

/* How late the generator itself was. */
struct load_lags {
	int64_t p99_ns;       /* in attending to replies */
	int64_t start_p50_ns; /* in sending; open loop */
	int64_t start_p99_ns;
	int64_t start_max_ns;
	/* What of a latency may not be the server's, p99, calibrated beforehand or seen in the run.
	 */
	int64_t floor_ns;          /* from send */
	int64_t floor_intended_ns; /* from when it was meant to go; open loop */
};

/* What a report that is merged from others has of them, and a run's own has from its result. */
struct load_merged {
	int64_t reports;    /* of runs that are in it; 0: it is a run's own */
	bool judges_errors; /* by a --fail-on of its own */
	double scheduled_rps;
	double client_utilisation;
	double client_spin;
	struct load_lags lags; /* each is the largest of theirs */
	json_t *reasons;
	json_t *settings;
};

struct load_target;

struct load_job {
	const char *url; /* the first */
	struct url urls[LOAD_URLS_MAX];
	int url_count;
	enum load_engine engine;
	struct load_config config;
	struct request_set requests;
	struct schedule_plan schedule;
	int64_t *gaps_ns; /* of a trace */
	struct net_address sources[LOAD_SOURCES_MAX];
	const char *method;
	const char *unix_socket; /* the path, or NULL */
	char *body;
	int64_t idle; /* connections beside the active ones */
	int64_t calibrate_ns;
	cpu_set_t cpus;       /* that the generator may use */
	cpu_set_t other_cpus; /* the rest of those that this process was given */
	bool has_other_cpus;
	struct fail_on fail_on;
	enum load_search search;
	struct slo slo;
	bool compare_engines;
	int64_t pairs;
	bool json;
	const char *plot_path;
	const char *hdr_path;
	struct load_target *target; /* a server that is started for the run; or NULL */

	/* What came of it */
	struct load_result result;
	struct wrk_result *wrk; /* engine wrk: what it has printed */
	struct load_metered server;
	struct machine_counters
		cpus_before; /* of the generator's processors, at the window's edges */
	struct machine_counters cpus_after;
	int64_t idle_lost;
	struct load_merged merged;
	bool is_calibrated;
	struct calibration calibration;
	struct validity_verdict verdict;
	int met_count; /* conditions of --fail-on on the latency that are met: a failed run */
	int met[FAIL_ON_MAX];
};

/*
 * Parse and check the options, and prepare the requests, the schedule and the addresses. Returns
 * COMMAND_GOES_ON, or the exit status after help or a usage error, of which one line was printed.
 */
int load_options(struct load_job *job, int argc, char **argv);

/* Release what load_options() has made. */
void load_job_free(struct load_job *job);

/*
 * Run it once, the herd of idle connections included, and judge the run. Returns CWT_OK with the
 * result in the job, or a status with a line on stderr: CWT_BROKEN when there was nothing to
 * measure, CWT_INTERRUPTED.
 */
int load_measure(struct load_job *job);

/* The exit status that the run's verdict and --fail-on come to. */
int load_status(const struct load_job *job);

bool load_is_open_loop(const struct load_job *job);

/* Of enum load_close, as --close has them; NULL ends. */
extern const char *const load_close_names[];

/* The name of the engine, as --engine has it, or "mixed". */
const char *load_engine_name(const struct load_job *job);

/* The engine of that name, or -1. */
int load_engine_find(const char *name);
