#include "loadgen/sweep/measure.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/units.h"
#include "loadgen/target/machine.h"
#include "loadgen/target/meter.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PATH_BYTES = 512,
	READY_S = 30, /* 10,000 threads take their time to start */
	GRACE_NS = 1000 * NS_PER_MS,
	METER_WARMUP_NS = 100 * NS_PER_MS,
	METER_WINDOW_NS = 400 * NS_PER_MS,
	KNOWN_WORK_NS = 50 * NS_PER_US, /* while o is metered: see docs/architecture.md */
	START_STOP_NS = 250 * NS_PER_MS,
	CONNECT_GAP_NS = 50 * NS_PER_US,
	SMALL_CPU_NS = NS_PER_MS, /* below it, o is metered anew for each run */
	SPARE_DESCRIPTORS = 64,
	SPARE_THREADS = 200,
	MAPS_PER_THREAD = 2,
};

static int give_up(struct measure *measure, int rc, const char *what, const char *why)
{
	snprintf(measure->why, sizeof(measure->why), "%s: %s", what, why);
	return rc;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Servers */

struct command_line {
	char *arguments[PROCESS_ARGUMENTS_MAX];
	char text[4096];
	size_t used;
	int count;
};

static void add(struct command_line *line, const char *word)
{
	size_t length = strlen(word) + 1;

	if (line->count + 1 >= PROCESS_ARGUMENTS_MAX || line->used + length > sizeof(line->text))
		return;
	memcpy(line->text + line->used, word, length);
	line->arguments[line->count++] = line->text + line->used;
	line->used += length;
}

static void add_option(struct command_line *line, const char *name, const char *value)
{
	add(line, name);
	add(line, value);
}

static void add_duration(struct command_line *line, const char *name, int64_t ns)
{
	char text[UNITS_TEXT_MAX];

	add_option(line, name, units_format_duration_exact(text, ns));
}

static void add_program(struct command_line *line, const struct measure *measure, const char *name)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/%s", measure->programs, name);
	add(line, path);
}

static void add_cpus(struct command_line *line, const cpu_set_t *cpus)
{
	char text[256];

	add_option(line, "--cpus", cpus_format(cpus, text, sizeof(text)));
}

static int start_server(struct measure *measure, const struct run *asked, struct process *server)
{
	struct command_line line = { .count = 0 };
	char threads[32];
	bool proxy = strcmp(asked->service, "proxy") == 0;

	add_program(&line, measure, "cwt-server");
	add_option(&line, "--arch", asked->arch);
	add_option(&line, "--service", asked->service);
	if (asked->threads > 0) {
		snprintf(threads, sizeof(threads), "%lld", (long long)asked->threads);
		add_option(&line, "--threads", threads);
	}
	if (!proxy)
		add_option(&line, "--wait", asked->wait);
	if (strcmp(asked->wait, "backend") == 0)
		add_option(&line, "--upstream", measure->backend.address);
	add_duration(&line, "--cpu", asked->cpu_ns);
	add_duration(&line, "--wall", asked->wall_ns);
	add_duration(&line, "--overhead", asked->overhead_ref_ns);
	add_option(&line, "--work", asked->work);
	add_cpus(&line, &measure->plan->server_cpus);
	return process_start(server, line.arguments, measure->log, (int64_t)READY_S * NS_PER_S,
			     measure->why);
}

static int start_backend(struct measure *measure)
{
	struct command_line line = { .count = 0 };

	add_program(&line, measure, "cwt-backend");
	add_cpus(&line, &measure->plan->load_cpus);
	return process_start(&measure->backend, line.arguments, measure->log,
			     (int64_t)READY_S * NS_PER_S, measure->why);
}

/* Driving */

/* A server being driven, with its CPU clock at the window's edges. */
struct drive {
	struct measure *measure;
	struct process server;
	int64_t cpu_start_ns;
	int64_t cpu_end_ns;
};

static void on_edge(void *context, enum load_edge edge)
{
	struct drive *drive = context;

	clock_process_cpu_ns(drive->server.pid,
			     edge == LOAD_EDGE_START ? &drive->cpu_start_ns : &drive->cpu_end_ns);
}

