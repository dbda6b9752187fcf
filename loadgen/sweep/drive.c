#include "loadgen/sweep/drive.h"
#include "common/clock.h"
#include "common/random.h"
#include "common/units.h"
#include "loadgen/sweep/launch.h"
#include "loadgen/target/meter.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	TIMEOUT_LEAST_S = 30,
	CONNECT_GAP_NS = 50 * NS_PER_US,
	CHILD_GRACE_NS = NS_PER_MS, /* what a child used is known when it was waited for */

	/* What starting and stopping takes, for each of them. */
	START_STOP_NS = 25 * NS_PER_MS,
	THREAD_NS = 150 * NS_PER_US,
	PROCESS_NS = 800 * NS_PER_US,
	CONNECTION_NS = 40 * NS_PER_US,
	IDLE_NS = 50 * NS_PER_US,
};

static void on_edge(void *context, enum load_edge edge)
{
	struct drive *drive = context;

	if (edge == LOAD_EDGE_DONE)
		return;
	meter_cpu_ns(drive->server.pid,
		     edge == LOAD_EDGE_START ? &drive->cpu_start_ns : &drive->cpu_end_ns);
	if (edge == LOAD_EDGE_END && drive->on_end)
		drive->on_end(drive->context);
}

static void on_progress(void *context, const struct load_progress *progress)
{
	struct drive *drive = context;

	drive->measure->on_progress(drive->measure->context, progress);
}

static void format_request(struct drive *drive)
{
	const struct run *asked = drive->asked;
	char wait[UNITS_TEXT_MAX];
	char target[DRIVE_TARGET_MAX] = "/";

	if (strcmp(asked->service, "proxy") == 0)
		snprintf(target, sizeof(target), "/delay/%s%s",
			 units_format_duration_exact(wait, asked->wall_ns - asked->cpu_ns),
			 run_is_exponential(asked) ? "?dist=exponential" : "");
	if (drive->measure->target)
		snprintf(target, sizeof(target), "%s", drive->measure->target);
	drive->request_length = (size_t)snprintf(drive->request, sizeof(drive->request),
						 "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target,
						 drive->server.address);
}

/* Longer than any reply takes that is still to come. */
static int64_t timeout_ns(const struct run *asked)
{
	int64_t least = (int64_t)TIMEOUT_LEAST_S * NS_PER_S;
	int64_t longest = asked->wall_ns;

	if (run_is_exponential(asked))
		longest *= RANDOM_EXPONENTIAL_MOST;
	return 3 * longest > least ? 3 * longest : least;
}

static int start_herd(struct drive *drive)
{
	struct measure *measure = drive->measure;
	struct herd_config config = {
		.address = drive->address,
		.request = drive->request,
		.request_length = drive->request_length,
		.count = drive->asked->idle,
		.timeout_ns = timeout_ns(drive->asked),
		.stop = measure->stop,
	};

	return herd_start(&drive->herd, &config, measure->why, sizeof(measure->why));
}

static void stop_server(struct drive *drive)
{
	const struct arch_traits *traits = archs_find(drive->asked->arch);
	int64_t connections = drive->asked->connections + drive->asked->idle;
	int64_t grace_ns = LAUNCH_GRACE_NS;

	drive->ended[0] = '\0';
	drive->died = process_has_ended(&drive->server);
	if (drive->other.recipe) {
		recipe_stop(&drive->other, drive->ended);
		return;
	}
	if (traits && traits->processes)
		grace_ns += connections * CHILD_GRACE_NS;
	if (drive->died)
		snprintf(drive->ended, sizeof(drive->ended), "%s ended while it was needed",
			 drive->asked->arch);
	process_stop(&drive->server, grace_ns);
}

int drive_start(struct drive *drive)
{
	struct measure *measure = drive->measure;
	int rc = launch_server(measure, drive->asked, &drive->server, &drive->other);

	drive->herd = (struct herd){ 0 };
	if (rc != 0)
		return rc;
	rc = net_parse(drive->server.address, &drive->address);
	if (rc != 0)
		snprintf(measure->why, sizeof(measure->why), "ready %.79s: no address",
			 drive->server.address);
	format_request(drive);
	if (rc == 0)
		rc = start_herd(drive);
	if (rc != 0)
		stop_server(drive);
	return rc;
}

int drive_run(struct drive *drive, struct load_config *config, struct load_result *result)
{
	struct request request = { .bytes = drive->request, .length = drive->request_length };
	struct request_set requests = { .requests = &request, .count = 1 };
	int rc;

	config->address = drive->address;
	config->requests = &requests;
	config->same_reply = !drive->other.recipe; /* theirs have the date in them */
	config->timeout_ns = timeout_ns(drive->asked);
	config->on_edge = on_edge;
	config->on_progress = drive->measure->on_progress ? on_progress : NULL;
	config->context = drive;
	config->stop = drive->measure->stop;
	rc = load_run(config, result);
	return result->interrupted ? -EINTR : rc;
}

int64_t drive_stop(struct drive *drive)
{
	int64_t lost = herd_end(&drive->herd);

	stop_server(drive);
	return lost;
}

int64_t drive_quick_ramp_ns(int64_t connections)
{
	return connections * CONNECT_GAP_NS;
}

int64_t drive_estimate_ns(const struct run *asked)
{
	const struct arch_traits *traits = archs_find(asked->arch);
	int64_t each_ns = traits && traits->processes ? PROCESS_NS : THREAD_NS;

	return START_STOP_NS + asked->threads * each_ns + asked->connections * CONNECTION_NS +
	       asked->idle * IDLE_NS;
}
