/* Threads share the connections and the schedule, and what they count adds up. */
#include "common/clock.h"
#include "tests/loads.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

TestSuite(threads, .timeout = 60);

#define MS NS_PER_MS

static struct loads loads;
static struct request_set set;

static struct load_config config_of(const struct script *script, int threads, int64_t connections)
{
	struct load_config config;

	if (set.count == 0)
		set = loads_requests("GET", NULL, NULL, 1);
	scripted_start(&loads.server, script);
	config = loads_config(&loads, &set);
	config.threads = threads;
	config.connections = connections;
	return config;
}

static uint64_t sum_of_parts(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < LOADS_PARTS; i++)
		sum += loads.parts[i].requests;
	return sum;
}

/*
 * The loads of one transport after the other, with every number of threads. With no end to the
 * replies of a connection, each is one that the server has accepted.
 */
Test(threads, all_connections_are_there_and_every_count_adds_up)
{
	static const struct {
		int threads;
		int64_t connections;
	} table[] = { { 0, 1 }, { 1, 3 }, { 2, 2 }, { 3, 7 }, { 4, 5 }, { 8, 3 }, { 64, 70 } };

	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		int threads = table[i / 2].threads;
		int64_t n = table[i / 2].connections;
		struct load_config config =
			config_of(&(struct script){ scripted_good }, threads, n);
		int rc;

		config.transport = loads_transports[i % 2];
		config.warmup_ns = 20 * MS;
		rc = loads_run_until_returned(&loads, &config, (int)n);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0, "%d threads: %d", threads, rc);
		loads_expect_errors(&loads, LOAD_ERRORS, "threads");
		cr_expect_eq(loads.server.accepted, n, "%d threads", threads);
		cr_expect_eq(loads.result.connects, (uint64_t)n, "%d threads", threads);
		cr_expect_eq(loads.result.never_served, 0, "%d threads", threads);
		cr_expect_eq(loads.result.latency.count, loads.result.requests, "%d", threads);
		cr_expect_eq(sum_of_parts(), loads.result.requests, "%d threads", threads);
		cr_expect_leq(loads.result.requests, loads.result.all_requests);
		cr_expect_geq((uint64_t)loads.server.requests, loads.result.all_requests);
		cr_expect_leq((uint64_t)loads.server.requests,
			      loads.result.all_requests + (uint64_t)n);
	}
}

/* The server leaves all but the first three waiting: those are no thread's own. */
Test(threads, connections_never_served_are_counted_over_all_threads)
{
	struct load_config config =
		config_of(&(struct script){ scripted_good, .connections = 3 }, 3, 7);

	cr_expect_eq(loads_run(&loads, &config), 0);
	cr_expect_eq(loads.result.never_served, 4);
	loads_expect_errors(&loads, LOAD_ERRORS, "waiting is no error");
}

/* A trace that pauses for an hour behind its 100 arrivals: the server sees these, each once. */
Test(threads, each_arrival_is_sent_once_by_one_of_them)
{
	enum { ARRIVALS = 100 };
	static const int counts[] = { 1, 2, 3, 7 };
	int64_t gaps_ns[ARRIVALS + 1];
	struct schedule_plan plan = { SCHEDULE_TRACE, 0, 0, gaps_ns, ARRIVALS + 1 };

	for (int i = 0; i < ARRIVALS; i++)
		gaps_ns[i] = i % 3 * MS;
	gaps_ns[ARRIVALS] = 3600LL * NS_PER_S;
	for (size_t i = 0; i < 2 * sizeof(counts) / sizeof(counts[0]); i++) {
		struct load_config config =
			config_of(&(struct script){ scripted_good }, counts[i / 2], 7);
		int rc;

		config.transport = loads_transports[i % 2];
		config.schedule = &plan;
		rc = loads_run(&loads, &config);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0);
		loads_expect_errors(&loads, LOAD_ERRORS, "arrivals");
		loads_expect_balance(&loads, "arrivals");
		cr_expect_eq(loads.result.scheduled, ARRIVALS, "%d threads", counts[i / 2]);
		cr_expect_eq(loads.result.requests, ARRIVALS, "%d threads", counts[i / 2]);
		cr_expect_eq(loads.server.requests, ARRIVALS, "%d threads: %d", counts[i / 2],
			     loads.server.requests);
	}
}

struct seen {
	int times;
	bool goes_back;
	struct load_progress last;
	atomic_bool stop;
	uint64_t enough; /* requests, to stop at */
};

