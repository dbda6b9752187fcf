/*
 * What goes wrong has a name, the same one over every transport, in both loops, with one request on
 * a connection or several.
 */
#include "common/clock.h"
#include "tests/loads.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(load_errors, .timeout = 60);

#define MS NS_PER_MS
#define OK "HTTP/1.1 200 OK\r\n"

enum { N = 4 };

static struct loads loads;
static struct request_set set;
static const struct schedule_plan plan = { .rate = 200 };

static struct load_config config_of(bool is_open)
{
	struct load_config config;

	if (set.count == 0)
		set = loads_requests("GET", NULL, NULL, 1);
	config = loads_config(&loads, &set);
	config.connections = N;
	config.schedule = is_open ? &plan : NULL;
	config.window_ns = (is_open ? 30 : 200) * MS; /* an open loop waits for the last */
	return config;
}

Test(load_errors, each_kind_is_told_from_the_others_in_every_way_to_load)
{
	static const struct {
		const char *name;
		struct script script;
		enum load_error error;
	} table[] = {
		{ "reset", { "", SCRIPTED_RESET }, LOAD_ERROR_RESET },
		{ "reset in the head", { "HTTP/1.1 20", SCRIPTED_RESET }, LOAD_ERROR_RESET },
		{ "reset in the body",
		  { OK "Content-Length: 6\r\n\r\nhel", SCRIPTED_RESET },
		  LOAD_ERROR_RESET },
		{ "closed", { "", SCRIPTED_CLOSE }, LOAD_ERROR_CLOSED },
		{ "closed in the head", { "HTTP/1.1 200 O", SCRIPTED_CLOSE }, LOAD_ERROR_CLOSED },
		{ "closed after an interim",
		  { "HTTP/1.1 100 Continue\r\n\r\n", SCRIPTED_CLOSE },
		  LOAD_ERROR_CLOSED },
		{ "short",
		  { OK "Content-Length: 6\r\n\r\nhello", SCRIPTED_CLOSE },
		  LOAD_ERROR_SHORT },
		{ "short in a chunk",
		  { OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", SCRIPTED_CLOSE },
		  LOAD_ERROR_SHORT },
		{ "silence", { "", SCRIPTED_SILENT }, LOAD_ERROR_TIMEOUT },
		{ "silence in the body",
		  { OK "Content-Length: 6\r\n\r\nhello", SCRIPTED_SILENT },
		  LOAD_ERROR_TIMEOUT },
		{ "404",
		  { "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno" },
		  LOAD_ERROR_STATUS },
		{ "500, and closed",
		  { "HTTP/1.1 500 Broken\r\nConnection: close\r\n\r\nno", SCRIPTED_CLOSE },
		  LOAD_ERROR_STATUS },
		{ "not HTTP", { "hello, world\r\n\r\n" }, LOAD_ERROR_MALFORMED },
		{ "more than the reply",
		  { OK "Content-Length: 4\r\n\r\nhello" },
		  LOAD_ERROR_MALFORMED },
	};

	for (size_t i = 0; i < 4 * sizeof(table) / sizeof(table[0]); i++) {
		bool is_open = i & 1;
		struct load_config config;
		char name[128];
		int rc;

		scripted_start(&loads.server, &table[i / 4].script);
		config = config_of(is_open);
		config.transport = loads_transports[i / 2 % 2];
		if (table[i / 4].error == LOAD_ERROR_TIMEOUT)
			config.timeout_ns = 20 * MS;
		snprintf(name, sizeof(name), "%s, %s, %s", table[i / 4].name,
			 is_open ? "open" : "closed", config.transport->name);
		/* An open loop waits for what is under way, but not for what is late. */
		rc = is_open && table[i / 4].error != LOAD_ERROR_TIMEOUT
			     ? loads_run(&loads, &config)
			     : loads_run_until_seen(&loads, &config, 0, 1);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0, "%s", name);
		loads_expect_errors(&loads, table[i / 4].error, name);
		cr_expect_eq(loads.result.all_requests, 0, "%s", name);
		cr_expect_eq(loads.result.requests, 0, "%s", name);
		if (is_open)
			cr_expect_geq(loads.result.error_count + loads.result.unfinished,
				      loads.result.scheduled, "%s", name);
	}
}

Test(load_errors, a_reply_that_changes_is_an_error_where_it_must_not)
{
	for (int i = 0; i < 4; i++) {
		struct load_config config;
		int rc;

		scripted_start(&loads.server,
			       &(struct script){ OK "X: #\r\nContent-Length: 0\r\n\r\n" });
		config = config_of(i & 1);
		config.transport = loads_transports[i / 2];
		config.same_reply = true;
		rc = loads_run(&loads, &config);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0);
		loads_expect_errors(&loads, LOAD_ERROR_CHANGED, config.transport->name);
		cr_expect_gt(loads.result.all_requests, 0);
	}
}

/* Refused: nobody listens. No connection for another reason: no such Unix socket. */
Test(load_errors, a_connection_that_cannot_be_had_says_why)
{
	char path[64];
	struct net_address addresses[2];
	static const struct {
		int rc;
		enum load_error error;
	} expected[] = {
		{ -ECONNREFUSED, LOAD_ERROR_REFUSED },
		{ -ENOENT, LOAD_ERROR_CONNECT },
	};

	snprintf(path, sizeof(path), "/tmp/cwt-test-nobody-%d", getpid());
	cr_assert_eq(net_parse("127.0.0.1:0", &addresses[0]), 0);
	close(net_listen(&addresses[0], 0));
	cr_assert_eq(net_unix(path, &addresses[1]), 0);
	for (int i = 0; i < 2 * 2 * 2; i++) {
		struct load_config config = config_of(i & 1);
		int row = i / 4;
		int rc;

		config.transport = loads_transports[i / 2 % 2];
		config.address = addresses[row];
		rc = load_run(&config, &loads.result);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, expected[row].rc, "%d", rc);
		loads_expect_errors(&loads, expected[row].error, config.transport->name);
		cr_expect_eq(loads.result.last_error, expected[row].rc);
		cr_expect_eq(loads.result.connects, 0);
	}
}

/* Good ones and bad ones in the same run are counted each for itself. */
Test(load_errors, good_replies_before_the_bad_ones_count)
{
	enum { GOOD = 20 };

	for (int i = 0; i < 4; i++) {
		struct load_config config;
		int rc;

		scripted_start(&loads.server,
			       &(struct script){ "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
						 .good_replies = GOOD });
		config = config_of(i & 1);
		config.transport = loads_transports[i / 2];
		config.window_ns = 200 * MS;
		rc = loads_run(&loads, &config);
		if (loads_is_missing(rc))
			continue;
		cr_expect_eq(rc, 0);
		loads_expect_errors(&loads, LOAD_ERROR_STATUS, config.transport->name);
		cr_expect_eq(loads.result.all_requests, GOOD);
		if (i & 1)
			loads_expect_balance(&loads, config.transport->name);
	}
}
