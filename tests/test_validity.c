#include "loadgen/engine/validity.h"
#include "tests/simulated.h"
#include <criterion/criterion.h>
#include <string.h>

static const double flat_rate[] = { 1000, 1010, 990, 1005, 995, 1000, 1012, 988, 1003, 997 };
static const double flat_p50_ns[] = {
	5e6, 5.1e6, 4.9e6, 5e6, 5.2e6, 4.8e6, 5e6, 5e6, 5.1e6, 4.9e6
};

/* 10 s of 1,000/s with 64 connections, of which 5 are busy at a time; nothing is wrong. */
static struct validity_facts healthy(bool open_loop)
{
	return (struct validity_facts){
		.open_loop = open_loop,
		.rate = open_loop ? 1000 : 0,
		.window_ns = 10000000000,
		.connections = open_loop ? 64 : 5,
		.pipeline = 1,
		.requests = 10000,
		.scheduled = open_loop ? 10000 : 0,
		.backlog_end_ns = open_loop ? 100000 : 0,
		.start_lag_p99_ns = open_loop ? 60000 : 0,
		.mean_sent_latency_ns = 5e6,
		.busy = 0.2,
		.waiting = 0.05,
		.stolen = 0.01,
		.lag_p99_ns = 50000,
		.intervals = 10,
		.interval_rate = flat_rate,
		.interval_p50_ns = flat_p50_ns,
	};
}

static struct validity_verdict judge(const struct validity_facts *facts)
{
	struct validity_verdict verdict;

	validity_judge(facts, &verdict);
	cr_expect_eq(verdict.verdict, verdict.count > 0 ? verdict.reasons[0].kind : VALID);
	for (int i = 0; i < verdict.count; i++) {
		cr_expect_neq(verdict.reasons[i].figure[0], '\0');
		cr_expect_neq(verdict.reasons[i].remedy[0], '\0');
		/* Neither is cut off. */
		cr_expect_lt(strlen(verdict.reasons[i].figure), VALIDITY_FIGURE_MAX - 1, "%s",
			     verdict.reasons[i].figure);
		cr_expect_lt(strlen(verdict.reasons[i].remedy), VALIDITY_REMEDY_MAX - 1, "%s",
			     verdict.reasons[i].remedy);
	}
	return verdict;
}

Test(validity, the_names_are_those_that_scripts_rely_on)
{
	cr_expect_str_eq(validity_names[VALID], "valid");
	cr_expect_str_eq(validity_names[INVALID_ERRORS], "errors");
	cr_expect_str_eq(validity_names[INVALID_CLIENT], "client-limited");
	cr_expect_str_eq(validity_names[INVALID_SERVER], "server-limited");
	cr_expect_str_eq(validity_names[INVALID_UNSTABLE], "unstable");
	cr_expect_str_eq(validity_names[INVALID_MERGE], "merge");
}

/* A healthy run of which some facts are others. 0 leaves a fact as it is, -1 makes it 0. */
struct change {
	const char *name;
	bool open_loop;
	uint64_t errors;
	double busy;
	double waiting;
	double stolen;
	double lag_ms;
	double start_lag_ms;
	double mean_ms;
	double backlog_end_ms;
	double backlog_left_ms;
	uint64_t unfinished;
	uint64_t scheduled;
	double rate;
	int64_t requests;
	enum validity verdict;
};

static struct validity_facts changed(const struct change *change)
{
	struct validity_facts facts = healthy(change->open_loop);

	facts.errors = change->errors;
	facts.worst_error = change->errors > 0 ? "timeout" : NULL;
	facts.worst_count = change->errors;
	facts.unfinished = change->unfinished;
	if (change->busy > 0)
		facts.busy = change->busy;
	if (change->waiting > 0)
		facts.waiting = change->waiting;
	if (change->stolen != 0)
		facts.stolen = change->stolen;
	if (change->lag_ms > 0)
		facts.lag_p99_ns = (int64_t)(change->lag_ms * 1e6);
	if (change->start_lag_ms > 0)
		facts.start_lag_p99_ns = (int64_t)(change->start_lag_ms * 1e6);
	if (change->mean_ms != 0)
		facts.mean_sent_latency_ns = change->mean_ms > 0 ? change->mean_ms * 1e6 : 0;
	if (change->backlog_end_ms > 0)
		facts.backlog_end_ns = (int64_t)(change->backlog_end_ms * 1e6);
	facts.backlog_left_ns = (int64_t)(change->backlog_left_ms * 1e6);
	if (change->scheduled > 0)
		facts.scheduled = change->scheduled;
	if (change->rate > 0)
		facts.rate = change->rate;
	if (change->requests != 0)
		facts.requests = change->requests > 0 ? (uint64_t)change->requests : 0;
	return facts;
}

