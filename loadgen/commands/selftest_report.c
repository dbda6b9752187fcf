/* What `cwt selftest` says, to people and to scripts. */
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/commands/selftest.h"
#include <math.h>
#include <stdio.h>

static double share(size_t part, size_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

/* For people */

static void print_head(const struct selftest *selftest, const struct selftest_result *result)
{
	const struct run *asked = &selftest->point.asked;
	char c[UNITS_TEXT_MAX];
	char w[UNITS_TEXT_MAX];
	char window[UNITS_TEXT_MAX];
	char mean[QUANTITY_TEXT_MAX];

	printf("%s, c %s, w %s, %lld connections: %zu and %zu repetitions of %s, A B B A, in %lld "
	       "s\n",
	       asked->arch, units_format_duration_exact(c, asked->cpu_ns),
	       units_format_duration_exact(w, asked->wall_ns), (long long)asked->connections,
	       selftest->run_count[0], selftest->run_count[1],
	       units_format_duration_exact(window, selftest->point.timing.window_ns),
	       (long long)((selftest->took_ns + NS_PER_S / 2) / NS_PER_S));
	if (selftest->planted > 0)
		printf("B has a c that is larger by %.3g %%\n", 100 * selftest->planted);
	printf("  valid         %zu of %zu\n", selftest->value_count[0] + selftest->value_count[1],
	       selftest->run_count[0] + selftest->run_count[1]);
	if (selftest->rejected[0])
		printf("                the others: %s\n", selftest->rejected);
	printf("  figure        %s: %s, scatter %.2f %% from repetition to repetition\n",
	       quantity_titles[selftest->settings.quantity],
	       quantity_format(mean, result->mean, selftest->settings.quantity),
	       100 * result->scatter);
	if (selftest->planted == 0)
		printf("  drift         second half / first half: %.4f [%.4f, %.4f]\n",
		       exp(result->drift), exp(result->drift - result->drift_half),
		       exp(result->drift + result->drift_half));
	else
		printf("  B/A           %.4f\n", result->planted_ratio);
}

static void print_trials(const struct selftest *selftest, const struct selftest_result *result)
{
	const struct trials_result *alike = &result->alike;
	const struct trials_result *at_0 = &result->alike_at_0;

	printf("\n%zu comparisons of %lld repetitions against %lld, drawn from these, threshold "
	       "%.3g %%\n",
	       alike->count, (long long)selftest->repetitions, (long long)selftest->repetitions,
	       100 * selftest->settings.threshold);
	printf("  %s %.1f %% regressions; %.1f %% inconclusive, %.1f %% pass\n",
	       selftest->planted > 0 ? "found        " : "false alarms ",
	       100 * share(alike->verdicts[COMPARE_REGRESSION], alike->count),
	       100 * share(alike->verdicts[COMPARE_INCONCLUSIVE], alike->count),
	       100 * share(alike->verdicts[COMPARE_PASS], alike->count));
	printf("                %.1f %% regressions, %.1f %% improvements at a threshold of 0\n",
	       100 * share(at_0->verdicts[COMPARE_REGRESSION], at_0->count),
	       100 * share(at_0->improved, at_0->count));
}

static void print_powers(const struct selftest *selftest, const struct selftest_result *result)
{
	double threshold = 100 * selftest->settings.threshold;

	printf("\nsmallest change for the worse that is found, with so many repetitions on each "
	       "side\n"
	       "      by the scatter: 9 in 10 (8 in 10)   planted at a threshold of %.3g %%\n",
	       threshold);
	for (size_t i = 0; i < SELFTEST_LEVELS && result->power[i].repetitions > 0; i++) {
		const struct selftest_power *power = &result->power[i];

		if (power->is_known)
			printf("  %3zu          %5.2f %%  (%5.2f %%)   %5.2f %%, found in %.1f %% "
			       "of "
			       "trials\n",
			       power->repetitions, 100 * power->found_9_of_10,
			       100 * power->found_8_of_10, 100 * power->at_threshold,
			       100 * power->verified);
		else
			printf("  %3zu          takes more pairs\n", power->repetitions);
	}
	if (result->recommended > 0)
		printf("\nrecommended threshold for such a point here: --threshold %.1f%%\n"
		       "At a lower one, what has not changed often is inconclusive; at this one, "
		       "changes of twice as\nmuch are found 9 times in 10.\n",
		       100 * result->recommended);
}

void selftest_print(const struct selftest *selftest, const struct selftest_result *result)
{
	print_head(selftest, result);
	print_trials(selftest, result);
	print_powers(selftest, result);
}

/* For scripts */

static json_t *trials_to_json(const struct trials_result *trials, double threshold)
{
	return json_pack("{s:f, s:I, s:f, s:f, s:f, s:f}", "threshold", threshold, "count",
			 (json_int_t)trials->count, "regression",
			 share(trials->verdicts[COMPARE_REGRESSION], trials->count), "inconclusive",
			 share(trials->verdicts[COMPARE_INCONCLUSIVE], trials->count), "pass",
			 share(trials->verdicts[COMPARE_PASS], trials->count), "improved",
			 share(trials->improved, trials->count));
}

static json_t *powers_to_json(const struct selftest_result *result)
{
	json_t *list = json_array();

	for (size_t i = 0; i < SELFTEST_LEVELS && result->power[i].repetitions > 0; i++) {
		const struct selftest_power *power = &result->power[i];

		if (power->is_known)
			json_array_append_new(
				list, json_pack("{s:I, s:f, s:f, s:f, s:f}", "repetitions",
						(json_int_t)power->repetitions, "found_9_of_10",
						power->found_9_of_10, "found_8_of_10",
						power->found_8_of_10, "found_9_of_10_at_threshold",
						power->at_threshold, "verified", power->verified));
	}
	return list;
}

json_t *selftest_to_json(const struct selftest *selftest, const struct selftest_result *result)
{
	const struct run *asked = &selftest->point.asked;
	json_t *object = json_pack(
		"{s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:f}", "schema", 1, "arch",
		asked->arch, "figure", quantity_names[selftest->settings.quantity], "cpu_ns",
		(json_int_t)asked->cpu_ns, "wall_ns", (json_int_t)asked->wall_ns, "connections",
		(json_int_t)asked->connections, "window_ns",
		(json_int_t)selftest->point.timing.window_ns, "repetitions",
		(json_int_t)selftest->repetitions, "seed", (json_int_t)selftest->seed,
		"interrupted", selftest->interrupted, "planted", selftest->planted);
	size_t runs = selftest->run_count[0] + selftest->run_count[1];
	size_t valid = selftest->value_count[0] + selftest->value_count[1];
	json_t *figures =
		json_pack("{s:I, s:I, s:f, s:f, s:f, s:o, s:o, s:o, s:f, s:b}", "runs",
			  (json_int_t)runs, "valid_runs", (json_int_t)valid, "mean", result->mean,
			  "scatter", result->scatter, "drift", exp(result->drift), "trials",
			  trials_to_json(&result->alike, selftest->settings.threshold),
			  "trials_at_0", trials_to_json(&result->alike_at_0, 0), "power",
			  powers_to_json(result), "recommended_threshold", result->recommended,
			  "good", selftest_is_good(selftest, result));

	json_object_update(object, figures);
	json_decref(figures);
	if (selftest->planted > 0)
		json_object_set_new(object, "planted_ratio", json_real(result->planted_ratio));
	return object;
}
