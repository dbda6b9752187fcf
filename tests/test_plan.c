#include "loadgen/sweep/grid.h"
#include "common/clock.h"
#include "loadgen/model/model.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/cwt-test-plan-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

TestSuite(plan, .init = setup, .fini = teardown);

static int read_plan(const char *text, struct plan *plan, char why[PLAN_WHY_MAX])
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
	why[0] = '\0';
	return plan_read(path, plan, why);
}

static struct plan good_plan(const char *text)
{
	char why[PLAN_WHY_MAX];
	struct plan plan;

	cr_assert_eq(read_plan(text, &plan, why), 0, "%s", why);
	return plan;
}

#define CASE "[case a]\narch = pool\nthreads = 5\ncpu = 1ms\nwall = 10ms\n"

Test(plan, a_grid_is_all_combinations_with_the_contenders_side_by_side)
{
	struct plan plan = good_plan("[case grid]\narch = pool, loop\nthreads = 5, 10\n"
				     "cpu = 1ms, 2ms\nwall = 10ms, 20ms\nconnections = 30, 40\n");
	size_t i = 0;

	/* `loop` has no t: the two values of t share its points, which are measured once. */
	cr_assert_eq(plan.count, 2 * 2 * 2 * 2 + 2 * 2 * 2);
	for (int c = 1; c <= 2; c++)
		for (int w = 10; w <= 20; w += 10)
			for (int t = 5; t <= 10; t += 5)
				for (int n = 30; n <= 40; n += 10)
					for (int loop = 0; loop <= (t == 5); loop++) {
						const struct run *asked = &plan.points[i++].asked;

						cr_expect_str_eq(asked->arch,
								 loop ? "loop" : "pool");
						cr_expect_eq(asked->threads, loop ? 0 : t);
						cr_expect_eq(asked->cpu_ns, c * NS_PER_MS);
						cr_expect_eq(asked->wall_ns, w * NS_PER_MS);
						cr_expect_eq(asked->connections, n);
						cr_expect_str_eq(asked->case_name, "grid");
					}
	plan_free(&plan);
}

Test(plan, a_point_that_two_cases_share_is_measured_once)
{
	struct plan plan = good_plan("[case first]\narch = pool\nthreads = 5, 10\ncpu = 1ms\n"
				     "wall = 10ms\n"
				     "[case second]\narch = pool\nthreads = 10, 20\ncpu = 1000us\n"
				     "wall = 10ms\n");

	cr_assert_eq(plan.count, 3);
	cr_expect_eq(plan.points[1].asked.threads, 10);
	cr_expect_str_eq(plan.points[1].asked.case_name, "first");
	cr_expect_eq(plan.points[2].asked.threads, 20);
	cr_expect_str_eq(plan.points[2].asked.case_name, "second");
	plan_free(&plan);
}

Test(plan, what_is_not_said_is_as_documented)
{
	struct plan plan = good_plan(CASE);
	const struct plan_point *point = plan.points;

	cr_assert_eq(plan.count, 1);
	cr_expect_str_eq(plan.name, "sweep");
	cr_expect_eq(CPU_COUNT(&plan.server_cpus), 1);
	cr_expect(CPU_ISSET(0, &plan.server_cpus));
	cr_expect_eq(CPU_COUNT(&plan.load_cpus), 1);
	cr_expect(CPU_ISSET(1, &plan.load_cpus));
	cr_expect_eq(plan.tries, 3);
	cr_expect_str_eq(point->asked.service, "app");
	cr_expect_str_eq(point->asked.wait, "backend");
	cr_expect_str_eq(point->asked.work, "clock");
	cr_expect_str_eq(point->asked.distribution, "constant");
	cr_expect_eq(point->asked.twin, 1);
	cr_expect_eq(point->asked.cores, 1);
	cr_expect_eq(point->asked.connections, 5);
	cr_expect_eq(point->asked.schema, RUN_SCHEMA);
	cr_expect_eq(plan.seed, 0);
	cr_expect_eq(plan.figure, PLAN_Y_THROUGHPUT);
	cr_expect_float_eq(plan.precision, 0.02, 1e-12);
	cr_expect_eq(plan.skipped, 0);
	cr_expect_eq(point->timing.repetitions, 3);
	cr_expect_eq(point->timing.repetitions_most, 6, "twice as many");
	cr_expect_eq(point->timing.requests, 0);
	cr_expect_eq(point->timing.window_most_ns, 0);
	cr_expect_eq(point->timing.window_ns, 4LL * NS_PER_S);
	cr_expect_eq(point->timing.windows, 1);
	cr_expect_eq(point->timing.warmup_ns, 500LL * NS_PER_MS);
	plan_free(&plan);
}

