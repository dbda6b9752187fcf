/* What `cwt tune` measures: a request alone, then t after t as next_t() asks for them. */
#include "common/clock.h"
#include "common/options.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/tune.h"
#include "loadgen/model/audit.h"
#include "loadgen/sweep/drive.h"
#include "loadgen/sweep/figure.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	ALONE_REQUESTS = 10,
	LOOK_REQUESTS = 50,
	WINDOW_REQUESTS = 200,
	WINDOW_TURNS = 4,
	WINDOW_PARTS = PLAN_WINDOWS_MAX,
	STRETCH_MOST = 8,
	REJECTED_MOST = 20,
	ALONE_TRIES = 3,
	RUNS_PER_T = 3,
};

/* For tune_is_good(). */
#define ALL_AUDITS (((1U << AUDITS) - 1) & ~(1U << AUDIT_UTILISATION))

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t spent_ns(const struct tune_session *session)
{
	return clock_now_ns() - session->began_ns;
}

static void on_progress(void *context, const struct load_progress *progress)
{
	const struct tune_session *session = context;
	int64_t left_ns = session->tune->budget_ns - spent_ns(session);
	char left[COMMAND_CLOCK_MAX];

	(void)progress;
	fprintf(stderr, "\r%-40s at most %s left ", session->now,
		command_format_clock(left, most(left_ns, 0)));
}

/* A run at t, with N connections, in *run. Returns 0, -EINTR, or CWT_INVALID with the failure. */
static int drive(struct tune_session *session, int64_t t, int64_t connections,
		 const struct plan_timing *timing, struct run *run)
{
	struct plan_point point = { .asked = session->tune->asked, .timing = *timing };
	int rc;

	point.asked.threads = t;
	point.asked.connections = connections;
	*run = point.asked;
	run->sequence = (int64_t)session->tune->run_count;
	rc = measure_drive(&session->measure, &point, run);
	if (session->measure.note[0])
		snprintf(session->tune->note, sizeof(session->tune->note), "%.511s",
			 session->measure.note);
	if (rc == 0 || rc == -EINTR)
		return rc;
	snprintf(session->tune->failure, sizeof(session->tune->failure), "t = %lld: %.480s",
		 (long long)t, session->measure.why);
	return CWT_INVALID;
}

static double alone_cpu_ns(const struct tune *tune)
{
	return (double)tune->alone.server_cpu_ns / (double)tune->alone.requests;
}

/*
 * How old the requests are that a window's edges cut off is not known: replies come in bunches, and
 * of threads that take turns at an interpreter's lock some wait several times as long as others. So
 * Little's law gets what exponential times would leave open.
 */
bool tune_is_good(struct tune *tune, const struct run *run, unsigned audits)
{
	struct audit_failure failures[AUDITS];
	struct run known = *run;
	int count;

	known.cpu_ns = most(1, (int64_t)alone_cpu_ns(tune));
	known.wall_ns = most(known.cpu_ns, (int64_t)tune->alone.mean_ns);
	snprintf(known.distribution, sizeof(known.distribution), "exponential");
	count = audit_run(&known, failures);
	for (int i = 0; i < count; i++) {
		if (!(audits & 1U << failures[i].audit))
			continue;
		snprintf(tune->rejection, sizeof(tune->rejection), "t = %lld: %s: %s; %s",
			 (long long)run->threads, audit_names[failures[i].audit], failures[i].why,
			 failures[i].remedy);
		return false;
	}
	return true;
}

/* A short look says how long it takes for as many as are needed. */
static int look_alone(struct tune_session *session)
{
	struct tune *tune = session->tune;
	struct plan_timing timing = {
		.window_ns = NS_PER_S / 2, .windows = 1, .warmup_ns = NS_PER_S / 10, .ramp_ns = 1
	};
	int rc;

	if (tune->asked.wall_ns > 0)
		timing.window_ns = most(timing.window_ns, ALONE_REQUESTS * tune->asked.wall_ns);
	rc = drive(session, tune->next.least, 1, &timing, &tune->alone);
	if (rc != 0)
		return rc;
	if (tune->alone.requests < ALONE_REQUESTS) {
		timing.window_ns =
			2 * ALONE_REQUESTS * most(timing.window_ns, (int64_t)tune->alone.mean_ns);
		rc = drive(session, tune->next.least, 1, &timing, &tune->alone);
	}
	if (rc != 0)
		return rc;
	if (tune->alone.error_status > 0)
		snprintf(tune->failure, sizeof(tune->failure),
			 "a request alone is answered with an error (status 4xx or 5xx): is it the "
			 "right path?");
	else if (tune->alone.requests == 0)
		snprintf(tune->failure, sizeof(tune->failure),
			 "a request alone is not answered within %.1f s: is it the right path?",
			 (double)timing.window_ns / 1e9);
	return tune->failure[0] ? CWT_INVALID : 0;
}

/* w and c of a request that comes alone, with nothing else at work: all that follows needs them. */
static int measure_alone(struct tune_session *session)
{
	struct tune *tune = session->tune;

	snprintf(session->now, sizeof(session->now), "a request alone");
	for (int i = 0; i < ALONE_TRIES; i++) {
		int rc = look_alone(session);

		if (rc != 0 || tune_is_good(tune, &tune->alone, 1U << AUDIT_MACHINE))
			return rc;
	}
	snprintf(tune->failure, sizeof(tune->failure), "a request alone was disturbed; %.480s",
		 tune->rejection);
	return CWT_INVALID;
}

