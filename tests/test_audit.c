#include "loadgen/model/audit.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { NONE = -1 };

/* The heavy app at half of t*: thread-bound at 100/s. */
static struct run base(void)
{
	return lawful_run(10, 5000000, 100000000, 100);
}

/* A proxy with c = 0.1 ms, where the states of the machine matter. */
static struct run small(void)
{
	return lawful_run(25, 100000, 10000000, 2500);
}

/* The one audit that fails, NONE without a failure. */
static int only_failure(const struct run *run, const char *name)
{
	struct audit_failure failures[AUDITS];
	int count = audit_run(run, failures);

	cr_expect_leq(count, 1, "%s: %d audits fail: %s, %s", name, count,
		      audit_names[failures[0].audit], audit_names[failures[1].audit]);
	for (int i = 0; i < count; i++) {
		cr_expect_neq(failures[i].why[0], '\0', "%s", name);
		cr_expect_not_null(failures[i].remedy, "%s", name);
		cr_expect_neq(failures[i].remedy[0], '\0', "%s", name);
	}
	return count > 0 ? (int)failures[0].audit : NONE;
}

Test(audit, a_run_that_obeys_the_laws_passes)
{
	static const struct {
		int64_t threads, cpu_ns, wall_ns;
	} table[] = {
		{ 10, 5000000, 100000000 },  { 25, 5000000, 100000000 },
		{ 100, 5000000, 100000000 }, { 25, 100000, 10000000 },
		{ 25, 2000000, 2000000 },    { 25, 1000000, 10000000000 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double c = (double)table[i].cpu_ns / 1e9;
		double w = (double)table[i].wall_ns / 1e9;
		struct run run = lawful_run(table[i].threads, table[i].cpu_ns, table[i].wall_ns,
					    fmin(1 / c, (double)table[i].threads / w));

		cr_expect_eq(only_failure(&run, "lawful"), NONE, "row %zu", i);
	}
}

#define FIELD(name) offsetof(struct run, name)

Test(audit, one_figure_that_breaks_a_law_fails_that_audit_alone)
{
	/*
	 * Of base(): the window is 10 s, c 5 ms, w 100 ms, 100 requests/s; so the server uses half
	 * a core, 5 s, give or take 3 %.
	 */
	static const struct {
		const char *name;
		size_t field;
		int64_t value;
		int audit;
	} table[] = {
		{ "connect", FIELD(error_connect), 1, AUDIT_COMPLETENESS },
		{ "reset", FIELD(error_reset), 1, AUDIT_COMPLETENESS },
		{ "closed", FIELD(error_closed), 1, AUDIT_COMPLETENESS },
		{ "timeout", FIELD(error_timeout), 1, AUDIT_COMPLETENESS },
		{ "status", FIELD(error_status), 1, AUDIT_COMPLETENESS },
		{ "malformed", FIELD(error_malformed), 1, AUDIT_COMPLETENESS },
		{ "changed", FIELD(error_changed), 1, AUDIT_COMPLETENESS },
		{ "lost while idle", FIELD(idle_lost), 1, AUDIT_COMPLETENESS },
		{ "no request", FIELD(requests), 0, AUDIT_COMPLETENESS },
		{ "busy generator", FIELD(client_cpu_ns), 8600000000, AUDIT_GENERATOR },
		{ "generator with time to spare", FIELD(client_cpu_ns), 8400000000, NONE },
		/* More than 1 % of w and more than 1 ms. */
		{ "late generator", FIELD(client_lag_p99_ns), 1100000, AUDIT_GENERATOR },
		{ "punctual generator", FIELD(client_lag_p99_ns), 900000, NONE },
		{ "overflow", FIELD(listen_overflows), 1, AUDIT_LISTEN_QUEUE },
		{ "drop", FIELD(listen_drops), 1, AUDIT_LISTEN_QUEUE },
		{ "steal", FIELD(steal_ns), 110000000, AUDIT_MACHINE },
		{ "a little steal", FIELD(steal_ns), 90000000, NONE },
		{ "others", FIELD(others_cpu_ns), 200000000, AUDIT_MACHINE },
		{ "little of others", FIELD(others_cpu_ns), 90000000, NONE },
		/* Spun work does not pass between cores. */
		{ "state of the cores, large c", FIELD(ping_pong_after_ns), 300, NONE },
		{ "server too busy", FIELD(server_cpu_ns), 5300000000, AUDIT_UTILISATION },
		{ "server a little busier", FIELD(server_cpu_ns), 5140000000, NONE },
		{ "server too idle", FIELD(server_cpu_ns), 4700000000, AUDIT_UTILISATION },
		{ "server a little idler", FIELD(server_cpu_ns), 4860000000, NONE },
		{ "larger o", FIELD(overhead_ns), 500000, AUDIT_UTILISATION },
		/* Ten connections hold 10 requests: X·R = 100 · 100 ms. */
		{ "one connection more", FIELD(connections), 11, AUDIT_LITTLE },
		{ "one never served", FIELD(never_served), 1, AUDIT_LITTLE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run run = base();
		int audit;

		memcpy((char *)&run + table[i].field, &table[i].value, sizeof(int64_t));
		audit = only_failure(&run, table[i].name);
		cr_expect_eq(audit, table[i].audit, "%s: %s", table[i].name,
			     audit == NONE ? "passes" : audit_names[audit]);
	}
}

Test(audit, a_request_to_a_server_that_sleeps_may_cost_what_one_alone_costs)
{
	static const struct {
		int64_t server_cpu_ns;
		int audit;
	} table[] = {
		{ 4700000000, AUDIT_UTILISATION },
		{ 5000000000, NONE },
		{ 6000000000, NONE },
		{ 6300000000, AUDIT_UTILISATION },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run run = base();

		run.cpu_alone_ns = 6000000;
		run.server_cpu_ns = table[i].server_cpu_ns;
		cr_expect_eq(only_failure(&run, "alone"), table[i].audit, "row %zu", i);
	}
}

Test(audit, littles_law_is_kept_to_two_percent)
{
	static const struct {
		double factor;
		int audit;
	} table[] = {
		{ 0.97, AUDIT_LITTLE }, { 0.985, NONE }, { 1.015, NONE }, { 1.03, AUDIT_LITTLE }
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run run = base();

		run.mean_ns *= table[i].factor;
		cr_expect_eq(only_failure(&run, "mean"), table[i].audit, "%g", table[i].factor);
	}
}

Test(audit, connections_never_served_are_left_out_of_littles_law)
{
	struct run run = base();

	run.connections = 40;
	run.never_served = 30;
	cr_expect_eq(only_failure(&run, "30 of 40 waiting"), NONE);
}

Test(audit, where_c_is_small_the_way_between_the_cores_must_stay_as_it_was)
{
	static const struct {
		int64_t before, after;
		int audit;
	} table[] = {
		{ 60, 200, AUDIT_MACHINE }, { 200, 60, AUDIT_MACHINE }, { 60, 110, NONE },
		{ 200, 170, NONE },         { 0, 200, NONE },           { 60, 0, NONE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run run = small();

		run.ping_pong_before_ns = table[i].before;
		run.ping_pong_after_ns = table[i].after;
		cr_expect_eq(only_failure(&run, "ping pong"), table[i].audit, "row %zu", i);
	}
}

Test(audit, a_lag_below_a_millisecond_is_no_matter_however_short_w_is)
{
	struct run run = small();

	run.client_lag_p99_ns = 900000;
	cr_expect_eq(only_failure(&run, "lag"), NONE);
}

Test(audit, a_long_wait_forgives_a_lag_of_one_percent_of_it)
{
	struct run run = lawful_run(25, 1000000, 10000000000, 2.5);

	run.client_lag_p99_ns = 90000000;
	cr_expect_eq(only_failure(&run, "lag"), NONE);
	run.client_lag_p99_ns = 110000000;
	cr_expect_eq(only_failure(&run, "lag"), AUDIT_GENERATOR);
}

Test(audit, every_broken_law_is_told_once)
{
	struct run run = base();
	struct audit_failure failures[AUDITS];
	int seen[AUDITS] = { 0 };
	int count;

	run.error_reset = 3;
	run.client_cpu_ns = run.window_ns;
	run.client_lag_p99_ns = run.wall_ns;
	run.listen_drops = run.listen_overflows = 2;
	run.steal_ns = run.others_cpu_ns = run.run_ns;
	run.mean_ns *= 2;
	run.server_cpu_ns *= 2;
	count = audit_run(&run, failures);
	cr_expect_eq(count, AUDITS);
	for (int i = 0; i < count; i++)
		cr_expect_eq(seen[failures[i].audit]++, 0);
}

Test(audit, the_reason_names_the_errors_by_kind)
{
	struct run run = base();
	struct audit_failure failures[AUDITS];

	run.error_reset = 3;
	run.error_timeout = 4;
	cr_assert_eq(audit_run(&run, failures), 1);
	cr_expect_not_null(strstr(failures[0].why, "7 errors"), "%s", failures[0].why);
	cr_expect_not_null(strstr(failures[0].why, "reset 3"), "%s", failures[0].why);
	cr_expect_not_null(strstr(failures[0].why, "timeout 4"), "%s", failures[0].why);
}

Test(audit, the_tolerance_doubles_where_c_is_below_a_millisecond)
{
	static const struct {
		int64_t cpu_ns;
		double tolerance;
	} table[] = { { 100000, 0.06 }, { 999999, 0.06 }, { 1000000, 0.03 }, { 5000000, 0.03 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run run = { .cpu_ns = table[i].cpu_ns };

		cr_expect_eq(audit_tolerance(&run), table[i].tolerance);
	}
}

Test(audit, c_cal_is_the_work_and_the_architectures_own_o)
{
	struct run run = { .cpu_ns = 5000000,
			   .overhead_ref_ns = 10000,
			   .overhead_ns = 30000,
			   .work_ns = 4990000 };

	cr_expect_float_eq(audit_cpu_cal_s(&run), 5.02e-3, 1e-12);
}

/* Without work: the generator is the limit, and nothing is known of c. */
static struct run workless(void)
{
	struct run run = lawful_run(10, 5000000, 100000000, 100);

	run.cpu_ns = run.wall_ns = run.work_ns = 0;
	run.overhead_ref_ns = run.overhead_ns = run.wall_cal_ns = run.cpu_alone_ns = 0;
	run.client_cpu_ns = run.window_ns;
	run.client_lag_p99_ns = 5000000;
	return run;
}

Test(audit, without_work_the_generator_may_be_the_limit_and_other_laws_hold)
{
	struct run run = workless();

	cr_expect_eq(only_failure(&run, "workless"), NONE);
	run.mean_ns *= 1.1; /* an unfair server: what a request costs is true all the same */
	cr_expect_eq(only_failure(&run, "Little"), NONE);
	run = workless();
	run.idle_lost = 1;
	cr_expect_eq(only_failure(&run, "idle"), AUDIT_COMPLETENESS);
	run = workless();
	run.steal_ns = run.run_ns;
	cr_expect_eq(only_failure(&run, "machine"), AUDIT_MACHINE);
}

Test(audit, what_a_connection_costs_is_not_in_the_utilisation_law)
{
	struct run run = base();

	run.server_cpu_ns *= 2;
	cr_expect_eq(only_failure(&run, "connections that last"), AUDIT_UTILISATION);
	run.requests_per_connection = 1;
	cr_expect_eq(only_failure(&run, "a connection each"), NONE);
	run.client_cpu_ns = run.window_ns;
	cr_expect_eq(only_failure(&run, "busy generator"), AUDIT_GENERATOR);
}
