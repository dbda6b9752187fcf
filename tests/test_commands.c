/* `cwt` as a program: its usage, `cwt model`, `cwt load` on our servers. */
#include "tests/outcomes.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(commands, .timeout = 120);

Test(commands, the_model_predicts_a_load_in_json)
{
	static const struct {
		const char *t, *c, *w, *k;
		double threaded, evented, t_star;
	} table[] = {
		{ "25", "5ms", "100ms", "1", 200, 200, 20 },
		{ "25", "2ms", "250ms", "1", 100, 500, 125 },
		{ "25", "100us", "10ms", "2", 2500, 20000, 200 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct outcome outcome =
			cwt(WORDS("model", "--threads", table[i].t, "--cpu", table[i].c, "--wall",
				  table[i].w, "--cores", table[i].k, "--json"));
		json_t *root = outcome_json(&outcome);

		cr_expect_eq(outcome.status, 0);
		cr_expect_float_eq(expect_number(root, "threaded"), table[i].threaded, 1e-6);
		cr_expect_float_eq(expect_number(root, "evented"), table[i].evented, 1e-6);
		cr_expect_float_eq(expect_number(root, "t_star"), table[i].t_star, 1e-6);
		if (i == 0)
			cr_expect_float_eq(expect_number(root, "closed_network"), 192.7, 0.05);
		cr_expect_leq(expect_number(root, "closed_network"), table[i].threaded);
		json_decref(root);
	}
}

Test(commands, the_model_lists_its_seven_cases_in_json)
{
	static const double expected[][2] = { { 2500, 10000 }, { 500, 500 },  { 200, 200 },
					      { 100, 500 },    { 2.5, 1000 }, { 25, 1000 },
					      { 1000, 1000 } };
	struct outcome outcome = cwt(WORDS("model", "--json"));
	json_t *root = outcome_json(&outcome);

	cr_assert_eq(json_array_size(root), 7);
	for (size_t i = 0; i < 7; i++) {
		const json_t *row = json_array_get(root, i);

		cr_expect(json_is_string(json_object_get(row, "case")));
		cr_expect_float_eq(expect_number(row, "threaded"), expected[i][0], 1e-6);
		cr_expect_float_eq(expect_number(row, "evented"), expected[i][1], 1e-6);
	}
	json_decref(root);
}

Test(commands, a_mistake_in_usage_is_one_line_and_status_2)
{
	static const struct {
		const char *words[8];
		const char *word;
	} table[] = {
		{ { NULL }, "which command" },
		{ { "fly" }, "fly" },
		{ { "model", "--cpu", "5ms" }, "--wall" },
		{ { "model", "--cpu", "5ms", "--wall", "1ms" }, "--wall" },
		{ { "model", "extra" }, "extra" },
		{ { "load" }, "which URL" },
		{ { "load", "http://127.0.0.1:1/", "http://127.0.0.1:2/" },
		  "another host or port" },
		{ { "load", "127.0.0.1:1" }, "127.0.0.1:1" },
		{ { "load", "https://127.0.0.1:1/" }, "only http://" },
		{ { "load", "http://no-such-host.invalid/" }, "no such host" },
		{ { "load", "http://127.0.0.1:1/", "--connections", "0" }, "--connections" },
		{ { "load", "http://127.0.0.1:1/", "--duration", "5" }, "--duration" },
		{ { "load", "http://127.0.0.1:1/", "--method", "P UT" }, "method" },
		{ { "load", "http://127.0.0.1:1/", "--speed", "5" }, "speed" },
		{ { "load", "http://127.0.0.1:1/", "--connections", "1000000" }, "limit" },
		{ { "sweep" }, "which plan" },
		{ { "sweep", "a.ini", "b.ini" }, "one plan" },
		{ { "sweep", "/nonexistent/plan.ini", "--dry-run" }, "/nonexistent/plan.ini" },
		{ { "sweep", "/nonexistent/plan.ini" }, "--out" },
		{ { "check" }, "folder" },
		{ { "check", "/nonexistent" }, "/nonexistent" },
		{ { "report" }, "folder" },
		{ { "report", "/nonexistent" }, "/nonexistent" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_refused(table[i].words, 2, table[i].word);
}

Test(commands, a_dead_port_is_one_line_and_status_1)
{
	struct net_address address;
	char text[NET_TEXT_MAX];
	char url[128];

	close(peer_listen(&address));
	snprintf(url, sizeof(url), "http://%s/", net_format(&address, text));
	expect_refused(WORDS("load", url, "--duration", "50ms"), 1, "refused");
}

/*
 * On a machine with other work to do, a run may be found invalid for that: it says so, in status
 * and report alike.
 */
static void expect_verdict(const struct outcome *outcome, const json_t *root)
{
	const char *verdict = json_string_value(json_object_get(root, "verdict"));

	cr_assert_not_null(verdict);
	cr_expect_str_neq(verdict, "errors");
	cr_expect_eq(outcome->status, strcmp(verdict, "valid") == 0 ? 0 : 5, "%s: %d", verdict,
		     outcome->status);
}

Test(commands, a_load_is_reported_in_json)
{
	static const char *const latencies[] = { "mean", "p50", "p90", "p99", "p999", "max" };
	static const char *const errors[] = { "connect",   "reset",   "closed",
					      "short",     "timeout", "status",
					      "malformed", "changed", "idle_lost" };
	struct program server;
	struct outcome outcome;
	char text[NET_TEXT_MAX];
	char url[128];
	json_t *root;
	double before = 0;

	program_serve(&server, "CWT_SERVER", "--arch loop --service app");
	snprintf(url, sizeof(url), "http://%s/", net_format(&server.address, text));
	outcome = cwt(WORDS("load", url, "--json", "--connections", "3", "--duration", "100ms",
			    "--warmup", "0", "--same-reply"));
	program_stop(&server);
	root = outcome_json(&outcome);
	expect_verdict(&outcome, root);
	cr_expect_gt(expect_number(root, "requests"), 0);
	cr_expect_float_eq(expect_number(root, "throughput_rps") *
				   expect_number(root, "window_ns") / 1e9,
			   expect_number(root, "requests"), 1e-3 * expect_number(root, "requests"));
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		cr_expect_eq(expect_number(json_object_get(root, "errors"), errors[i]), 0);
	for (size_t i = 0; i < sizeof(latencies) / sizeof(latencies[0]); i++) {
		double value = expect_number(json_object_get(root, "latency_ns"), latencies[i]);

		cr_expect_gt(value, 0);
		if (i > 0)
			cr_expect_geq(value, before, "%s", latencies[i]);
		before = i > 0 ? value : 0;
	}
	cr_expect_eq(expect_number(root, "never_served"), 0);
	cr_expect_gt(expect_number(root, "client_cpu_ns_per_request"), 0);
	cr_expect_eq(expect_number(root, "connections"), 3);
	cr_expect_eq(expect_number(root, "connects"), 3);
	cr_expect_eq(expect_number(root, "idle"), 0);
	json_decref(root);
}

Test(commands, a_load_meters_the_server_that_it_is_told)
{
	struct program server;
	struct outcome outcome;
	char text[NET_TEXT_MAX];
	char url[128];
	char pid[16];
	json_t *root;

	program_serve(&server, "CWT_SERVER", "--arch loop --service app --cpu 20us --wall 20us");
	snprintf(url, sizeof(url), "http://%s/", net_format(&server.address, text));
	snprintf(pid, sizeof(pid), "%d", server.pid);
	outcome = cwt(WORDS("load", url, "--json", "--connections", "3", "--duration", "100ms",
			    "--pid", pid, "--idle", "20", "--requests-per-connection", "2"));
	program_stop(&server);
	root = outcome_json(&outcome);
	expect_verdict(&outcome, root);
	cr_expect_eq(expect_number(root, "idle"), 20);
	cr_expect_eq(expect_number(json_object_get(root, "errors"), "idle_lost"), 0);
	cr_expect_gt(expect_number(root, "connects"), expect_number(root, "requests") / 2);
	cr_expect_gt(expect_number(root, "server_cpu_ns_per_request"), 10000);
	cr_expect_gt(expect_number(root, "server_voluntary_switches_per_request"), 0);
	cr_expect_geq(expect_number(root, "server_involuntary_switches_per_request"), 0);
	cr_expect_eq(expect_number(root, "server_processes"), 1);
	cr_expect_eq(expect_number(root, "server_threads"), 1);
	cr_expect_gt(expect_number(root, "server_pss_bytes"), 100000);
	cr_expect_geq(expect_number(root, "server_rss_bytes"),
		      expect_number(root, "server_pss_bytes"));
	json_decref(root);
}

Test(commands, an_idle_herd_that_the_server_does_not_hold_ends_the_load)
{
	struct program server;
	struct outcome outcome;
	char text[NET_TEXT_MAX];
	char url[128];

	program_serve(&server, "CWT_SERVER", "--arch pool --threads 2 --service app");
	snprintf(url, sizeof(url), "http://%s/", net_format(&server.address, text));
	outcome = cwt(WORDS("load", url, "--idle", "5", "--timeout", "200ms"));
	program_stop(&server);
	cr_expect_eq(outcome.status, 1);
	cr_expect_not_null(strstr(outcome.errors, "2 of 5 idle connections were served: no reply"),
			   "%s", outcome.errors);
}
