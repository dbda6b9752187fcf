#include "loadgen/report/series.h"
#include "common/units.h"
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field_type { NUMBER, DURATION, SIZE, WORD };

/* What points of one architecture may differ in, and how a series is named by it. */
static const struct field {
	const char *before;
	size_t offset;
	enum field_type type;
	const char *after;
} fields[] = {
	{ "", offsetof(struct run, service), WORD, "" },
	{ "wait ", offsetof(struct run, wait), WORD, "" },
	{ "work ", offsetof(struct run, work), WORD, "" },
	{ "c = ", offsetof(struct run, cpu_ns), DURATION, "" },
	{ "w = ", offsetof(struct run, wall_ns), DURATION, "" },
	{ "footprint ", offsetof(struct run, footprint_bytes), SIZE, "" },
	{ "t = ", offsetof(struct run, threads), NUMBER, "" },
	{ "N = ", offsetof(struct run, connections), NUMBER, "" },
	{ "", offsetof(struct run, idle), NUMBER, " idle" },
	{ "", offsetof(struct run, requests_per_connection), NUMBER, " requests/connection" },
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static const size_t x_offsets[] = {
	[PLAN_X_CONNECTIONS] = offsetof(struct run, connections),
	[PLAN_X_THREADS] = offsetof(struct run, threads),
	[PLAN_X_IDLE] = offsetof(struct run, idle),
	[PLAN_X_WALL] = offsetof(struct run, wall_ns),
};

static int64_t number_at(const struct run *run, size_t offset)
{
	return *(const int64_t *)(const void *)((const char *)run + offset);
}

static const char *word_at(const struct run *run, size_t offset)
{
	return (const char *)run + offset;
}

static bool same_field(const struct field *field, const struct run *a, const struct run *b)
{
	if (field->type == WORD)
		return strcmp(word_at(a, field->offset), word_at(b, field->offset)) == 0;
	return number_at(a, field->offset) == number_at(b, field->offset);
}

static bool same_x(enum plan_x x, const struct run *a, const struct run *b)
{
	if (x == PLAN_X_ARCH)
		return strcmp(a->arch, b->arch) == 0;
	return number_at(a, x_offsets[x]) == number_at(b, x_offsets[x]);
}

/* Whether all limited servers have a thread for each connection: t says nothing new then. */
static bool threads_follow(const struct summary *summary)
{
	for (int64_t i = 0; i < summary->count; i++) {
		const struct run *run = &summary->points[i].first;

		if (run->threads > 0 && run->threads != run->connections + run->idle)
			return false;
	}
	return true;
}

/*
 * A field tells series apart if two points of an architecture at the same x differ in it. One
 * that goes with x, such as N where it is t, does not.
 */
static bool tells_apart(const struct summary *summary, const struct field *field)
{
	enum plan_x x = summary->evidence.x;

	if (x != PLAN_X_ARCH && field->offset == x_offsets[x])
		return false;
	if (field->offset == offsetof(struct run, threads) && threads_follow(summary))
		return false;
	for (int64_t i = 0; i < summary->count; i++) {
		const struct run *a = &summary->points[i].first;

		for (int64_t j = 0; j < i; j++) {
			const struct run *b = &summary->points[j].first;

			if (strcmp(a->arch, b->arch) == 0 && same_x(x, a, b) &&
			    !same_field(field, a, b))
				return true;
		}
	}
	return false;
}

static const char *format_field(const struct field *field, const struct run *run,
				char text[UNITS_TEXT_MAX])
{
	int64_t value;

	if (field->type == WORD)
		return word_at(run, field->offset);
	value = number_at(run, field->offset);
	if (field->type == DURATION)
		return units_format_duration(text, (double)value);
	if (field->type == SIZE)
		return units_format_size(text, value);
	snprintf(text, UNITS_TEXT_MAX, "%lld", (long long)value);
	return text;
}

static void name_series(const struct summary *summary, const bool apart[FIELDS],
			const struct run *run, char name[SERIES_NAME_MAX])
{
	size_t used = 0;

	name[0] = '\0';
	if (summary->evidence.x != PLAN_X_ARCH)
		used = (size_t)snprintf(name, SERIES_NAME_MAX, "%s", run->arch);
	for (size_t i = 0; i < FIELDS && used < SERIES_NAME_MAX; i++) {
		char text[UNITS_TEXT_MAX];
		bool no_limit =
			fields[i].offset == offsetof(struct run, threads) && run->threads == 0;

		if (apart[i] && !no_limit)
			used += (size_t)snprintf(name + used, SERIES_NAME_MAX - used, "%s%s%s%s",
						 used ? ", " : "", fields[i].before,
						 format_field(&fields[i], run, text),
						 fields[i].after);
	}
	if (used == 0)
		snprintf(name, SERIES_NAME_MAX, "measured");
}

/* The series of that name, which is new if there is none. */
static int64_t find_series(struct series_list *list, const char name[SERIES_NAME_MAX])
{
	for (int64_t i = 0; i < list->series; i++)
		if (strcmp(list->names[i], name) == 0)
			return i;
	memcpy(list->names[list->series], name, SERIES_NAME_MAX);
	return list->series++;
}

/* Architectures take their places in the order in which they appear. */
static double arch_place(const struct summary *summary, int64_t index)
{
	int place = 0;

	for (int64_t i = 0; i < index; i++) {
		bool first = true;

		if (strcmp(summary->points[i].first.arch, summary->points[index].first.arch) == 0)
			return place;
		for (int64_t j = 0; j < i; j++)
			first = first && strcmp(summary->points[i].first.arch,
						summary->points[j].first.arch) != 0;
		place += first;
	}
	return place;
}

static double value_of_x(const struct summary *summary, int64_t index)
{
	const struct run *run = &summary->points[index].first;

	switch (summary->evidence.x) {
	case PLAN_X_ARCH:
		return arch_place(summary, index);
	case PLAN_X_WALL:
		return (double)run->wall_ns / 1e6;
	case PLAN_X_CONNECTIONS:
	case PLAN_X_THREADS:
	case PLAN_X_IDLE:
		break;
	}
	return (double)number_at(run, x_offsets[summary->evidence.x]);
}

static int compare_rows(const void *a, const void *b)
{
	const struct series_row *x = a;
	const struct series_row *y = b;

	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	return (x->x > y->x) - (x->x < y->x);
}

int series_group(const struct summary *summary, struct series_list *list)
{
	bool apart[FIELDS];

	*list = (struct series_list){ .count = summary->count };
	list->rows = calloc((size_t)summary->count, sizeof(*list->rows));
	list->names = calloc((size_t)summary->count, sizeof(*list->names));
	if (!list->rows || !list->names) {
		series_free(list);
		return -ENOMEM;
	}
	for (size_t i = 0; i < FIELDS; i++)
		apart[i] = tells_apart(summary, &fields[i]);
	for (int64_t i = 0; i < summary->count; i++) {
		char name[SERIES_NAME_MAX];

		name_series(summary, apart, &summary->points[i].first, name);
		list->rows[i] = (struct series_row){ .point = i,
						     .series = find_series(list, name),
						     .x = value_of_x(summary, i) };
	}
	qsort(list->rows, (size_t)list->count, sizeof(*list->rows), compare_rows);
	return 0;
}

void series_free(struct series_list *list)
{
	free(list->rows);
	free(list->names);
	*list = (struct series_list){ 0 };
}

const char *series_format_x(const struct summary *summary, const struct run *run, char *text,
			    size_t size)
{
	char wall[UNITS_TEXT_MAX];

	switch (summary->evidence.x) {
	case PLAN_X_ARCH:
		snprintf(text, size, "%s", run->arch);
		return text;
	case PLAN_X_WALL:
		snprintf(text, size, "%s", units_format_duration(wall, (double)run->wall_ns));
		return text;
	case PLAN_X_THREADS:
		if (run->threads == 0) {
			snprintf(text, size, "any t");
			return text;
		}
		break;
	case PLAN_X_CONNECTIONS:
	case PLAN_X_IDLE:
		break;
	}
	snprintf(text, size, "%lld", (long long)number_at(run, x_offsets[summary->evidence.x]));
	return text;
}

/* Data */

static void write_head(const struct summary *summary, FILE *file)
{
	const struct plan_evidence *evidence = &summary->evidence;

	fprintf(file, "# claim: %s\n# x: %s\n# y:", evidence->claim, plan_x_names[evidence->x]);
	for (size_t i = 0; i < evidence->panel_count; i++)
		fprintf(file, " %s", plan_y_names[evidence->panels[i]]);
	fprintf(file,
		"\n# A block for each series: its name, then a row for each point.\n"
		"# columns: x%s label throughput/s its-95%%-half server-CPU-us/request "
		"switches/request PSS-MB MemAvailable-MB latency-p99-ms\n",
		evidence->x == PLAN_X_WALL ? "-ms" : "");
}

static void write_row(const struct summary *summary, const struct point *point, double x,
		      FILE *file)
{
	char label[SERIES_NAME_MAX];

	fprintf(file, "%.9g \"%s\" %.6g %.6g %.6g %.6g %.6g %.6g %.6g\n", x,
		series_format_x(summary, &point->first, label, sizeof(label)), point->measured.mean,
		point->measured.half, point->server_cpu_s * 1e6, point->switches,
		point->pss_bytes / 1e6, point->available_bytes / 1e6, point->p99_s * 1e3);
}

/* The least and the most t: an architecture without a limit is a level line between them. */
static void find_ends(const struct series_list *list, double ends[2])
{
	ends[0] = INFINITY;
	ends[1] = 1;
	for (int64_t i = 0; i < list->count; i++) {
		if (list->rows[i].x > 0)
			ends[0] = fmin(ends[0], list->rows[i].x);
		ends[1] = fmax(ends[1], list->rows[i].x);
	}
	ends[0] = fmin(ends[0], ends[1]);
}

int64_t series_write_data(const struct summary *summary, FILE *file)
{
	struct series_list list;
	int64_t series = -1;
	int64_t valid = 0;
	double ends[2];

	if (summary->evidence.panel_count == 0)
		return 0;
	if (series_group(summary, &list) != 0)
		return -ENOMEM;
	find_ends(&list, ends);
	write_head(summary, file);
	for (int64_t i = 0; i < list.count; i++) {
		const struct series_row *row = &list.rows[i];
		const struct point *point = &summary->points[row->point];
		bool level = summary->evidence.x == PLAN_X_THREADS && point->first.threads == 0;

		if (point->verdict == VERDICT_INVALID)
			continue;
		if (row->series != series)
			fprintf(file, "\n\n# series: %s\n\"%s\"\n", list.names[row->series],
				list.names[row->series]);
		series = row->series;
		write_row(summary, point, level ? ends[0] : row->x, file);
		if (level)
			write_row(summary, point, ends[1], file);
		valid++;
	}
	series_free(&list);
	return valid;
}
