/* What came of `cwt load`, for people or for scripts. */
#pragma once
#include "loadgen/engine/load.h"
#include "loadgen/target/meter.h"

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

/* What is asked for, and what came of it. */
struct load_job {
	const char *url;
	struct load_config config;
	struct load_result result;
	struct load_metered server;
	int64_t idle; /* connections beside the active ones */
	int64_t idle_lost;
	bool json;
};

/* Print it on stdout. */
void load_report(const struct load_job *job);
