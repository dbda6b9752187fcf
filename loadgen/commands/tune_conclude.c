/* What `cwt tune` makes of its measurements, and its exit status. */
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/tune.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RUNS_LEAST = 3, RUNS_OF_T_LEAST = 2 };

static const double half_most = 0.30; /* of t: an interval that is wider says nothing */
static const double shift_least = 0.05;
static const double sag_error = 0.12; /* what sweeps of threads in step differ by in t */

/* Figures of the runs that count and that are at the plateau, or all if none is. */
static void add_plateau(const struct tune *tune, const struct curve_answer *answer,
			struct explain_input *input)
{
	double cpu_ns = 0;
	double window_ns = 0;
	double requests = 0;

	for (size_t i = 0; i < tune->run_count; i++) {
		const struct run *run = &tune->runs[i];

		if (strcmp(run->rejected, "-") != 0 || run->throughput_rps < 0.97 * answer->plateau)
			continue;
		cpu_ns += (double)run->server_cpu_ns;
		window_ns += (double)run->window_ns;
		requests += (double)run->requests;
	}
	if (requests > 0) {
		input->cpu_s = cpu_ns / requests / 1e9;
		input->busy = cpu_ns / window_ns;
	}
}

/*
 * Whether t is known: nothing is left to be looked at that could move it, but for how often. A
 * curve that still grows at its end has its plateau elsewhere.
 */
static bool is_known(const struct tune *tune, const struct tune_result *result)
{
	const struct curve_answer *answer = &result->answer;
	const struct curve *curve = &tune->curve;
	int64_t wanted = next_t(curve, &tune->next, (uint64_t)tune->seed);
	const struct curve_point *point = wanted > 0 ? curve_find(curve, wanted) : NULL;

	if (wanted > 0 && (!point || point->count < RUNS_OF_T_LEAST))
		return false;
	if (result->explanation.bound == EXPLAIN_THREADS &&
	    curve->points[curve->count - 1].t < tune->next.most)
		return false;
	return !(answer->open && curve->points[0].t > tune->next.least) &&
	       answer->high - answer->low <= 2 * half_most * answer->crossing + 1;
}

static void say(struct tune_result *result, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct tune_result *result, int status, const char *format, ...)
{
	va_list arguments;

	result->status = status;
	va_start(arguments, format);
	vsnprintf(result->verdict, sizeof(result->verdict), format, arguments);
	va_end(arguments);
}

static const char *cause_text(const struct shift *shift, char text[TUNE_TEXT_MAX])
{
	static const char *const names[] = {
		[SHIFT_CPU] = "a request's CPU time c",
		[SHIFT_WALL] = "a request's wall time w",
		[SHIFT_CORES] = "the number of processors k",
	};
	const double ratios[] = {
		[SHIFT_CPU] = shift->cpu, [SHIFT_WALL] = shift->wall, [SHIFT_CORES] = shift->cores
	};

	text[0] = '\0';
	if (!shift->has_baseline)
		return text;
	if (shift->cause == SHIFT_NONE || shift->cause == SHIFT_UNKNOWN)
		snprintf(text, TUNE_TEXT_MAX, "; neither c, w nor k has changed enough to say why");
	else
		snprintf(text, TUNE_TEXT_MAX, "; the cause: %s is %.2f times what it was",
			 names[shift->cause], ratios[shift->cause]);
	return text;
}

/* The configured t against the interval, and what lies within tolerance around it. */
static void judge_assert(const struct tune *tune, struct tune_result *result)
{
	double low = floor(result->answer.low * (1 - tune->tolerance));
	double high = ceil(result->answer.high * (1 + tune->tolerance));
	char cause[TUNE_TEXT_MAX];

	if ((double)tune->asserted >= low && (double)tune->asserted <= high)
		say(result, CWT_OK, "t = %lld is right: it is within %.0f...%.0f",
		    (long long)tune->asserted, low, high);
	else
		say(result, CWT_BROKEN, "t = %lld has left %.0f...%.0f: it should be %lld%s",
		    (long long)tune->asserted, low, high, (long long)result->answer.t,
		    cause_text(&result->shift, cause));
}

/* What would make it known. */
static const char *remedy(const struct tune *tune)
{
	if (tune->disturbed)
		return tune->rejection;
	return tune->out_of_time ? "give it more time (--budget)"
				 : "the runs scatter: is the machine quiet? (cwt doctor)";
}

static bool all_are_done(const struct tune *tune)
{
	for (size_t i = 0; i < tune->slo_count; i++)
		if (!tune->slo_points[i].done)
			return false;
	return tune->slo_count > 0;
}

