/*
 * What a sweep has measured so far, as far as its design has to know it: of each repetition of each
 * point how often it was tried and what came of it. It is filled from rows of runs.csv, those that
 * were just measured and, where a sweep is resumed, those that are in the file: both ways lead to
 * the same state.
 */
#pragma once
#include "loadgen/stats/interval.h"
#include "loadgen/sweep/plan.h"

struct ledger_repetition {
	int64_t block;
	int64_t attempts;        /* 0: not begun */
	bool accepted;           /* an attempt has passed the audits */
	double figure;           /* the plan's, of that attempt */
	struct interval windows; /* of the throughput, over that attempt's windows */
};

struct ledger_point {
	struct ledger_repetition *repetitions;
	int64_t room;
};

struct ledger {
	const struct plan *plan;
	struct ledger_point *points; /* as many as the plan has */
	int64_t done;                /* repetitions */
	int64_t sequence;            /* of the next row */
	int64_t block;               /* of the next block */
	double *figures;             /* room for those of a point */
};

/* Nothing is measured yet. Returns 0 or -ENOMEM; ledger_end() ends it, also after a failure. */
int ledger_begin(struct ledger *ledger, const struct plan *plan);
void ledger_end(struct ledger *ledger);

/*
 * Take note of a row. Returns the point's index, or: -ENOENT, the plan has no such point; -ERANGE,
 * it has fewer repetitions; -EEXIST, that repetition was done before; -ENOMEM.
 */
int64_t ledger_add(struct ledger *ledger, const struct run *run);

/* Whether a repetition needs no further attempt: one was accepted, or there were enough. */
bool ledger_is_done(const struct ledger *ledger, size_t point, int64_t repetition);

/* NULL if it is not begun. */
const struct ledger_repetition *ledger_find(const struct ledger *ledger, size_t point,
					    int64_t repetition);

/*
 * Mean and 95 % interval of the plan's figure over the accepted repetitions whose number is below
 * `before`. A throughput that was measured in one repetition alone has its windows as samples.
 */
struct interval ledger_interval(const struct ledger *ledger, size_t point, int64_t before);

/*
 * Whether that interval is as narrow as the plan asks. It looks at one point and at no other: a
 * sweep that went on until contenders differ would find differences where there are none.
 */
bool ledger_is_precise(const struct ledger *ledger, size_t point, int64_t before);
