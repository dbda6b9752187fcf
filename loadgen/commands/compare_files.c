/* What `cwt compare` writes for others: JSON, Markdown, JUnit. */
#include "loadgen/commands/compare_report.h"
#include "loadgen/compare/provenance.h"
#include "loadgen/report/junit.h"
#include "loadgen/sweep/label.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { COMPARE_SCHEMA = 1, VALUE_MAX = 240 };

/* JSON */

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *paths_of(const struct side *side)
{
	json_t *list = json_array();

	for (size_t i = 0; i < side->count; i++)
		json_array_append_new(list, json_string(side->sweeps[i].path));
	return list;
}

static json_t *asked_to_json(const struct run *run)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "case", run->case_name, "arch", run->arch, "service", run->service, "wait",
			 run->wait, "work", run->work, "distribution", run->distribution, "threads",
			 (json_int_t)run->threads, "cores", (json_int_t)run->cores, "cpu_ns",
			 (json_int_t)run->cpu_ns, "wall_ns", (json_int_t)run->wall_ns,
			 "connections", (json_int_t)run->connections, "footprint_bytes",
			 (json_int_t)run->footprint_bytes, "idle", (json_int_t)run->idle,
			 "requests_per_connection", (json_int_t)run->requests_per_connection);
}

static json_t *side_to_json(const struct compare_side *side)
{
	return json_pack("{s:o, s:I, s:I, s:I}", "mean",
			 side->valid_runs > 0 ? json_real(side->mean) : json_null(), "runs",
			 (json_int_t)side->runs, "valid_runs", (json_int_t)side->valid_runs,
			 "units", (json_int_t)side->units);
}

static json_t *point_to_json(const struct compare_point *point)
{
	json_t *object = asked_to_json(&point->asked);
	json_t *rest = json_pack(
		"{s:o, s:o, s:s, s:o, s:o, s:o, s:f, s:f, s:s, s:b, s:s}", "base",
		side_to_json(&point->base), "new", side_to_json(&point->newer), "unit",
		samples_unit_names[point->unit], "ratio",
		point->has_ratio ? json_real(compare_ratio(point)) : json_null(), "low",
		point->has_interval ? number(compare_low(point)) : json_null(), "high",
		number(compare_high(point)), "p_regression", point->p_regression, "p_improvement",
		point->p_improvement, "verdict", compare_verdict_names[point->verdict], "improved",
		point->improved, "why", point->why);

	json_object_update(object, rest);
	json_decref(rest);
	return object;
}

static json_t *refused_to_json(const struct unlike_point *refused)
{
	json_t *object = asked_to_json(&refused->asked);

	json_object_set_new(object, "why", json_string(refused->why));
	return object;
}

json_t *compare_to_json(const struct compare_report *report)
{
	const struct comparison *comparison = report->comparison;
	json_t *points = json_array();
	json_t *refused = json_array();

	for (size_t i = 0; i < comparison->count; i++)
		json_array_append_new(points, point_to_json(&comparison->points[i]));
	for (size_t i = 0; i < comparison->refused_count; i++)
		json_array_append_new(refused, refused_to_json(&comparison->refused[i]));
	return json_pack("{s:i, s:s, s:f, s:f, s:s, s:s, s:o, s:o, s:O, s:o, s:o}", "schema",
			 COMPARE_SCHEMA, "figure", quantity_names[comparison->settings.quantity],
			 "threshold", comparison->settings.threshold, "confidence",
			 COMPARE_CONFIDENCE, "verdict", compare_verdict_names[report->verdict],
			 "why", report->refusal ? report->refusal : "", "base",
			 paths_of(report->base), "new", paths_of(report->newer), "differences",
			 report->differences, "points", points, "refused", refused);
}

/* Markdown */

/* A text in a table's cell. */
static void write_cell(FILE *file, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '|')
			fputc('\\', file);
		fputc(*c == '\n' ? ' ' : *c, file);
	}
}

static void write_differences(FILE *file, const json_t *differences)
{
	size_t index;
	json_t *difference;

	if (json_array_size(differences) == 0)
		return;
	fprintf(file, "The sweeps differ in more than what is compared:\n\n"
		      "| what | values, BASE first |\n| --- | --- |\n");
	json_array_foreach(differences, index, difference)
	{
		size_t i;
		json_t *entry;

		fputs("| ", file);
		write_cell(file, json_string_value(json_object_get(difference, "what")));
		fputs(" | ", file);
		json_array_foreach(json_object_get(difference, "values"), i, entry)
		{
			char value[VALUE_MAX];

			fputs(i > 0 ? "; " : "", file);
			write_cell(file, provenance_format(json_object_get(entry, "value"), value,
							   sizeof(value)));
		}
		fputs(" |\n", file);
	}
	fputc('\n', file);
}

