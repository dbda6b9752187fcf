/* Runs of the load generator's engine against a scripted server. */
#pragma once
#include "loadgen/engine/load.h"
#include "tests/scripted.h"
#include <stdbool.h>

enum { LOADS_TARGETS_MAX = 8, LOADS_PARTS = 10 };

/* Both ways to real servers, in a table. */
extern const struct transport *const loads_transports[];
extern const int loads_transport_count;

/* One run. */
struct loads {
	struct scripted server;
	struct load_result result;
	struct load_part parts[LOADS_PARTS];
};

/*
 * Requests for these paths (NULL: "/"), with their weights (NULL: all the same), and variants for a
 * connection's last. Freed with requests_free().
 */
struct request_set loads_requests(const char *method, const char *const *paths,
				  const double *weights, int count);

/* To the server, which is started: a closed loop of one connection without ramp, 150 ms. */
struct load_config loads_config(struct loads *loads, const struct request_set *requests);

/* Run it, and stop the server. Returns what load_run() does. */
int loads_run(struct loads *loads, const struct load_config *config);

/*
 * The same for as long as it takes the server to have accepted so many connections and to have got
 * so many requests; in steps of 100 ms. The run is then interrupted.
 */
int loads_run_until(struct loads *loads, struct load_config *config, int accepted, int requests);

/* Likewise, until so many connections of a closed loop have had a reply and sent another request.
 */
int loads_run_until_returned(struct loads *loads, struct load_config *config, int connections);

/* Likewise, until the generator has seen so many good replies and so many errors. */
int loads_run_until_seen(struct loads *loads, struct load_config *config, uint64_t replies,
			 uint64_t errors);

/* The transport is one that this kernel hasn't, or forbids. */
bool loads_is_missing(int rc);

/* The errors are of this kind alone, or there are none (LOAD_ERRORS). */
void loads_expect_errors(const struct loads *loads, enum load_error kind, const char *name);

/*
 * What holds for every run of an open loop: each request that was scheduled in the window is a good
 * reply, an error or unfinished, and what has no error is in the histogram. There may be more
 * errors: those of before and after the window count, too.
 */
void loads_expect_balance(const struct loads *loads, const char *name);