static void note_progress(void *context, const struct load_progress *progress)
{
	struct seen *seen = context;

	seen->times++;
	seen->goes_back = seen->goes_back || progress->requests < seen->last.requests ||
			  progress->phase < seen->last.phase ||
			  progress->connections < seen->last.connections;
	seen->last = *progress;
	if (progress->phase == LOAD_WINDOW && progress->requests >= seen->enough)
		atomic_store(&seen->stop, true);
}

/* The window is an hour long: what ends the test is the flag. */
Test(threads, progress_tells_of_all_of_them_and_the_stop_flag_ends_all)
{
	for (int i = 0; i < loads_transport_count; i++) {
		struct seen seen = { .enough = 1000 };
		struct load_config config = config_of(&(struct script){ scripted_good }, 3, 7);
		int rc;

		config.transport = loads_transports[i];
		config.window_ns = 3600LL * NS_PER_S;
		config.on_progress = note_progress;
		config.context = &seen;
		config.stop = &seen.stop;
		rc = loads_run(&loads, &config);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0);
		cr_expect(loads.result.interrupted);
		cr_expect_not(seen.goes_back);
		cr_expect_eq(seen.last.connections, 7);
		cr_expect_geq(seen.last.requests, seen.enough);
		cr_expect_leq(seen.last.requests, loads.result.all_requests);
		cr_expect_eq(loads.result.latency.count, loads.result.requests);
		cr_expect_eq(sum_of_parts(), loads.result.requests);
	}
}

static atomic_bool is_told;

static void on_signal(int number)
{
	(void)number;
	atomic_store(&is_told, true);
}

static void raise_in_window(void *context, const struct load_progress *progress)
{
	(void)context;
	if (progress->phase == LOAD_WINDOW && progress->requests > 0)
		kill(getpid(), SIGUSR1);
}

Test(threads, a_signal_stops_all_of_them_whoever_it_meets)
{
	static const struct schedule_plan plan = { .rate = 500 };
	struct load_config config = config_of(&(struct script){ scripted_good }, 3, 7);

	signal(SIGUSR1, on_signal);
	config.schedule = &plan;
	config.window_ns = 3600LL * NS_PER_S;
	config.on_progress = raise_in_window;
	config.stop = &is_told;
	cr_expect_eq(loads_run(&loads, &config), 0);
	cr_expect(loads.result.interrupted);
	cr_expect_gt(loads.result.requests, 0);
	loads_expect_errors(&loads, LOAD_ERRORS, "signal");
	loads_expect_balance(&loads, "signal");
}

/*
 * The ramp brings the second thread's connection when nobody listens any more. The first thread's
 * is served throughout, so the target has not died, also after the 3 s of refusals that say so.
 */
Test(threads, a_thread_that_is_refused_does_not_end_the_run_of_one_that_is_served)
{
	struct load_config config =
		config_of(&(struct script){ scripted_good, .deaf_after = 1 }, 2, 2);

	config.ramp_ns = 600 * MS;
	config.think_ns = 10 * MS;
	config.window_ns = 3500LL * MS;
	cr_expect_eq(loads_run(&loads, &config), 0);
	cr_expect_not(loads.result.target_died);
	cr_expect_geq(loads.result.window_ns, config.window_ns);
	cr_expect_eq(loads.result.never_served, 1);
	cr_expect_gt(loads.result.requests, 0);
	cr_expect_gt(loads.result.errors[LOAD_ERROR_REFUSED], 10);
	cr_expect_eq(loads.result.last_error, -ECONNREFUSED);
}

/* Good replies first, then errors only, with no reply after them. */
Test(threads, errors_are_counted_in_the_part_of_the_window_in_which_they_were)
{
	static const struct schedule_plan plan = { .rate = 200 };
	struct load_config config =
		config_of(&(struct script){ "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
					    .good_replies = 10 },
			  2, 6);
	uint64_t errors = 0;
	int with_errors = 0;

	config.schedule = &plan;
	config.window_ns = 500 * MS;
	cr_expect_eq(loads_run(&loads, &config), 0);
	loads_expect_balance(&loads, "parts");
	for (int i = 0; i < LOADS_PARTS; i++) {
		errors += loads.parts[i].errors;
		with_errors += loads.parts[i].errors > 0;
	}
	cr_expect_eq(sum_of_parts(), 10);
	cr_expect_leq(errors, loads.result.error_count);
	cr_expect_gt(2 * errors, loads.result.error_count, "but for those that came late");
	/* 10 requests in each part of 50 ms; a machine that hesitates leaves some parts out. */
	cr_expect_gt(with_errors, LOADS_PARTS / 2);
}
