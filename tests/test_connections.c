/*
 * The life of connections: who ends them, how many requests they carry, from where and where to.
 * The server says what it saw.
 */
#include "common/clock.h"
#include "tests/loads.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(connections, .timeout = 60);

#define MS   NS_PER_MS
#define OK   "HTTP/1.1 200 OK\r\n"
#define BODY "Content-Length: 2\r\n\r\nok"

static struct loads loads;
static struct request_set set;
static const struct schedule_plan plan_100 = { .rate = 100 };
static const struct schedule_plan plan_400 = { .rate = 400 };

static struct load_config config_of(const struct script *script)
{
	if (set.count == 0)
		set = loads_requests("GET", NULL, NULL, 1);
	scripted_start(&loads.server, script);
	return loads_config(&loads, &set);
}

static const char *name_of(char *text, size_t size, const struct load_config *config,
			   const char *what)
{
	snprintf(text, size, "%s, %s loop, %s", what, config->schedule ? "open" : "closed",
		 config->transport ? config->transport->name : "epoll");
	return text;
}

/*
 * Of those that the server has accepted, N may have been in the middle of something when the run
 * ended, which resets what is left.
 */
static void expect_who_ends(enum load_close close, int n, const char *name)
{
	struct scripted *server = &loads.server;
	int ends[] = {
		[LOAD_CLOSE_RESET] = server->resets,
		[LOAD_CLOSE_CLIENT] = server->client_ends,
		[LOAD_CLOSE_SERVER] = server->server_ends,
	};

	for (int i = 0; i < 3; i++) {
		if (i == (int)close)
			cr_expect_geq(ends[i], server->accepted - n, "%s: %d of %d", name, ends[i],
				      server->accepted);
		else
			cr_expect_leq(ends[i], i == LOAD_CLOSE_RESET ? n : 0, "%s: %d are %d", name,
				      ends[i], i);
	}
}

Test(connections, who_was_chosen_ends_a_connection_that_has_carried_its_requests)
{
	static const struct {
		const char *name;
		enum load_close close;
		const char *last_reply;
	} table[] = {
		{ "reset", LOAD_CLOSE_RESET, NULL },
		{ "client", LOAD_CLOSE_CLIENT, NULL },
		{ "server", LOAD_CLOSE_SERVER, OK "Connection: close\r\n" BODY },
		{ "server, and says nothing of it", LOAD_CLOSE_SERVER, OK BODY },
		{ "server, by the end of the body", LOAD_CLOSE_SERVER, OK "\r\nok" },
	};
	enum { N = 3, ROWS = sizeof(table) / sizeof(table[0]) };

	/* Both transports, both loops, one request a connection and some. */
	for (int i = 0; i < ROWS * loads_transport_count * 2 * 2; i++) {
		int row = i / 8;
		bool is_open = i & 1;
		int64_t most = i & 2 ? 3 : 1;
		struct load_config config =
			config_of(&(struct script){ OK BODY, .last_reply = table[row].last_reply });
		uint64_t all;
		char name[128];
		int rc;

		config.transport = loads_transports[i >> 2 & 1];
		config.connections = N;
		config.schedule = is_open ? &plan_400 : NULL;
		config.requests_per_connection = most;
		config.close = table[row].close;
		/* A connection that is waited for to end although it has must fail the test. */
		config.timeout_ns = 20LL * NS_PER_S;
		name_of(name, sizeof(name), &config, table[row].name);
		/* An open loop has all that are due in its time; a closed one goes on until it has
		 * enough. */
		config.window_ns = 50 * MS;
		rc = is_open ? loads_run(&loads, &config)
			     : loads_run_until(&loads, &config, 0, (2 * (int)most + 1) * N + 1);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0, "%s", name);
		loads_expect_errors(&loads, LOAD_ERRORS, name);
		if (is_open)
			loads_expect_balance(&loads, name);
		all = loads.result.all_requests;
		cr_expect_gt(all, (is_open ? 1 : 2) * N * (uint64_t)most, "%s: %llu", name,
			     (unsigned long long)all);
		cr_expect_geq(loads.result.connects, (all + (uint64_t)most - 1) / (uint64_t)most,
			      "%s", name);
		cr_expect_leq(loads.result.connects, all / (uint64_t)most + N, "%s", name);
		expect_who_ends(table[row].close, N, name);
	}
}

/*
 * The reply promises to keep the connection; then it is closed, but nothing is under way on it. A
 * free connection is taken in its turn, the oldest first: 32 of them at 50 requests/s are enough
 * for each end to be known before its turn comes, even if either side had no processor for 600 ms.
 */