static int64_t connections_of(const struct tune *tune, int64_t t)
{
	return tune->connections > 0 ? tune->connections : t;
}

/* What all connections together take for a request each. */
static double turn_ns(const struct tune *tune, int64_t t)
{
	double connections = (double)connections_of(tune, t);
	double busy_ns = connections * alone_cpu_ns(tune) / (double)tune->asked.cores;

	return fmax(busy_ns, tune->alone.mean_ns * connections / fmin((double)t, connections));
}

/*
 * Ramp and warm-up are a turn of all connections, and the window is several of them, and as many
 * requests as it takes for half a per cent. The first run at a t only says where to go on.
 */
static struct plan_timing timing_of(const struct tune *tune, int64_t t)
{
	int64_t connections = connections_of(tune, t);
	double turn = turn_ns(tune, t);
	double requests = curve_find(&tune->curve, t) ? WINDOW_REQUESTS : LOOK_REQUESTS;
	double window_ns = fmax(WINDOW_TURNS, requests / (double)connections) * turn;

	window_ns = fmax(window_ns, (double)tune->window_ns) * (double)tune->stretch;
	return (struct plan_timing){
		.ramp_ns = most((int64_t)turn, drive_quick_ramp_ns(connections)),
		.warmup_ns = tune->stretch * (int64_t)fmax(turn, 0.2 * NS_PER_S),
		.window_ns = (int64_t)window_ns / WINDOW_PARTS,
		.windows = WINDOW_PARTS,
	};
}

/*
 * By Little's law the window's edges, and what is left of the ramp, weigh too much in a run: those
 * that follow take longer.
 */
static int measure_t(struct tune_session *session, int64_t t)
{
	struct tune *tune = session->tune;
	struct plan_timing timing = timing_of(tune, t);
	struct run *run = &tune->runs[tune->run_count];
	bool is_short;
	int rc;

	snprintf(session->now, sizeof(session->now), "t = %lld, run %zu", (long long)t,
		 tune->run_count + 1);
	rc = drive(session, t, connections_of(tune, t), &timing, run);
	if (rc != 0)
		return rc;
	tune->run_count++;
	is_short = !tune_is_good(tune, run, 1U << AUDIT_LITTLE);
	if (is_short && tune->stretch < STRETCH_MOST)
		tune->stretch *= 2;
	if (is_short || !tune_is_good(tune, run, ALL_AUDITS)) {
		snprintf(run->rejected, sizeof(run->rejected), "yes");
		tune->rejected++;
		return 0;
	}
	snprintf(run->rejected, sizeof(run->rejected), "-");
	run->throughput_rps = figure_tapered(run);
	curve_add(&tune->curve, t, run->throughput_rps);
	return 0;
}

/* How long the next run takes, at the least. */
static int64_t expected_ns(const struct tune *tune, int64_t t)
{
	struct plan_timing timing = timing_of(tune, t);

	return timing.ramp_ns + timing.warmup_ns + timing.windows * timing.window_ns;
}

/* An SLO takes at least half of the time. */
static int64_t curve_budget_ns(const struct tune *tune)
{
	return tune->slo_text ? tune->budget_ns / 2 : tune->budget_ns;
}

static int measure_all(struct tune_session *session)
{
	struct tune *tune = session->tune;
	int rc = measure_alone(session);

	if (rc != 0)
		return rc;
	tune->next.guess = (double)tune->asked.cores * tune->alone.mean_ns / alone_cpu_ns(tune);
	while (rc == 0 && tune->run_count < TUNE_RUNS_MAX) {
		int64_t t = next_t(&tune->curve, &tune->next, (uint64_t)tune->seed);

		if (t == 0)
			return 0;
		tune->out_of_time =
			spent_ns(session) + expected_ns(tune, t) > curve_budget_ns(tune);
		tune->disturbed = tune->rejected >= REJECTED_MOST;
		if (tune->out_of_time || tune->disturbed)
			return 0;
		rc = measure_t(session, t);
	}
	return rc;
}

int tune_measure(struct tune *tune)
{
	bool terminal = isatty(STDERR_FILENO) != 0;
	struct tune_session session = { .tune = tune, .began_ns = clock_now_ns() };
	int rc;

	session.measure = (struct measure){
		.plan = &tune->plan,
		.log = tune->log,
		.stop = &command_stopped,
		.on_progress = terminal ? on_progress : NULL,
		.context = &session,
		.target = tune->target,
	};
	tune->next.runs = RUNS_PER_T;
	tune->stretch = 1;
	command_catch_stop();
	rc = measure_begin(&session.measure);
	if (rc != 0)
		rc = options_fail(tune_program, "%s", session.measure.why);
	else
		rc = measure_all(&session);
	if (rc == 0 && tune->slo_text)
		rc = tune_slo_measure(&session);
	measure_end(&session.measure);
	tune->took_ns = spent_ns(&session);
	if (terminal)
		fprintf(stderr, "\r%79s\r", "");
	if (tune->note[0])
		fprintf(stderr, "%s: %s\n", tune_program, tune->note);
	tune->interrupted = rc == -EINTR;
	return tune->interrupted || tune->failure[0] ? 0 : rc;
}
