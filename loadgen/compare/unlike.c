#include "loadgen/compare/unlike.h"
#include "common/units.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const struct run *unlike_find(const struct side *side, const struct run *point)
{
	for (size_t i = 0; i < side->count; i++)
		for (int64_t j = 0; j < side->sweeps[i].count; j++)
			if (run_same_point(&side->sweeps[i].runs[j], point))
				return &side->sweeps[i].runs[j];
	return NULL;
}

/* Plans */

struct timing_field {
	const char *name;
	size_t offset;
	bool is_duration;
};

#define TIMING(field, is_duration)                                                                 \
	{                                                                                          \
#field, offsetof(struct plan_timing, field), is_duration                           \
	}

/* Repetitions may differ: they make a figure better known, and nothing else. */
static const struct timing_field timing_fields[] = {
	TIMING(window_ns, true), TIMING(windows, false), TIMING(requests, false),
	TIMING(warmup_ns, true), TIMING(ramp_ns, true),
};

static int64_t number_at(const void *structure, size_t offset)
{
	return *(const int64_t *)(const void *)((const char *)structure + offset);
}

static char *format(char text[UNITS_TEXT_MAX], int64_t value, bool is_duration)
{
	if (is_duration)
		return units_format_duration_exact(text, value);
	snprintf(text, UNITS_TEXT_MAX, "%lld", (long long)value);
	return text;
}

static bool timings_differ(const struct plan_timing *a, const struct plan_timing *b,
			   char why[UNLIKE_WHY_MAX])
{
	for (size_t i = 0; i < sizeof(timing_fields) / sizeof(timing_fields[0]); i++) {
		const struct timing_field *field = &timing_fields[i];
		int64_t x = number_at(a, field->offset);
		int64_t y = number_at(b, field->offset);
		char text[2][UNITS_TEXT_MAX];

		if (x == y)
			continue;
		snprintf(why, UNLIKE_WHY_MAX,
			 "measured in another way: %.*s is %s in BASE, %s in NEW; measure both by "
			 "the same plan",
			 (int)strcspn(field->name, "_"), field->name,
			 format(text[0], x, field->is_duration),
			 format(text[1], y, field->is_duration));
		return true;
	}
	return false;
}

bool unlike_plans(const struct side *base, const struct side *newer, const struct run *point,
		  char why[UNLIKE_WHY_MAX])
{
	for (size_t i = 0; i < base->count; i++) {
		for (size_t j = 0; j < newer->count; j++) {
			const struct plan_timing *a = side_timing(&base->sweeps[i], point);
			const struct plan_timing *b = side_timing(&newer->sweeps[j], point);

			if (a && b && timings_differ(a, b, why))
				return true;
		}
	}
	return false;
}

/* Points on one side alone */

enum kind { TEXT, COUNT, DURATION, SIZE };

struct field {
	const char *name;
	enum kind kind;
	size_t offset;
};

#define FIELD(name, kind, field)                                                                   \
	{                                                                                          \
		name, kind, offsetof(struct run, field)                                            \
	}

/* What makes a point, and so what may keep it from being the same. */
static const struct field fields[] = {
	FIELD("case", TEXT, case_name),
	FIELD("arch", TEXT, arch),
	FIELD("service", TEXT, service),
	FIELD("wait", TEXT, wait),
	FIELD("work", TEXT, work),
	FIELD("distribution", TEXT, distribution),
	FIELD("cores", COUNT, cores),
	FIELD("t", COUNT, threads),
	FIELD("c", DURATION, cpu_ns),
	FIELD("w", DURATION, wall_ns),
	FIELD("N", COUNT, connections),
	FIELD("footprint", SIZE, footprint_bytes),
	FIELD("idle", COUNT, idle),
	FIELD("requests-per-connection", COUNT, requests_per_connection),
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static bool same(const struct field *field, const struct run *a, const struct run *b)
{
	if (field->kind == TEXT)
		return strcmp((const char *)a + field->offset, (const char *)b + field->offset) ==
		       0;
	return number_at(a, field->offset) == number_at(b, field->offset);
}

static int likeness(const struct run *a, const struct run *b)
{
	int count = 0;

	for (size_t i = 0; i < FIELDS; i++)
		count += same(&fields[i], a, b);
	return count;
}

static const struct run *most_like(const struct side *side, const struct run *point)
{
	const struct run *best = NULL;

	for (size_t i = 0; i < side->count; i++)
		for (int64_t j = 0; j < side->sweeps[i].count; j++) {
			const struct run *run = &side->sweeps[i].runs[j];

			if (!best || likeness(run, point) > likeness(best, point))
				best = run;
		}
	return best;
}

static const char *value_of(const struct field *field, const struct run *run,
			    char text[UNITS_TEXT_MAX])
{
	switch (field->kind) {
	case TEXT:
		return (const char *)run + field->offset;
	case DURATION:
		return units_format_duration_exact(text, number_at(run, field->offset));
	case SIZE:
		return units_format_size(text, number_at(run, field->offset));
	case COUNT:
		break;
	}
	snprintf(text, UNITS_TEXT_MAX, "%lld", (long long)number_at(run, field->offset));
	return text;
}

void unlike_say(const struct side *other, const struct run *point, const char *name,
		const char *other_name, char why[UNLIKE_WHY_MAX])
{
	const struct run *near = most_like(other, point);
	int used = snprintf(why, UNLIKE_WHY_MAX, "only in %s", name);

	/* With more than one difference, it is another point rather than this one changed. */
	if (!near || likeness(near, point) + 1 < FIELDS)
		return;
	for (size_t i = 0; i < FIELDS; i++) {
		char text[2][UNITS_TEXT_MAX];

		if (!same(&fields[i], near, point))
			snprintf(why + used, UNLIKE_WHY_MAX - (size_t)used,
				 ": there %s is %s, in %s %s", fields[i].name,
				 value_of(&fields[i], point, text[0]), other_name,
				 value_of(&fields[i], near, text[1]));
	}
}