static void on_progress(void *context, const struct load_progress *progress)
{
	struct drive *drive = context;

	drive->measure->on_progress(drive->measure->context, progress);
}

static size_t format_request(const struct run *asked, const char *address, char *text, size_t size)
{
	char wait[UNITS_TEXT_MAX];
	char target[UNITS_TEXT_MAX + 16] = "/";

	if (strcmp(asked->service, "proxy") == 0)
		snprintf(target, sizeof(target), "/delay/%s",
			 units_format_duration_exact(wait, asked->wall_ns - asked->cpu_ns));
	return (size_t)snprintf(text, size, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, address);
}

/* Drive the server of `drive`. Returns as load_run(), or -EINTR. */
static int drive_server(struct drive *drive, const struct run *asked, struct load_config *config,
			struct load_result *result)
{
	struct measure *measure = drive->measure;
	char request[256];
	int rc = net_parse(drive->server.address, &config->address);

	if (rc != 0)
		return rc;
	config->request = request;
	config->request_length =
		format_request(asked, drive->server.address, request, sizeof(request));
	config->same_reply = true;
	config->timeout_ns = most(30LL * NS_PER_S, 3 * asked->wall_ns);
	config->on_edge = on_edge;
	config->on_progress = measure->on_progress ? on_progress : NULL;
	config->context = drive;
	config->stop = measure->stop;
	rc = load_run(config, result);
	if (result->interrupted)
		return -EINTR;
	return rc;
}

/* Metering beforehand */

/* Start, drive, stop; the figures go into metered. */
static int meter_once(struct measure *measure, struct metered *metered, struct load_config *config)
{
	struct load_result *result = malloc(sizeof(*result));
	struct drive drive = { .measure = measure };
	int rc = result ? start_server(measure, &metered->asked, &drive.server) : -ENOMEM;

	if (rc == 0) {
		rc = drive_server(&drive, &metered->asked, config, result);
		if (rc == 0 && (result->requests == 0 || result->error_count > 0))
			rc = -EPROTO;
		if (rc != 0 && rc != -EINTR)
			give_up(measure, rc, "metering beforehand", strerror(-rc));
		process_stop(&drive.server, GRACE_NS);
	}
	if (rc == 0) {
		metered->latency_ns = (int64_t)histogram_mean(&result->latency);
		metered->cpu_ns =
			(drive.cpu_end_ns - drive.cpu_start_ns) / (int64_t)result->requests;
	}
	free(result);
	return rc;
}

/* What was metered for the same `asked`, with any_overhead whatever its o_ref was; or NULL. */
static const struct metered *find_metered(const struct measure *measure, const struct run *asked,
					  bool any_overhead)
{
	for (size_t i = 0; i < measure->metered_count; i++) {
		const struct run *known = &measure->metered[i].asked;

		if (run_same_point(known, asked) && known->sequence == asked->sequence &&
		    (any_overhead || known->overhead_ref_ns == asked->overhead_ref_ns))
			return &measure->metered[i];
	}
	return NULL;
}

/* The figures for `asked`, metered now unless they are known. NULL with *rc set on failure. */
static const struct metered *meter(struct measure *measure, const struct run *asked,
				   struct load_config *config, bool any_overhead, int *rc)
{
	const struct metered *known = find_metered(measure, asked, any_overhead);
	struct metered *fresh = &measure->metered[measure->metered_count];

	*rc = 0;
	if (known)
		return known;
	if (measure->metered_count == METERED_MAX) {
		*rc = give_up(measure, -ENOSPC, "metering beforehand", "too many different points");
		return NULL;
	}
	*fresh = (struct metered){ .asked = *asked };
	*rc = meter_once(measure, fresh, config);
	if (*rc != 0)
		return NULL;
	measure->metered_count++;
	return fresh;
}

static int64_t quick_ramp_ns(int64_t connections)
{
	return connections * CONNECT_GAP_NS;
}

