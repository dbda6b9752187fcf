#include "loadgen/doctor/watch.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/doctor/counters.h"
#include "loadgen/doctor/probes.h"
#include "loadgen/target/machine.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	CYCLE_NS = 100 * NS_PER_MS,
	WORK_NS = 5 * NS_PER_MS,
	SLEEPS = 5, /* in a cycle: enough for a p99 in seconds, few enough to add no load */
};

struct watcher {
	const struct watch *watch;
	struct facts_watch *facts;
	cpu_set_t only[FACTS_ROLES]; /* the first processor of each set */
	int cpus[FACTS_ROLES];
	int64_t start_ns;
	int64_t operations;
	int64_t own_ns[FACTS_ROLES];
	int64_t wake_ups[FACTS_ROLES];
};

static bool is_told_to_stop(const struct watcher *watcher)
{
	return watcher->watch->stop && atomic_load(watcher->watch->stop);
}

static void append(const struct watcher *watcher, struct facts_series *series, double value)
{
	if (series->count == FACTS_SAMPLES_MAX)
		return;
	series->at_s[series->count] = (double)(clock_now_ns() - watcher->start_ns) / 1e9;
	series->values[series->count++] = value;
}

/* The other side's part of the CPU time is what this process used and this thread did not. */
static void time_ping_pong(struct watcher *watcher)
{
	int64_t mine = clock_thread_cpu_ns();
	int64_t all_before = 0;
	int64_t all_after = 0;
	int64_t way_ns;

	clock_process_cpu_ns(0, &all_before);
	way_ns = machine_ping_pong_ns(watcher->cpus[FACTS_SERVER], watcher->cpus[FACTS_LOAD]);
	clock_process_cpu_ns(0, &all_after);
	mine = clock_thread_cpu_ns() - mine;
	watcher->own_ns[FACTS_SERVER] += mine;
	watcher->own_ns[FACTS_LOAD] += all_after - all_before - mine;
	if (way_ns > 0)
		append(watcher, &watcher->facts->ping_pong_ns, (double)way_ns);
}

static void time_work(struct watcher *watcher)
{
	int64_t took = probes_work(watcher->operations);

	watcher->own_ns[FACTS_SERVER] += took;
	if (took > 0)
		append(watcher, &watcher->facts->speed, (double)watcher->operations / (double)took);
}

/* Sleeps until the cycle ends, on one side or the other. */
static void time_sleeps(struct watcher *watcher, enum facts_role role, int64_t end_ns)
{
	int64_t begun = clock_now_ns();
	int64_t step_ns = (end_ns - begun) / SLEEPS;
	int64_t used = clock_thread_cpu_ns();

	for (int i = 1; i <= SLEEPS && step_ns > 0 && !is_told_to_stop(watcher); i++) {
		int64_t due_ns = begun + i * step_ns;

		/* One that could not even begin in time is as late as that: none is left out. */
		watcher->wake_ups[role] += clock_now_ns() < due_ns;
		if (clock_sleep_until(due_ns) == 0)
			histogram_record(&watcher->facts->late_ns[role], clock_now_ns() - due_ns);
	}
	watcher->own_ns[role] += clock_thread_cpu_ns() - used;
}

static void run_cycle(struct watcher *watcher, int64_t cycle, int64_t end_ns)
{
	enum facts_role role = cycle % 2 == 0 ? FACTS_LOAD : FACTS_SERVER;

	cpus_bind(&watcher->only[FACTS_SERVER]);
	time_ping_pong(watcher);
	time_work(watcher);
	cpus_bind(&watcher->only[role]);
	time_sleeps(watcher, role, end_ns);
}

