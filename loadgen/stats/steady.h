/*
 * Whether one figure can stand for a series: it neither steps, nor drifts, nor scatters. For the
 * parts of a run's window, which are the batches of the method of batch means (Schmeiser 1982: 10
 * to 30 of them; more are taken together, so that neighbours depend less on each other).
 *
 * A value that sticks out, such as that of the interval in which the server collected its garbage,
 * is no unsteadiness: each rule goes by what most values say.
 */
#pragma once
#include <stddef.h>

enum { STEADY_VALUES_LEAST = 5, STEADY_VALUES_MAX = 64 };

enum steady_kind {
	STEADY,
	STEADY_TOO_FEW, /* values to say anything: fewer than STEADY_VALUES_LEAST */
	STEADY_STEP,    /* two levels, one after the other */
	STEADY_DRIFT,   /* it rises or falls throughout */
	STEADY_SCATTER, /* its mean is hardly known */
};

struct steadiness {
	enum steady_kind kind;
	double change;    /* step, drift: from begin to end, as a share of the begin: -0.2 */
	double begin;     /* step: the level before; drift: the line's begin */
	double end;       /* step: the level after; drift: the line's end */
	double begin_for; /* step: the share of the series before it, 0...1 */
	double half;      /* of the mean's 95 % interval, as a share of it; 0 if too few */
};

/*
 * Judge n positive values, at most STEADY_VALUES_MAX (the rest is not looked at). The first that
 * holds:
 *
 * step     Two parts of at least 3 values and a fifth of the series differ by more than 10 %, and
 *          that difference is nine tenths of all variance, of the logarithms.
 * drift    Mann-Kendall's p is below 0.001, the change by the Theil-Sen slope is above 10 %, and
 *          each half goes the same way by a tenth of that or more: what has come to rest, as the
 *          queue behind a stall, leaves one half flat. Needs 7 values.
 * scatter  The 95 % interval of the mean is wider than ±scatter_most of it, and so is that of the
 *          mean that is trimmed by a tenth, at least one value, on either side (Tukey and
 *          McLaughlin 1963). INFINITY: no rule.
 */
struct steadiness steady_judge(const double *values, size_t n, double scatter_most);
