/*
 * How well a quantile is known: the interval between two order statistics, whatever the samples'
 * distribution (Hahn and Meeker, Statistical Intervals, 5.2). Of n independent samples, the number
 * that lie below the true quantile q is binomial (n, q); so with a probability that is known, the
 * true quantile lies between the samples of two ranks.
 *
 * The samples are taken to be independent. Requests of one run are not: those that meet in a queue
 * wait together. Within a run that is loaded near to its limit, the interval is too narrow, and
 * only more runs tell by how much.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct quantile_ranks {
	uint64_t low;  /* 1...n: the sample that the quantile is not below */
	uint64_t high; /* 1...n, and the one that it is not above; 0 if n is 0, as low */
	bool has_low;  /* false: too few samples for that bound, and low is 1 */
	bool has_high; /* likewise, and high is n; p99 of 50 samples has no upper bound */
};

/*
 * The ranks in n sorted samples between which the quantile q (0 < q < 1) lies with a probability
 * of at least `level` (0 < level < 1), the rest at most half on each side.
 *
 * Exact up to 100,000 samples. Beyond, the binomial distribution is taken for a normal one (with
 * the correction for continuity) where its variance is above 1,000, and for Poisson's, of the rarer
 * side, where it is not: ranks may then differ by one from the exact ones.
 */
struct quantile_ranks quantile_ranks(uint64_t n, double q, double level);
