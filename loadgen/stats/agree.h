/*
 * Do two instruments agree? Each measures the same thing, alternately: k pairs (a, b). What one
 * pair shares, the machine's mood of that minute, cancels out in its ratio; so of the ratios,
 *
 *   d = ln(a / b),   ratio = exp(mean d),   low, high = exp(mean d ± t(0.975, k - 1)·sd d / √k)
 *
 * The question is not whether the ratio is 1: with enough pairs no two instruments' is. It is
 * whether it is near enough, and the tolerance says what is: from 1/(1 + tolerance) to
 * 1 + tolerance, the same for a/b as for b/a.
 *
 *   agree         the whole interval lies inside: two one-sided tests (TOST, Schuirmann 1987),
 *                 each at 2.5 %, have refused that the ratio lies outside
 *   differ        the whole interval lies outside, all of it on one side
 *   inconclusive  it lies across an edge: more pairs, or calmer ones, are needed
 *
 * Whatever the true ratio is, "agree" is wrong at most once in 40 times, and so is "differ" (at
 * most once in 20 where the tolerance is next to nothing), if the d are independent and normal.
 */
#pragma once
#include <stddef.h>

enum { AGREE_PAIRS_MIN = 3 };

enum agree_verdict { AGREE_INCONCLUSIVE, AGREE_AGREE, AGREE_DIFFER, AGREE_VERDICTS };

extern const char *const agree_verdict_names[AGREE_VERDICTS];

struct agree {
	size_t pairs;
	double ratio; /* of a to b */
	double low;   /* of its 95 % confidence interval */
	double high;
	double tolerance; /* as it was given */
	enum agree_verdict verdict;
};

/*
 * Compare `pairs` measurements. `tolerance` is a fraction: 0.05 for 5 %. Returns 0, or -EINVAL for
 * fewer than AGREE_PAIRS_MIN pairs, for a value or a tolerance that is not a number above 0, or
 * -ENOMEM.
 */
int agree_of(const double *a, const double *b, size_t pairs, double tolerance,
	     struct agree *result);