/*
 * The cost o of an architecture for this service and this N: CPU per request beyond a known work,
 * without any wait.
 */
static int meter_overhead(struct measure *measure, const struct run *run, const char *arch,
			  int64_t threads, int64_t *value_ns)
{
	struct run asked = {
		.threads = threads,
		.connections = run->connections,
		.cpu_ns = KNOWN_WORK_NS,
		.wall_ns = KNOWN_WORK_NS,
	};
	struct load_config config = {
		.connections = run->connections,
		.ramp_ns = quick_ramp_ns(run->connections),
		.warmup_ns = METER_WARMUP_NS + 2 * quick_ramp_ns(run->connections),
		.window_ns = METER_WINDOW_NS,
		.windows = 1,
	};
	const struct metered *metered;
	int rc;

	snprintf(asked.arch, sizeof(asked.arch), "%s", arch);
	snprintf(asked.service, sizeof(asked.service), "%s", run->service);
	snprintf(asked.wait, sizeof(asked.wait), "%s", run->wait);
	snprintf(asked.work, sizeof(asked.work), "clock");
	if (run->cpu_ns < SMALL_CPU_NS)
		asked.sequence = run->sequence; /* anew for each run, and each further try */
	metered = meter(measure, &asked, &config, false, &rc);
	if (metered)
		*value_ns = most(metered->cpu_ns - KNOWN_WORK_NS, 0);
	return rc;
}

static int64_t wall_window_ns(int64_t wall_ns)
{
	return wall_ns > 2LL * NS_PER_S ? wall_ns + wall_ns / 20
					: most(500LL * NS_PER_MS, 5 * wall_ns);
}

/* One connection alone: its latency is w_cal, and its CPU that of a request to an idle server. */
static int meter_alone(struct measure *measure, struct run *run)
{
	struct run asked = {
		.threads = run->threads > 0,
		.connections = 1,
		.cpu_ns = run->cpu_ns,
		.wall_ns = run->wall_ns,
		.overhead_ref_ns = run->overhead_ref_ns,
	};
	struct load_config config = {
		.connections = 1,
		.window_ns = wall_window_ns(run->wall_ns),
		.windows = 1,
	};
	const struct metered *metered;
	int rc;

	snprintf(asked.arch, sizeof(asked.arch), "%s", run->arch);
	snprintf(asked.service, sizeof(asked.service), "%s", run->service);
	snprintf(asked.wait, sizeof(asked.wait), "%s", run->wait);
	snprintf(asked.work, sizeof(asked.work), "%s", run->work);
	/* How o_ref differs with N changes the work by a part of c that w does not notice. */
	metered = meter(measure, &asked, &config, true, &rc);
	if (!metered)
		return rc;
	run->wall_cal_ns = metered->latency_ns;
	run->cpu_alone_ns = metered->cpu_ns;
	return 0;
}

static int meter_beforehand(struct measure *measure, struct run *run)
{
	char c[UNITS_TEXT_MAX];
	char o[UNITS_TEXT_MAX];
	int rc = meter_overhead(measure, run, "loop", 0, &run->overhead_ref_ns);

	if (rc == 0)
		rc = meter_overhead(measure, run, run->arch, run->threads, &run->overhead_ns);
	if (rc != 0)
		return rc;
	if (run->cpu_ns < run->overhead_ref_ns) {
		snprintf(measure->why, sizeof(measure->why),
			 "cpu = %s is below what a request costs here before any work, %s",
			 units_format_duration(c, (double)run->cpu_ns),
			 units_format_duration(o, (double)run->overhead_ref_ns));
		return -EDOM;
	}
	run->work_ns = run->cpu_ns - run->overhead_ref_ns;
	return meter_alone(measure, run);
}

/* The run */

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

