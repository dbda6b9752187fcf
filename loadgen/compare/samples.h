/*
 * The repetitions of a point on both sides, and what its ratio is made from. Only those count that
 * pass the audits, when they were measured and now.
 *
 * One sweep on each side: the repetitions, which have a fresh server each. What differs from sweep
 * to sweep, such as the machine's mood of the day, is not in them. Several sweeps on a side: the
 * mean of each, so that it is.
 *
 * Without work (c = 0), a request's cost is the way between the cores, and machines change between
 * states of that which differ threefold (docs/model.md). Then a repetition of one side makes a pair
 * with one of the other side that was measured in the same state, by the ping-pong times before and
 * after, and what finds no such partner does not count. With several sweeps the first of BASE goes
 * with the first of NEW and so on, and each two give the mean of their pairs. Memory does not
 * depend on the way, and is compared like that of any point.
 */
#pragma once
#include "loadgen/compare/quantity.h"
#include "loadgen/compare/side.h"
#include "loadgen/stats/ratio.h"

enum { SAMPLES_LEAST = 3, SAMPLES_WHY_MAX = 400 };

enum samples_unit {
	SAMPLES_REPETITIONS,
	SAMPLES_SWEEPS,
	SAMPLES_PAIRS,       /* of repetitions */
	SAMPLES_SWEEP_PAIRS, /* of sweeps */
};

extern const char *const samples_unit_names[];

struct sample {
	double value;
	double way_ns; /* between the cores, before and after; 0: not known */
	size_t sweep;  /* its index */
};

struct samples {
	struct sample *items; /* of valid repetitions; by sweep */
	size_t count;
	size_t sweeps;             /* that have any */
	int64_t runs;              /* rejected ones as well */
	int64_t run_ns;            /* of all of them */
	double mean;               /* geometric; 0 if there are none */
	double resolution;         /* of ln(value), mean */
	double client_busy;        /* the generator's share of a core, the largest */
	char why[SAMPLES_WHY_MAX]; /* why one did not count, and what to do; empty if all did */
};

/* Returns 0 or -ENOMEM; the caller ends it with samples_free(), also then. */
int samples_take(const struct side *side, const struct run *point, enum quantity quantity,
		 struct samples *samples);

void samples_free(struct samples *samples);

struct samples_ratio {
	struct ratio ratio;
	enum samples_unit unit;
	size_t base_units;
	size_t new_units;
	char why[SAMPLES_WHY_MAX]; /* why there is no interval, and what to do; empty if there is */
};

/*
 * The ratio of both sides, each with at least one sample. Where `why` says something, at most
 * ratio.log is known; 0 if not even that. Returns 0 or -ENOMEM.
 */
int samples_compare(const struct samples *base, const struct samples *newer, bool paired,
		    struct samples_ratio *result);
