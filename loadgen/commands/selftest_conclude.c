/* What `cwt selftest` makes of its measurements. */
#include "loadgen/commands/selftest.h"
#include "loadgen/stats/power.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define FALSE_ALARMS_MOST 0.05
#define FOUND_LEAST       0.90
#define RECOMMENDED_STEP  0.001 /* thresholds are given in tenths of a per cent */
#define RAISE             1.05

enum { RAISES_MOST = 40 }; /* sevenfold */

/* Values to draw from: A and B together, as they are the same; or A, if B has more work. */
struct pool {
	double *values;
	size_t count;
	double resolution;
};

static double resolution_of(const struct selftest *selftest)
{
	double sum = 0;

	for (size_t i = 0; i < selftest->run_count[0]; i++)
		sum += quantity_resolution(&selftest->runs[0][i], selftest->settings.quantity);
	return selftest->run_count[0] > 0 ? sum / (double)selftest->run_count[0] : 0;
}

static int make_pool(const struct selftest *selftest, struct pool *pool)
{
	*pool = (struct pool){
		.values = calloc(selftest->value_count[0] + selftest->value_count[1] + 1,
				 sizeof(*pool->values)),
		.resolution = resolution_of(selftest),
	};
	if (!pool->values)
		return -ENOMEM;
	for (int side = 0; side < (selftest->planted > 0 ? 1 : 2); side++)
		for (size_t i = 0; i < selftest->value_count[side]; i++)
			pool->values[pool->count++] = selftest->values[side][i];
	return 0;
}

/* Of ln(value), within each side. */
static double scatter_of(const struct selftest *selftest, double *mean)
{
	double squares = 0;
	double freedom = 0;

	for (int side = 1; side >= 0; side--) {
		const double *values = selftest->values[side];
		size_t count = selftest->value_count[side];
		double sum = 0;

		for (size_t i = 0; i < count; i++)
			sum += log(values[i]) / (double)count;
		for (size_t i = 0; i < count; i++)
			squares += pow(log(values[i]) - sum, 2);
		freedom += count > 0 ? (double)count - 1 : 0;
		*mean = exp(sum);
	}
	return freedom > 0 ? sqrt(squares / freedom) : 0;
}

/* The second half of the time against the first: what two sweeps one after the other would see. */
static void find_drift(const struct selftest *selftest, struct selftest_result *result)
{
	size_t most = selftest->value_count[0] + selftest->value_count[1] + 1;
	double *first = calloc(most, sizeof(*first));
	double *second = calloc(most, sizeof(*second));
	size_t firsts = 0;
	size_t seconds = 0;
	struct ratio ratio = { 0 };

	for (int side = 0; first && second && side < 2; side++) {
		for (size_t i = 0; i < selftest->value_count[side]; i++) {
			if (2 * i < selftest->value_count[side])
				first[firsts++] = selftest->values[side][i];
			else
				second[seconds++] = selftest->values[side][i];
		}
	}
	if (ratio_of_means(first, firsts, second, seconds, &ratio) == 0) {
		result->drift = ratio.log;
		result->drift_half = ratio_half(&ratio, COMPARE_CONFIDENCE);
	}
	free(first);
	free(second);
}

/* Powers */

static double round_up(double share)
{
	return ceil(share / RECOMMENDED_STEP - 1e-9) * RECOMMENDED_STEP;
}

/*
 * Plant what is to be found 9 times in 10 by the scatter, and more until it is: real scatter has
 * longer tails than the normal distribution's.
 */
static int plant_until_found(struct trials *trials, const struct random *random,
			     struct selftest_power *power, double effect)
{
	double edge = log1p(trials->settings.threshold);
	int rc = 0;

	for (int i = 0; rc == 0 && i < RAISES_MOST && power->verified < FOUND_LEAST; i++) {
		struct random same = *random;
		struct trials_result found;

		trials->planted = edge + effect * pow(RAISE, i);
		rc = trials_run(trials, &same, &found);
		power->at_threshold = expm1(trials->planted);
		power->needed = expm1(trials->planted - edge);
		power->verified = (double)found.verdicts[COMPARE_REGRESSION] / (double)found.count;
	}
	return rc;
}