Test(connections, a_server_may_close_an_idle_connection_of_an_open_loop)
{
	for (int i = 0; i < loads_transport_count; i++) {
		enum { N = 32 };
		static const struct schedule_plan plan = { .rate = 50 };
		struct load_config config = config_of(&(struct script){ OK BODY, SCRIPTED_CLOSE });
		int rc;

		config.transport = loads_transports[i];
		config.connections = N;
		config.schedule = &plan;
		config.window_ns = NS_PER_S;
		rc = loads_run(&loads, &config);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0);
		loads_expect_errors(&loads, LOAD_ERRORS, config.transport->name);
		loads_expect_balance(&loads, config.transport->name);
		cr_expect_eq(loads.result.scheduled, 50);
		cr_expect_gt(loads.result.connects, N, "they are opened again");
	}
}

/* The time from a reply on its way to the next request is at least the time to think. */
Test(connections, each_request_of_a_closed_loop_is_thought_about)
{
	enum { THINK_MS = 10 };
	static const int64_t bounds[] = { 0, 1 };

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		struct load_config config = config_of(&(struct script){ OK BODY });

		config.connections = 4;
		config.think_ns = THINK_MS * MS;
		config.requests_per_connection = bounds[i];
		cr_expect_eq(loads_run(&loads, &config), 0);
		loads_expect_errors(&loads, LOAD_ERRORS, "think");
		cr_expect_gt(loads.result.requests, 0);
		/* One request at the start, then one for each time to think. */
		cr_expect_leq(loads.server.requests, 4 * (1 + 150 / THINK_MS + 1 + 5));
		if (bounds[i] == 0) {
			cr_expect_gt(loads.server.gaps, 0);
			cr_expect_geq(loads.server.least_gap_ns, THINK_MS * MS);
		}
		cr_expect_eq(loads.result.latency.count, loads.result.sent_latency.count);
	}
}

/*
 * Of exponential times, 1 - exp(-1/4) = 22 % are below a quarter of the mean; the mean of 150 or
 * more deviates by 8 % of itself, so it is above 60 % of what was asked in all but 1 of 10^6.
 */
Test(connections, times_to_think_may_be_exponential)
{
	struct load_config config = config_of(&(struct script){ OK BODY });

	config.connections = 8;
	config.think_ns = 16 * MS;
	config.think_exponential = true;
	config.window_ns = 400 * MS;
	cr_expect_eq(loads_run(&loads, &config), 0);
	loads_expect_errors(&loads, LOAD_ERRORS, "think");
	cr_expect_gt(loads.server.gaps, 20);
	cr_expect_geq(loads.server.gaps_ns / loads.server.gaps, 6 * config.think_ns / 10);
	cr_expect_lt(loads.server.least_gap_ns, loads.server.gaps_ns / loads.server.gaps / 2);
}

/* The server answers only when as many requests are there as may be under way, and no more are. */
Test(connections, requests_are_pipelined_up_to_the_depth_and_no_further)
{
	static const struct {
		const char *name;
		const char *method;
		struct script script;
		int depth;
	} table[] = {
		{ "one", "GET", { OK BODY, .gather = 1 }, 1 },
		{ "four", "GET", { OK BODY, .gather = 4 }, 4 },
		{ "64", "GET", { OK BODY, .gather = 64 }, 64 },
		{ "in pieces", "GET", { OK BODY, .gather = 3, .cut = true }, 3 },
		{ "bytewise", "GET", { OK BODY, .gather = 2, .step = 1 }, 2 },
		{ "changing", "GET", { OK "X: #\r\n" BODY, .gather = 5 }, 5 },
		{ "HEAD", "HEAD", { OK "Content-Length: 2\r\n\r\n", .gather = 4 }, 4 },
	};

	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		const char *name = table[i / 2].name;
		struct load_config config = config_of(&table[i / 2].script);
		struct request_set requests = loads_requests(table[i / 2].method, NULL, NULL, 1);
		int rc;

		config.transport = loads_transports[i % 2];
		config.requests = &requests;
		config.connections = 2;
		config.pipeline = table[i / 2].depth;
		rc = loads_run_until(&loads, &config, 2, 4 * table[i / 2].depth);
		requests_free(&requests);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0, "%s", name);
		loads_expect_errors(&loads, LOAD_ERRORS, name);
		cr_expect_eq(loads.server.accepted, 2, "%s", name);
	}
}

