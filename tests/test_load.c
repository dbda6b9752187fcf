#include "loadgen/engine/load.h"
#include "common/clock.h"
#include "tests/scripted.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { N = 4, WINDOWS = 4 };

static struct scripted server;
static struct load_result result;

TestSuite(load, .timeout = 60);

static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static struct request request = { .bytes = get, .length = sizeof(get) - 1 };
static struct request_set set = { .requests = &request, .count = 1 };
static struct load_part parts[WINDOWS];

/* Connections at once, so that a first reply that is wrong does not end the run. */
static struct load_config config_of(void)
{
	return (struct load_config){
		.address = server.address,
		.requests = &set,
		.connections = N,
		.ramp_ns = 0,
		.window_ns = 150 * NS_PER_MS,
		.parts = parts,
		.part_count = WINDOWS,
		.timeout_ns = 30LL * NS_PER_S,
	};
}

static int run(const struct load_config *config)
{
	int rc = load_run(config, &result);

	scripted_stop(&server);
	return rc;
}

struct goal {
	uint64_t requests;
	uint64_t errors;
	int returned; /* connections that have had a reply */
	atomic_bool is_met;
};

static void look_at_goal(void *context, const struct load_progress *progress)
{
	struct goal *goal = context;

	if (progress->requests >= goal->requests && progress->errors >= goal->errors &&
	    server.returned >= goal->returned)
		atomic_store(&goal->is_met, true);
}

/* For as long as it takes. The run is then interrupted. */
static int run_until_met(struct load_config *config, struct goal *goal)
{
	config->window_ns = 3600LL * NS_PER_S;
	config->on_progress = look_at_goal;
	config->context = goal;
	config->stop = &goal->is_met;
	return run(config);
}

/* Until there are so many good replies and errors. */
static int run_until(struct load_config *config, uint64_t requests, uint64_t errors)
{
	return run_until_met(config, &(struct goal){ .requests = requests, .errors = errors });
}

static uint64_t sum_of_windows(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < WINDOWS; i++)
		sum += parts[i].requests;
	return sum;
}

/* The errors are of this kind alone, of none if LOAD_ERRORS. */
static void expect_errors(enum load_error kind, const char *name)
{
	uint64_t sum = 0;

	for (int i = 0; i < LOAD_ERRORS; i++) {
		sum += result.errors[i];
		cr_expect_eq(result.errors[i] > 0, i == (int)kind, "%s: %llu of %s", name,
			     (unsigned long long)result.errors[i], load_error_names[i]);
	}
	cr_expect_eq(result.error_count, sum, "%s", name);
}

static void expect_consistent(const char *name)
{
	int requests = atomic_load(&server.requests);

	cr_expect_leq(result.requests, result.all_requests, "%s", name);
	cr_expect_eq(sum_of_windows(), result.requests, "%s", name);
	cr_expect_eq(result.latency.count, result.requests, "%s", name);
	/* What the server got and the client did not count is what was under way at the end. */
	cr_expect_geq((int64_t)requests, (int64_t)(result.all_requests), "%s", name);
	cr_expect_leq((int64_t)requests, (int64_t)(result.all_requests + result.error_count) + N,
		      "%s", name);
	cr_expect_float_eq(result.throughput,
			   (double)result.requests * 1e9 / (double)result.window_ns, 1e-6, "%s",
			   name);
}

#define OK     "HTTP/1.1 200 OK\r\n"
#define BYTES  "Content-Length: 5\r\n\r\nhello"
#define CHUNKS "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n\r\n"

