#include "loadgen/sweep/measure.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/sweep/beforehand.h"
#include "loadgen/sweep/launch.h"
#include "loadgen/sweep/metering.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PING_PONG_NS = 5 * NS_PER_MS, QUARTERS = 4 };

static int give_up(struct measure *measure, int rc, const char *what, const char *why)
{
	snprintf(measure->why, sizeof(measure->why), "%.40s: %.560s", what, why);
	return rc;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int first_cpu(const cpu_set_t *cpus)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, cpus))
			return cpu;
	return 0;
}

static int64_t ping_pong(const struct plan *plan)
{
	return machine_ping_pong_ns(first_cpu(&plan->server_cpus), first_cpu(&plan->load_cpus));
}

static void set_started(struct run *run)
{
	time_t now = time(NULL);
	struct tm utc;

	strftime(run->started, sizeof(run->started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

/* A turn of all connections: so they begin as they go on, spread evenly. */
static int64_t turn_ns(const struct run *asked)
{
	return most(asked->wall_ns, asked->connections * asked->cpu_ns / asked->cores);
}

static int64_t ramp_ns(const struct plan_point *point)
{
	const struct run *asked = &point->asked;
	int64_t usual = point->timing.ramp_ns > 0 ? point->timing.ramp_ns : turn_ns(asked);

	return most(usual, drive_quick_ramp_ns(asked->connections));
}

/* The server runs: drive it as the point says. */
static int run_point(struct metering *metering, const struct plan_point *point, struct run *run,
		     struct load_result *result)
{
	struct load_part parts[PLAN_WINDOWS_MAX];
	struct load_config config = {
		.connections = run->connections,
		.requests_per_connection = run->requests_per_connection,
		.ramp_ns = ramp_ns(point),
		.warmup_ns = point->timing.warmup_ns,
		.window_ns = point->timing.window_ns * point->timing.windows,
		.parts = parts,
		.part_count = point->timing.windows > 1 ? (int)point->timing.windows : QUARTERS,
	};

	return metering_run(metering, &config, run, result);
}

int measure_drive(struct measure *measure, const struct plan_point *point, struct run *run)
{
	struct load_result *result = malloc(sizeof(*result));
	struct metering metering = { .drive = { .measure = measure, .asked = run } };
	int rc = result ? 0 : give_up(measure, -ENOMEM, "a run", "out of memory");

	if (rc != 0)
		goto out;
	set_started(run);
	run->ping_pong_before_ns = ping_pong(measure->plan);
	run->available_before_bytes = machine_available_bytes();
	rc = drive_start(&metering.drive);
	if (rc != 0)
		goto out;
	rc = run_point(&metering, point, run, result);
	run->idle_lost = drive_stop(&metering.drive);
	if (rc == 0 && metering.drive.died)
		rc = -EPIPE;
	snprintf(measure->note, sizeof(measure->note), "%s", metering.drive.ended);
	if (rc != 0 && rc != -EINTR)
		give_up(measure, rc, "driving the server",
			metering.drive.ended[0] ? metering.drive.ended : strerror(-rc));
	metering_fill_ended(&metering, run);
	run->ping_pong_after_ns = ping_pong(measure->plan);
out:
	free(result);
	return rc;
}

int measure_run(struct measure *measure, const struct plan_point *point, struct run *run)
{
	int rc = beforehand_meter(measure, run);

	return rc == 0 ? measure_drive(measure, point, run) : rc;
}

/* Time */

int64_t measure_estimate(const struct plan_point *point)
{
	return 2 * PING_PONG_NS + drive_estimate_ns(&point->asked) + ramp_ns(point) +
	       point->timing.warmup_ns + point->timing.window_ns * point->timing.windows;
}

/* Life */

int measure_begin(struct measure *measure)
{
	int rc = cpus_bind(&measure->plan->load_cpus);

	measure->backend = (struct process){ 0 };
	measure->overheads = measure->alone = (struct metered_list){ 0 };
	if (rc != 0)
		return give_up(measure, rc, "load-cpus",
			       "none of these processors can be used here");
	return launch_backend(measure);
}

void measure_end(struct measure *measure)
{
	process_stop(&measure->backend, LAUNCH_GRACE_NS);
	free(measure->overheads.items);
	free(measure->alone.items);
	measure->overheads = measure->alone = (struct metered_list){ 0 };
}