Test(validity, each_fact_is_judged_by_what_it_falsifies)
{
	static const struct change table[] = {
		{ "healthy, closed", .verdict = VALID },
		{ "healthy, open", .open_loop = true, .verdict = VALID },
		{ "one error", .errors = 1, .verdict = INVALID_ERRORS },
		{ "one error, open", .open_loop = true, .errors = 1, .verdict = INVALID_ERRORS },
		/* The generator. */
		{ "busy, but not too", .busy = 0.84, .verdict = VALID },
		{ "too busy", .busy = 0.86, .verdict = INVALID_CLIENT },
		{ "too busy, open", .open_loop = true, .busy = 0.86, .verdict = INVALID_CLIENT },
		{ "shares its core with a backend", .busy = 0.24, .waiting = 0.28,
		  .verdict = VALID },
		{ "shares its core with too much", .busy = 0.3, .waiting = 0.62,
		  .verdict = INVALID_CLIENT },
		{ "steal unknown", .stolen = -1, .verdict = VALID },
		{ "some steal", .stolen = 0.04, .verdict = VALID },
		{ "steal", .stolen = 0.06, .verdict = INVALID_CLIENT },
		{ "late, but below 1 ms", .lag_ms = 0.9, .mean_ms = 0.1, .verdict = VALID },
		{ "late, but far less than the latency", .lag_ms = 2, .mean_ms = 5,
		  .verdict = VALID },
		{ "late, as the latency", .lag_ms = 3, .mean_ms = 5, .verdict = INVALID_CLIENT },
		/* By Little's law the mean is 5 ms. */
		{ "late, latency unknown", .lag_ms = 3, .mean_ms = -1, .verdict = INVALID_CLIENT },
		{ "late, but less, latency unknown", .lag_ms = 2, .mean_ms = -1, .verdict = VALID },
		{ "sends late", .open_loop = true, .start_lag_ms = 3, .verdict = INVALID_CLIENT },
		{ "sends late, but little", .open_loop = true, .start_lag_ms = 2,
		  .verdict = VALID },
		{ "three late starts of a few", .open_loop = true, .start_lag_ms = 30, .rate = 30,
		  .scheduled = 300, .requests = 300, .verdict = VALID },
		/* The server. */
		{ "a backlog that stays", .open_loop = true, .backlog_end_ms = 2000,
		  .backlog_left_ms = 2500, .verdict = INVALID_SERVER },
		{ "a stall at the end, caught up with", .open_loop = true, .backlog_end_ms = 1000,
		  .backlog_left_ms = 0, .verdict = VALID },
		{ "a stall at the end, half caught up with", .open_loop = true,
		  .backlog_end_ms = 1000, .backlog_left_ms = 450, .verdict = VALID },
		/* Four deviations of 10,000 arrivals are 400 requests, 0.4 s. */
		{ "a backlog that chance makes", .open_loop = true, .backlog_end_ms = 390,
		  .backlog_left_ms = 390, .verdict = VALID },
		{ "one that chance doesn't make", .open_loop = true, .backlog_end_ms = 410,
		  .backlog_left_ms = 410, .verdict = INVALID_SERVER },
		{ "one below 20 ms", .open_loop = true, .rate = 1e9, .backlog_end_ms = 19,
		  .backlog_left_ms = 19, .verdict = VALID },
		{ "one above 20 ms", .open_loop = true, .rate = 1e9, .backlog_end_ms = 21,
		  .backlog_left_ms = 21, .verdict = INVALID_SERVER },
		{ "unanswered", .open_loop = true, .unfinished = 11, .verdict = INVALID_SERVER },
		{ "unanswered, few", .open_loop = true, .unfinished = 10, .verdict = VALID },
		{ "one unanswered", .open_loop = true, .unfinished = 1, .scheduled = 100,
		  .verdict = VALID },
		{ "two unanswered of a hundred", .open_loop = true, .unfinished = 2,
		  .scheduled = 100, .verdict = INVALID_SERVER },
		{ "closed loop has no schedule", .backlog_end_ms = 2000, .backlog_left_ms = 2000,
		  .unfinished = 64, .verdict = VALID },
		{ "no reply", .requests = -1, .verdict = INVALID_SERVER },
		{ "no reply, open", .open_loop = true, .requests = -1, .verdict = INVALID_SERVER },
		{ "no reply but errors", .requests = -1, .errors = 3, .verdict = INVALID_ERRORS },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct validity_facts facts = changed(&table[i]);
		struct validity_verdict verdict = judge(&facts);

		cr_expect_eq(verdict.verdict, table[i].verdict, "%s: %s (%s)", table[i].name,
			     validity_names[verdict.verdict], verdict.reasons[0].figure);
	}
}