static void fill_window(struct run *run, const struct load_result *result)
{
	const struct histogram *h = &result->latency;
	size_t used = 0;

	run->window_ns = result->window_ns;
	run->requests = (int64_t)result->requests;
	run->throughput_rps = result->throughput;
	for (int i = 0; i < result->windows && used < sizeof(run->window_requests); i++)
		used += (size_t)snprintf(
			run->window_requests + used, sizeof(run->window_requests) - used, "%s%llu",
			i ? ";" : "", (unsigned long long)result->window_requests[i]);
	run->mean_ns = histogram_mean(h);
	run->p50_ns = histogram_quantile(h, 0.5);
	run->p90_ns = histogram_quantile(h, 0.9);
	run->p99_ns = histogram_quantile(h, 0.99);
	run->p999_ns = histogram_quantile(h, 0.999);
	run->max_ns = h->most;
}

static void fill_generator(struct run *run, const struct load_result *result)
{
	run->error_connect = (int64_t)result->errors[LOAD_ERROR_CONNECT];
	run->error_reset = (int64_t)result->errors[LOAD_ERROR_RESET];
	run->error_closed = (int64_t)result->errors[LOAD_ERROR_CLOSED];
	run->error_timeout = (int64_t)result->errors[LOAD_ERROR_TIMEOUT];
	run->error_status = (int64_t)result->errors[LOAD_ERROR_STATUS];
	run->error_malformed = (int64_t)result->errors[LOAD_ERROR_MALFORMED];
	run->error_changed = (int64_t)result->errors[LOAD_ERROR_CHANGED];
	run->never_served = result->never_served;
	run->all_requests = (int64_t)result->all_requests;
	run->client_cpu_ns = result->client_cpu_ns;
	run->client_lag_p99_ns = histogram_quantile(&result->lag, 0.99);
}

static void fill_server(struct run *run, const struct meter *before, const struct meter *after)
{
	run->voluntary_switches = after->voluntary - before->voluntary;
	run->involuntary_switches = after->involuntary - before->involuntary;
	run->run_delay_ns = after->run_delay_ns - before->run_delay_ns;
	run->server_threads = after->threads;
	run->rss_bytes = after->rss_bytes;
	run->pss_bytes = after->pss_bytes;
}

static void fill_machine(struct run *run, const struct machine_counters *before,
			 const struct machine_counters *after, int64_t server_ns)
{
	run->run_ns = after->at_ns - before->at_ns;
	run->steal_ns = after->steal_ns - before->steal_ns;
	run->others_cpu_ns = most(after->busy_ns - before->busy_ns - server_ns, 0);
	run->listen_overflows = after->listen_overflows - before->listen_overflows;
	run->listen_drops = after->listen_drops - before->listen_drops;
}

