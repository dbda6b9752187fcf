/*
 * The open loop: what is scheduled is counted, and time counts from when a request was meant to go.
 * Where time is involved, bounds are those that no machine can be too slow for: a server that
 * sleeps for d sleeps for at least d.
 */
#include "common/clock.h"
#include "tests/loads.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>

TestSuite(open_loop, .timeout = 60);

#define MS NS_PER_MS
/* Values in a histogram are known to within 1/256; with some room. */
#define KNOWN 0.99

static struct loads loads;
static struct request_set set;

/* An open loop to the server, which is started by the script. */
static struct load_config config_of(const struct script *script, const struct schedule_plan *plan)
{
	struct load_config config;

	if (set.count == 0)
		set = loads_requests("GET", NULL, NULL, 1);
	scripted_start(&loads.server, script);
	config = loads_config(&loads, &set);
	config.schedule = plan;
	return config;
}

/* Arrivals of the whole schedule in a span of it. */
static uint64_t arrivals(const struct schedule_plan *plan, int64_t from_ns, int64_t to_ns)
{
	struct schedule schedule;
	uint64_t count = 0;
	int64_t at_ns;

	schedule_start(&schedule, plan, 0, 1);
	while ((at_ns = schedule_next(&schedule)) < to_ns)
		count += at_ns >= from_ns;
	return count;
}

/* Arrival k of a constant rate is at k / rate: ceil(rate x window) are before the window's end. */
Test(open_loop, what_is_counted_is_what_is_scheduled_in_the_window)
{
	static const int64_t gaps_ns[] = { 3 * MS, 0, 0, 7 * MS };
	static const struct {
		const char *name;
		struct schedule_plan plan;
		int64_t warmup_ns;
		int64_t window_ns;
		int threads;
		int64_t count; /* -1: what the schedule says */
	} table[] = {
		{ "200/s", { .rate = 200 }, 0, 150 * MS, 1, 30 },
		{ "an arrival at the end", { .rate = 100 }, 0, 100 * MS, 1, 10 },
		{ "an arrival just before", { .rate = 100 }, 0, 100 * MS + 1, 1, 11 },
		{ "after the warm-up", { .rate = 100 }, 25 * MS, 100 * MS, 1, 10 },
		{ "three threads", { .rate = 1000 }, 0, 100 * MS, 3, 100 },
		{ "a broken count", { .rate = 7 }, 0, 300 * MS, 2, 3 },
		{ "below 1/s", { .rate = 0.5 }, 0, 100 * MS, 1, 1 },
		{ "none in the window", { .rate = 0.5 }, 20 * MS, 100 * MS, 1, 0 },
		{ "fewer than threads", { .rate = 15 }, 0, 100 * MS, 4, 2 },
		{ "Poisson", { SCHEDULE_POISSON, 500, 7, NULL, 0 }, 10 * MS, 150 * MS, 1, -1 },
		{ "Poisson, shared", { SCHEDULE_POISSON, 500, 8, NULL, 0 }, 0, 150 * MS, 4, -1 },
		{ "a trace", { SCHEDULE_TRACE, 0, 0, gaps_ns, 4 }, 0, 100 * MS, 1, -1 },
		{ "a trace, shared",
		  { SCHEDULE_TRACE, 0, 0, gaps_ns, 4 },
		  15 * MS,
		  90 * MS,
		  3,
		  -1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *name = table[i].name;
		int64_t from_ns = table[i].warmup_ns;
		int64_t to_ns = from_ns + table[i].window_ns;
		struct load_config config =
			config_of(&(struct script){ scripted_good }, &table[i].plan);
		uint64_t count = table[i].count < 0 ? arrivals(&table[i].plan, from_ns, to_ns)
						    : (uint64_t)table[i].count;

		config.connections = 4;
		config.threads = table[i].threads;
		config.warmup_ns = table[i].warmup_ns;
		config.window_ns = table[i].window_ns;
		cr_expect_eq(loads_run(&loads, &config), 0, "%s", name);
		loads_expect_errors(&loads, LOAD_ERRORS, name);
		loads_expect_balance(&loads, name);
		cr_expect_eq(loads.result.scheduled, count, "%s: %llu", name,
			     (unsigned long long)loads.result.scheduled);
		cr_expect_eq(loads.result.window_ns, config.window_ns, "%s", name);
		cr_expect_geq(loads.result.sent_latency.count, loads.result.requests, "%s", name);
	}
}

/*
 * D/D/1: arrivals every g, one server that takes d > g. Request k goes when those before it are
 * done, and is done at (k+1) d at the earliest, which is d + k (d-g) after it was meant to go.
 */
Test(open_loop, a_queue_in_the_generator_counts_from_the_intended_time)
{
	enum { COUNT = 30, D_MS = 20, G_MS = 10 };
	static const struct schedule_plan plan = { .rate = 1000.0 / G_MS };
	const struct load_result *result = &loads.result;
	struct load_config config =
		config_of(&(struct script){ scripted_good, .delay_ns = D_MS * MS }, &plan);
	double last_ns = (D_MS + (COUNT - 1) * (D_MS - G_MS)) * (double)MS;
	double mean_ns = (D_MS + (COUNT - 1) * (D_MS - G_MS) / 2.0) * (double)MS;

	config.window_ns = (int64_t)COUNT * G_MS * MS;
	cr_expect_eq(loads_run(&loads, &config), 0);
	loads_expect_errors(&loads, LOAD_ERRORS, "D/D/1");
	loads_expect_balance(&loads, "D/D/1");
	cr_expect_eq(result->scheduled, COUNT);
	cr_expect_geq(result->latency.least, D_MS * MS);
	cr_expect_geq((double)result->latency.most, last_ns);
	cr_expect_geq(histogram_mean(&result->latency), mean_ns);
	for (int k = 2; k < COUNT; k += 9)
		cr_expect_geq((double)histogram_quantile(&result->latency, (k + 1.0) / COUNT),
			      KNOWN * (D_MS + k * (D_MS - G_MS)) * (double)MS, "request %d", k);
	/* From when it went, each has waited for itself alone. */
	cr_expect_geq(result->sent_latency.least, D_MS * MS);
	cr_expect_lt(3 * histogram_mean(&result->sent_latency), histogram_mean(&result->latency));
	/* At the end, request t/d is the last that can have gone. */
	cr_expect_geq(result->backlog_end_ns, config.window_ns - (COUNT / 2 + 1) * G_MS * MS);
}

enum { STALL_RATE = 500, STALL_AT = 200, STALL_MS = 300, STALL_N = 4 };

static const struct script stalling = { scripted_good, .stall_at = STALL_AT,
					.stall_ns = STALL_MS * MS };

/*
 * In a window W with a stall S, a share (S-x)/W of the requests waits for longer than x: those
 * meant to go in the stall wait for its end, uniformly 0...S. The stall begins when STALL_AT
 * requests have come, so not before that one was meant to go; as many as there are connections may
 * come in another order.
 */
Test(open_loop, a_stall_of_the_server_is_in_the_quantiles_for_as_long_as_it_was)
{
	static const double fractions[] = { 0.75, 0.8, 0.9, 0.95, 0.99 };
	static const struct schedule_plan plan = { .rate = STALL_RATE };
	const struct load_result *result = &loads.result;

	for (int i = 0; i < loads_transport_count; i++) {
		struct load_config config = config_of(&stalling, &plan);
		int rc;

		config.transport = loads_transports[i];
		config.connections = STALL_N;
		config.window_ns = NS_PER_S;
		rc = loads_run(&loads, &config);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0);
		loads_expect_balance(&loads, config.transport->name);
		cr_expect_eq(result->requests, STALL_RATE);
		for (size_t k = 0; k < sizeof(fractions) / sizeof(fractions[0]); k++) {
			double above = ceil((1 - fractions[k]) * STALL_RATE) + STALL_N + 1;
			double wait_ns = STALL_MS * (double)MS - above * NS_PER_S / STALL_RATE;

			cr_expect_geq((double)histogram_quantile(&result->latency, fractions[k]),
				      KNOWN * wait_ns, "%s: quantile %g", config.transport->name,
				      fractions[k]);
		}
		cr_expect_geq(result->latency.most, STALL_MS * MS - 2 * MS * STALL_N);
	}
}

