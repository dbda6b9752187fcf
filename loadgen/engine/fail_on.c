/* What of --fail-on a run meets. */
#include "loadgen/engine/fail_on.h"
#include "common/units.h"
#include <stdio.h>

double slo_value_ns(const struct slo *slo, const struct histogram *histogram)
{
	if (slo->quantile < 0)
		return histogram_mean(histogram);
	return (double)histogram_quantile(histogram, slo->quantile);
}

struct fail_errors fail_on_errors(const struct fail_on *fail_on, const uint64_t errors[LOAD_ERRORS],
				  uint64_t requests)
{
	struct fail_errors result = { .count = 0 };
	bool counts[LOAD_ERRORS] = { false };
	uint64_t all = 0;

	for (int i = 0; i < LOAD_ERRORS; i++)
		all += errors[i];
	for (int i = 0; i < fail_on->count; i++) {
		const struct fail_condition *condition = &fail_on->conditions[i];
		bool is_any = condition->error == LOAD_ERRORS;
		double found;

		if (condition->on_latency)
			continue;
		found = (double)(is_any ? all : errors[condition->error]);
		if (found > condition->most * (condition->is_share ? (double)(all + requests) : 1))
			for (int j = 0; j < LOAD_ERRORS; j++)
				counts[j] = counts[j] || is_any || j == condition->error;
	}
	for (int i = 0; i < LOAD_ERRORS; i++) {
		if (!counts[i] || errors[i] == 0)
			continue;
		result.count += errors[i];
		if (errors[i] > result.worst_count) {
			result.worst_count = errors[i];
			result.worst = load_error_names[i];
		}
	}
	return result;
}

int fail_on_latency(const struct fail_on *fail_on, const struct histogram *histogram,
		    int met[FAIL_ON_MAX])
{
	int count = 0;

	for (int i = 0; i < fail_on->count && histogram->count > 0; i++) {
		const struct fail_condition *condition = &fail_on->conditions[i];

		if (condition->on_latency &&
		    slo_value_ns(&condition->slo, histogram) > (double)condition->slo.bound_ns)
			met[count++] = i;
	}
	return count;
}

char *fail_on_format(char text[FAIL_ON_TEXT_MAX], const struct fail_condition *condition)
{
	const char *name = condition->error == LOAD_ERRORS || condition->on_latency
				   ? "errors"
				   : load_error_names[condition->error];
	char bound[UNITS_TEXT_MAX];

	if (!condition->on_latency) {
		if (condition->most > 0)
			snprintf(text, FAIL_ON_TEXT_MAX, "%s>%.10g%s", name,
				 condition->most * (condition->is_share ? 100 : 1),
				 condition->is_share ? "%" : "");
		else
			snprintf(text, FAIL_ON_TEXT_MAX, "%s", name);
		return text;
	}
	units_format_duration_exact(bound, condition->slo.bound_ns);
	if (condition->slo.quantile < 0)
		snprintf(text, FAIL_ON_TEXT_MAX, "mean>%s", bound);
	else if (condition->slo.quantile >= 1)
		snprintf(text, FAIL_ON_TEXT_MAX, "max>%s", bound);
	else
		snprintf(text, FAIL_ON_TEXT_MAX, "p%.10g>%s", 100 * condition->slo.quantile, bound);
	return text;
}
