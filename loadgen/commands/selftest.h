/* The parts of `cwt selftest`: what it measures, and what it makes of that. */
#pragma once
#include "loadgen/compare/trials.h"
#include "loadgen/sweep/measure.h"
#include <jansson.h>

enum { SELFTEST_PAIRS_MAX = 1000, SELFTEST_LEVELS = 4 };

struct selftest {
	/* As asked. */
	struct plan plan;        /* its processors */
	struct plan_point point; /* A */
	int64_t pairs;
	int64_t repetitions; /* of a side of a comparison */
	int64_t trials;
	int64_t seed;
	double planted; /* share by which B's c is larger; 0: B is A */
	struct compare_settings settings;
	const char *out; /* a folder for both sides' runs, or NULL */

	/* As measured, in the order of measuring. */
	struct run *runs[2]; /* of A and of B */
	size_t run_count[2];
	double *values[2]; /* of the figure, of those that pass the audits */
	size_t value_count[2];
	int64_t took_ns;
	bool interrupted;
	char rejected[SAMPLES_WHY_MAX]; /* why one did not count, or empty */
};

/* What can be told with n repetitions on each side: changes for the worse, as shares. */
struct selftest_power {
	size_t repetitions;
	bool is_known;        /* there are values enough */
	double found_9_of_10; /* the least that is found so often, at a threshold of 0, by the
				 scatter */
	double found_8_of_10;
	double needed; /* beyond the threshold, so that it is found 9 times in 10 if planted */
	double at_threshold; /* the same with the threshold */
	double verified; /* share of trials that found it; below 0.9 if nothing was large enough */
};

struct selftest_result {
	double mean;    /* of A, geometric */
	double scatter; /* standard deviation of ln(value), from repetition to repetition */
	double drift;   /* ln of second half / first half of the time; A/A only */
	double drift_half;
	double planted_ratio;       /* NEW/BASE of all, if c was planted */
	struct trials_result alike; /* A/A; or, if c was planted, A against B */
	struct trials_result alike_at_0;
	struct selftest_power power[SELFTEST_LEVELS];
	double recommended; /* threshold, a share; 0: none */
};

/* Measure all pairs, A B B A. Returns 0, also when interrupted, or the exit status of a failure. */
int selftest_measure(struct selftest *selftest);

/* What the measured says. Returns 0, -ENODATA if there is too little of it, or -ENOMEM. */
int selftest_conclude(const struct selftest *selftest, struct selftest_result *result);

void selftest_print(const struct selftest *selftest, const struct selftest_result *result);
json_t *selftest_to_json(const struct selftest *selftest, const struct selftest_result *result);

/* Whether the figures are as they are to be: rarely a false alarm, or the planted found. */
bool selftest_is_good(const struct selftest *selftest, const struct selftest_result *result);

extern const char selftest_program[];