static void write_point(FILE *file, const struct compare_point *point, enum quantity quantity)
{
	char label[LABEL_MAX];
	char base[QUANTITY_TEXT_MAX] = "–";
	char newer[QUANTITY_TEXT_MAX] = "–";

	if (point->base.valid_runs > 0)
		quantity_format(base, point->base.mean, quantity);
	if (point->newer.valid_runs > 0)
		quantity_format(newer, point->newer.mean, quantity);
	fputs("| ", file);
	write_cell(file, label_point(&point->asked, label));
	fprintf(file, " | %s | %s | ", base, newer);
	if (point->has_interval)
		fprintf(file, "%+.1f %% (%+.1f … %+.1f)", 100 * (compare_ratio(point) - 1),
			100 * (compare_low(point) - 1), 100 * (compare_high(point) - 1));
	else if (point->has_ratio)
		fprintf(file, "%+.1f %%", 100 * (compare_ratio(point) - 1));
	fprintf(file, " | %s%s%s |", point->verdict == COMPARE_REGRESSION ? "**regression**" : "",
		point->verdict == COMPARE_REGRESSION ? "" : compare_verdict_names[point->verdict],
		point->improved ? " (improved)" : "");
	fputc(' ', file);
	write_cell(file, point->why);
	fputs(" |\n", file);
}

static void write_points(FILE *file, const struct comparison *comparison)
{
	size_t *order = compare_worst_first(comparison);
	char text[LABEL_MAX];

	fprintf(file, "| point | BASE | NEW | change (95 %%) | verdict | |\n"
		      "| --- | ---: | ---: | ---: | --- | --- |\n");
	for (size_t i = 0; order && i < comparison->count; i++)
		write_point(file, &comparison->points[order[i]], comparison->settings.quantity);
	free(order);
	for (size_t i = 0; i < comparison->refused_count; i++) {
		fputs("| ", file);
		write_cell(file, label_point(&comparison->refused[i].asked, text));
		fputs(" | | | | not compared | ", file);
		write_cell(file, comparison->refused[i].why);
		fputs(" |\n", file);
	}
}

static int close_file(FILE *file)
{
	int rc = ferror(file) ? -EIO : 0;

	if (fclose(file) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

void compare_write_section(FILE *file, const char *heading, const struct compare_report *report)
{
	const struct comparison *comparison = report->comparison;

	fprintf(file, "%s %s, threshold %.3g %%: %s\n\n", heading,
		quantity_titles[comparison->settings.quantity],
		100 * comparison->settings.threshold, compare_verdict_names[report->verdict]);
	write_differences(file, report->differences);
	if (report->refusal) {
		fprintf(file, "Not compared: %s\n", report->refusal);
	} else {
		write_points(file, comparison);
		fprintf(file, "\n");
		compare_write_sum(file, comparison);
		fprintf(file, ".\n");
	}
}

int compare_write_markdown(const char *path, const struct compare_report *report)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	compare_write_section(file, "##", report);
	return close_file(file);
}

/* JUnit */

static enum junit_status junit_status_of(enum compare_verdict verdict)
{
	switch (verdict) {
	case COMPARE_PASS:
		return JUNIT_PASSED;
	case COMPARE_REGRESSION:
		return JUNIT_FAILED;
	case COMPARE_INCONCLUSIVE:
		return JUNIT_SKIPPED;
	case COMPARE_INVALID:
	case COMPARE_VERDICTS:
		break;
	}
	return JUNIT_ERROR;
}

static void fill_cases(const struct comparison *comparison, struct junit_case *cases,
		       char (*labels)[LABEL_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < comparison->count; i++, count++) {
		const struct compare_point *point = &comparison->points[i];

		cases[count] = (struct junit_case){
			.name = label_point(&point->asked, labels[count]),
			.classname = quantity_names[comparison->settings.quantity],
			.time_s = (double)point->run_ns / 1e9,
			.status = junit_status_of(point->verdict),
			.message = point->why,
		};
	}
	for (size_t i = 0; i < comparison->refused_count; i++, count++)
		cases[count] = (struct junit_case){
			.name = label_point(&comparison->refused[i].asked, labels[count]),
			.classname = quantity_names[comparison->settings.quantity],
			.status = JUNIT_SKIPPED,
			.message = comparison->refused[i].why,
		};
}

int compare_write_junit(const char *path, const struct compare_report *report)
{
	const struct comparison *comparison = report->comparison;
	size_t count = comparison->count + comparison->refused_count;
	struct junit_case *cases = calloc(count + 1, sizeof(*cases));
	char(*labels)[LABEL_MAX] = calloc(count + 1, sizeof(*labels));
	struct junit_case refusal = {
		.name = "the sweeps",
		.classname = quantity_names[comparison->settings.quantity],
		.status = JUNIT_ERROR,
		.message = report->refusal,
	};
	int rc = -ENOMEM;

	if (cases && labels && report->refusal) {
		rc = junit_write(path, "cwt compare", &refusal, 1);
	} else if (cases && labels) {
		fill_cases(comparison, cases, labels);
		rc = junit_write(path, "cwt compare", cases, count);
	}
	free(cases);
	free(labels);
	return rc;
}
