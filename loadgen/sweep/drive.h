/* A server being driven, by connections that are busy and a herd of idle ones. */
#pragma once
#include "loadgen/engine/herd.h"
#include "loadgen/engine/load.h"
#include "loadgen/sweep/measure.h"
#include "loadgen/target/recipe.h"

enum { DRIVE_TARGET_MAX = 1024, DRIVE_REQUEST_MAX = DRIVE_TARGET_MAX + 128 };

struct drive {
	struct measure *measure;
	const struct run *asked;
	struct process server;
	struct recipe_server other; /* its recipe is NULL if the server is ours */
	bool died;                  /* the server ended before drive_stop() */
	char ended[RECIPE_WHY_MAX]; /* what was wrong with how it ended, after drive_stop(); or ""
				     */
	struct herd herd;
	struct net_address address; /* of the server */
	char request[DRIVE_REQUEST_MAX];
	size_t request_length;
	int64_t cpu_start_ns; /* the server's CPU clock at the window's edges */
	int64_t cpu_end_ns;
	/* At the window's end, with all connections there; NULL, or what else there is to read. */
	void (*on_end)(void *context);
	void *context;
};

/*
 * Start the server that `asked` describes, and its herd. The first two fields of *drive are set.
 * Returns 0, or -errno with a sentence in measure->why, and nothing is left to stop; -EINTR when
 * it was told to stop.
 */
int drive_start(struct drive *drive);

/*
 * Drive the server; of *config, connections and times are set. Returns as load_run(), or -EINTR
 * when it was told to stop.
 */
int drive_run(struct drive *drive, struct load_config *config, struct load_result *result);

/* End the herd and stop the server. Returns how many idle connections were lost. */
int64_t drive_stop(struct drive *drive);

/* The time in which so many connections are opened without a wait between them, in ns. */
int64_t drive_quick_ramp_ns(int64_t connections);

/* How long it takes, besides the load, to start and to stop such a server and its clients, in ns.
 */
int64_t drive_estimate_ns(const struct run *asked);
