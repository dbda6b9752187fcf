/*
 * The audits where times are exponential: what chance does to the laws in a window is forgiven, and
 * a fault is not.
 */
#include "loadgen/model/audit.h"
#include "loadgen/model/model.h"
#include "tests/closed_network.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1, WARM = 4, WINDOWS = 1000 };

static int first_failure(const struct run *run)
{
	struct audit_failure failures[AUDITS];

	return audit_run(run, failures) > 0 ? (int)failures[0].audit : NONE;
}

/* 10 connections at half of t*: 100 requests/s, and half a core. */
static struct run lawful(int64_t requests)
{
	struct run run = lawful_run(10, 5000000, 100000000, 100);

	strcpy(run.distribution, "exponential");
	run.window_ns = run.run_ns = requests * 10000000;
	run.requests = run.all_requests = requests;
	run.server_cpu_ns = requests * run.cpu_ns;
	run.client_cpu_ns = run.window_ns / 10;
	return run;
}

Test(audit_random, littles_law_is_kept_to_what_the_windows_edges_leave_open)
{
	/* 2 %, and 3.5 times sqrt(20)/n. */
	static const struct {
		int64_t requests;
		double off;
		int audit;
	} table[] = {
		{ 100, 0.176, NONE },     { 100, 0.177, AUDIT_LITTLE },
		{ 1000, 0.035, NONE },    { 1000, 0.036, AUDIT_LITTLE },
		{ 10000, 0.0215, NONE },  { 10000, 0.0217, AUDIT_LITTLE },
		{ 100000, 0.0201, NONE }, { 100000, 0.0203, AUDIT_LITTLE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (int sign = -1; sign <= 1; sign += 2) {
			struct run run = lawful(table[i].requests);

			run.mean_ns *= 1 + sign * table[i].off;
			cr_expect_eq(first_failure(&run), table[i].audit, "row %zu, %+d", i, sign);
		}
	}
}

Test(audit_random, the_utilisation_law_is_kept_to_what_so_many_draws_leave_open)
{
	/*
	 * 3 %, 3.5 times sqrt(1/n + 20/n^2), and 0.002 of a core, which is 0.4 % of half a core.
	 */
	static const struct {
		int64_t requests;
		double off;
		int audit;
	} table[] = {
		{ 100, 0.417, NONE },    { 100, 0.418, AUDIT_UTILISATION },
		{ 1000, 0.145, NONE },   { 1000, 0.147, AUDIT_UTILISATION },
		{ 10000, 0.069, NONE },  { 10000, 0.070, AUDIT_UTILISATION },
		{ 100000, 0.045, NONE }, { 100000, 0.046, AUDIT_UTILISATION },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (int sign = -1; sign <= 1; sign += 2) {
			struct run run = lawful(table[i].requests);

			run.server_cpu_ns +=
				(int64_t)(sign * table[i].off * (double)run.server_cpu_ns);
			cr_expect_eq(first_failure(&run), table[i].audit, "row %zu, %+d", i, sign);
		}
	}
}

Test(audit_random, constant_times_are_forgiven_nothing)
{
	struct run run = lawful(100);

	strcpy(run.distribution, "constant");
	cr_expect_eq(first_failure(&run), NONE);
	run.mean_ns *= 1.03;
	cr_expect_eq(first_failure(&run), AUDIT_LITTLE);
	run = lawful(100);
	strcpy(run.distribution, "constant");
	run.server_cpu_ns = run.server_cpu_ns * 105 / 100;
	cr_expect_eq(first_failure(&run), AUDIT_UTILISATION);
}

/* The run that a window of the simulated network would be, of a server that used `factor` of the
 * CPU time that it should. */
static struct run run_of(const struct closed_network *network, const struct closed_window *window,
			 double window_s, double factor)
{
	int64_t cpu_ns = llround(network->cpu_s * 1e9);
	double x = (double)window->requests / window_s;
	struct run run =
		lawful_run(network->jobs, cpu_ns, cpu_ns + llround(network->wait_s * 1e9), x);

	strcpy(run.distribution, "exponential");
	run.window_ns = run.run_ns = llround(window_s * 1e9);
	run.requests = run.all_requests = window->requests;
	run.client_cpu_ns = run.window_ns / 10;
	run.mean_ns = window->latencies_s / (double)window->requests * 1e9;
	run.server_cpu_ns = llround(factor * window->busy_s * 1e9);
	return run;
}

struct tally {
	int healthy;  /* healthy windows that were rejected */
	int faulty;   /* windows of a server that used a quarter more CPU time */
	int constant; /* healthy windows that would be rejected of constant times */
};

/* Windows of so many requests, by the model, of c = 2 ms, w = 40 ms. */
static struct tally judge(int jobs, int requests)
{
	struct closed_network network = { .jobs = jobs,
					  .cpu_s = 0.002,
					  .wait_s = 0.038,
					  .random = gsl_rng_alloc(gsl_rng_mt19937) };
	double window_s = requests / model_closed_network(jobs, 0.002, 0.040, 1);
	struct closed_window *windows = calloc(WARM + WINDOWS, sizeof(*windows));
	struct tally tally = { 0 };

	cr_assert_not_null(windows);
	gsl_rng_set(network.random, (unsigned long)jobs * 10000 + (unsigned long)requests);
	closed_network_run(&network, window_s, windows, WARM + WINDOWS);
	for (int i = WARM; i < WARM + WINDOWS; i++) {
		struct run run = run_of(&network, &windows[i], window_s, 1);

		tally.healthy += first_failure(&run) != NONE;
		strcpy(run.distribution, "constant");
		tally.constant += first_failure(&run) != NONE;
		run = run_of(&network, &windows[i], window_s, 1.25);
		tally.faulty += first_failure(&run) == AUDIT_UTILISATION;
	}
	gsl_rng_free(network.random);
	free(windows);
	return tally;
}

Test(audit_random, healthy_windows_pass_but_for_one_in_a_thousand)
{
	static const int jobs[] = { 10, 20, 30 };
	static const int requests[] = { 100, 400, 2000 };
	int rejected = 0;

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		for (size_t j = 0; j < sizeof(requests) / sizeof(requests[0]); j++) {
			struct tally tally = judge(jobs[i], requests[j]);

			rejected += tally.healthy;
			if (requests[j] < 2000)
				cr_expect_gt(tally.constant, WINDOWS / 20,
					     "N=%d, %d requests: chance is no matter", jobs[i],
					     requests[j]);
			else
				cr_expect_gt(tally.faulty, WINDOWS * 99 / 100,
					     "N=%d: a quarter too much is found in %d of %d",
					     jobs[i], tally.faulty, WINDOWS);
		}
	}
	cr_expect_leq(rejected, 9, "%d of 9,000", rejected);
}

/* Else the windows above would be those of something else. */
Test(audit_random, the_simulated_network_has_the_throughput_of_the_closed_one)
{
	static const int jobs[] = { 1, 10, 20, 40 };

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		struct closed_network network = { .jobs = jobs[i],
						  .cpu_s = 0.002,
						  .wait_s = 0.038,
						  .random = gsl_rng_alloc(gsl_rng_mt19937) };
		double x = model_closed_network(jobs[i], 0.002, 0.040, 1);
		struct closed_window window[2] = { 0 };
		double window_s = 200000 / x;

		closed_network_run(&network, window_s, window, 2);
		cr_expect_float_eq((double)window[1].requests / window_s / x, 1, 0.01, "N=%d: %g",
				   jobs[i], (double)window[1].requests / window_s / x);
		gsl_rng_free(network.random);
	}
}
