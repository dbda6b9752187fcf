/*
 * What each cause would do to X: the model, evaluated with what was counted in place of what it
 * assumed. Within model/ only: cause.h is what others use.
 */
#pragma once
#include "loadgen/model/cause.h"

/* The question, and what several causes need. */
struct cause_question {
	const struct point *point;
	double k;
	double residual;
	double ruler_rps; /* what the causes of the second half are measured by */
	bool is_curve;    /* it is the closed network's curve; else the bound */
};

struct cause_effect {
	double share;                    /* what X changes by: -0.1 is 10 % less */
	char why[CAUSE_WHY_MAX / 2 - 8]; /* of two there is one sentence */
};

/* In which order causes are considered. */
enum cause_stage {
	STAGE_PREDICTION, /* only of the published model */
	STAGE_FIRST,      /* it spoils the rest: considered before that */
	STAGE_COUNTED,
	STAGE_SYMPTOM, /* or a bound: only where nothing that was counted explains it */
};

struct cause_rule {
	enum cause cause;
	enum cause_stage stage;
	void (*find)(const struct cause_question *, struct cause_effect *);
};

enum { CAUSE_RULES = CAUSES - 1 };

/* One for each cause but CAUSE_UNEXPLAINED. */
extern const struct cause_rule cause_rules[CAUSE_RULES];

/* What `to` is more than `from`, as a share of it; 0 where that is 0. */
double cause_change(double to, double from);
