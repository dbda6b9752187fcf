/*
 * The highest rate that meets a bound on the latency: by bisection in the logarithm of the rate, in
 * which few probes decide a rate, as most rates that are tried are far from the answer. Near it
 * such a decision is hardly better than a coin. So the two ends are then tried again, for
 * themselves, and an end that does not stand is moved outward until one does: the noisier the
 * probes, the wider is the interval.
 */
#include "common/clock.h"
#include "loadgen/engine/schedule.h"
#include "loadgen/engine/search.h"
#include <math.h>
#include <string.h>

enum {
	DECIDES = 2,        /* so many probes with the same answer decide a rate for now */
	DECIDES_CLIENT = 4, /* by chance, a processor is taken from the generator more often */
	AHEAD = 5,          /* so many more probes must be for an end than against it, */
	BEHIND = 2,         /* and with so many more against it, it does not stand */
	PROBES_AN_END = 15,
	TAIL_REQUESTS = 20, /* so many are to lie above the percentile in a probe */
	WINDOW_MOST_NS = 60LL * NS_PER_S,
};

#define PRECISE    1.03 /* an interval as narrow as that is not halved */
#define STEP_UP    1.5
#define RATE_LEAST 1.0

enum answer { MEETS, MISSES, CLIENT, ANSWERS, ENDS };

struct state {
	const struct search *search;
	const struct slo *slo;
	struct search_rate *answer;
	double client; /* the lowest at which the generator was the limit, or INFINITY */
	/* What the ends were before they are now: to be believed if these are not yet. */
	double low_before;
	double high_before;
	enum search_end end;
};

bool search_meets(const struct slo *slo, const struct search_probe *probe)
{
	return (probe->verdict == VALID || probe->verdict == INVALID_UNSTABLE) &&
	       probe->latency_ns < (double)slo->bound_ns;
}

static double upper(const struct state *state)
{
	return fmin(state->answer->high, state->client);
}

/* A percentile is not known by fewer requests than lie above it. */
static int64_t window_for(const struct state *state, double rate)
{
	double quantile = state->slo->quantile;
	double needed_ns = 0;

	if (quantile > 0 && quantile < 1)
		needed_ns = TAIL_REQUESTS / (1 - quantile) / rate * NS_PER_S;
	if (needed_ns > (double)WINDOW_MOST_NS)
		needed_ns = (double)WINDOW_MOST_NS;
	return needed_ns > (double)state->search->window_ns ? (int64_t)needed_ns
							    : state->search->window_ns;
}

/* Of the bisection and the two ends behind it. */
static double probes_left(const struct state *state)
{
	double ratio = upper(state) / fmax(state->answer->low, 1);
	double halvings = 0;

	if (state->answer->low == 0 || upper(state) == INFINITY)
		return INFINITY;
	if (ratio > PRECISE)
		halvings = ceil(log2(log(ratio) / log(PRECISE)));
	return halvings * DECIDES + 2 * AHEAD;
}

/* Run once. */
static enum answer ask(struct state *state, double rate, double left)
{
	struct search_ask ask = {
		.at = rate,
		.window_ns = window_for(state, rate),
		.low = state->answer->low,
		.high = upper(state),
		.probes_left = left,
	};
	struct search_probe probe = { .verdict = VALID };

	if (state->answer->probes == SEARCH_PROBES_MAX)
		state->end = SEARCH_SCATTERS;
	else if (state->search->probe(state->search->context, &ask, &probe) != 0)
		state->end = SEARCH_STOPPED;
	if (state->end != SEARCH_DONE)
		return ENDS;
	state->answer->probes++;
	if (probe.verdict == INVALID_CLIENT)
		return CLIENT;
	return search_meets(state->slo, &probe) ? MEETS : MISSES;
}

static enum answer decide(struct state *state, double rate)
{
	int counts[ANSWERS] = { 0 };

	for (;;) {
		enum answer answer = ask(state, rate, probes_left(state));

		if (answer == ENDS)
			return ENDS;
		if (++counts[answer] == (answer == CLIENT ? DECIDES_CLIENT : DECIDES))
			return answer;
	}
}