Test(plan, the_plans_timing_is_inherited_and_overridden)
{
	struct plan plan = good_plan("# comment\n[plan]\nname = a name\nserver-cpus = 0,2-3\n"
				     "load-cpus = 1\ntries = 2\nrepetitions = 7\nwindow = 1s\n"
				     "windows = 3\nwarmup = 0\nramp = 2s\n\n" CASE
				     "[case b]\narch = loop\ncpu = 1ms\nwall = 10ms\n"
				     "repetitions = 1\nwindow = 250ms\nwindows = 5\nwarmup = 1ms\n"
				     "[case c]\narch = loop\ncpu = 2ms\nwall = 10ms\nramp = 3s\n");
	static const struct plan_timing expected[] = {
		{ .repetitions = 7,
		  .window_ns = NS_PER_S,
		  .windows = 3,
		  .ramp_ns = 2LL * NS_PER_S },
		{ .repetitions = 1,
		  .window_ns = 250 * NS_PER_MS,
		  .windows = 5,
		  .warmup_ns = NS_PER_MS,
		  .ramp_ns = 2LL * NS_PER_S },
		{ .repetitions = 7,
		  .window_ns = NS_PER_S,
		  .windows = 3,
		  .ramp_ns = 3LL * NS_PER_S },
	};

	cr_assert_eq(plan.count, 3);
	cr_expect_str_eq(plan.name, "a name");
	cr_expect_eq(plan.tries, 2);
	cr_expect_eq(plan.points[0].asked.cores, 3);
	for (size_t i = 0; i < plan.count; i++) {
		const struct plan_timing *timing = &plan.points[i].timing;

		cr_expect_eq(timing->repetitions, expected[i].repetitions);
		cr_expect_eq(timing->window_ns, expected[i].window_ns);
		cr_expect_eq(timing->windows, expected[i].windows);
		cr_expect_eq(timing->warmup_ns, expected[i].warmup_ns);
		cr_expect_eq(timing->ramp_ns, expected[i].ramp_ns);
	}
	plan_free(&plan);
}

Test(plan, every_key_of_a_case_is_taken)
{
	struct plan plan = good_plan("[case proxy]\nservice = proxy\nwork = ops\narch = loop\n"
				     "cpu = 100us\nwall = 10ms\nconnections = 12\ntwin = 10\n"
				     "footprint = 64KiB\nidle = 100\n"
				     "requests-per-connection = 7\n"
				     "[case app]\nwait = none\narch = loop\ncpu = 2ms\n"
				     "wall = 2ms\n");

	cr_assert_eq(plan.count, 2);
	cr_expect_str_eq(plan.points[0].asked.service, "proxy");
	cr_expect_str_eq(plan.points[0].asked.wait, "backend", "a proxy's upstream waits");
	cr_expect_str_eq(plan.points[0].asked.work, "ops");
	cr_expect_eq(plan.points[0].asked.connections, 12);
	cr_expect_eq(plan.points[0].asked.twin, 10);
	cr_expect_eq(plan.points[0].asked.footprint_bytes, 65536);
	cr_expect_eq(plan.points[0].asked.idle, 100);
	cr_expect_eq(plan.points[0].asked.requests_per_connection, 7);
	cr_expect_str_eq(plan.points[1].asked.wait, "none");
	cr_expect_eq(plan.points[1].asked.footprint_bytes, 0);
	cr_expect_eq(plan.points[1].asked.idle, 0);
	cr_expect_eq(plan.points[1].asked.requests_per_connection, 0);
	cr_expect_eq(plan.points[1].asked.twin, 1, "a key of one case is not the next one's");
	plan_free(&plan);
}

/* What the design of the experiment is told. */

