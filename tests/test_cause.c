/* Each cause, planted in runs that otherwise obey the model. */
#include "loadgen/model/cause.h"
#include "loadgen/model/model.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* c, w in ms and t of a pool, and what the planted thing makes of X. */
struct planted {
	const char *name;
	double c, w;
	int64_t t;
	double x;
	void (*plant)(struct run *);
	enum cause_of of;
	enum cause cause;
	enum cause also;
	const char *figure; /* in the sentence */
};

static void set_loop(struct run *run)
{
	run->threads = 0;
	strcpy(run->arch, "loop");
}

/* CPU time that a request takes, at X; one alone takes as much, so that no audit fails. */
static void set_cpu_us(struct run *run, double us)
{
	run->server_cpu_ns = (int64_t)((double)run->requests * us * 1e3);
	run->cpu_alone_ns = (int64_t)(us * 1e3);
}

static void set_switches(struct run *run, double each)
{
	run->voluntary_switches = (int64_t)(each * (double)run->all_requests);
}

static void plant_switches(struct run *run)
{
	set_cpu_us(run, 112);
	set_switches(run, 3);
}

static void plant_cache(struct run *run)
{
	set_cpu_us(run, 112);
	set_switches(run, 0.5);
}

static void plant_dear_switches(struct run *run)
{
	set_cpu_us(run, 1150);
	set_switches(run, 3);
}

/* 8 of 10 served: they have all the latency that there is. */
static void plant_never_served(struct run *run)
{
	run->never_served = 2;
	run->mean_ns = run->mean_ns * 8 / 10;
}

static void plant_drops(struct run *run)
{
	run->listen_overflows = 3;
}

static void plant_no_memory(struct run *run)
{
	run->available_before_bytes = 8000000000;
	run->available_after_bytes = 100000000;
}

static void plant_lag(struct run *run)
{
	run->client_lag_p99_ns = 900000;
	run->run_delay_ns = 1000 * run->all_requests;
}

static void plant_busy_client(struct run *run)
{
	run->client_cpu_ns = run->window_ns * 9 / 10;
}

/* 15 ms of a request's 115 ms ready without a processor. */
static void plant_delay(struct run *run)
{
	run->run_delay_ns = 15000000 * run->all_requests;
}

/* Of the 115 ms nothing but 0.1 ms: the rest is neither CPU time nor waiting for it. */
static void plant_sleep(struct run *run)
{
	run->run_delay_ns = 100000 * run->all_requests;
}

static void plant_idle(struct run *run)
{
	run->server_cpu_ns = run->requests * 5000000;
}

static void plant_own_cost(struct run *run)
{
	run->overhead_ns = 35000;
	set_cpu_us(run, 125);
	set_switches(run, 2);
}

static void plant_late_wait(struct run *run)
{
	run->wall_cal_ns = 1200000;
}

static void plant_exponential(struct run *run)
{
	strcpy(run->distribution, "exponential");
}

static void plant_cheaper(struct run *run)
{
	run->overhead_ns += 10000;
}

/* A connection of 20, 5 ms in w, and the rest in sleep: a third each. */
static void plant_three(struct run *run)
{
	run->never_served = 1;
	run->mean_ns = run->mean_ns * 19 / 20;
	run->wall_cal_ns = 105000000;
	run->run_delay_ns = 1000 * run->all_requests;
}

static struct point planted_point(const struct planted *planted)
{
	struct run runs[3];
	struct point *points;
	struct point point;

	for (int i = 0; i < 3; i++) {
		runs[i] = lawful_run(planted->t, (int64_t)round(planted->c * 1e6),
				     (int64_t)round(planted->w * 1e6), planted->x);
		if (planted->plant)
			planted->plant(&runs[i]);
	}
	cr_assert_eq(verdict_of_runs(runs, 3, &points), 1);
	point = points[0];
	free(points);
	return point;
}

