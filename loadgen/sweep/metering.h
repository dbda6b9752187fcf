/*
 * A server being driven, with what is read from outside before the load and at the end of its
 * window: CPU time, switches, memory, and what else its processors did.
 */
#pragma once
#include "loadgen/sweep/drive.h"
#include "loadgen/target/machine.h"
#include "loadgen/target/meter.h"

struct readings {
	int rc; /* of the meter */
	struct meter meter;
	struct machine_counters machine;
	int64_t cpu_ns; /* of the server */
	int64_t own_ns; /* of generator and backend, if they share its processors */
	int64_t available_bytes;
};

struct metering {
	struct drive drive;
	struct readings before;
	struct readings after;
};

/*
 * Drive the server, which drive_start() has started; of *config, connections and times are set, as
 * for drive_run(). Then the window's figures are in *run and *result. Returns as drive_run(), or
 * -errno of what could not be read.
 */
int metering_run(struct metering *metering, struct load_config *config, struct run *run,
		 struct load_result *result);

/* After drive_stop(): the switches of threads that ended are with those of the process that has. */
void metering_fill_ended(const struct metering *metering, struct run *run);
