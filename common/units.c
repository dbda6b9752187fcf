#include "common/units.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

static const struct unit durations[] = {
	{ "ns", 1 },   { "us", 1e3 },   { "ms", 1e6 }, { "s", 1e9 },
	{ "m", 60e9 }, { "h", 3600e9 }, { 0 },
};

static const struct unit counts[] = { { "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { 0 } };

static const struct unit sizes[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "KiB", 1024 },
	{ "MiB", 1048576 },
	{ "GiB", 1073741824 },
	{ "kB", 1e3 },
	{ "MB", 1e6 },
	{ "GB", 1e9 },
	{ 0 },
};

/* A decimal number and a unit of `units`, as an integer in the base unit. */
static int parse_quantity(const char *text, const struct unit *units, int64_t *value)
{
	size_t digits = strspn(text, "0123456789");
	size_t length = digits;
	double number;

	if (text[length] == '.') {
		size_t fraction = strspn(text + length + 1, "0123456789");

		if (digits == 0 || fraction == 0)
			return -EINVAL;
		length += 1 + fraction;
	}
	if (digits == 0)
		return -EINVAL;
	number = strtod(text, NULL);
	if (number == 0 && text[length] == '\0') {
		*value = 0;
		return 0;
	}
	for (const struct unit *unit = units; unit->name; unit++) {
		double product = number * unit->factor;

		if (strcmp(text + length, unit->name) != 0)
			continue;
		if (product > 9e18)
			return -ERANGE;
		if (fabs(product - round(product)) > 1e-3)
			return -EINVAL;
		*value = llround(product);
		return 0;
	}
	return -EINVAL;
}

int units_parse_duration(const char *text, int64_t *ns)
{
	return parse_quantity(text, durations, ns);
}

int units_parse_count(const char *text, int64_t *count)
{
	return parse_quantity(text, counts, count);
}

int units_parse_size(const char *text, int64_t *bytes)
{
	return parse_quantity(text, sizes, bytes);
}

char *units_format_duration(char text[UNITS_TEXT_MAX], double ns)
{
	const struct unit *unit = &durations[0];
	double value;
	int decimals;

	while (unit < &durations[3] && fabs(ns) >= unit[1].factor)
		unit++;
	value = ns / unit->factor;
	decimals = fabs(value) >= 100 || value == floor(value) ? 0 : fabs(value) >= 10 ? 1 : 2;
	snprintf(text, UNITS_TEXT_MAX, "%.*f%s", decimals, value, unit->name);
	return text;
}

char *units_format_duration_exact(char text[UNITS_TEXT_MAX], int64_t ns)
{
	const struct unit *unit = &durations[3];

	while (unit > durations && ns % (int64_t)unit->factor != 0)
		unit--;
	snprintf(text, UNITS_TEXT_MAX, "%lld%s", (long long)(ns / (int64_t)unit->factor),
		 unit->name);
	return text;
}

char *units_format_size(char text[UNITS_TEXT_MAX], int64_t bytes)
{
	const struct unit *unit = &sizes[4];

	while (unit > &sizes[1] && (bytes == 0 || bytes % (int64_t)unit->factor != 0))
		unit--;
	snprintf(text, UNITS_TEXT_MAX, "%lld%s", (long long)(bytes / (int64_t)unit->factor),
		 unit->name);
	return text;
}