/* No t meets it, or none is known to. */
static void tell_none(const struct tune *tune, struct tune_result *result)
{
	char wall[UNITS_TEXT_MAX];

	if (!tune_slo_is_possible(tune))
		say(result, CWT_BROKEN, "no t can meet %s: a request alone takes %s",
		    tune->slo_text, units_format_duration(wall, tune->alone.mean_ns));
	else if (tune->disturbed || tune->out_of_time)
		say(result, CWT_INCONCLUSIVE, "no t is known to meet %s: %s", tune->slo_text,
		    remedy(tune));
	else if (!all_are_done(tune))
		say(result, CWT_INCONCLUSIVE,
		    "no t is known to meet %s: the generator, or what the machine left it, was "
		    "the limit",
		    tune->slo_text);
	else if (tune->rate > 0)
		say(result, CWT_BROKEN,
		    "no t meets %s at %.6g requests/s; the plateau is %.6g requests/s",
		    tune->slo_text, tune->rate, result->answer.plateau);
	else
		say(result, CWT_BROKEN, "no t meets %s at any rate", tune->slo_text);
}

/*
 * What the SLO needs takes the place of what the plateau does. Returns false, with the verdict,
 * if nothing does, or it is not known that fewer threads do not.
 */
static bool take_slo(const struct tune *tune, struct tune_result *result)
{
	if (!tune_slo_conclude(tune, &result->slo)) {
		tell_none(tune, result);
		return false;
	}
	result->answer.t = result->slo.t;
	result->answer.low = result->slo.low;
	result->answer.high = result->slo.high;
	result->answer.open = false;
	if (!result->slo.known)
		say(result, CWT_INCONCLUSIVE,
		    "t = %lld meets %s up to %.6g requests/s, but whether fewer do is not known: "
		    "%s",
		    (long long)result->slo.t, tune->slo_text, result->slo.rate, remedy(tune));
	return result->slo.known;
}

static void compare_baseline(const struct tune *tune, struct tune_result *result)
{
	struct baseline then;
	struct baseline now = {
		.low = result->answer.low,
		.high = result->answer.high,
		.cpu_s = result->cpu_s,
		.wall_s = tune->alone.mean_ns / 1e9,
		.cores = (double)tune->asked.cores,
	};
	char why[TUNE_TEXT_MAX];

	if (tune->baseline && tune_read_baseline(tune, &then, why) == 0)
		result->shift = explain_shift(&then, &now, shift_least);
}

static void judge(const struct tune *tune, struct tune_result *result)
{
	size_t good = tune->run_count - tune->rejected;

	if (!tune->slo_text && good < RUNS_LEAST)
		say(result, CWT_INCONCLUSIVE, "t is not known: %zu of %zu runs count; %s", good,
		    tune->run_count, remedy(tune));
	else if (!tune->slo_text && !is_known(tune, result))
		say(result, CWT_INCONCLUSIVE,
		    "t is not known well enough: %.0f...%.0f after %zu runs; %s",
		    result->answer.low, result->answer.high, good, remedy(tune));
	else if (tune->has_assert)
		judge_assert(tune, result);
	else if (tune->slo_text)
		say(result, CWT_OK, "t = %lld meets %s up to %.6g requests/s",
		    (long long)result->answer.t, tune->slo_text, result->slo.rate);
	else if (result->answer.open)
		say(result, CWT_OK, "no limit matters here: t = %lld reaches the plateau already",
		    (long long)result->answer.t);
	else
		say(result, CWT_OK, "t = %lld", (long long)result->answer.t);
}

static void conclude(const struct tune *tune, struct tune_result *result)
{
	struct explain_input input = {
		.wall_s = tune->alone.mean_ns / 1e9,
		.cores = (double)tune->asked.cores,
	};

	if (tune->alone.requests > 0)
		input.cpu_alone_s =
			(double)tune->alone.server_cpu_ns / (double)tune->alone.requests / 1e9;
	result->cpu_s = input.cpu_alone_s;
	if (curve_answer(&tune->curve, tune->next.share, (uint64_t)tune->seed, &result->answer) !=
	    0) {
		if (tune->rejected > 0)
			say(result, CWT_INVALID, "no run is valid; %s", tune->rejection);
		else
			say(result, CWT_INCONCLUSIVE, "nothing was measured; %s", remedy(tune));
		return;
	}
	add_plateau(tune, &result->answer, &input);
	if (input.cpu_s > 0)
		result->cpu_s = input.cpu_s;
	explain(&tune->curve, &result->answer, &input, &result->explanation);
	if (result->explanation.sag.t > 0)
		curve_widen(&result->answer, sag_error);
	/* Of the least whole t that is at the crossing. */
	result->answer.low = ceil(result->answer.low);
	result->answer.high = ceil(result->answer.high);
	if (tune->slo_text && !take_slo(tune, result))
		return;
	compare_baseline(tune, result);
	judge(tune, result);
}

void tune_conclude(const struct tune *tune, struct tune_result *result)
{
	*result = (struct tune_result){ 0 };
	conclude(tune, result);
	if (tune->interrupted)
		say(result, CWT_INTERRUPTED, "interrupted; what follows is of %zu runs",
		    tune->run_count - tune->rejected);
	else if (tune->failure[0])
		say(result, CWT_INVALID, "%s", tune->failure);
}