static void set_started(struct run *run)
{
	time_t now = time(NULL);
	struct tm utc;

	strftime(run->started, sizeof(run->started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

static int64_t ramp_ns(const struct run *run)
{
	return most(run->wall_ns, quick_ramp_ns(run->connections));
}

/* The server runs: drive it, with all that is metered around it. */
static int drive_metered(struct drive *drive, const struct plan_point *point, struct run *run,
			 struct load_result *result)
{
	const struct plan *plan = drive->measure->plan;
	struct load_config config = {
		.connections = run->connections,
		.ramp_ns = ramp_ns(run),
		.warmup_ns = point->timing.warmup_ns,
		.window_ns = point->timing.window_ns * point->timing.windows,
		.windows = point->timing.windows > 1 ? (int)point->timing.windows : 4,
	};
	struct machine_counters count_before;
	struct machine_counters count_after;
	int64_t server_before_ns = 0;
	int64_t server_after_ns = 0;
	struct meter before;
	struct meter after;
	int rc = meter_read(drive->server.pid, &before);

	if (rc != 0)
		return rc;
	machine_count(&plan->server_cpus, &count_before);
	clock_process_cpu_ns(drive->server.pid, &server_before_ns);
	rc = drive_server(drive, run, &config, result);
	clock_process_cpu_ns(drive->server.pid, &server_after_ns);
	machine_count(&plan->server_cpus, &count_after);
	if (rc == 0)
		rc = meter_read(drive->server.pid, &after);
	if (rc != 0)
		return rc;
	fill_window(run, result);
	fill_generator(run, result);
	fill_server(run, &before, &after);
	fill_machine(run, &count_before, &count_after, server_after_ns - server_before_ns);
	run->server_cpu_ns = drive->cpu_end_ns - drive->cpu_start_ns;
	return 0;
}

int measure_run(struct measure *measure, const struct plan_point *point, struct run *run)
{
	struct load_result *result = malloc(sizeof(*result));
	struct drive drive = { .measure = measure };
	int rc = result ? meter_beforehand(measure, run) : -ENOMEM;

	if (rc != 0)
		goto out;
	set_started(run);
	run->ping_pong_before_ns = ping_pong(measure->plan);
	rc = start_server(measure, run, &drive.server);
	if (rc != 0)
		goto out;
	rc = drive_metered(&drive, point, run, result);
	if (rc != 0 && rc != -EINTR)
		give_up(measure, rc, "driving the server", strerror(-rc));
	process_stop(&drive.server, GRACE_NS);
	run->ping_pong_after_ns = ping_pong(measure->plan);
out:
	free(result);
	return rc;
}

/* Limits */

static int64_t read_limit(const char *path)
{
	FILE *file = fopen(path, "re");
	long long value = INT64_MAX;

	if (!file)
		return INT64_MAX;
	if (fscanf(file, "%lld", &value) != 1)
		value = INT64_MAX;
	fclose(file);
	return value;
}

const char *measure_refusal(const struct plan_point *point, char *text, size_t size)
{
	static const struct {
		const char *path;
		const char *setting;
		int64_t per_thread;
	} limits[] = {
		{ "/proc/sys/kernel/threads-max", "kernel.threads-max", 1 },
		{ "/proc/sys/kernel/pid_max", "kernel.pid_max", 1 },
		{ "/proc/sys/vm/max_map_count", "vm.max_map_count", MAPS_PER_THREAD },
	};
	const struct run *asked = &point->asked;
	int64_t sockets = strcmp(asked->wait, "backend") == 0 ? 2 : 1;
	int64_t needed = sockets * asked->connections + SPARE_DESCRIPTORS;
	int64_t hard;

	if (load_refusal(asked->connections, text, size))
		return text;
	if (net_need_descriptors(needed, &hard) != 0) {
		snprintf(
			text, size,
			"the server needs %lld file descriptors for %lld connections, and the hard "
			"limit is %lld (ulimit -Hn)",
			(long long)needed, (long long)asked->connections, (long long)hard);
		return text;
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int64_t limit = read_limit(limits[i].path);
		int64_t uses = asked->threads * limits[i].per_thread + SPARE_THREADS;

		if (asked->threads > 0 && uses > limit) {
			snprintf(text, size, "%lld threads need %lld of sysctl %s, and it is %lld",
				 (long long)asked->threads, (long long)uses, limits[i].setting,
				 (long long)limit);
			return text;
		}
	}
	return NULL;
}

/* Time */

int64_t measure_estimate(const struct plan_point *point)
{
	const struct run *asked = &point->asked;
	int64_t metering = asked->cpu_ns < SMALL_CPU_NS ? measure_estimate_metering(point) : 0;

	return START_STOP_NS + ramp_ns(asked) + point->timing.warmup_ns +
	       point->timing.window_ns * point->timing.windows + metering;
}

int64_t measure_estimate_metering(const struct plan_point *point)
{
	int64_t n = point->asked.connections;

	return 2 * (START_STOP_NS + METER_WARMUP_NS + METER_WINDOW_NS + 3 * quick_ramp_ns(n));
}

/* Life */

int measure_begin(struct measure *measure)
{
	int rc = cpus_bind(&measure->plan->load_cpus);

	measure->backend = (struct process){ 0 };
	measure->metered_count = 0;
	measure->metered = calloc(METERED_MAX, sizeof(*measure->metered));
	if (!measure->metered)
		return -ENOMEM;
	if (rc != 0)
		return give_up(measure, rc, "load-cpus",
			       "none of these processors can be used here");
	return start_backend(measure);
}

void measure_end(struct measure *measure)
{
	process_stop(&measure->backend, GRACE_NS);
	free(measure->metered);
	measure->metered = NULL;
}