Test(plan, the_keys_of_the_design_are_taken)
{
	static const struct {
		const char *text;
		double precision;
	} table[] = { { "1%", 0.01 }, { "0.5%", 0.005 }, { "0.05", 0.05 }, { "99%", 0.99 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[256];
		struct plan plan;

		snprintf(text, sizeof(text),
			 "[plan]\nseed = 9223372036854775807\nfigure = latency\n"
			 "precision = %s\nrepetitions-most = 20\n" CASE,
			 table[i].text);
		plan = good_plan(text);
		cr_expect_eq(plan.seed, INT64_MAX);
		cr_expect_eq(plan.figure, PLAN_Y_LATENCY);
		cr_expect_float_eq(plan.precision, table[i].precision, 1e-12);
		cr_expect_eq(plan.points[0].timing.repetitions, 3);
		cr_expect_eq(plan.points[0].timing.repetitions_most, 20);
		plan_free(&plan);
	}
}

Test(plan, a_ratio_makes_w_a_multiple_of_each_c)
{
	struct plan plan = good_plan("[case a]\narch = loop\ncpu = 100us, 10ms\n"
				     "ratio = 1, 20, 8000\n");
	static const int64_t expected_us[][2] = {
		{ 100, 100 },     { 100, 2000 },     { 100, 800000 },
		{ 10000, 10000 }, { 10000, 200000 }, { 10000, 80000000 },
	};

	cr_assert_eq(plan.count, 6);
	for (size_t i = 0; i < plan.count; i++) {
		cr_expect_eq(plan.points[i].asked.cpu_ns, expected_us[i][0] * NS_PER_US);
		cr_expect_eq(plan.points[i].asked.wall_ns, expected_us[i][1] * NS_PER_US);
	}
	plan_free(&plan);
}

Test(plan, each_distribution_is_a_point_of_its_own_with_the_contenders_side_by_side)
{
	struct plan plan = good_plan("[case a]\narch = pool, loop\nthreads = 5\ncpu = 1ms\n"
				     "wall = 10ms\ndistribution = constant, exponential\n"
				     "connections = 8\n");
	static const char *const expected[][2] = { { "pool", "constant" },
						   { "loop", "constant" },
						   { "pool", "exponential" },
						   { "loop", "exponential" } };

	cr_assert_eq(plan.count, 4);
	for (size_t i = 0; i < plan.count; i++) {
		const struct run *asked = &plan.points[i].asked;

		cr_expect_str_eq(asked->arch, expected[i][0]);
		cr_expect_str_eq(asked->distribution, expected[i][1]);
		cr_expect_eq(run_is_exponential(asked), i >= 2);
		cr_expect(run_is_predicted(asked));
	}
	plan_free(&plan);
}

Test(plan, what_is_drawn_may_be_the_wait_alone)
{
	struct plan plan = good_plan("[case a]\narch = loop\ncpu = 0\nwall = 10ms\n"
				     "connections = 4\ndistribution = exponential\n");

	cr_assert_eq(plan.count, 1);
	cr_expect(run_is_exponential(&plan.points[0].asked));
	plan_free(&plan);
}

/* By the lower of the model's bounds, so that there are no fewer. */
Test(plan, a_window_is_long_enough_for_the_requests_it_is_to_hold)
{
	static const struct {
		int64_t threads, connections, cpu_ms, wall_ms, requests;
	} table[] = {
		{ 1, 1, 1, 10, 1000 },   { 10, 10, 1, 10, 1000 },   { 10, 10, 5, 100, 2000 },
		{ 20, 20, 5, 100, 777 }, { 100, 100, 5, 100, 777 }, { 10, 30, 5, 100, 2000 },
		{ 5, 5, 2, 2, 5000 },    { 10, 10, 1, 10000, 400 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t held = table[i].threads < table[i].connections ? table[i].threads
								       : table[i].connections;
		double x = model_closed_network((double)held, (double)table[i].cpu_ms / 1e3,
						(double)table[i].wall_ms / 1e3, 1);
		char text[256];
		struct plan plan;
		double in_window;

		snprintf(text, sizeof(text),
			 "[case a]\narch = pool\nthreads = %lld\nconnections = %lld\n"
			 "cpu = %lldms\nwall = %lldms\nrequests = %lld\nwindow = 1ms\n",
			 (long long)table[i].threads, (long long)table[i].connections,
			 (long long)table[i].cpu_ms, (long long)table[i].wall_ms,
			 (long long)table[i].requests);
		plan = good_plan(text);
		in_window = x * (double)plan.points[0].timing.window_ns / 1e9;
		cr_expect_geq(in_window, (double)table[i].requests - 1e-3, "row %zu: %g", i,
			      in_window);
		cr_expect_leq(in_window, (double)table[i].requests + 1e-3, "row %zu: %g", i,
			      in_window);
		plan_free(&plan);
	}
}

Test(plan, drawn_times_may_need_more_requests)
{
	struct plan plan =
		good_plan("[plan]\nrequests = 100\nrequests-exponential = 300\nwindow = 1ms\n"
			  "[case a]\narch = pool\nthreads = 1\ncpu = 1ms\nwall = 10ms\n"
			  "distribution = constant, exponential\n");

	cr_assert_eq(plan.count, 2);
	for (size_t i = 0; i < 2; i++) {
		int64_t requests = run_is_exponential(&plan.points[i].asked) ? 300 : 100;

		cr_expect_float_eq(plan.points[i].timing.window_ns, requests * 10 * NS_PER_MS, 2);
	}
	plan_free(&plan);
}

Test(plan, exponential_waits_have_a_warm_up_of_four_of_them)
{
	struct plan plan = good_plan("[plan]\nwarmup = 1s\n[case a]\narch = loop\ncpu = 1ms\n"
				     "wall = 10ms, 2s\ndistribution = constant, exponential\n");

	cr_assert_eq(plan.count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct plan_point *point = &plan.points[i];
		bool is_long = run_is_exponential(&point->asked) && point->asked.wall_ns > NS_PER_S;

		cr_expect_eq(point->timing.warmup_ns, (is_long ? 8LL : 1LL) * NS_PER_S);
	}
	plan_free(&plan);
}

Test(plan, a_window_is_no_shorter_than_it_is_asked_to_be)
{
	struct plan plan = good_plan("[plan]\nrequests = 100\nwindow = 2s\n" CASE
				     "[case idle]\narch = loop\ncpu = 0\nwall = 0\nwait = none\n"
				     "connections = 1\n");

	cr_assert_eq(plan.count, 2);
	cr_expect_eq(plan.points[0].timing.window_ns, 2LL * NS_PER_S);
	cr_expect_eq(plan.points[1].timing.window_ns, 2LL * NS_PER_S,
		     "without c the model says nothing of requests");
	plan_free(&plan);
}

Test(plan, points_whose_window_would_be_too_long_are_left_out_and_counted_once)
{
	/* 1,000 requests of t = 1 take 10 s and 100 s. `loop` has no t, and is there once. */
	struct plan plan = good_plan("[plan]\nwindow = 1s\nwindow-most = 60s\nrequests = 1000\n"
				     "[case a]\narch = pool, loop\nthreads = 1, 2\n"
				     "connections = 1\ncpu = 1ms\nratio = 10, 100\n"
				     "[case b]\narch = loop\nconnections = 1\ncpu = 1ms\n"
				     "wall = 100ms\n");

	cr_assert_eq(plan.count, 3);
	cr_expect_eq(plan.skipped, 3);
	for (size_t i = 0; i < plan.count; i++)
		cr_expect_eq(plan.points[i].asked.wall_ns, 10 * NS_PER_MS);
	plan_free(&plan);
}

Test(plan, connections_are_t_or_enough_to_keep_an_evented_server_busy)
{
	static const struct {
		int64_t threads, cpu_us, wall_us, cores, n;
	} table[] = {
		{ 25, 5000, 100000, 1, 25 },
		{ 10000, 1000, 10000000, 1, 10000 },
		{ 0, 5000, 100000, 1, 36 },
		{ 0, 5000, 100000, 2, 62 },
		{ 0, 2000, 2000, 1, 16 },
		/* 1.3 · 125 + 10 = 172.5 is less than 2 · 125. */
		{ 0, 2000, 250000, 1, 173 },
		{ 0, 1000, 10000000, 1, 13010 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		cr_expect_eq(grid_connections(table[i].threads, table[i].cpu_us * 1000,
					      table[i].wall_us * 1000, table[i].cores),
			     table[i].n, "row %zu", i);
}

Test(plan, threads_may_follow_the_connections_idle_ones_included)
{
	struct plan plan = good_plan("[case a]\narch = thread, loop\nthreads = connections\n"
				     "wait = none\ncpu = 0\nwall = 0\nconnections = 4, 8\n"
				     "idle = 0, 100\n");

	cr_assert_eq(plan.count, 8);
	for (size_t i = 0; i < plan.count; i++) {
		const struct run *asked = &plan.points[i].asked;
		int64_t t = strcmp(asked->arch, "loop") == 0 ? 0 : asked->connections + asked->idle;

		cr_expect_eq(asked->threads, t, "point %zu", i);
		cr_expect_not(run_is_predicted(asked));
	}
	plan_free(&plan);
}

Test(plan, an_architecture_may_have_options)
{
	static const char *const expected[] = { "loop", "loop --events poll",
						"pool --accept shared --stack 64KiB",
						"loops --threads 6" };
	struct plan plan = good_plan("[case a]\narch = loop,  loop  --events\tpoll ,"
				     "pool --accept shared --stack 64KiB, loops --threads 6,"
				     "loop --events poll\n"
				     "threads = 5\ncpu = 1ms\nwall = 10ms\n");

	cr_assert_eq(plan.count, 4, "the same variant is the same point");
	for (size_t i = 0; i < plan.count; i++) {
		cr_expect_str_eq(plan.points[i].asked.arch, expected[i]);
		cr_expect_eq(plan.points[i].asked.threads, i == 2 ? 5 : 0);
	}
	plan_free(&plan);
}

Test(plan, its_evidence_is_a_claim_an_x_and_panels)
{
	struct plan plan = good_plan("[plan]\nclaim = Threads cost memory\nclaim = (Kegel 1999).\n"
				     "x = idle\ny = memory, available, cpu\n" CASE);

	cr_expect_str_eq(plan.evidence.claim, "Threads cost memory (Kegel 1999).");
	cr_expect_eq(plan.evidence.x, PLAN_X_IDLE);
	cr_assert_eq(plan.evidence.panel_count, 3);
	cr_expect_eq(plan.evidence.panels[0], PLAN_Y_MEMORY);
	cr_expect_eq(plan.evidence.panels[1], PLAN_Y_AVAILABLE);
	cr_expect_eq(plan.evidence.panels[2], PLAN_Y_CPU);
	plan_free(&plan);
}

/* The server says "want one of A, B, C" of an architecture that it doesn't know. */
Test(plan, every_architecture_of_the_server_is_one_of_a_plan)
{
	char command[512];
	char line[512] = "";
	char *names;
	char *rest;
	const char *name;
	FILE *server;
	int count = 0;

	cr_assert_not_null(getenv("CWT_SERVER"), "run this test with `meson test`");
	snprintf(command, sizeof(command), "'%s' --arch '?' 2>&1", getenv("CWT_SERVER"));
	server = popen(command, "re");
	cr_assert_not_null(server);
	cr_assert_not_null(fgets(line, sizeof(line), server));
	pclose(server);
	names = strstr(line, "one of ");
	cr_assert_not_null(names, "%s", line);
	names += strlen("one of ");
	names[strcspn(names, ";(\n")] = '\0';
	while ((name = strtok_r(names, ", ", &rest))) {
		char variant[ARCHS_VARIANT_MAX];
		char why[PLAN_WHY_MAX];

		cr_expect_eq(archs_parse(name, variant, why, sizeof(why)), 0, "%s: %s", name, why);
		cr_expect_str_eq(variant, name);
		names = NULL;
		count++;
	}
	cr_expect_geq(count, 2, "%s", line);
}

Test(plan, an_error_names_the_file_the_line_and_what_is_wrong)
{
	static const struct {
		const char *text;
		int line;
		const char *word;
	} table[] = {
		{ "", 0, "no [case NAME]" },
		{ "[plan]\nname = x\n", 2, "no [case NAME]" },
		{ "[plan]\ncolour = red\n" CASE, 2, "colour in [plan] (name, server-cpus, " },
		{ "[plan]\ncolour = red\n" CASE, 2, "claim, x, y, repetitions, " },
		{ "[plan]\nname = a\nname = b\n" CASE, 3, "name is given twice" },
		{ "[case a]\narch = loop\narch = pool\ncpu = 1ms\nwall = 1ms\n", 3,
		  "arch is given twice" },
		{ "[case a]\narch = loop\n  pool\ncpu = 1ms\nwall = 1ms\n", 3, "in a second line" },
		{ "[plan]\narch = loop\n" CASE, 2, "windows, warmup, ramp)" },
		{ "[plan]\nrepetitions = many\n" CASE, 2, "many" },
		{ "[plan]\nrepetitions = 0\n" CASE, 2, "least" },
		{ "[plan]\nwindow = 4\n" CASE, 2, "a time such as" },
		{ "[plan]\nwindow = 1us\n" CASE, 2, "least" },
		{ "[plan]\nwindows = 0\n" CASE, 2, "windows" },
		{ "[plan]\nwindows = 65\n" CASE, 2, "most" },
		{ "[plan]\nwarmup = -1s\n" CASE, 2, "warmup" },
		{ "[plan]\ntries = 0\n" CASE, 2, "tries" },
		{ "[plan]\nserver-cpus = zero\n" CASE, 2, "server-cpus" },
		{ "[plan]\n\n# comment\nload-cpus =\n" CASE, 4, "load-cpus" },
		{ CASE "[plan]\nname = x\n", 6, "before the cases" },
		{ "name = x\n" CASE, 1, "want [plan] or [case NAME]" },
		{ "[things]\nname = x\n" CASE, 1, "things" },
		{ "[things]\n" CASE, 1, "things" },
		{ "[case]\narch = loop\n", 1, "[case]" },
		{ "[case ]\narch = loop\n", 1, "want [plan] or [case NAME]" },
		{ "[case a, b]\narch = loop\n", 1, "a name has" },
		{ "[case a\"b]\narch = loop\n", 1, "a name has" },
		{ CASE "words\n", 6, "neither" },
		{ "[case a\narch = loop\n", 1, "neither" },
		{ CASE "colour = red\n", 6, "colour in [case a] (arch, service, " },
		{ CASE "tries = 2\n", 6, "twin, repetitions, repetitions-most, " },
		{ CASE "arch = fork\n", 6, "process, thread, pool" },
		{ CASE "arch = loop poll\n", 6, "no such option" },
		{ CASE "arch = loop --events\n", 6, "an option and its value" },
		{ CASE "arch = loop --events --stack 1\n", 6, "an option and its value" },
		{ CASE "arch = loop --cpus 0\n", 6, "no such option" },
		{ CASE "arch = pool --threads 5\n", 6, "use the key threads" },
		{ CASE "arch = loop --events aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 6,
		  "longer" },
		{ CASE "arch = pool, fork\n", 6, "fork" },
		{ CASE "service = web\n", 6, "app, proxy" },
		{ CASE "wait = long\n", 6, "backend, timer, none" },
		{ CASE "work = hard\n", 6, "clock, ops" },
		{ CASE "threads = 0\n", 6, "least" },
		{ CASE "threads = 5,,6\n", 6, "threads" },
		{ CASE "threads =\n", 6, "threads" },
		{ CASE "cpu = 5\n", 6, "a time such as" },
		{ "[case a]\narch = pool\nthreads = 5\nwall = 10ms\ncpu = 0\nfootprint = "
		  "1KiB\nconnections = 5\n",
		  1, "cpu = 0 is none" },
		{ "[case a]\narch = pool\nthreads = 5\nwall = 10ms\ncpu = 0\n", 1,
		  "needs connections" },
		{ CASE "idle = 0, 1\n", 1, "needs connections" },
		{ "[case a]\narch = pool\ncpu = 1ms\nwall = 10ms\nthreads = connections\n", 1,
		  "needs connections" },
		{ CASE "threads = idle\n", 6, "threads" },
		{ CASE "footprint = big\n", 6, "a size such as" },
		{ CASE "idle = -1\n", 6, "idle" },
		{ CASE "requests-per-connection = 1, 2\n", 6, "requests-per-connection" },
		{ "[plan]\nclaim = it is so\n" CASE, 1, "go together" },
		{ "[plan]\nx = idle\ny = cpu\n" CASE, 1, "go together" },
		{ "[plan]\nx = time\n" CASE, 2, "connections, threads, idle, wall, arch" },
		{ "[plan]\ny = beauty\n" CASE, 2, "throughput, cpu, switches" },
		{ "[plan]\ny = cpu, cpu, cpu, cpu\n" CASE, 2, "more than 3" },
		{ CASE "wall = 10ms; 20ms\n", 6, "wall" },
		{ CASE "connections = 1.5\n", 6, "connections" },
		{ CASE "twin = 0\n", 6, "twin" },
		/* What a case lacks or contradicts is told at its head. */
		{ "[case a]\n", 1, "needs arch" },
		{ "[case a]\n" CASE, 1, "needs arch" },
		{ CASE "\n[case b]\narch = loop\nwall = 10ms\n", 7,
		  "needs arch, cpu, and either wall or ratio" },
		{ CASE "ratio = 10\n", 1, "either wall or ratio" },
		{ CASE "ratio = 0\n", 6, "least" },
		{ CASE "ratio = 1.5\n", 6, "a whole number" },
		{ "[case a]\narch = loop\ncpu = 0, 1ms\nratio = 10\nconnections = 1\n", 1,
		  "ratio is w/c" },
		{ "[case a]\narch = loop\ncpu = 10s\nratio = 10000\n", 1, "more than a day" },
		{ "[case a]\narch = loop\ncpu = 9000s\nratio = 9000000000\n", 1,
		  "more than a day" },
		{ "[case a]\narch = pool\nthreads = 5\ncpu = 1ms\nwall = 25h\n", 1,
		  "more than a day" },
		{ CASE "distribution = normal\n", 6, "constant, exponential" },
		{ CASE "distribution =\n", 6, "constant, exponential" },
		{ CASE "distribution = constant, exponential, constant\n", 6, "more than 2" },
		{ "[case a]\nwait = none\narch = loop\ncpu = 0\nwall = 0\nconnections = 1\n"
		  "distribution = exponential\n",
		  1, "nothing to draw" },
		{ CASE "requests = -1\n", 6, "requests" },
		{ CASE "window-most = 4\n", 6, "a time such as" },
		{ CASE "window-most = 3999ms\n", 1, "window-most is less than window" },
		{ CASE "repetitions-most = 0\n", 6, "least" },
		{ CASE "repetitions-most = 2\n", 1,
		  "repetitions-most = 2 is less than repetitions = 3" },
		{ "[plan]\nrepetitions-most = 5\n" CASE "repetitions = 6\n", 3,
		  "repetitions-most = 5 is less than repetitions = 6" },
		{ CASE "window = 10ms\nwindow-most = 20ms\nrequests = 1000\n", 8,
		  "windows longer than window-most" },
		{ CASE "seed = 1\n", 6, "seed" },
		{ "[plan]\nseed = 0\n" CASE, 2, "least" },
		{ "[plan]\nseed = today\n" CASE, 2, "a whole number" },
		{ "[plan]\nfigure = beauty\n" CASE, 2, "throughput, cpu, switches" },
		{ "[plan]\nprecision = 0\n" CASE, 2, "a share such as 2%" },
		{ "[plan]\nprecision = 100%\n" CASE, 2, "a share such as 2%" },
		{ "[plan]\nprecision = -1%\n" CASE, 2, "a share such as 2%" },
		{ "[plan]\nprecision = nan\n" CASE, 2, "a share such as 2%" },
		{ "[plan]\nprecision = 2 percent\n" CASE, 2, "a share such as 2%" },
		{ "[plan]\nprecision =\n" CASE, 2, "a share such as 2%" },
		{ CASE "\n[case b]\narch = loop\ncpu = 10ms\n", 7, "[case b]" },
		{ "[case a]\narch = loop, pool\ncpu = 1ms\nwall = 10ms\n", 1, "needs threads" },
		{ "[case a]\narch = loop\ncpu = 2ms\nwall = 1ms\n", 1, "less than cpu" },
		{ "[case a]\nwait = none\narch = loop\ncpu = 1ms\nwall = 2ms\n", 1, "wall is cpu" },
		{ "[case a]\nwait = none\narch = loop\ncpu = 1ms\nwall = 1ms, 2ms\n", 1,
		  "wall is cpu" },
		/* The first of two errors is the one told. */
		{ CASE "cpu = x\nwall = y\n", 6, "cpu" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char why[PLAN_WHY_MAX];
		char start[128];
		struct plan plan;
		int rc = read_plan(table[i].text, &plan, why);

		snprintf(start, sizeof(start), "%s:%d: ", path, table[i].line);
		cr_expect_eq(rc, -EINVAL, "'%s' is taken", table[i].text);
		cr_expect_eq(strncmp(why, start, strlen(start)), 0, "'%s': '%s', not line %d",
			     table[i].text, why, table[i].line);
		cr_expect_not_null(strstr(why, table[i].word), "'%s': '%s' lacks '%s'",
				   table[i].text, why, table[i].word);
		plan_free(&plan);
	}
}

Test(plan, a_name_is_kept_whole_or_refused)
{
	char text[512];
	char name[RUN_NAME_MAX + 8] = "";
	char why[PLAN_WHY_MAX];

	for (size_t length = 1; length < sizeof(name) - 1; length++) {
		struct plan plan;
		int rc;

		memset(name, 'n', length);
		snprintf(text, sizeof(text), "[case %s]\narch = loop\ncpu = 1ms\nwall = 1ms\n",
			 name);
		rc = read_plan(text, &plan, why);
		cr_expect_eq(rc == 0, length < RUN_NAME_MAX, "%zu: %s", length, why);
		if (rc == 0)
			cr_expect_str_eq(plan.points[0].asked.case_name, name);
		plan_free(&plan);
	}
}

Test(plan, a_line_that_is_too_long_is_refused)
{
	char text[1024] = CASE "connections = ";
	char why[PLAN_WHY_MAX];
	struct plan plan;

	for (int i = 0; i < 60; i++)
		strcat(text, "1000,  ");
	strcat(text, "1\n");
	cr_expect_eq(read_plan(text, &plan, why), -EINVAL);
	cr_expect_not_null(strstr(why, ":6: "), "%s", why);
	cr_expect_not_null(strstr(why, "longer"), "%s", why);
	plan_free(&plan);
}

Test(plan, a_file_that_is_not_there_is_named)
{
	char why[PLAN_WHY_MAX] = "";
	struct plan plan;

	cr_expect_eq(plan_read("/nonexistent/plan.ini", &plan, why), -ENOENT);
	cr_expect_not_null(strstr(why, "/nonexistent/plan.ini"));
	plan_free(&plan);
}

/* Whether the pool and a loop are measured at the case, its times divided by `twin`. */
static void expect_case(const struct plan *plan, const struct model_case *row, int64_t twin)
{
	int64_t cpu_ns = llround(row->cpu_s * 1e9) / twin;
	int64_t wall_ns = llround(row->wall_s * 1e9) / twin;
	bool pool = false;
	bool loop = false;

	for (size_t i = 0; i < plan->count; i++) {
		const struct run *asked = &plan->points[i].asked;
		bool is_loop = strcmp(asked->arch, "loop") == 0;

		if (asked->cpu_ns != cpu_ns || asked->wall_ns != wall_ns || asked->twin != twin)
			continue;
		if (!is_loop && asked->threads != (int64_t)row->threads)
			continue;
		cr_expect_eq(strstr(asked->case_name, "÷10") != NULL, twin == 10, "%s",
			     asked->case_name);
		/* Else fewer requests than t could be held at once. */
		cr_expect_geq(asked->connections, asked->threads);
		pool |= strcmp(asked->arch, "pool") == 0;
		loop |= is_loop;
	}
	cr_expect(pool, "%s: no pool with t = %g", row->name, row->threads);
	cr_expect(loop, "%s: no loop", row->name);
}

Test(plan, the_shipped_plans_hold_the_models_seven_cases)
{
	static const struct {
		const char *file;
		int64_t long_poll_twin;
	} table[] = { { "model.ini", 1 }, { "quick.ini", 10 } };
	const char *folder = getenv("CWT_PLANS");

	cr_assert_not_null(folder, "CWT_PLANS is not set: run this test with `meson test`");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char file[512];
		char why[PLAN_WHY_MAX] = "";
		struct plan plan;

		snprintf(file, sizeof(file), "%s/%s", folder, table[i].file);
		cr_assert_eq(plan_read(file, &plan, why), 0, "%s", why);
		for (int j = 0; j < MODEL_CASES; j++)
			expect_case(&plan, &model_cases[j],
				    strncmp(model_cases[j].name, "long poll", 9) == 0
					    ? table[i].long_poll_twin
					    : 1);
		for (size_t j = 0; j < plan.count; j++)
			cr_expect_geq(plan.points[j].timing.repetitions *
					      plan.points[j].timing.windows,
				      3, "fewer samples than a verdict needs");
		plan_free(&plan);
	}
}
