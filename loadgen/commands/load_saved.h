/*
 * A report of `cwt load --json` that was saved, read back and checked: nothing that it says is
 * believed before it was seen to be possible, as files are cut, mixed up and edited by hand.
 */
#pragma once
#include "loadgen/commands/load_job.h"
#include <jansson.h>

enum { SAVED_WHY_MAX = 512 };

struct saved_report {
	json_t *root;
	const char *url; /* texts are the root's */
	enum load_engine engine;
	bool is_open;
	int64_t connections;
	int64_t idle;
	int64_t idle_lost;
	/*
	 * Without lag and start_lag, of which only the figures below are known. In it, the CPU time
	 * and that spent in spinning are 0: they are the shares below.
	 */
	struct load_result result;
	struct load_lags lags;
	double rate_rps; /* open loop; so is the next */
	double scheduled_rps;
	double client_cpu_ns_per_request;
	double client_utilisation;
	double client_spin;
	bool is_calibrated;
	struct calibration calibration;
	enum validity verdict;
	int64_t runs; /* that are in it: 1, or as many as were joined */
	/* Settings that matter here */
	enum schedule_kind arrivals; /* open loop */
	int64_t threads;
	int64_t think_ns;
	int64_t requests_per_connection; /* 0: no bound, or several */
	/* The window's equal parts; a percentile that is not known is -1. */
	struct load_part *parts;
	int64_t part_count;
	double part_s;
	/* The metered server; what is not known is -1. */
	bool has_server;
	double server_cpu_ns_per_request;
	double server_voluntary;   /* switches per request */
	double server_involuntary; /* likewise */
	struct meter server;       /* processes, threads and memory */
};

/*
 * Take over a parsed report: `root` is the saved report's from now on, in any case. Returns 0; or
 * -EINVAL or -ENOMEM with what is wrong in `why`, as the rest of a sentence that begins with the
 * file's name.
 */
int saved_report_read(json_t *root, struct saved_report *report, char why[SAVED_WHY_MAX]);

void saved_report_free(struct saved_report *report);
