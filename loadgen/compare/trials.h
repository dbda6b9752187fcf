/*
 * Many comparisons from few measurements: of the same server measured some dozens of times, n
 * values taken at random stand for BASE and n others for NEW, again and again. Each is a comparison
 * of what is known to be alike, with this machine's own noise, whatever distribution that has; and
 * with a change planted in NEW, one of what is known to differ.
 *
 * The trials share values, so their frequencies are known less well than their number suggests: by
 * the number of values, not of trials.
 */
#pragma once
#include "loadgen/compare/compare.h"
#include "common/random.h"

struct trials {
	const double *base; /* values of repetitions */
	size_t base_count;
	const double *newer; /* NULL: the same as base, and no value is on both sides at once */
	size_t newer_count;
	double resolution;  /* of each ln(value) */
	size_t repetitions; /* n, on each side */
	double planted;     /* ln of how much worse NEW is made; 0: as it is */
	size_t count;       /* of trials */
	struct compare_settings settings;
};

struct trials_result {
	size_t count;
	size_t verdicts[COMPARE_VERDICTS];
	size_t improved;
};

/* Whether there are values enough for n on each side. */
bool trials_can_run(const struct trials *trials);

/* Returns 0, -EINVAL if there are too few values, or -ENOMEM. */
int trials_run(const struct trials *trials, struct random *random, struct trials_result *result);