/* It has one request on each connection, so a stall meets so many, out of thousands. */
Test(open_loop, a_closed_loop_does_not_see_a_stall_but_in_a_few_requests)
{
	struct load_config config = config_of(&stalling, NULL);

	config.connections = STALL_N;
	config.window_ns = NS_PER_S;
	cr_expect_eq(loads_run(&loads, &config), 0);
	cr_expect_geq(loads.result.latency.most, STALL_MS * MS);
	cr_expect_gt(loads.result.requests, 200 * STALL_N);
	cr_expect_lt(histogram_quantile(&loads.result.latency, 0.99), STALL_MS * MS / 2);
}

/* The schedule goes on in the drain, so a server that is too slow never comes to its end. */
Test(open_loop, a_server_slower_than_the_rate_leaves_requests_unfinished_with_their_age)
{
	enum { D_MS = 50, G_MS = 5, W_MS = 300, DRAIN_MS = 400 };
	static const struct schedule_plan plan = { .rate = 1000.0 / G_MS };
	static const int threads[] = { 1, 2 };
	const struct load_result *result = &loads.result;

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		struct load_config config =
			config_of(&(struct script){ scripted_good, .delay_ns = D_MS * MS }, &plan);
		int n = threads[i];
		int most_done = n * ((W_MS + DRAIN_MS) / D_MS + 1);

		config.connections = config.threads = n;
		config.window_ns = W_MS * MS;
		/* Bounds the drain, too. A request that goes has its reply after d. */
		config.timeout_ns = DRAIN_MS * MS;
		cr_expect_eq(loads_run(&loads, &config), 0);
		loads_expect_balance(&loads, "too slow");
		cr_expect_eq(result->scheduled, W_MS / G_MS);
		cr_expect_gt(result->unfinished, 0);
		/* Each thread has sent W/D requests and one more, and the next is due n G later. */
		cr_expect_geq(result->backlog_end_ns, (W_MS - (W_MS / D_MS + 2) * G_MS * n) * MS);
		cr_expect_geq(result->backlog_left_ns, result->backlog_end_ns / 2);
		/* The last one of the window that can have been done; those behind it were not. */
		cr_expect_geq(result->latency.most, (W_MS + DRAIN_MS - most_done * G_MS) * MS);
		cr_expect_geq(result->latency.most, result->backlog_end_ns);
	}
}