Test(validity, all_reasons_are_there_in_their_order)
{
	struct change change = { .open_loop = true,
				 .errors = 2,
				 .busy = 0.99,
				 .stolen = 0.3,
				 .lag_ms = 9,
				 .start_lag_ms = 9,
				 .backlog_end_ms = 3000,
				 .backlog_left_ms = 3000,
				 .unfinished = 500 };
	static const double rising[] = { 1e6, 2e6, 3e6, 4e6, 5e6, 6e6, 7e6, 8e6, 9e6, 10e6 };
	struct validity_facts facts = changed(&change);
	struct validity_verdict verdict;

	facts.interval_p50_ns = rising;
	verdict = judge(&facts);
	cr_expect_eq(verdict.count, VALIDITY_REASONS_MAX);
	cr_expect_eq(verdict.verdict, INVALID_ERRORS);
	for (int i = 1; i < verdict.count; i++)
		cr_expect_geq(verdict.reasons[i].kind, verdict.reasons[i - 1].kind);
	cr_expect_eq(verdict.reasons[verdict.count - 1].kind, INVALID_UNSTABLE);
}

Test(validity, errors_are_told_with_their_number_and_the_most_frequent_kind)
{
	struct validity_facts facts = healthy(false);
	struct validity_verdict verdict;

	facts.errors = 37;
	facts.worst_error = "timeout";
	facts.worst_count = 30;
	verdict = judge(&facts);
	cr_expect_not_null(strstr(verdict.reasons[0].figure, "37"));
	cr_expect_not_null(strstr(verdict.reasons[0].figure, "30"));
	cr_expect_not_null(strstr(verdict.reasons[0].figure, "timeout"));
	cr_expect_not_null(strstr(verdict.reasons[0].remedy, "--timeout"));
	facts.worst_error = NULL;
	cr_expect_eq(judge(&facts).verdict, INVALID_ERRORS);
}

