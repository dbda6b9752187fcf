/* What `cwt tune` makes of its measurements, and its exit status. */
#include "common/options.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/tune.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RUNS_LEAST = 3 };

static const double half_most = 0.30; /* of t: an interval that is wider says nothing */
static const double shift_least = 0.05;

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

static bool is_known(const struct tune *tune, const struct curve_answer *answer)
{
	size_t runs = tune->run_count - tune->rejected;

	return runs >= RUNS_LEAST &&
	       !(answer->open && tune->curve.points[0].t > tune->next.least) &&
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

/* What the SLO needs takes the place of what the plateau does. Returns false if nothing does. */
static bool take_slo(const struct tune *tune, struct tune_result *result)
{
	if (tune_slo_conclude(tune, &result->slo)) {
		result->answer.t = result->slo.t;
		result->answer.low = result->slo.low;
		result->answer.high = result->slo.high;
		result->answer.open = false;
		return true;
	}
	if (tune->out_of_time)
		say(result, CWT_INCONCLUSIVE,
		    "no t is known to meet %s: the time was over; give it more (--budget)",
		    tune->slo_text);
	else if (tune->rate > 0)
		say(result, CWT_BROKEN,
		    "no t meets %s at %.6g requests/s; the plateau is %.6g requests/s",
		    tune->slo_text, tune->rate, result->answer.plateau);
	else
		say(result, CWT_BROKEN, "no t meets %s at any rate", tune->slo_text);
	return false;
}

int tune_conclude(const struct tune *tune, struct tune_result *result)
{
	struct explain_input input = {
		.wall_s = tune->alone.mean_ns / 1e9,
		.cores = (double)tune->asked.cores,
	};

	*result = (struct tune_result){ 0 };
	if (tune->alone.requests > 0)
		input.cpu_alone_s =
			(double)tune->alone.server_cpu_ns / (double)tune->alone.requests / 1e9;
	if (curve_answer(&tune->curve, tune->next.share, (uint64_t)tune->seed, &result->answer) !=
	    0) {
		if (tune->rejected > 0)
			say(result, CWT_INVALID, "no run is valid; %s", tune->rejection);
		else
			say(result, CWT_INCONCLUSIVE, "nothing was measured");
		return -ENODATA;
	}
	add_plateau(tune, &result->answer, &input);
	explain(&tune->curve, &result->answer, &input, &result->explanation);
	/* Of the least whole t that is at the crossing. */
	result->answer.low = ceil(result->answer.low);
	result->answer.high = ceil(result->answer.high);
	if (tune->baseline) {
		struct baseline then;
		struct baseline now = {
			.low = result->answer.low,
			.high = result->answer.high,
			.cpu_s = input.cpu_s > 0 ? input.cpu_s : input.cpu_alone_s,
			.wall_s = input.wall_s,
			.cores = input.cores,
		};
		char why[TUNE_TEXT_MAX];

		if (tune_read_baseline(tune->baseline, &then, why) == 0)
			result->shift = explain_shift(&then, &now, shift_least);
	}
	if (tune->slo_text && !take_slo(tune, result))
		return 0;
	if (!tune->slo_text && !is_known(tune, &result->answer))
		say(result, CWT_INCONCLUSIVE,
		    "t is not known well enough: %.0f...%.0f after %zu runs; give it more time "
		    "(--budget)",
		    result->answer.low, result->answer.high, tune->run_count - tune->rejected);
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
	return 0;
}