Test(cause, what_was_planted_is_what_is_named)
{
	static const struct planted table[] = {
		{ "switches", 0.1, 1, 100, 1 / 112e-6, plant_switches, CAUSE_OF_CALIBRATED,
		  CAUSE_SWITCHES, 0, "3.0 context switches" },
		{ "caches: few switches", 0.1, 1, 100, 1 / 112e-6, plant_cache, CAUSE_OF_CALIBRATED,
		  CAUSE_CACHE, 0, "112us" },
		{ "caches: more than switches cost", 1, 10, 100, 1 / 1150e-6, plant_dear_switches,
		  CAUSE_OF_CALIBRATED, CAUSE_CACHE, 0, "1.15ms" },
		{ "never served", 5, 100, 10, 80, plant_never_served, CAUSE_OF_CALIBRATED,
		  CAUSE_ACCEPT, 0, "2 of 10 connections" },
		{ "dropped", 5, 100, 10, 80, plant_drops, CAUSE_OF_CALIBRATED, CAUSE_ACCEPT, 0,
		  "dropped 3" },
		{ "memory", 5, 100, 10, 80, plant_no_memory, CAUSE_OF_CALIBRATED, CAUSE_MEMORY, 0,
		  "from 8000 to 100 MB" },
		{ "lag", 0.5, 10, 10, 10 / 11e-3, plant_lag, CAUSE_OF_CALIBRATED, CAUSE_CLIENT, 0,
		  "900us" },
		{ "busy generator", 5, 100, 10, 80, plant_busy_client, CAUSE_OF_CALIBRATED,
		  CAUSE_CLIENT, 0, "90 % busy" },
		{ "run delay", 5, 100, 10, 10 / 115e-3, plant_delay, CAUSE_OF_CALIBRATED,
		  CAUSE_DELAYED, 0, "15.0ms" },
		{ "sleep", 5, 100, 10, 10 / 115e-3, plant_sleep, CAUSE_OF_CALIBRATED, CAUSE_ASLEEP,
		  0, "110ms" },
		{ "idle", 5, 100, 100, 180, plant_idle, CAUSE_OF_CALIBRATED, CAUSE_IDLE, 0,
		  "90 % of the time" },
		{ "nothing", 5, 100, 10, 90, set_loop, CAUSE_OF_CALIBRATED, CAUSE_UNEXPLAINED, 0,
		  "nothing that was counted" },
		{ "cheaper", 0.1, 1, 100, 10000, plant_cheaper, CAUSE_OF_CALIBRATED, CAUSE_CHEAPER,
		  0, "100us" },
		{ "own cost", 0.1, 1, 100, 8000, plant_own_cost, CAUSE_OF_NOMINAL, CAUSE_OWN_COST,
		  0, "125us" },
		{ "late waits", 0.1, 1, 2, 2 / 1.2e-3, plant_late_wait, CAUSE_OF_NOMINAL,
		  CAUSE_LATE_WAIT, 0, "1.20ms" },
		{ "queueing", 5, 100, 20, 173.2, plant_exponential, CAUSE_OF_NOMINAL,
		  CAUSE_QUEUEING, 0, "173.2/s where the bound is 200/s" },
		{ "bunching", 5, 100, 20, 180, NULL, CAUSE_OF_NOMINAL, CAUSE_QUEUEING, 0,
		  "173.2/s" },
		{ "too few connections", 5, 100, 10, 100, set_loop, CAUSE_OF_NOMINAL,
		  CAUSE_CONNECTIONS, 0, "10 requests" },
		{ "two of three", 1, 100, 20, 20 / 116e-3, plant_three, CAUSE_OF_NOMINAL,
		  CAUSE_ACCEPT, CAUSE_LATE_WAIT, "; and " },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct point point = planted_point(&table[i]);
		struct explanation found = cause_find(&point, table[i].of);

		cr_expect_eq(found.cause, table[i].cause, "%s: %s (%s), %s", table[i].name,
			     cause_names[found.cause], found.why, point.why);
		cr_expect_eq(found.also, table[i].also, "%s: also %s (%s)", table[i].name,
			     cause_names[found.also], found.why);
		cr_expect_not_null(strstr(found.why, table[i].figure), "%s: '%s' lacks '%s'",
				   table[i].name, found.why, table[i].figure);
	}
}

Test(cause, it_explains_as_much_as_it_does_to_the_model)
{
	static const struct planted table[] = {
		/* 112 us in place of 100; 8 of 10; 1.2 ms in place of 1. */
		{ "switches", 0.1, 1, 100, 1 / 112e-6, plant_switches, CAUSE_OF_CALIBRATED,
		  CAUSE_SWITCHES, 0, "" },
		{ "never served", 5, 100, 10, 80, plant_never_served, CAUSE_OF_CALIBRATED,
		  CAUSE_ACCEPT, 0, "" },
		{ "late waits", 0.1, 1, 2, 2 / 1.2e-3, plant_late_wait, CAUSE_OF_NOMINAL,
		  CAUSE_LATE_WAIT, 0, "" },
		{ "run delay", 5, 100, 10, 10 / 115e-3, plant_delay, CAUSE_OF_CALIBRATED,
		  CAUSE_DELAYED, 0, "" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct point point = planted_point(&table[i]);
		struct explanation found = cause_find(&point, table[i].of);

		cr_expect_lt(found.residual, -0.05, "%s", table[i].name);
		cr_expect_float_eq(found.explained, found.residual, 0.002, "%s: %g of %g",
				   table[i].name, found.explained, found.residual);
	}
}

Test(cause, what_would_do_far_more_than_was_seen_is_not_named)
{
	/* Own cost takes a fifth of X. */
	static const struct planted planted = {
		"", 0.1, 1, 100, 8000, plant_own_cost, CAUSE_OF_NOMINAL, 0, 0, ""
	};
	static const struct {
		double x;
		bool named;
	} table[] = { { 8000, true }, { 7000, true }, { 8900, true }, { 9400, false } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct point point = planted_point(&planted);
		struct explanation found;

		point.measured.mean = table[i].x;
		found = cause_find(&point, CAUSE_OF_NOMINAL);
		cr_expect_eq(found.cause == CAUSE_OWN_COST, table[i].named, "%g: %s", table[i].x,
			     found.why);
	}
}

Test(cause, an_invalid_point_has_its_audits_sentence_if_nothing_tells_more)
{
	static const struct planted planted = { "", 5, 100, 10, 100, NULL, CAUSE_OF_CALIBRATED,
						0,  0, "" };
	struct run runs[3];
	struct point *points;
	struct explanation found;

	for (int i = 0; i < 3; i++) {
		runs[i] = lawful_run(planted.t, 5000000, 100000000, planted.x);
		runs[i].steal_ns = runs[i].run_ns / 10;
	}
	cr_assert_eq(verdict_of_runs(runs, 3, &points), 1);
	found = cause_find(&points[0], CAUSE_OF_CALIBRATED);
	cr_expect_eq(found.cause, CAUSE_UNEXPLAINED);
	cr_expect_str_eq(found.why, points[0].why);
	free(points);
}

Test(cause, every_cause_has_a_name)
{
	for (int i = 0; i < CAUSES; i++)
		cr_expect(cause_names[i] && cause_names[i][0]);
}