static int find_power(const struct selftest *selftest, const struct pool *pool, double scatter,
		      const struct random *random, struct selftest_power *power)
{
	struct trials trials = {
		.base = pool->values,
		.base_count = pool->count,
		.resolution = pool->resolution,
		.repetitions = power->repetitions,
		.count = (size_t)selftest->trials,
		.settings = selftest->settings,
	};
	double effect[2] = { 2 * pool->resolution, 2 * pool->resolution };

	power->is_known = trials_can_run(&trials);
	if (!power->is_known)
		return 0;
	if (scatter > 0) {
		effect[0] += power_least_effect(0.9, scatter, power->repetitions, COMPARE_LEVEL);
		effect[1] += power_least_effect(0.8, scatter, power->repetitions, COMPARE_LEVEL);
	}
	power->found_9_of_10 = expm1(effect[0]);
	power->found_8_of_10 = expm1(effect[1]);
	return plant_until_found(&trials, random, power, effect[0]);
}

/* The asked number of repetitions first, and what more of them would give. */
static int find_powers(const struct selftest *selftest, const struct pool *pool,
		       const struct random *random, struct selftest_result *result)
{
	static const size_t usual[] = { 3, 5, 10 };
	size_t count = 0;
	int rc = 0;

	result->power[count++].repetitions = (size_t)selftest->repetitions;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i] != (size_t)selftest->repetitions)
			result->power[count++].repetitions = usual[i];
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = find_power(selftest, pool, result->scatter, random, &result->power[i]);
	if (result->power[0].is_known)
		result->recommended = round_up(result->power[0].needed);
	return rc;
}

/* As it was measured: A against A, or A against B with more work. */
static int run_trials(const struct selftest *selftest, const struct pool *pool,
		      struct random *random, struct selftest_result *result)
{
	bool is_planted = selftest->planted > 0;
	struct trials trials = {
		.base = is_planted ? selftest->values[0] : pool->values,
		.base_count = is_planted ? selftest->value_count[0] : pool->count,
		.newer = is_planted ? selftest->values[1] : NULL,
		.newer_count = is_planted ? selftest->value_count[1] : 0,
		.resolution = pool->resolution,
		.repetitions = (size_t)selftest->repetitions,
		.count = (size_t)selftest->trials,
		.settings = selftest->settings,
	};
	struct ratio ratio;
	int rc;

	if (!trials_can_run(&trials))
		return -ENODATA;
	rc = trials_run(&trials, random, &result->alike);
	trials.settings.threshold = 0;
	if (rc == 0)
		rc = trials_run(&trials, random, &result->alike_at_0);
	if (rc == 0 && is_planted &&
	    ratio_of_means(selftest->values[0], selftest->value_count[0], selftest->values[1],
			   selftest->value_count[1], &ratio) == 0)
		result->planted_ratio = exp(ratio.log);
	return rc;
}

int selftest_conclude(const struct selftest *selftest, struct selftest_result *result)
{
	struct random random = { (uint64_t)selftest->seed };
	struct pool pool;
	int rc = make_pool(selftest, &pool);

	*result = (struct selftest_result){ 0 };
	result->scatter = scatter_of(selftest, &result->mean);
	if (selftest->planted == 0)
		find_drift(selftest, result);
	if (rc == 0)
		rc = run_trials(selftest, &pool, &random, result);
	if (rc == 0)
		rc = find_powers(selftest, &pool, &random, result);
	free(pool.values);
	return rc;
}

bool selftest_is_good(const struct selftest *selftest, const struct selftest_result *result)
{
	double trials = (double)result->alike.count;
	double regressions = (double)result->alike.verdicts[COMPARE_REGRESSION];

	return selftest->planted > 0 ? regressions >= FOUND_LEAST * trials
				     : regressions <= FALSE_ALARMS_MOST * trials;
}
