/*
 * Is NEW worse than BASE? Point by point, with a verdict that stands.
 *
 * The question is never whether the ratio is 1: with enough repetitions no two builds' is. It is
 * whether it is worse by more than the threshold θ. For a figure of which more is worse, "worse by
 * more" is a ratio above 1 + θ; for throughput, one below 1/(1 + θ), so that it is the same for
 * times as for rates.
 *
 * - regression: the interval lies wholly beyond the threshold, also after correction for the number
 *   of points: of all the true ratios that the measurement allows, each is a regression.
 * - pass: no part of it does: none of them is. `improved` if the interval lies wholly beyond the
 *   threshold on the other side, corrected likewise.
 * - inconclusive: some are, and more repetitions, or calmer ones, are needed; or there is no
 *   interval.
 * - invalid: a side has no repetition that passes the audits.
 *
 * The correction is Holm's (stats/holm.h) over all points that have an interval, at 2.5 % for
 * regressions and as much for improvements: the probability of even one false regression in the
 * whole comparison is 2.5 % at the most if every point is just at the threshold, and next to
 * nothing if nothing has changed. Simultaneous intervals by Bonferroni would be wider than needed:
 * with three repetitions and 50 points three times as wide, and nothing would ever pass. "Pass" is
 * not corrected: the whole passes only if every point does, and a test of all of several claims
 * keeps the level of the single ones (the intersection-union test, Berger 1982). The 95 % intervals
 * that are shown are those of single points.
 */
#pragma once
#include "loadgen/compare/samples.h"
#include "loadgen/compare/unlike.h"

/*
 * How much worse is a regression, as the commands have it by default. A change is found if its
 * interval lies wholly beyond the threshold: to find one of 5 % nine times in ten, the threshold
 * has to be below that by what the level and the power take together, some four standard errors.
 * With five repetitions that scatter by 1 %, or three that scatter by 0.6 %, that leaves 2 %.
 */
#define COMPARE_THRESHOLD "2%"

/* One-sided, as each end of a 95 % interval is. */
#define COMPARE_LEVEL      0.025
#define COMPARE_CONFIDENCE 0.95

enum compare_verdict {
	COMPARE_PASS,
	COMPARE_REGRESSION,
	COMPARE_INCONCLUSIVE,
	COMPARE_INVALID,
	COMPARE_VERDICTS,
};

extern const char *const compare_verdict_names[COMPARE_VERDICTS];

struct compare_settings {
	enum quantity quantity;
	double threshold; /* a share, such as 0.02 */
};

enum { COMPARE_WHY_MAX = SAMPLES_WHY_MAX + 80 };

struct compare_side {
	double mean; /* geometric; 0 if no repetition is valid */
	int64_t runs;
	int64_t valid_runs;
	size_t units; /* that the ratio is made from */
};

struct compare_point {
	struct run asked; /* as in the first sweep of BASE */
	struct compare_side base;
	struct compare_side newer;
	enum samples_unit unit;
	struct ratio ratio;
	bool has_ratio;      /* both sides have valid repetitions */
	bool has_interval;   /* and there are enough of them */
	double worse;        /* ln of the ratio, turned so that more is worse */
	double half;         /* of its 95 % interval; INFINITY without one */
	double p_regression; /* corrected; 1 without an interval */
	double p_improvement;
	enum compare_verdict verdict;
	bool improved;
	int64_t run_ns;            /* how long NEW was measured */
	char why[COMPARE_WHY_MAX]; /* where it is no pass, and what to do */
};

struct comparison {
	struct compare_settings settings;
	struct compare_point *points; /* in the order of BASE */
	size_t count;
	struct unlike_point *refused; /* that cannot be compared */
	size_t refused_count;
};

/* Returns 0 or -ENOMEM; the caller ends it with compare_free(), also then. */
int compare_sides(const struct side *base, const struct side *newer,
		  const struct compare_settings *settings, struct comparison *comparison);

void compare_free(struct comparison *comparison);

/* Judge points whose ratios are known; compare_sides() does it. Returns 0 or -ENOMEM. */
int compare_judge(struct compare_point *points, size_t count,
		  const struct compare_settings *settings);

/* NEW/BASE and the ends of its 95 % interval; 0 and INFINITY where it has none. */
double compare_ratio(const struct compare_point *point);
double compare_low(const struct compare_point *point);
double compare_high(const struct compare_point *point);

/* How many points have that verdict. */
size_t compare_count(const struct comparison *comparison, enum compare_verdict verdict);

/* Of all points: what is worst, if it is known. */
enum compare_verdict compare_verdict_of(const struct comparison *comparison);
