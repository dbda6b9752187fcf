#include "loadgen/engine/validity_unstable.h"
#include "common/units.h"
#include "loadgen/stats/interval.h"
#include "loadgen/stats/steady.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { REQUESTS_LEAST = 20 };

#define SCATTER_MOST 0.25
/*
 * Counts of so few requests scatter by themselves: t of 4 degrees of freedom is 2.8, and a
 * deviation of 2.5 times the true one comes in one run of ten thousand.
 */
#define COUNT_HALF 7.0
/* Replies that differ from the usual rate by more than that are of a stall, or come behind one. */
#define RATE_SHARE      0.1
#define RATE_DEVIATIONS 3
/* Waking an idle processor takes as long here or there, by turns that no one chooses. */
#define LATENCY_CHANGE_LEAST_NS 50e3

#define REMEDY_LEVEL                                                                               \
	"look for what changed on either machine (other programs, clock speed, a cache that "      \
	"fills); "                                                                                 \
	"then repeat, with a longer --warmup or --duration"
#define REMEDY_DRIFT                                                                               \
	"raise --warmup until the change is before the window; if it goes on, the server fills "   \
	"up or "                                                                                   \
	"leaks"
#define REMEDY_SCATTER "raise --duration, and keep other programs off both machines"

static int interval_count(const struct validity_facts *facts)
{
	return facts->intervals < STEADY_VALUES_MAX ? facts->intervals : STEADY_VALUES_MAX;
}

/* A rate or a latency, as text. */
static const char *format_value(char text[UNITS_TEXT_MAX], bool is_rate, double value)
{
	if (is_rate)
		snprintf(text, UNITS_TEXT_MAX, "%.4g/s", value);
	else
		units_format_duration(text, value);
	return text;
}

/* Returns whether there was something to say. */
static bool report(const struct steadiness *steadiness, const char *name, bool is_rate,
		   struct validity_verdict *verdict)
{
	char begin[UNITS_TEXT_MAX];
	char end[UNITS_TEXT_MAX];

	format_value(begin, is_rate, steadiness->begin);
	format_value(end, is_rate, steadiness->end);
	switch (steadiness->kind) {
	case STEADY_STEP:
		validity_add(verdict, INVALID_UNSTABLE, REMEDY_LEVEL,
			     "the %s was %s for %.0f %% of the window, and then %s", name, begin,
			     100 * steadiness->begin_for, end);
		return true;
	case STEADY_DRIFT:
		validity_add(verdict, INVALID_UNSTABLE, REMEDY_DRIFT,
			     "the %s %s throughout the window, from %s to %s", name,
			     steadiness->change > 0 ? "rose" : "fell", begin, end);
		return true;
	case STEADY_SCATTER:
		validity_add(
			verdict, INVALID_UNSTABLE, REMEDY_SCATTER,
			"the %s is known to ±%.0f %% only, so much it differs between parts of "
			"the window",
			name, 100 * steadiness->half);
		return true;
	case STEADY:
	case STEADY_TOO_FEW:
		break;
	}
	return false;
}

static bool judge_throughput(const struct validity_facts *facts, struct validity_verdict *verdict)
{
	double scatter = fmax(SCATTER_MOST, COUNT_HALF / sqrt((double)facts->requests));
	struct steadiness steadiness =
		steady_judge(facts->interval_rate, (size_t)interval_count(facts), scatter);

	return report(&steadiness, "throughput", true, verdict);
}

static void judge_latency(const struct validity_facts *facts, struct validity_verdict *verdict)
{
	int intervals = interval_count(facts);
	double interval_s = (double)facts->window_ns / facts->intervals / 1e9;
	double rates[STEADY_VALUES_MAX];
	double latencies[STEADY_VALUES_MAX];
	struct steadiness steadiness;
	double usual;
	double most;
	size_t count = 0;

	memcpy(rates, facts->interval_rate, (size_t)intervals * sizeof(rates[0]));
	usual = median_of(rates, (size_t)intervals);
	most = facts->open_loop
		       ? fmax(RATE_SHARE * usual, RATE_DEVIATIONS * sqrt(usual / interval_s))
		       : INFINITY;
	for (int i = 0; i < intervals; i++)
		if (facts->interval_p50_ns[i] > 0 && fabs(facts->interval_rate[i] - usual) <= most)
			latencies[count++] = facts->interval_p50_ns[i];
	steadiness = steady_judge(latencies, count, INFINITY);
	/* As much comes and goes with how processors sleep and wake. */
	if (fabs(steadiness.end - steadiness.begin) < LATENCY_CHANGE_LEAST_NS)
		return;
	report(&steadiness, "median latency", false, verdict);
}

void validity_judge_unstable(const struct validity_facts *facts, struct validity_verdict *verdict)
{
	if (facts->intervals < STEADY_VALUES_LEAST ||
	    facts->requests / (uint64_t)facts->intervals < REQUESTS_LEAST)
		return;
	/* In a closed loop one follows from the other. */
	if (!facts->open_loop && judge_throughput(facts, verdict))
		return;
	judge_latency(facts, verdict);
}
