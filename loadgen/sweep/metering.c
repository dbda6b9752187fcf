#include "loadgen/sweep/metering.h"
#include "common/clock.h"
#include <stdio.h>

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

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

int metering_run(struct metering *metering, struct load_config *config, struct run *run,
		 struct load_result *result)
{
	int rc;

	metering->drive.on_end = on_end;
	metering->drive.context = metering;
	take_readings(&metering->drive, &metering->before);
	rc = drive_run(&metering->drive, config, result);
	if (rc == 0)
		rc = metering->before.rc != 0 ? metering->before.rc : metering->after.rc;
	if (rc != 0)
		return rc;
	fill_window(run, config, result);
	fill_generator(run, result);
	fill_server(run, metering);
	fill_machine(run, metering);
	return 0;
}

void metering_fill_ended(const struct metering *metering, struct run *run)
{
	const struct process_usage *usage = &metering->drive.server.usage;

	/* Of one that was killed, the children's are lost. */
	if (!run->tasks_changed || metering->drive.ended[0])
		return;
	run->voluntary_switches = most(usage->voluntary - metering->before.meter.voluntary, 0);
	run->involuntary_switches =
		most(usage->involuntary - metering->before.meter.involuntary, 0);
}
