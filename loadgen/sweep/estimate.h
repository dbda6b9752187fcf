/*
 * How long a design takes, by what is known beforehand: what each repetition costs, what is metered
 * for each block and once for the sweep. A pure function of the plan, so that what is chosen by it
 * can be chosen again; what the machine makes of it is the caller's to see and to scale by.
 */
#pragma once
#include "loadgen/sweep/design.h"

/* In ns. */
struct estimate_cost {
	int64_t run_ns;
	int64_t metering_ns; /* of o_ref and o */
	bool each_run;       /* they are metered for each run, not for each block */
	int64_t alone_ns;    /* of w; 0 where another point has metered it */
};

struct estimate {
	const struct design *design;
	struct estimate_cost *costs; /* as many as the plan has points */
};

struct estimate_sum {
	int64_t repetitions;
	int64_t ns;
};

/* How far repetitions go. */
enum estimate_reach {
	ESTIMATE_LEAST,    /* all points are precise as soon as they may be */
	ESTIMATE_EXPECTED, /* as many as their spread so far asks for; the least while it is unknown
			    */
	ESTIMATE_MOST,     /* no point ever is */
};

/*
 * For the groups that are in the design now: what one that is left out would meter is metered for
 * the others. Returns 0 or -ENOMEM; estimate_end() ends it, also after a failure.
 */
int estimate_begin(struct estimate *estimate, const struct design *design);
void estimate_end(struct estimate *estimate);

/* A repetition, and what is metered before it. */
int64_t estimate_repetition_ns(const struct estimate *estimate, size_t point, int64_t repetition);

/* What the ledger lacks of a group, or of a round, or of a block in it. */
struct estimate_sum estimate_group(const struct estimate *estimate, const struct ledger *ledger,
				   size_t group, enum estimate_reach reach);
int64_t estimate_block_ns(const struct estimate *estimate, const struct ledger *ledger,
			  size_t group, int64_t round);
int64_t estimate_round_ns(const struct estimate *estimate, const struct ledger *ledger,
			  int64_t round);

/* What is left of all groups that were not left out. */
struct estimate_sum estimate_left(const struct estimate *estimate, const struct ledger *ledger,
				  enum estimate_reach reach);
