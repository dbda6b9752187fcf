#include "loadgen/sweep/measure.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/sweep/beforehand.h"
#include "loadgen/sweep/drive.h"
#include "loadgen/sweep/launch.h"
#include "loadgen/target/machine.h"
#include "loadgen/target/meter.h"
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

/* What is read from outside, before the load and at the end of its window. */
struct readings {
	int rc; /* of the meter */
	struct meter meter;
	struct machine_counters machine;
	int64_t cpu_ns; /* of the server */
	int64_t own_ns; /* of generator and backend, if they share its processors */
	int64_t available_bytes;
};

/* A run with its readings. */
struct metering {
	struct drive drive;
	struct readings before;
	struct readings after;
};

static int64_t own_cpu_ns(const struct measure *measure)
{
	int64_t backend_ns = 0;
	int64_t own_ns = 0;
	cpu_set_t shared;

	CPU_AND(&shared, &measure->plan->server_cpus, &measure->plan->load_cpus);
	if (CPU_COUNT(&shared) == 0)
		return 0;
	meter_cpu_ns(measure->backend.pid, &backend_ns);
	clock_process_cpu_ns(0, &own_ns);
	return own_ns + backend_ns;
}

static void take_readings(const struct drive *drive, struct readings *readings)
{
	readings->available_bytes = machine_available_bytes();
	readings->rc = meter_read(drive->server.pid, &readings->meter);
	machine_count(&drive->measure->plan->server_cpus, &readings->machine);
	meter_cpu_ns(drive->server.pid, &readings->cpu_ns);
	readings->own_ns = own_cpu_ns(drive->measure);
}

static void on_end(void *context)
{
	struct metering *metering = context;

	take_readings(&metering->drive, &metering->after);
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

static void fill_window(struct run *run, const struct load_config *config,
			const struct load_result *result)
{
	const struct histogram *h = &result->latency;
	size_t used = 0;

	run->window_ns = result->window_ns;
	run->requests = (int64_t)result->requests;
	run->throughput_rps = result->throughput;
	for (int i = 0; i < config->part_count && used < sizeof(run->window_requests); i++)
		used += (size_t)snprintf(
			run->window_requests + used, sizeof(run->window_requests) - used, "%s%llu",
			i ? ";" : "", (unsigned long long)config->parts[i].requests);
	run->mean_ns = histogram_mean(h);
	run->p50_ns = histogram_quantile(h, 0.5);
	run->p90_ns = histogram_quantile(h, 0.9);
	run->p99_ns = histogram_quantile(h, 0.99);
	run->p999_ns = histogram_quantile(h, 0.999);
	run->max_ns = h->most;
}

static void fill_generator(struct run *run, const struct load_result *result)
{
	run->error_connect =
		(int64_t)(result->errors[LOAD_ERROR_REFUSED] + result->errors[LOAD_ERROR_CONNECT]);
	run->error_reset = (int64_t)result->errors[LOAD_ERROR_RESET];
	run->error_closed =
		(int64_t)(result->errors[LOAD_ERROR_CLOSED] + result->errors[LOAD_ERROR_SHORT]);
	run->error_timeout = (int64_t)result->errors[LOAD_ERROR_TIMEOUT];
	run->error_status = (int64_t)result->errors[LOAD_ERROR_STATUS];
	run->error_malformed = (int64_t)result->errors[LOAD_ERROR_MALFORMED];
	run->error_changed = (int64_t)result->errors[LOAD_ERROR_CHANGED];
	run->never_served = result->never_served;
	run->all_requests = (int64_t)result->all_requests;
	run->connects = (int64_t)result->connects;
	run->client_cpu_ns = result->client_cpu_ns;
	run->client_lag_p99_ns = histogram_quantile(&result->lag, 0.99);
}

static void fill_server(struct run *run, const struct metering *metering)
{
	const struct meter *before = &metering->before.meter;
	const struct meter *after = &metering->after.meter;

	run->server_cpu_ns = metering->drive.cpu_end_ns - metering->drive.cpu_start_ns;
	run->processes = after->processes;
	run->tasks_changed = !meter_same_tasks(before, after);
	run->voluntary_switches = after->voluntary - before->voluntary;
	run->involuntary_switches = after->involuntary - before->involuntary;
	run->run_delay_ns = after->run_delay_ns - before->run_delay_ns;
	run->server_threads = after->threads;
	run->rss_bytes = after->rss_bytes;
	run->pss_bytes = after->pss_bytes;
}

/* The counters of threads that ended are with those of the process that has ended. */
static void fill_switches(struct run *run, const struct metering *metering)
{
	const struct process_usage *usage = &metering->drive.server.usage;

	/* Of one that was killed, the children's are lost. */
	if (!run->tasks_changed || metering->drive.ended[0])
		return;
	run->voluntary_switches = most(usage->voluntary - metering->before.meter.voluntary, 0);
	run->involuntary_switches =
		most(usage->involuntary - metering->before.meter.involuntary, 0);
}

static void fill_machine(struct run *run, const struct metering *metering)
{
	const struct machine_counters *before = &metering->before.machine;
	const struct machine_counters *after = &metering->after.machine;
	int64_t known_ns = metering->after.cpu_ns - metering->before.cpu_ns +
			   metering->after.own_ns - metering->before.own_ns;

	run->available_after_bytes = metering->after.available_bytes;
	run->run_ns = after->at_ns - before->at_ns;
	run->steal_ns = after->steal_ns - before->steal_ns;
	run->others_cpu_ns = most(after->busy_ns - before->busy_ns - known_ns, 0);
	run->listen_overflows = after->listen_overflows - before->listen_overflows;
	run->listen_drops = after->listen_drops - before->listen_drops;
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

/* The server runs: drive it, with all that is metered around it. */
static int run_metered(struct metering *metering, const struct plan_point *point, struct run *run,
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
	int rc;

	metering->drive.on_end = on_end;
	metering->drive.context = metering;
	take_readings(&metering->drive, &metering->before);
	rc = drive_run(&metering->drive, &config, result);
	if (rc == 0)
		rc = metering->before.rc != 0 ? metering->before.rc : metering->after.rc;
	if (rc != 0)
		return rc;
	fill_window(run, &config, result);
	fill_generator(run, result);
	fill_server(run, metering);
	fill_machine(run, metering);
	return 0;
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
	rc = run_metered(&metering, point, run, result);
	run->idle_lost = drive_stop(&metering.drive);
	if (rc == 0 && metering.drive.died)
		rc = -EPIPE;
	snprintf(measure->note, sizeof(measure->note), "%s", metering.drive.ended);
	if (rc != 0 && rc != -EINTR)
		give_up(measure, rc, "driving the server",
			metering.drive.ended[0] ? metering.drive.ended : strerror(-rc));
	fill_switches(run, &metering);
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