/* At the start D go at once; until the server answers, which takes a while, no more may come. */
Test(connections, no_more_requests_are_under_way_than_the_depth)
{
	for (int depth = 1; depth <= 5; depth += 2) {
		struct load_config config = config_of(&(struct script){
			OK BODY, SCRIPTED_SILENT, .gather = depth, .delay_ns = 50 * MS });

		config.pipeline = depth;
		cr_expect_eq(loads_run_until(&loads, &config, 1, depth), 0);
		cr_expect_eq(loads.server.requests, depth);
		cr_expect_eq(loads.server.excess, 0);
	}
}

/* A trace: all at once, and then never again. What is under way when it fails is D requests. */
Test(connections, each_request_under_way_on_a_connection_that_fails_is_counted)
{
	enum { D = 4 };
	static const int64_t gaps_ns[] = { 30 * MS, 0, 0, 0, 3600LL * NS_PER_S };
	static const struct schedule_plan burst = { SCHEDULE_TRACE, 0, 0, gaps_ns, 5 };
	static const struct {
		const char *name;
		struct script script;
		enum load_error error;
		uint64_t good;
	} table[] = {
		{ "closed at once", { "", SCRIPTED_CLOSE }, LOAD_ERROR_CLOSED, 0 },
		{ "closed in the second",
		  { OK "Content-Length: 9\r\n\r\nok", SCRIPTED_CLOSE, .good_replies = 1 },
		  LOAD_ERROR_SHORT,
		  1 },
		{ "closed after the second",
		  { OK BODY, SCRIPTED_CLOSE, .good_replies = 1 },
		  LOAD_ERROR_CLOSED,
		  2 },
		/* What was behind it goes again; the server waits for more of them. */
		{ "the second closes",
		  { OK "Connection: close\r\n" BODY, SCRIPTED_CLOSE, .good_replies = 1 },
		  LOAD_ERRORS,
		  2 },
		{ "the second ends with the connection",
		  { OK "\r\nok", SCRIPTED_CLOSE, .good_replies = 1 },
		  LOAD_ERROR_CLOSED,
		  2 },
		{ "silence after two",
		  { "", SCRIPTED_SILENT, .good_replies = 2 },
		  LOAD_ERROR_TIMEOUT,
		  2 },
		{ "not HTTP after three",
		  { "hello\r\n\r\n", .good_replies = 3 },
		  LOAD_ERROR_MALFORMED,
		  3 },
		{ "one reply too many",
		  { OK BODY OK BODY, .good_replies = 3 },
		  LOAD_ERROR_MALFORMED,
		  3 },
	};

	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		const char *name = table[i / 2].name;
		struct script script = table[i / 2].script;
		struct load_config config;
		int rc;

		/* It has them all before it says anything: none can be lost before it is sent. */
		script.gather = D;
		config = config_of(&script);
		config.transport = loads_transports[i % 2];
		config.schedule = &burst;
		config.pipeline = D;
		if (table[i / 2].error == LOAD_ERROR_TIMEOUT)
			config.timeout_ns = 50 * MS;
		rc = loads_run_until_seen(&loads, &config, table[i / 2].good,
					  table[i / 2].error != LOAD_ERRORS);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0, "%s", name);
		loads_expect_errors(&loads, table[i / 2].error, name);
		loads_expect_balance(&loads, name);
		cr_expect_eq(loads.result.scheduled, D, "%s", name);
		cr_expect_eq(loads.result.error_count + loads.result.unfinished,
			     D - table[i / 2].good, "%s", name);
		cr_expect_eq(loads.result.requests, table[i / 2].good, "%s: %llu", name,
			     (unsigned long long)loads.result.requests);
	}
}

/* Binomial: with n requests and p = 1/4, 1/4 +- 5 sqrt(p q / n) in all but 1 of 10^6. */
Test(connections, several_requests_go_by_their_weights)
{
	static const char *const paths[] = { "/a", "/b", "/c" };
	static const double weights[] = { 1, 2, 1 };
	struct request_set requests = loads_requests("GET", paths, weights, 3);
	struct load_config config = config_of(&(struct script){ OK "X: @\r\n" BODY });
	double n;

	config.requests = &requests;
	config.connections = 4;
	config.seed = 1;
	config.same_reply = true; /* of each of them: they differ in X */
	cr_expect_eq(loads_run(&loads, &config), 0);
	requests_free(&requests);
	loads_expect_errors(&loads, LOAD_ERRORS, "weights");
	n = loads.server.requests;
	cr_assert_gt(n, 100);
	for (int i = 0; i < 3; i++)
		cr_expect_float_eq(loads.server.paths['a' + i] / n, weights[i] / 4, 2.5 / sqrt(n),
				   "%s: %d of %g", paths[i], loads.server.paths['a' + i], n);
}

