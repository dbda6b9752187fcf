/* What `cwt selftest` measures: the same server, alternately as A and as B. */
#include "common/clock.h"
#include "common/options.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/selftest.h"
#include "loadgen/model/audit.h"
#include "loadgen/sweep/beforehand.h"
#include "loadgen/target/machine.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_PATH_MAX = PATH_MAX + 32 };

static const char *const side_names[] = { "a", "b" };

struct session {
	struct selftest *selftest;
	struct plan_point points[2];
	struct measure measure;
	FILE *files[2]; /* runs.csv, or NULL */
	int64_t done;
	int64_t due_ns;   /* when the run that is under way should end */
	int64_t later_ns; /* what those behind it take */
};

/* Progress */

/*
 * o_ref and o are metered for a pair or, where c is small, for each run; w alone once for each c.
 */
static void expect_run(struct session *session, int64_t pair, int side)
{
	const struct plan_point *point = &session->points[side];
	const struct run *asked = &point->asked;
	int64_t pairs = session->selftest->pairs;
	int64_t runs_left = 2 * pairs - session->done - 1;
	int64_t metering_ns =
		beforehand_estimate_reference(asked) + beforehand_estimate_overhead(asked);
	bool each_run = asked->cpu_ns < RUN_SMALL_CPU_NS;
	bool first_of_pair = session->done % 2 == 0;
	int64_t run_ns = measure_estimate(point);

	session->later_ns =
		runs_left * run_ns + (each_run ? runs_left : pairs - pair - 1) * metering_ns;
	if (each_run || first_of_pair)
		run_ns += metering_ns;
	if (session->done == 0 || (session->done == 1 && session->selftest->planted > 0))
		run_ns += beforehand_estimate_alone(asked);
	session->due_ns = clock_now_ns() + run_ns;
}

static void on_progress(void *context, const struct load_progress *progress)
{
	const struct session *session = context;
	int64_t run_ns = session->due_ns - clock_now_ns();
	int64_t left_ns = session->later_ns + (run_ns > 0 ? run_ns : 0);
	int64_t total = 2 * session->selftest->pairs;
	char left[COMMAND_CLOCK_MAX];

	(void)progress;
	fprintf(stderr, "\r[%lld/%lld] %s left ", (long long)session->done + 1, (long long)total,
		command_format_clock(left, left_ns));
}

/* Files */

static int write_machine(const char *folder)
{
	char path[FILE_PATH_MAX];
	json_t *machine = machine_provenance();
	int rc;

	snprintf(path, sizeof(path), "%s/machine.json", folder);
	rc = json_dump_file(machine, path, JSON_INDENT(2));
	json_decref(machine);
	return rc == 0 ? 0 : -EIO;
}

static int make_folder(const char *path)
{
	return mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : -errno;
}

/* A folder for each side, as a sweep leaves it but for the plan. */
static int open_out(struct session *session)
{
	const char *out = session->selftest->out;
	char path[PATH_MAX];
	char file[FILE_PATH_MAX];
	int rc = out ? make_folder(out) : 0;

	for (int side = 0; out && rc == 0 && side < 2; side++) {
		snprintf(path, sizeof(path), "%s/%s", out, side_names[side]);
		rc = make_folder(path);
		if (rc != 0)
			break;
		snprintf(file, sizeof(file), "%s/runs.csv", path);
		session->files[side] = fopen(file, "wxe");
		rc = session->files[side] ? run_write_header(session->files[side]) : -errno;
		if (rc == 0)
			rc = write_machine(path);
	}
	if (rc == 0)
		return 0;
	options_fail(selftest_program, "--out %s: %s%s", out, strerror(-rc),
		     rc == -EEXIST ? ": choose another folder" : "");
	return CWT_USAGE;
}

/* Runs */