/* Cycles until the time is over, at most as many as the series have room for. */
static void run_cycles(struct watcher *watcher)
{
	int64_t duration_ns = watcher->watch->duration_ns;
	int64_t cycle_ns = duration_ns / FACTS_SAMPLES_MAX;
	int64_t end_ns = watcher->start_ns + duration_ns;
	int64_t at_ns = watcher->start_ns;

	if (cycle_ns < CYCLE_NS)
		cycle_ns = CYCLE_NS;
	for (int64_t cycle = 0; at_ns < end_ns && !is_told_to_stop(watcher); cycle++) {
		at_ns = at_ns + cycle_ns < end_ns ? at_ns + cycle_ns : end_ns;
		run_cycle(watcher, cycle, at_ns);
		if (watcher->watch->on_progress)
			watcher->watch->on_progress(end_ns - clock_now_ns());
	}
}

/* What does not change meanwhile, before the counters are read. */
static void probe_once(struct watcher *watcher)
{
	struct timespec resolution = { 0 };

	clock_getres(CLOCK_MONOTONIC, &resolution);
	watcher->facts->resolution_ns = (int64_t)resolution.tv_sec * NS_PER_S + resolution.tv_nsec;
	watcher->facts->clock_ns = probes_clock_ns(CLOCK_MONOTONIC);
	watcher->facts->cpu_clock_ns = probes_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	watcher->facts->ticks = probes_ticks();
	watcher->operations = probes_calibrate(WORK_NS);
}

static bool prepare(struct watcher *watcher, const struct facts *facts)
{
	bool bound = true;

	for (int role = FACTS_ROLES - 1; role >= 0; role--) {
		watcher->cpus[role] = facts_first(&facts->processors.chosen[role]);
		CPU_ZERO(&watcher->only[role]);
		if (watcher->cpus[role] < 0)
			return false;
		CPU_SET((size_t)watcher->cpus[role], &watcher->only[role]);
		bound = bound && cpus_bind(&watcher->only[role]) == 0;
	}
	return bound;
}

/*
 * Counters before and after. The processors' are the first that counters_read() reads, so what the
 * rest of the first reading takes lies in between.
 */
static int run_between(struct watcher *watcher, struct facts *facts)
{
	const char *root = watcher->watch->root;
	const cpu_set_t *chosen = facts->processors.chosen;
	struct counters *counters = calloc(2, sizeof(*counters));

	if (!counters)
		return -ENOMEM;
	watcher->own_ns[FACTS_SERVER] -= clock_thread_cpu_ns();
	counters_read(root, chosen, clock_now_ns(), &counters[0]);
	watcher->own_ns[FACTS_SERVER] += clock_thread_cpu_ns();
	watcher->start_ns = clock_now_ns();
	run_cycles(watcher);
	facts->watch.ns = clock_now_ns() - watcher->start_ns;
	counters_read(root, chosen, clock_now_ns(), &counters[1]);
	counters_compare(root, &counters[0], &counters[1], chosen, watcher->own_ns,
			 watcher->wake_ups, getpid(), &facts->load);
	counters_end(&counters[0]);
	counters_end(&counters[1]);
	free(counters);
	return 0;
}

int watch_run(const struct watch *watch, struct facts *facts)
{
	struct watcher watcher = { .watch = watch, .facts = &facts->watch };
	int slack = prctl(PR_GET_TIMERSLACK);
	cpu_set_t before;
	int rc = 0;

	facts->load = (struct facts_load){ .steal = { -1, -1 },
					   .others = { -1, -1 },
					   .interrupts = { -1, -1 },
					   .irq = { -1, -1 } };
	memset(&facts->watch, 0, sizeof(facts->watch));
	facts->watch.asked_ns = watch->duration_ns;
	facts->watch.ticks = FACTS_UNKNOWN;
	cpus_allowed(&before);
	prctl(PR_SET_TIMERSLACK, 1); /* as servers and generator do */
	facts->watch.was_bound = prepare(&watcher, facts);
	if (facts->watch.was_bound) {
		probe_once(&watcher);
		rc = run_between(&watcher, facts);
	}
	prctl(PR_SET_TIMERSLACK, slack);
	cpus_bind(&before);
	facts->watch.interrupted = is_told_to_stop(&watcher);
	if (rc == 0)
		rc = states_of(facts->watch.ping_pong_ns.values, facts->watch.ping_pong_ns.count,
			       &facts->watch.states);
	return rc;
}
