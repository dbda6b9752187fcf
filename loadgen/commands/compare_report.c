#include "loadgen/commands/compare_report.h"
#include "loadgen/compare/provenance.h"
#include "loadgen/sweep/label.h"
#include <stdio.h>
#include <stdlib.h>

enum { VALUE_MAX = 240 };

/* Order */

struct ranked {
	size_t index;
	int rank;
	double worse;
};

static int by_badness(const void *a, const void *b)
{
	const struct ranked *x = a;
	const struct ranked *y = b;

	if (x->rank != y->rank)
		return x->rank - y->rank;
	if (x->worse != y->worse)
		return x->worse > y->worse ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

size_t *compare_worst_first(const struct comparison *comparison)
{
	static const int ranks[COMPARE_VERDICTS] = {
		[COMPARE_REGRESSION] = 0,
		[COMPARE_INVALID] = 1,
		[COMPARE_INCONCLUSIVE] = 2,
		[COMPARE_PASS] = 3,
	};
	struct ranked *ranked = calloc(comparison->count + 1, sizeof(*ranked));
	size_t *order = calloc(comparison->count + 1, sizeof(*order));

	if (!ranked || !order) {
		free(ranked);
		free(order);
		return NULL;
	}
	for (size_t i = 0; i < comparison->count; i++)
		ranked[i] = (struct ranked){ i, ranks[comparison->points[i].verdict],
					     comparison->points[i].worse };
	qsort(ranked, comparison->count, sizeof(*ranked), by_badness);
	for (size_t i = 0; i < comparison->count; i++)
		order[i] = ranked[i].index;
	free(ranked);
	return order;
}

void compare_write_sum(FILE *file, const struct comparison *comparison)
{
	size_t improved = 0;
	size_t regressions = compare_count(comparison, COMPARE_REGRESSION);
	size_t invalid = compare_count(comparison, COMPARE_INVALID);

	for (size_t i = 0; i < comparison->count; i++)
		improved += comparison->points[i].improved;
	fprintf(file, "%zu point%s: %zu regression%s, %zu inconclusive, %zu pass",
		comparison->count, comparison->count == 1 ? "" : "s", regressions,
		regressions == 1 ? "" : "s", compare_count(comparison, COMPARE_INCONCLUSIVE),
		compare_count(comparison, COMPARE_PASS));
	if (improved > 0)
		fprintf(file, " (%zu improved)", improved);
	if (invalid > 0)
		fprintf(file, ", %zu invalid", invalid);
	if (comparison->refused_count > 0)
		fprintf(file, "; %zu not compared", comparison->refused_count);
}

/* Text */

void compare_print_differences(const struct compare_report *report)
{
	size_t index;
	json_t *difference;

	if (json_array_size(report->differences) == 0)
		return;
	printf("The sweeps differ in more than what is compared:\n");
	json_array_foreach(report->differences, index, difference)
	{
		size_t i;
		json_t *entry;

		printf("  %s\n", json_string_value(json_object_get(difference, "what")));
		json_array_foreach(json_object_get(difference, "values"), i, entry)
		{
			char value[VALUE_MAX];

			printf("    %-40s %s\n", json_string_value(json_object_get(entry, "sweep")),
			       provenance_format(json_object_get(entry, "value"), value,
						 sizeof(value)));
		}
	}
	printf("\n");
}

static void print_point(const struct compare_point *point, enum quantity quantity)
{
	char label[LABEL_MAX];
	char base[QUANTITY_TEXT_MAX] = "-";
	char newer[QUANTITY_TEXT_MAX] = "-";
	char ratio[64] = "-";

	if (point->base.valid_runs > 0)
		quantity_format(base, point->base.mean, quantity);
	if (point->newer.valid_runs > 0)
		quantity_format(newer, point->newer.mean, quantity);
	if (point->has_interval)
		snprintf(ratio, sizeof(ratio), "%.4f [%.4f, %.4f]", compare_ratio(point),
			 compare_low(point), compare_high(point));
	else if (point->has_ratio)
		snprintf(ratio, sizeof(ratio), "%.4f", compare_ratio(point));
	printf("%-56s %11s %11s  %-24s %s%s\n", label_point(&point->asked, label), base, newer,
	       ratio, compare_verdict_names[point->verdict], point->improved ? " (improved)" : "");
	if (point->why[0])
		printf("    %s\n", point->why);
}

static bool all_valid(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->count; i++) {
		const struct compare_point *point = &comparison->points[i];

		if (point->base.valid_runs < point->base.runs ||
		    point->newer.valid_runs < point->newer.runs)
			return false;
	}
	return true;
}

static void print_rejected(const struct comparison *comparison)
{
	int64_t runs = 0;
	int64_t valid = 0;

	for (size_t i = 0; i < comparison->count; i++) {
		runs += comparison->points[i].base.runs + comparison->points[i].newer.runs;
		valid += comparison->points[i].base.valid_runs +
			 comparison->points[i].newer.valid_runs;
	}
	printf("%lld of %lld repetitions do not count, as they fail an audit (cwt check says "
	       "which)\n",
	       (long long)(runs - valid), (long long)runs);
}

void compare_print_points(const struct compare_report *report)
{
	const struct comparison *comparison = report->comparison;
	size_t *order = compare_worst_first(comparison);
	char text[LABEL_MAX];

	printf("%-56s %11s %11s  %-24s %s\n", quantity_titles[comparison->settings.quantity],
	       "BASE", "NEW", "NEW/BASE", "verdict");
	for (size_t i = 0; order && i < comparison->count; i++)
		print_point(&comparison->points[order[i]], comparison->settings.quantity);
	free(order);
	for (size_t i = 0; i < comparison->refused_count; i++)
		printf("%-56s not compared: %s\n", label_point(&comparison->refused[i].asked, text),
		       comparison->refused[i].why);
	printf("\nNEW/BASE with its 95 %% interval; a regression is worse by more than %.3g %%, "
	       "after Holm's\ncorrection for the number of points.\n",
	       100 * comparison->settings.threshold);
	if (!all_valid(comparison))
		print_rejected(comparison);
	printf("%s: ", compare_verdict_names[report->verdict]);
	compare_write_sum(stdout, comparison);
	printf("\n");
}
