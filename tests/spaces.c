#include "tests/spaces.h"
#include "loadgen/model/model.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const int64_t cpus_ns[] = { 100000, 1000000, 10000000 };
static const int64_t decades[] = { 1, 10, 100, 1000, 10000 };

enum { CPUS = 3, DECADES = 5 };

static void add(struct sweep_runs *sweep, struct run asked, sweep_share *share)
{
	double n = (double)asked.connections;
	double c = (double)asked.cpu_ns / 1e9;
	double w = (double)asked.wall_ns / 1e9;
	bool is_exponential = strcmp(asked.distribution, "exponential") == 0;
	double x = is_exponential ? model_closed_network(n, c, w, 1) : model_nominal(n, c, w, 1);
	struct run run;

	if (model_nominal(n, c, w, 1) < 0.5)
		return;
	x *= share ? share(&asked) : 1;
	run = lawful_run(asked.connections, asked.cpu_ns, asked.wall_ns, x);
	run.threads = asked.threads;
	memcpy(run.arch, asked.arch, sizeof(run.arch));
	memcpy(run.distribution, asked.distribution, sizeof(run.distribution));
	for (run.repetition = 0; run.repetition < 3; run.repetition++) {
		cr_assert_lt(sweep->count, SWEEP_RUNS_MAX);
		sweep->runs[sweep->count++] = run;
	}
}

/* The points of one c and w/c. */
static void add_load(struct sweep_runs *sweep, struct run asked, int64_t ratio, sweep_share *share)
{
	asked.wall_ns = asked.cpu_ns * ratio;
	strcpy(asked.arch, "pool");
	for (int i = 0; i < DECADES; i++) {
		asked.threads = asked.connections = decades[i];
		add(sweep, asked, share);
	}
	strcpy(asked.arch, "loop");
	asked.threads = 0;
	asked.connections = (int64_t)ceil(1.3 * (double)ratio + 10);
	add(sweep, asked, share);
}

void sweep_full(struct sweep_runs *sweep, sweep_share *share)
{
	struct run asked = { .cores = 1 };

	sweep->count = 0;
	for (int times = 0; times < 2; times++) {
		strcpy(asked.distribution, times ? "exponential" : "constant");
		for (int i = 0; i < CPUS; i++) {
			asked.cpu_ns = cpus_ns[i];
			for (int j = 0; j < DECADES; j++)
				add_load(sweep, asked, decades[j], share);
		}
	}
}