/* One of two connections is never answered: what it had is unfinished when the run is stopped. */
static void stop_in_window(void *context, const struct load_progress *progress)
{
	if (progress->phase == LOAD_WINDOW && progress->requests > 0)
		atomic_store((atomic_bool *)context, true);
}

Test(open_loop, an_interrupted_run_counts_what_was_scheduled_until_then)
{
	static const struct schedule_plan plan = { .rate = 200 };
	const struct load_result *result = &loads.result;
	struct load_config config =
		config_of(&(struct script){ scripted_good, .connections = 1 }, &plan);
	atomic_bool stop = false;

	config.connections = 2;
	config.window_ns = 3600LL * NS_PER_S;
	config.on_progress = stop_in_window;
	config.context = &stop;
	config.stop = &stop;
	cr_expect_eq(loads_run(&loads, &config), 0);
	cr_expect(result->interrupted);
	cr_expect_not(result->target_died);
	loads_expect_errors(&loads, LOAD_ERRORS, "interrupted");
	loads_expect_balance(&loads, "interrupted");
	cr_expect_gt(result->requests, 0);
	cr_expect_geq(result->unfinished, 1);
	cr_expect_lt(result->window_ns, config.window_ns);
	cr_expect_eq(result->scheduled, arrivals(&plan, 0, result->window_ns));
}

/* The windows are an hour long: what ends the test is that the death is noticed. */
static void expect_death(const struct schedule_plan *plan, int threads)
{
	const struct load_result *result = &loads.result;
	struct load_config config =
		config_of(&(struct script){ "HTTP/1.1 200 OK\r\nConnection: close\r\n"
					    "Content-Length: 0\r\n\r\n",
					    SCRIPTED_CLOSE, .deaf_after = 8 },
			  plan);

	config.connections = 4;
	config.threads = threads;
	config.window_ns = 3600LL * NS_PER_S;
	cr_expect_eq(loads_run(&loads, &config), 0);
	cr_expect(result->target_died);
	cr_expect_not(result->interrupted);
	cr_expect_eq(result->all_requests, 8);
	cr_expect_gt(result->errors[LOAD_ERROR_REFUSED], 0);
	cr_expect_lt(result->window_ns, config.window_ns);
	if (plan)
		loads_expect_balance(&loads, "died");
}

Test(open_loop, a_target_that_dies_ends_the_run)
{
	static const struct schedule_plan plan = { .rate = 100 };

	expect_death(&plan, 2);
}

Test(open_loop, a_target_that_dies_ends_a_closed_loop)
{
	expect_death(NULL, 2);
}

Test(open_loop, without_a_first_reply_there_is_no_run)
{
	static const struct {
		const char *name;
		struct script script;
		int rc;
	} table[] = {
		{ "silence", { "", SCRIPTED_SILENT }, -ETIMEDOUT },
		{ "closed", { "", SCRIPTED_CLOSE }, -EPROTO },
		{ "503", { "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" }, -EPROTO },
	};
	static const struct schedule_plan plan = { .rate = 100 };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct load_config config = config_of(&table[i].script, &plan);

		config.connections = 4;
		config.threads = 2;
		config.ramp_ns = LOAD_RAMP_AUTO;
		config.timeout_ns = 20 * MS;
		cr_expect_eq(loads_run(&loads, &config), table[i].rc, "%s", table[i].name);
		cr_expect_eq(loads.result.all_requests, 0, "%s", table[i].name);
		cr_expect_eq(loads.result.scheduled, 0, "%s", table[i].name);
	}
}

/* The drain is spun through as the window is, but it is not of the window. */
Test(open_loop, spinning_in_the_window_alone_is_taken_off_the_windows_cpu_time)
{
	static const struct schedule_plan plan = { .rate = 500 };
	struct load_config config =
		config_of(&(struct script){ scripted_good, .delay_ns = 300 * MS }, &plan);

	config.connections = 200; /* so that there is always one free */
	config.window_ns = 50 * MS;
	config.spin_ns = NS_PER_S;
	cr_expect_eq(loads_run(&loads, &config), 0);
	cr_expect_gt(loads.result.spin_ns, 0);
	cr_expect_lt(loads.result.spin_ns, 4 * config.window_ns);
}