Test(load, every_good_reply_is_counted_however_it_is_framed)
{
	static const struct {
		const char *name;
		struct script script;
		bool reconnects;
	} table[] = {
		{ "keep-alive", { OK BYTES } },
		{ "no body", { OK "Content-Length: 0\r\n\r\n" } },
		{ "204", { "HTTP/1.1 204 No Content\r\n\r\n" } },
		{ "304", { "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" } },
		{ "redirection", { "HTTP/1.1 302 Found\r\nLocation: /x\r\n" BYTES } },
		{ "chunks", { OK CHUNKS } },
		{ "chunks and a trailer",
		  { OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n" } },
		{ "bytewise", { OK "Content-Length: 1\r\n\r\n#", .step = 1 } },
		{ "the same bytewise", { OK "Content-Length: 0\r\n\r\n", .step = 1 } },
		{ "cut at every byte", { OK BYTES, .cut = true } },
		{ "cut at every byte, changing", { OK "X: #\r\n" BYTES, .cut = true } },
		{ "chunks cut at every byte", { OK CHUNKS, .cut = true } },
		{ "chunks cut, changing", { OK "X: #\r\n" CHUNKS, .cut = true } },
		{ "a Date that changes", { OK "Date: Thu, 01 Jan 1970 00:00:0#\r\n" BYTES } },
		{ "a length that changes", { OK "Content-Length: #\r\n\r\n", .good_replies = 1 } },
		{ "interim", { "HTTP/1.1 100 Continue\r\n\r\n" OK BYTES } },
		{ "two interims",
		  { "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" OK
			    BYTES } },
		{ "interim cut", { "HTTP/1.1 100 Continue\r\n\r\n" OK BYTES, .cut = true } },
		{ "close",
		  { OK "Connection: close\r\n" BYTES, SCRIPTED_CLOSE },
		  .reconnects = true },
		{ "close, left to the client",
		  { OK "Connection: close\r\n" BYTES, SCRIPTED_SILENT },
		  .reconnects = true },
		{ "close, and cut",
		  { OK "Connection: close\r\n" BYTES, SCRIPTED_CLOSE, .cut = true },
		  .reconnects = true },
		{ "HTTP/1.0", { "HTTP/1.0 200 OK\r\n" BYTES, SCRIPTED_CLOSE }, .reconnects = true },
		{ "HTTP/1.0, kept", { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" BYTES } },
		{ "body to the end", { OK "\r\nhello", SCRIPTED_CLOSE }, .reconnects = true },
		{ "body to the end, cut",
		  { OK "\r\nhello", SCRIPTED_CLOSE, .cut = true },
		  .reconnects = true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct script script = table[i].script;
		struct load_config config;

		if (strcmp(table[i].name, "a length that changes") == 0)
			script.reply = OK "Content-Length: 1\r\nX: #\r\n\r\n#";
		scripted_start(&server, &script);
		config = config_of();
		/* One that is closed after each reply has no second request. */
		cr_expect_eq(
			run_until_met(&config,
				      &(struct goal){ .requests = 20 * N,
						      .returned = table[i].reconnects ? 0 : N }),
			0, "%s", table[i].name);
		expect_errors(LOAD_ERRORS, table[i].name);
		expect_consistent(table[i].name);
		cr_expect_gt(result.all_requests, 0, "%s", table[i].name);
		if (table[i].reconnects)
			cr_expect_geq((uint64_t)server.accepted, result.all_requests, "%s",
				      table[i].name);
		else
			cr_expect_eq(result.never_served, 0, "%s", table[i].name);
		if (!table[i].reconnects)
			cr_expect_eq(server.accepted, N, "%s: %d connections", table[i].name,
				     server.accepted);
	}
}

Test(load, a_reply_to_head_has_no_body)
{
	static const char head[] = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char *const replies[] = {
		OK "Content-Length: 5\r\n\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n",
		OK "X: #\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" OK "X: #\r\nContent-Length: 5\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct load_config config;

		scripted_start(&server, &(struct script){ replies[i] });
		config = config_of();
		request = (struct request){ .bytes = head,
					    .length = sizeof(head) - 1,
					    .is_head = true };
		cr_expect_eq(run_until(&config, 1, 0), 0);
		expect_errors(LOAD_ERRORS, replies[i]);
		cr_expect_gt(result.all_requests, 0);
	}
}

Test(load, every_kind_of_error_is_told_from_the_others)
{
	static const struct {
		const char *name;
		struct script script;
		enum load_error error;
	} table[] = {
		{ "reset", { "", SCRIPTED_RESET }, LOAD_ERROR_RESET },
		{ "reset in the head", { "HTTP/1.1 20", SCRIPTED_RESET }, LOAD_ERROR_RESET },
		{ "closed at once", { "", SCRIPTED_CLOSE }, LOAD_ERROR_CLOSED },
		{ "closed in the head", { "HTTP/1.1 200 O", SCRIPTED_CLOSE }, LOAD_ERROR_CLOSED },
		{ "closed in the body",
		  { OK "Content-Length: 6\r\n\r\nhello", SCRIPTED_CLOSE },
		  LOAD_ERROR_SHORT },
		{ "closed before the body",
		  { OK "Content-Length: 6\r\n\r\n", SCRIPTED_CLOSE },
		  LOAD_ERROR_SHORT },
		{ "closed in a chunk",
		  { OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", SCRIPTED_CLOSE },
		  LOAD_ERROR_SHORT },
		{ "closed in the trailer",
		  { OK "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n", SCRIPTED_CLOSE },
		  LOAD_ERROR_SHORT },
		{ "closed after an interim",
		  { "HTTP/1.1 100 Continue\r\n\r\n", SCRIPTED_CLOSE },
		  LOAD_ERROR_CLOSED },
		{ "closed in the body where the good one goes on",
		  { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", SCRIPTED_CLOSE,
		    .good_replies = 20 },
		  LOAD_ERROR_SHORT },
		{ "closed in the body, unlike the good one",
		  { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", SCRIPTED_CLOSE,
		    .good_replies = 20 },
		  LOAD_ERROR_SHORT },
		{ "closed where the good one goes on",
		  { "HTTP/1.1 200 OK\r\nCont", SCRIPTED_CLOSE, .good_replies = 20 },
		  LOAD_ERROR_CLOSED },
		{ "silence", { "", SCRIPTED_SILENT }, LOAD_ERROR_TIMEOUT },
		{ "silence in the body",
		  { OK "Content-Length: 6\r\n\r\nhello", SCRIPTED_SILENT },
		  LOAD_ERROR_TIMEOUT },
		{ "404", { "HTTP/1.1 404 Not Found\r\n" BYTES }, LOAD_ERROR_STATUS },
		{ "500", { "HTTP/1.1 500 Broken\r\n" BYTES }, LOAD_ERROR_STATUS },
		{ "503 after good ones",
		  { "HTTP/1.1 503 Busy\r\n" BYTES, .good_replies = 20 },
		  LOAD_ERROR_STATUS },
		{ "not HTTP", { "hello, world\r\n\r\n" }, LOAD_ERROR_MALFORMED },
		{ "a bad length",
		  { OK "Content-Length: five\r\n\r\nhello" },
		  LOAD_ERROR_MALFORMED },
		{ "a bad chunk",
		  { OK "Transfer-Encoding: chunked\r\n\r\nx\r\n" },
		  LOAD_ERROR_MALFORMED },
		{ "more than the reply",
		  { OK "Content-Length: 4\r\n\r\nhello" },
		  LOAD_ERROR_MALFORMED },
		{ "two replies to one request", { OK BYTES OK BYTES }, LOAD_ERROR_MALFORMED },
		{ "more than the good reply",
		  { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay", .good_replies = 20 },
		  LOAD_ERROR_MALFORMED },
		{ "the good reply twice",
		  { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
		    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		    .good_replies = 20 },
		  LOAD_ERROR_MALFORMED },
		{ "bad after good ones",
		  { "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", .good_replies = 20 },
		  LOAD_ERROR_MALFORMED },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct load_config config;

		scripted_start(&server, &table[i].script);
		config = config_of();
		if (table[i].error == LOAD_ERROR_TIMEOUT)
			config.timeout_ns = 20 * NS_PER_MS;
		cr_expect_eq(run_until(&config, (uint64_t)table[i].script.good_replies, 1), 0, "%s",
			     table[i].name);
		expect_errors(table[i].error, table[i].name);
		expect_consistent(table[i].name);
		cr_expect_eq(result.all_requests, (uint64_t)table[i].script.good_replies, "%s",
			     table[i].name);
		if (table[i].script.good_replies == 0)
			cr_expect_eq(result.never_served, N, "%s", table[i].name);
	}
}

Test(load, a_reply_that_changes_is_an_error_only_where_it_must_not)
{
	struct load_config config;

	scripted_start(&server, &(struct script){ OK "X: #\r\n" BYTES });
	config = config_of();
	config.same_reply = true;
	cr_expect_eq(run_until(&config, 0, 1), 0);
	expect_errors(LOAD_ERROR_CHANGED, "changing");

	scripted_start(&server, &(struct script){ OK "X: y\r\n" BYTES });
	config = config_of();
	config.same_reply = true;
	cr_expect_eq(run_until(&config, 20 * N, 0), 0);
	expect_errors(LOAD_ERRORS, "the same");
}

Test(load, a_peer_that_breaks_its_promise_to_keep_the_connection_is_counted)
{
	static const enum scripted_end ends[] = { SCRIPTED_CLOSE, SCRIPTED_RESET };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct load_config config;

		scripted_start(&server, &(struct script){ OK BYTES, ends[i] });
		config = config_of();
		cr_expect_eq(run_until(&config, 0, 1), 0);
		cr_expect_gt(result.error_count, 0);
		cr_expect_eq(result.errors[LOAD_ERROR_CLOSED] + result.errors[LOAD_ERROR_RESET],
			     result.error_count);
	}
}

/* A port where nobody listens. */
static void refuse_all(void)
{
	cr_assert_eq(net_parse("127.0.0.1:0", &server.address), 0);
	close(net_listen(&server.address, 0));
}

Test(load, a_target_that_never_answers_ends_the_run_with_the_reason)
{
	static const struct {
		const char *name;
		struct script script;
		int rc;
		int64_t timeout_ns; /* 0: as config_of() has it */
	} table[] = {
		{ "silence", { "", SCRIPTED_SILENT }, -ETIMEDOUT, 20 * NS_PER_MS },
		{ "closed", { "", SCRIPTED_CLOSE }, -EPROTO },
		{ "not HTTP", { "hello\r\n\r\n" }, -EPROTO },
		{ "404", { "HTTP/1.1 404 Not Found\r\n" BYTES }, -EPROTO },
	};
	struct load_config config;

	refuse_all();
	config = config_of();
	cr_expect_eq(load_run(&config, &result), -ECONNREFUSED);
	config.ramp_ns = LOAD_RAMP_AUTO;
	cr_expect_eq(load_run(&config, &result), -ECONNREFUSED);
	expect_errors(LOAD_ERROR_REFUSED, "refused");
	cr_expect_eq(result.never_served, N);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		scripted_start(&server, &table[i].script);
		config = config_of();
		config.ramp_ns = LOAD_RAMP_AUTO;
		if (table[i].timeout_ns > 0)
			config.timeout_ns = table[i].timeout_ns;
		cr_expect_eq(run(&config), table[i].rc, "%s", table[i].name);
	}
}

Test(load, a_server_that_goes_away_is_counted_and_does_not_end_the_run)
{
	struct load_config config;

	scripted_start(&server, &(struct script){ OK "Connection: close\r\n" BYTES, SCRIPTED_CLOSE,
						  .deaf_after = 8 });
	config = config_of();
	config.window_ns = 400 * NS_PER_MS; /* time for tries after those that were in the queue */
	cr_expect_eq(run(&config), 0);
	/* One may have been in the queue when it closed. */
	cr_expect_gt(result.errors[LOAD_ERROR_REFUSED], 0);
	cr_expect_eq(result.all_requests, 8);
	cr_expect_geq(result.window_ns, config.window_ns);
}

Test(load, connections_never_served_are_counted)
{
	static const int served[] = { 1, 3, 4 };

	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++) {
		struct load_config config;

		scripted_start(&server, &(struct script){ OK BYTES, .connections = served[i] });
		config = config_of();
		cr_expect_eq(run(&config), 0);
		cr_expect_eq(result.never_served, N - served[i]);
		expect_errors(LOAD_ERRORS, "waiting is no error");
		cr_expect_gt(result.requests, 0);
	}
}

Test(load, an_automatic_ramp_opens_every_connection)
{
	struct load_config config;

	scripted_start(&server, &(struct script){ OK BYTES });
	config = config_of();
	config.ramp_ns = LOAD_RAMP_AUTO;
	config.warmup_ns = 20 * NS_PER_MS;
	cr_expect_eq(run(&config), 0);
	cr_expect_eq(server.accepted, N);
	cr_expect_eq(result.never_served, 0);
	expect_consistent("ramp");
	/* The first reply came before the ramp. */
	cr_expect_lt(result.requests, result.all_requests);
}

struct seen {
	int edges[3];
	int progress;
	bool in_order;
	atomic_bool stop;
	struct load_progress last;
};

static void note_edge(void *context, enum load_edge edge)
{
	struct seen *seen = context;

	seen->in_order = edge == LOAD_EDGE_START || seen->edges[edge - 1] == 1;
	seen->edges[edge]++;
}

static void stop_at_progress(void *context, const struct load_progress *progress)
{
	struct seen *seen = context;

	seen->progress++;
	seen->last = *progress;
	atomic_store(&seen->stop, true);
}

Test(load, each_edge_of_the_window_is_told_once_and_in_order)
{
	struct seen seen = { .in_order = false };
	struct load_config config;

	scripted_start(&server, &(struct script){ OK BYTES });
	config = config_of();
	config.on_edge = note_edge;
	config.context = &seen;
	cr_expect_eq(run(&config), 0);
	cr_expect_eq(seen.edges[LOAD_EDGE_START], 1);
	cr_expect_eq(seen.edges[LOAD_EDGE_END], 1);
	cr_expect_eq(seen.edges[LOAD_EDGE_DONE], 1);
	cr_expect(seen.in_order);
	cr_expect_geq(result.window_ns, config.window_ns);
	cr_expect_gt(result.client_cpu_ns, 0);
	cr_expect_not(result.interrupted);
}

/* The windows are an hour long: what ends the test is the flag. */
Test(load, the_stop_flag_ends_the_run_early_with_what_was_counted)
{
	static const struct {
		const char *name;
		int64_t ramp_ns, warmup_ns;
		enum load_phase phase;
	} table[] = {
		{ "in the ramp", 3600LL * NS_PER_S, 0, LOAD_RAMP },
		{ "in the warm-up", 0, 3600LL * NS_PER_S, LOAD_WARM_UP },
		{ "in the window", 0, 0, LOAD_WINDOW },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct seen seen = { .progress = 0 };
		struct load_config config;

		scripted_start(&server, &(struct script){ OK BYTES });
		config = config_of();
		config.ramp_ns = table[i].ramp_ns;
		config.warmup_ns = table[i].warmup_ns;
		config.window_ns = 3600LL * NS_PER_S;
		config.on_progress = stop_at_progress;
		config.context = &seen;
		config.stop = &seen.stop;
		cr_expect_eq(run(&config), 0, "%s", table[i].name);
		cr_expect(result.interrupted, "%s", table[i].name);
		cr_expect_gt(result.all_requests, 0, "%s", table[i].name);
		cr_expect_eq(seen.progress, 1, "%s", table[i].name);
		cr_expect_eq(seen.last.phase, table[i].phase, "%s", table[i].name);
		cr_expect_gt(seen.last.left_ns, 0, "%s", table[i].name);
		cr_expect_eq(result.requests > 0, table[i].phase == LOAD_WINDOW, "%s",
			     table[i].name);
	}
}

Test(load, too_many_connections_are_refused_with_the_limits_name)
{
	struct rlimit limit = { 50, 100 };
	char text[256];
	const char *said;

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_null(
		load_refusal(&(struct load_config){ .connections = 60 }, text, sizeof(text)));
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_gt(limit.rlim_cur, 60, "the soft limit is raised");
	said = load_refusal(&(struct load_config){ .connections = 1000 }, text, sizeof(text));
	cr_assert_not_null(said);
	cr_expect_not_null(strstr(said, "1000 connections"), "%s", said);
	cr_expect_not_null(strstr(said, "the hard limit is 100"), "%s", said);
	cr_expect_not_null(strstr(said, "LimitNOFILE"), "%s", said);
}

Test(load, a_connection_is_replaced_after_so_many_replies)
{
	static const int64_t bounds[] = { 1, 2, 7 };

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		struct load_config config;
		uint64_t k = (uint64_t)bounds[i];

		scripted_start(&server, &(struct script){ OK BYTES });
		config = config_of();
		config.requests_per_connection = bounds[i];
		cr_expect_eq(run_until(&config, 2 * N * k + 1, 0), 0);
		expect_errors(LOAD_ERRORS, "replaced");
		expect_consistent("replaced");
		cr_expect_gt(result.all_requests, 2 * N * k);
		/* At the end, what is under way may have been seen by only one of the two. */
		cr_expect_leq(result.connects, (uint64_t)server.accepted + N);
		cr_expect_geq(result.connects + N, (uint64_t)server.accepted);
		/* Each but the last N has had its k replies. */
		cr_expect_geq(result.connects, (result.all_requests + k - 1) / k);
		cr_expect_leq(result.connects, result.all_requests / k + N);
	}
}

Test(load, connections_are_counted_when_they_are_had)
{
	struct load_config config;

	scripted_start(&server, &(struct script){ OK BYTES });
	config = config_of();
	cr_expect_eq(run(&config), 0);
	cr_expect_eq(result.connects, N);
	refuse_all();
	config = config_of();
	cr_expect_eq(load_run(&config, &result), -ECONNREFUSED);
	cr_expect_eq(result.connects, 0);
}

/*
 * A listening socket with a queue of one, which is full for a while: the kernel drops the first
 * attempt, and repeats it after a second.
 */
struct slow_peer {
	int listening;
	int in_the_way;
};

static void *accept_late(void *context)
{
	struct slow_peer *peer = context;
	int first;
	int second;
	char head[sizeof(get)];

	clock_sleep_until(clock_now_ns() + 200 * NS_PER_MS);
	first = accept(peer->listening, NULL, NULL);
	second = accept(peer->listening, NULL, NULL);
	if (read(second, head, sizeof(head)) > 0)
		send(second, scripted_good, strlen(scripted_good), MSG_NOSIGNAL);
	while (read(second, head, sizeof(head)) > 0)
		;
	close(first);
	close(second);
	return NULL;
}

Test(load, the_first_request_on_a_connection_counts_from_the_start_of_connecting)
{
	struct slow_peer peer;
	struct load_config config;
	pthread_t thread;

	cr_assert_eq(net_parse("127.0.0.1:0", &server.address), 0);
	peer.listening = net_listen(&server.address, 0);
	cr_assert_eq(listen(peer.listening, 0), 0);
	peer.in_the_way = net_connect(&server.address, NS_PER_S, NULL);
	cr_assert_geq(peer.in_the_way, 0);
	cr_assert_eq(pthread_create(&thread, NULL, accept_late, &peer), 0);
	config = config_of();
	config.connections = 1;
	config.window_ns = 1500 * NS_PER_MS;
	cr_expect_eq(load_run(&config, &result), 0);
	cr_expect_eq(result.requests, 1);
	cr_expect_geq(result.latency.least, 900 * NS_PER_MS);
	pthread_join(thread, NULL);
	close(peer.in_the_way);
	close(peer.listening);
}