/* Keep the run, and its figure if it counts. */
static int keep(struct session *session, int side, struct run *run)
{
	struct selftest *selftest = session->selftest;
	struct audit_failure failures[AUDITS];
	double value = quantity_of(run, selftest->settings.quantity);
	int rc;

	if (audit_run(run, failures) > 0) {
		snprintf(run->rejected, sizeof(run->rejected), "%s",
			 audit_words[failures[0].audit]);
		snprintf(selftest->rejected, sizeof(selftest->rejected), "%s: %s; %s",
			 audit_names[failures[0].audit], failures[0].why, failures[0].remedy);
	} else if (value > 0) {
		selftest->values[side][selftest->value_count[side]++] = value;
	}
	selftest->runs[side][selftest->run_count[side]++] = *run;
	rc = session->files[side] ? run_write(session->files[side], run) : 0;
	if (rc != 0)
		return options_fail(selftest_program, "--out %s: %s", selftest->out, strerror(-rc));
	return 0;
}

/* Returns 0, -EINTR, or an exit status. */
static int measure_one(struct session *session, int64_t pair, int side)
{
	const struct plan_point *point = &session->points[side];
	struct run run = point->asked;
	int rc;

	run.repetition = pair;
	run.block = pair;
	run.seed = session->selftest->seed;
	run.sequence = session->done;
	expect_run(session, pair, side);
	rc = measure_run(&session->measure, point, &run);
	if (rc == -EINTR)
		return rc;
	if (rc != 0)
		return options_fail(selftest_program, "%s", session->measure.why);
	/* The comparison has to take B for A. What B really did is in work_ns. */
	run.cpu_ns = session->points[0].asked.cpu_ns;
	run.wall_ns = session->points[0].asked.wall_ns;
	session->done++;
	return keep(session, side, &run);
}

static int measure_pairs(struct session *session)
{
	int rc = 0;

	for (int64_t pair = 0; rc == 0 && pair < session->selftest->pairs; pair++)
		for (int turn = 0; rc == 0 && turn < 2; turn++)
			rc = measure_one(session, pair, (int)(pair + turn) % 2);
	return rc;
}

static int make_room(struct selftest *selftest)
{
	for (int side = 0; side < 2; side++) {
		selftest->runs[side] =
			calloc((size_t)selftest->pairs, sizeof(*selftest->runs[side]));
		selftest->values[side] =
			calloc((size_t)selftest->pairs, sizeof(*selftest->values[side]));
		if (!selftest->runs[side] || !selftest->values[side])
			return options_fail(selftest_program, "out of memory");
	}
	return 0;
}

/* B has more work, and waits as long. */
static void plant(struct session *session)
{
	struct run *asked = &session->points[1].asked;
	int64_t more_ns = (int64_t)(session->selftest->planted * (double)asked->cpu_ns);

	asked->cpu_ns += more_ns;
	asked->wall_ns += more_ns;
}

static int measure_all(struct session *session)
{
	struct selftest *selftest = session->selftest;
	bool terminal = isatty(STDERR_FILENO) != 0;
	int64_t start_ns = clock_now_ns();
	char log[PATH_MAX] = "/dev/null";
	int rc;

	if (selftest->out)
		snprintf(log, sizeof(log), "%s/server.log", selftest->out);
	session->measure = (struct measure){
		.plan = &selftest->plan,
		.log = log,
		.stop = &command_stopped,
		.on_progress = terminal ? on_progress : NULL,
		.context = session,
	};
	command_catch_stop();
	rc = measure_begin(&session->measure);
	if (rc != 0)
		rc = options_fail(selftest_program, "%s", session->measure.why);
	else
		rc = measure_pairs(session);
	measure_end(&session->measure);
	selftest->took_ns = clock_now_ns() - start_ns;
	if (terminal)
		fprintf(stderr, "\r%40s\r", "");
	selftest->interrupted = rc == -EINTR;
	return selftest->interrupted ? 0 : rc;
}

int selftest_measure(struct selftest *selftest)
{
	struct session session = {
		.selftest = selftest,
		.points = { selftest->point, selftest->point },
	};
	int rc = make_room(selftest);

	plant(&session);
	if (rc == 0)
		rc = open_out(&session);
	if (rc == 0)
		rc = measure_all(&session);
	for (int side = 0; side < 2; side++)
		if (session.files[side])
			fclose(session.files[side]);
	return rc;
}
