#include "loadgen/model/cause.h"
#include "loadgen/model/cause_effects.h"
#include <math.h>
#include <string.h>

const char *const cause_names[CAUSES] = {
	[CAUSE_UNEXPLAINED] = "not explained",
	[CAUSE_CONNECTIONS] = "connections",
	[CAUSE_OWN_COST] = "own cost",
	[CAUSE_LATE_WAIT] = "late waits",
	[CAUSE_QUEUEING] = "queueing",
	[CAUSE_ACCEPT] = "accepting",
	[CAUSE_MEMORY] = "memory",
	[CAUSE_CLIENT] = "generator",
	[CAUSE_SWITCHES] = "switches",
	[CAUSE_CACHE] = "caches",
	[CAUSE_CHEAPER] = "cheaper than metered",
	[CAUSE_DELAYED] = "run delay",
	[CAUSE_ASLEEP] = "waits under load",
	[CAUSE_IDLE] = "idle processors",
};

/* Of the residual. What would have done far more than was seen is not what was seen. */
#define EXPLAINED_LEAST 0.5
#define EXPLAINED_MOST  2.0

/* The part of the residual that an effect explains: nothing if it has the other sign. */
static double part_of(double share, double residual)
{
	return share / residual > 0 ? share / residual : 0;
}

/* The largest effect of the stages from `first` to `last`, or CAUSE_RULES. */
static size_t largest(const struct cause_effect *effects, double residual, enum cause_stage first,
		      enum cause_stage last, size_t but)
{
	size_t best = CAUSE_RULES;

	for (size_t i = 0; i < CAUSE_RULES; i++) {
		double part = part_of(effects[i].share, residual);

		if (i == but || cause_rules[i].stage < first || cause_rules[i].stage > last ||
		    part <= 0 || part > EXPLAINED_MOST)
			continue;
		if (best == CAUSE_RULES || fabs(effects[i].share) > fabs(effects[best].share))
			best = i;
	}
	return best;
}

/* Name one, or two, if they explain enough. */
static bool settle(struct explanation *explanation, const struct cause_effect *effects,
		   enum cause_stage first, enum cause_stage last)
{
	double residual = explanation->residual;
	size_t one = largest(effects, residual, first, last, CAUSE_RULES);
	size_t two =
		one == CAUSE_RULES ? CAUSE_RULES : largest(effects, residual, first, last, one);
	double of_one = one == CAUSE_RULES ? 0 : effects[one].share;
	double of_two = two == CAUSE_RULES ? 0 : effects[two].share;

	if (part_of(of_one, residual) >= EXPLAINED_LEAST) {
		explanation->cause = cause_rules[one].cause;
		explanation->explained = of_one;
		snprintf(explanation->why, sizeof(explanation->why), "%s", effects[one].why);
		return true;
	}
	if (two == CAUSE_RULES || part_of(of_one + of_two, residual) < EXPLAINED_LEAST)
		return false;
	explanation->cause = cause_rules[one].cause;
	explanation->also = cause_rules[two].cause;
	explanation->explained = (1 + of_one) * (1 + of_two) - 1;
	snprintf(explanation->why, sizeof(explanation->why), "%s; and %s", effects[one].why,
		 effects[two].why);
	return true;
}

/* Which ruler, and what is to be explained by it. */
static struct cause_question ask(const struct point *point, enum cause_of of)
{
	struct cause_question question = { .point = point, .k = (double)point->first.cores };
	double x = point->measured.mean;

	question.is_curve =
		run_is_exponential(&point->first) || (point->knee && x < point->calibrated_rps);
	question.ruler_rps = question.is_curve ? point->curve_rps : point->calibrated_rps;
	question.residual =
		of == CAUSE_OF_NOMINAL ? cause_change(x, point->nominal_rps) : point->residual;
	if (point->verdict == VERDICT_INVALID)
		question.residual = -1; /* nothing was measured that counts */
	return question;
}

/*
 * A point that fails the utilisation law alone was measured, and its CPU time is what has to be
 * explained.
 */
static bool is_of_utilisation(const struct point *point)
{
	const char *name = audit_names[AUDIT_UTILISATION];

	return strncmp(point->why, name, strlen(name)) == 0;
}

static bool is_of_cpu(enum cause cause)
{
	return cause == CAUSE_SWITCHES || cause == CAUSE_CACHE || cause == CAUSE_CHEAPER;
}

/* An invalid point is not held against the model; what was counted tells why it is invalid. */
static struct explanation cause_of_invalid(const struct cause_question *question)
{
	const struct point *point = question->point;
	struct explanation explanation = { .residual = question->residual };

	for (size_t i = 0; i < CAUSE_RULES; i++) {
		struct cause_effect effect = { .share = 0 };
		bool is_whole =
			cause_rules[i].stage == STAGE_FIRST || cause_rules[i].cause == CAUSE_CLIENT;
		bool is_cpu = is_of_utilisation(point) && is_of_cpu(cause_rules[i].cause);

		if (!is_whole && !is_cpu)
			continue;
		cause_rules[i].find(question, &effect);
		if (effect.why[0] == '\0' || (is_whole && effect.share != question->residual))
			continue;
		explanation.cause = cause_rules[i].cause;
		snprintf(explanation.why, sizeof(explanation.why), "%s", effect.why);
		return explanation;
	}
	snprintf(explanation.why, sizeof(explanation.why), "%s", point->why);
	return explanation;
}

struct explanation cause_find(const struct point *point, enum cause_of of)
{
	struct cause_question question = ask(point, of);
	struct explanation explanation = { .residual = question.residual };
	struct cause_effect effects[CAUSE_RULES] = { 0 };
	enum cause_stage least = of == CAUSE_OF_NOMINAL ? STAGE_PREDICTION : STAGE_FIRST;

	if (point->verdict == VERDICT_INVALID)
		return cause_of_invalid(&question);
	for (size_t i = 0; i < CAUSE_RULES && question.residual != 0; i++)
		cause_rules[i].find(&question, &effects[i]);
	if (settle(&explanation, effects, STAGE_FIRST, STAGE_FIRST) ||
	    settle(&explanation, effects, least, STAGE_COUNTED) ||
	    settle(&explanation, effects, STAGE_SYMPTOM, STAGE_SYMPTOM))
		return explanation;
	snprintf(explanation.why, sizeof(explanation.why), "nothing that was counted explains it");
	return explanation;
}