Test(connections, each_url_has_its_own_first_reply_and_a_change_of_it_is_told)
{
	static const char *const paths[] = { "/a", "/b" };
	struct request_set requests = loads_requests("GET", paths, NULL, 2);
	struct load_config config = config_of(&(struct script){ OK "X: @#\r\n" BODY });

	config.requests = &requests;
	config.same_reply = true;
	config.pipeline = 2;
	cr_expect_eq(loads_run(&loads, &config), 0);
	requests_free(&requests);
	loads_expect_errors(&loads, LOAD_ERROR_CHANGED, "changed");
	cr_expect_gt(loads.result.all_requests, 0);
}

Test(connections, a_server_is_reached_by_every_kind_of_address)
{
	char path[] = "/tmp/cwt-test-XXXXXX";
	const struct {
		const char *name;
		struct script script;
	} table[] = {
		{ "IPv4", { OK BODY, .address = "127.0.0.1:0" } },
		{ "IPv6", { OK BODY, .address = "[::1]:0" } },
		{ "Unix", { OK BODY, .unix_path = path } },
	};

	cr_assert_geq(mkstemp(path), 0);
	for (int i = 0; i < 2 * 2 * 3; i++) {
		const char *name = table[i / 4].name;
		struct load_config config;
		int rc;

		unlink(path);
		config = config_of(&table[i / 4].script);
		config.transport = loads_transports[i & 1];
		config.schedule = i & 2 ? &plan_400 : NULL;
		config.connections = 3;
		config.requests_per_connection = 4;
		/* More connections than at once, and three replies at the least. */
		rc = loads_run_until(&loads, &config, 4, 13);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0, "%s: %d", name, rc);
		loads_expect_errors(&loads, LOAD_ERRORS, name);
		cr_expect_gt(loads.result.requests, 0, "%s", name);
		cr_expect_gt(loads.server.accepted, 3, "%s", name);
	}
}

/* Each has its share, however many threads there are: only then do its ports suffice. */
Test(connections, source_addresses_are_taken_in_turn)
{
	enum { SOURCES = 4 };
	static const struct {
		int sources, threads, connections;
		int seen[SOURCES];
	} table[] = {
		{ 1, 1, 3, { 3 } },          { 3, 1, 8, { 3, 3, 2 } }, { 3, 2, 8, { 3, 3, 2 } },
		{ 4, 2, 4, { 1, 1, 1, 1 } }, { 2, 3, 7, { 4, 3 } },
	};
	struct net_address sources[SOURCES];

	for (int k = 0; k < SOURCES; k++) {
		char text[32];

		snprintf(text, sizeof(text), "127.0.0.%d:0", k + 2);
		cr_assert_eq(net_parse(text, &sources[k]), 0);
	}
	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		struct load_config config = config_of(&(struct script){ OK BODY });
		int seen[SOURCES] = { 0 };
		int rc;

		config.transport = loads_transports[i % 2];
		config.sources = sources;
		config.source_count = (uint32_t)table[i / 2].sources;
		config.connections = table[i / 2].connections;
		config.threads = table[i / 2].threads;
		rc = loads_run_until(&loads, &config, table[i / 2].connections, 0);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0);
		cr_assert_eq(loads.server.accepted, table[i / 2].connections);
		for (int k = 0; k < table[i / 2].connections; k++) {
			int source = loads.server.sources[k] - 2;

			cr_assert(source >= 0 && source < SOURCES, "127.0.0.%d", source + 2);
			seen[source]++;
		}
		for (int k = 0; k < SOURCES; k++)
			cr_expect_eq(seen[k], table[i / 2].seen[k], "row %zu: %d from 127.0.0.%d",
				     i / 2, seen[k], k + 2);
	}
}

/* Requests wait in the generator for longer than the time-out, but each is answered in time. */
Test(connections, the_time_out_counts_from_when_a_request_went)
{
	enum { D_MS = 60, TIMEOUT_MS = 500 };
	struct load_config config = config_of(&(struct script){ OK BODY, .delay_ns = D_MS * MS });

	config.schedule = &plan_100;
	config.window_ns = 700 * MS;
	config.timeout_ns = TIMEOUT_MS * MS;
	cr_expect_eq(loads_run(&loads, &config), 0);
	loads_expect_errors(&loads, LOAD_ERRORS, "queue");
	loads_expect_balance(&loads, "queue");
	cr_expect_gt(loads.result.latency.most, config.timeout_ns);
}