static void note(struct state *state, double rate, enum answer answer)
{
	if (answer == MEETS) {
		state->low_before = state->answer->low;
		state->answer->low = rate;
	} else if (answer == MISSES) {
		state->high_before = state->answer->high;
		state->answer->high = rate;
	} else {
		state->client = rate;
	}
}

/* The next rate of the bisection; 0 if there is none. */
static double choose(const struct state *state)
{
	double low = state->answer->low;
	double high = upper(state);

	if (low == 0)
		return high > RATE_LEAST ? fmax(high / 2, RATE_LEAST) : 0;
	if (high == INFINITY)
		return low < (double)SCHEDULE_RATE_MOST
			       ? fmin(low * STEP_UP, (double)SCHEDULE_RATE_MOST)
			       : 0;
	return high / low > PRECISE ? sqrt(low * high) : 0;
}

static void bisect(struct state *state, double rate)
{
	while (rate > 0) {
		enum answer answer = decide(state, rate);

		if (answer == ENDS)
			return;
		note(state, rate, answer);
		rate = choose(state);
	}
}

/* Does an end stand? `good` is what it says. */
static enum answer confirm(struct state *state, double rate, enum answer good, double left)
{
	int counts[ANSWERS] = { 0 };
	int ahead = 0;

	for (int i = 0; i < PROBES_AN_END && ahead < AHEAD && ahead > -BEHIND; i++) {
		enum answer answer = ask(state, rate, left + AHEAD - ahead);

		if (answer == ENDS)
			return ENDS;
		counts[answer]++;
		if (answer != CLIENT)
			ahead += answer == good ? 1 : -1;
	}
	if (ahead >= AHEAD)
		return good;
	return 2 * counts[CLIENT] > PROBES_AN_END ? CLIENT : ANSWERS;
}

static void settle_low(struct state *state)
{
	struct search_rate *answer = state->answer;
	double tried = answer->low; /* in the bisection */
	double step = PRECISE;

	while (answer->low > 0) {
		enum answer said = confirm(state, answer->low, MEETS, AHEAD);

		if (said == MEETS)
			return;
		if (said == ENDS) {
			if (answer->low != tried)
				answer->low = fmin(answer->low, state->low_before);
			return;
		}
		answer->low = answer->low / step >= RATE_LEAST ? answer->low / step : 0;
		step *= step;
	}
}

static void settle_high(struct state *state)
{
	struct search_rate *answer = state->answer;
	double tried = answer->high; /* in the bisection */
	double step = PRECISE;

	while (answer->high < state->client) {
		enum answer said = confirm(state, answer->high, MISSES, 0);

		if (said == MISSES)
			return;
		if (said == ENDS) {
			if (answer->high != tried)
				answer->high = fmax(answer->high, state->high_before);
			return;
		}
		if (said == CLIENT)
			state->client = answer->high;
		answer->high *= step;
		step *= step;
		if (answer->high > (double)SCHEDULE_RATE_MOST)
			answer->high = INFINITY;
	}
}

enum search_end search_rate(const struct search *search, const struct slo *slo, double first,
			    struct search_rate *answer)
{
	struct state state = {
		.search = search,
		.slo = slo,
		.answer = answer,
		.client = INFINITY,
		.high_before = INFINITY,
		.end = SEARCH_DONE,
	};

	memset(answer, 0, sizeof(*answer));
	answer->high = INFINITY;
	bisect(&state, fmin(fmax(first, RATE_LEAST), (double)SCHEDULE_RATE_MOST));
	if (state.end == SEARCH_DONE)
		settle_low(&state);
	if (state.end == SEARCH_DONE)
		settle_high(&state);
	/* A bound above what the generator can do was not found by a load that it could make. */
	if (state.client <= answer->high && state.client < INFINITY) {
		answer->high = INFINITY;
		answer->is_client_limited = true;
	}
	return state.end;
}
