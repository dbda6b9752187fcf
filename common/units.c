#include "common/units.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FRACTION_MOST = 18, /* digits that fit an int64_t */
	NUMBER_MAX = 64,    /* characters of a number, so that it fits a double */
};

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit durations[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
	{ 0 },
};

static const struct unit counts[] = { { "", 1 }, { "k", 1000 }, { "M", 1000000 }, { 0 } };

static const struct unit sizes[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "KiB", 1024 },
	{ "MiB", 1048576 },
	{ "GiB", 1073741824 },
	{ "kB", 1000 },
	{ "MB", 1000000 },
	{ "GB", 1000000000 },
	{ 0 },
};

/* Append the decimal digits to *number. Returns 0 or -ERANGE. */
static int append_digits(const char *digits, size_t count, int64_t *number)
{
	for (size_t i = 0; i < count; i++)
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, digits[i] - '0', number))
			return -ERANGE;
	return 0;
}

/* whole.fraction times `factor`, in *value. */
static int multiply(const char *text, size_t digits, size_t fraction, int64_t factor,
		    int64_t *value)
{
	const char *after = text + digits + 1;
	int64_t whole = 0;
	int64_t part = 0;
	int64_t parts = 1;

	while (fraction > 0 && after[fraction - 1] == '0')
		fraction--;
	if (fraction > FRACTION_MOST)
		return -EINVAL;
	append_digits(after, fraction, &part);
	for (size_t i = 0; i < fraction; i++)
		parts *= 10;
	if ((__int128)part * factor % parts != 0)
		return -EINVAL;
	part = (int64_t)((__int128)part * factor / parts);
	if (append_digits(text, digits, &whole) != 0 ||
	    __builtin_mul_overflow(whole, factor, &whole) ||
	    __builtin_add_overflow(whole, part, value))
		return -ERANGE;
	return 0;
}

/*
 * How long the decimal number is that `text` begins with: its digits before the point, and those
 * behind it. 0 if there is none.
 */
static size_t measure_number(const char *text, size_t *digits, size_t *fraction)
{
	*digits = strspn(text, "0123456789");
	*fraction = 0;
	if (*digits == 0 || text[*digits] != '.')
		return *digits;
	*fraction = strspn(text + *digits + 1, "0123456789");
	return *fraction > 0 ? *digits + 1 + *fraction : 0;
}

/* A decimal number and a unit of `units`, as an integer in the base unit. */
static int parse_quantity(const char *text, const struct unit *units, int64_t *value)
{
	size_t digits;
	size_t fraction;
	size_t length = measure_number(text, &digits, &fraction);

	if (length == 0)
		return -EINVAL;
	if (text[length] == '\0' && strspn(text, "0.") == length) {
		*value = 0;
		return 0;
	}
	for (const struct unit *unit = units; unit->name; unit++)
		if (strcmp(text + length, unit->name) == 0)
			return multiply(text, digits, fraction, unit->factor, value);
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

int units_parse_number(const char *text, double *number)
{
	static const struct {
		const char *name;
		const char *exponent;
	} factors[] = { { "", "" }, { "k", "e3" }, { "M", "e6" } };
	size_t digits;
	size_t fraction;
	size_t length = measure_number(text, &digits, &fraction);

	if (length == 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
		char scientific[NUMBER_MAX + 4];

		if (strcmp(text + length, factors[i].name) != 0)
			continue;
		if (length >= NUMBER_MAX)
			return -ERANGE;
		/* Rounded once, by strtod(), and not again by a product. */
		snprintf(scientific, sizeof(scientific), "%.*s%s", (int)length, text,
			 factors[i].exponent);
		*number = strtod(scientific, NULL);
		return 0;
	}
	return -EINVAL;
}

int units_parse_share(const char *text, double *share)
{
	char scientific[NUMBER_MAX + 4];
	size_t digits;
	size_t fraction;
	size_t length = measure_number(text, &digits, &fraction);

	if (length == 0 || (strcmp(text + length, "%") != 0 && strcmp(text, "0") != 0))
		return -EINVAL;
	if (length >= NUMBER_MAX)
		return -ERANGE;
	snprintf(scientific, sizeof(scientific), "%.*se-2", (int)length, text);
	*share = strtod(scientific, NULL);
	return 0;
}

int units_parse_size(const char *text, int64_t *bytes)
{
	return parse_quantity(text, sizes, bytes);
}

char *units_format_duration(char text[UNITS_TEXT_MAX], double ns)
{
	const struct unit *unit = &durations[0];
	double value = ns;
	int decimals;

	/* What would round to 1000 is 1.00 of the next unit. */
	while (unit < &durations[3] && fabs(value) >= 999.5) {
		unit++;
		value = ns / (double)unit->factor;
	}
	if (value == floor(value) || fabs(value) >= 99.95)
		decimals = 0;
	else
		decimals = fabs(value) >= 9.995 ? 1 : 2;
	snprintf(text, UNITS_TEXT_MAX, "%.*f%s", decimals, value, unit->name);
	return text;
}

char *units_format_duration_exact(char text[UNITS_TEXT_MAX], int64_t ns)
{
	const struct unit *unit = &durations[3];

	while (unit > durations && ns % unit->factor != 0)
		unit--;
	snprintf(text, UNITS_TEXT_MAX, "%lld%s", (long long)(ns / unit->factor), unit->name);
	return text;
}

char *units_format_number(char text[UNITS_TEXT_MAX], double number)
{
	snprintf(text, UNITS_TEXT_MAX, "%.10g", number);
	return text;
}

char *units_format_size(char text[UNITS_TEXT_MAX], int64_t bytes)
{
	const struct unit *unit = &sizes[4];

	while (unit > &sizes[1] && (bytes == 0 || bytes % unit->factor != 0))
		unit--;
	snprintf(text, UNITS_TEXT_MAX, "%lld%s", (long long)(bytes / unit->factor), unit->name);
	return text;
}