Test(validity, too_few_connections_are_told_from_a_slow_server_by_littles_law)
{
	static const struct {
		int64_t connections;
		int pipeline;
		double mean_ms;
		const char *remedy;
	} table[] = {
		/* 1,000/s at 20 ms are 20 at a time, and a quarter to spare. */
		{ 10, 1, 20, "--connections to at least 25" },
		{ 4, 2, 20, "--connections to at least 13" },
		{ 64, 1, 20, "lower --rate" },
		{ 10, 4, 20, "lower --rate" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct validity_facts facts = healthy(true);
		struct validity_verdict verdict;

		facts.backlog_end_ns = facts.backlog_left_ns = 5000000000;
		facts.connections = table[i].connections;
		facts.pipeline = table[i].pipeline;
		facts.mean_sent_latency_ns = table[i].mean_ms * 1e6;
		verdict = judge(&facts);
		cr_expect_eq(verdict.verdict, INVALID_SERVER);
		cr_expect_not_null(strstr(verdict.reasons[0].remedy, table[i].remedy),
				   "row %zu: %s", i, verdict.reasons[0].remedy);
	}
}

Test(validity, so_few_intervals_or_requests_are_not_judged)
{
	static const double rising[] = { 10, 20, 30, 40, 50, 60, 70, 80, 90, 100 };
	struct validity_facts facts = healthy(false);

	facts.interval_rate = facts.interval_p50_ns = rising;
	cr_expect_eq(judge(&facts).verdict, INVALID_UNSTABLE);
	facts.requests = 199;
	cr_expect_eq(judge(&facts).verdict, VALID);
	facts.requests = 10000;
	facts.intervals = 4;
	cr_expect_eq(judge(&facts).verdict, VALID);
	facts.intervals = 0;
	facts.interval_rate = facts.interval_p50_ns = NULL;
	cr_expect_eq(judge(&facts).verdict, VALID);
}

/* How many of 1,000 simulated runs are called unstable. */
static int unstable_of_1000(const struct simulation *simulation)
{
	static gsl_rng *random;
	int unstable = 0;

	if (!random)
		random = gsl_rng_alloc(gsl_rng_mt19937);
	gsl_rng_set(random, 1);
	for (int run = 0; run < 1000; run++) {
		static struct simulated simulated;
		struct validity_facts facts = healthy(simulation->rate > 0);

		simulate(simulation, random, &simulated);
		facts.rate = simulation->rate;
		facts.window_ns = (int64_t)simulation->intervals * 1000000000;
		facts.requests = facts.scheduled = (uint64_t)simulated.requests;
		facts.intervals = simulation->intervals;
		facts.interval_rate = simulated.rate;
		facts.interval_p50_ns = simulated.p50_ns;
		unstable += judge(&facts).verdict == INVALID_UNSTABLE;
	}
	return unstable;
}

Test(validity, fewer_than_one_healthy_run_in_a_hundred_is_called_unstable, .timeout = 120)
{
	static const struct {
		const char *name;
		struct simulation simulation;
	} table[] = {
		{ "open, half loaded", { 200, 2.5e-3, 1000, 10 } },
		{ "open, half loaded, few requests", { 30, 17e-3, 1000, 10 } },
		{ "open, loaded to 0.8", { 800, 1e-3, 1000, 10 } },
		{ "open, loaded to 0.8, slow", { 80, 10e-3, 1000, 10 } },
		{ "open, loaded to 0.9", { 900, 1e-3, 1000, 10 } },
		{ "open, loaded to 0.9, long", { 90, 10e-3, 1000, 60 } },
		{ "open, 5 intervals", { 200, 2.5e-3, 1000, 5 } },
		{ "open, hardly loaded, stalls", { 100, 1e-3, 1000, 10, .stall_s = 1 } },
		{ "open, hardly loaded, stalls, 16 connections",
		  { 100, 1e-3, 16, 10, .stall_s = 1 } },
		{ "open, stalls", { 300, 1e-3, 1000, 10, .stall_s = 1 } },
		{ "open, half loaded, stalls", { 200, 2.5e-3, 16, 10, .stall_s = 1 } },
		{ "open, stalls, long", { 100, 1e-3, 64, 60, .stall_s = 1 } },
		{ "open, stalls, longer intervals of them", { 100, 1e-3, 64, 25, .stall_s = 1 } },
		{ "open, loaded to 0.7, stalls", { 280, 2.5e-3, 16, 10, .stall_s = 1 } },
		{ "closed", { 0, 1e-3, 1, 10 } },
		{ "closed, slow", { 0, 10e-3, 1, 10 } },
		{ "closed, very slow", { 0, 50e-3, 1, 10 } },
		{ "closed, very slow, 5 intervals", { 0, 50e-3, 1, 5 } },
		{ "closed, slow, long", { 0, 10e-3, 1, 60 } },
		{ "closed, stalls", { 0, 2e-3, 1, 10, .stall_s = 1 } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int unstable = unstable_of_1000(&table[i].simulation);

		cr_expect_lt(unstable, 10, "%s: %d", table[i].name, unstable);
	}
}

Test(validity, more_than_95_runs_in_a_hundred_that_change_are_called_unstable, .timeout = 120)
{
	static const struct {
		const char *name;
		struct simulation simulation;
	} table[] = {
		{ "closed, drift", { 0, 0.3e-3, 1, 10, .drift = 0.3 } },
		{ "closed, drift, long", { 0, 1e-3, 1, 60, .drift = 0.3 } },
		{ "closed, drift, 20 intervals", { 0, 1e-3, 1, 20, .drift = 0.3 } },
		{ "open, drift, long", { 500, 1e-3, 1000, 60, .drift = 0.3 } },
		{ "closed, step", { 0, 1e-3, 1, 10, .step = 1.3 } },
		{ "closed, threefold step", { 0, 1e-3, 1, 10, .step = 3 } },
		{ "open, threefold step", { 900, 0.2e-3, 1000, 10, .step = 3 } },
		{ "closed, threefold to and fro", { 0, 1e-3, 1, 10, .alternates = 3 } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int unstable = unstable_of_1000(&table[i].simulation);

		cr_expect_gt(unstable, 950, "%s: %d", table[i].name, unstable);
	}
}
