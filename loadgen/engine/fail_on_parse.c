/* The grammar of --fail-on and of bounds of a latency. */
#include "loadgen/engine/fail_on.h"
#include "common/units.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64 };

#define EXAMPLE "such as --fail-on errors, --fail-on 'timeout>0.1%%' or --fail-on 'p99>20ms'"

/* A comparison, cut into what is before and after the sign. */
struct comparison {
	char name[WORD_MAX];
	char value[WORD_MAX];
	bool has_sign;
};

static int complain(char *why, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(char *why, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Returns 0, or -EINVAL if a part is too long to be anything. */
static int cut(const char *text, size_t length, char sign, struct comparison *comparison)
{
	const char *at = memchr(text, sign, length);
	size_t name = at ? (size_t)(at - text) : length;
	size_t value = at ? length - name - 1 : 0;

	if (name >= WORD_MAX || value >= WORD_MAX)
		return -EINVAL;
	comparison->has_sign = at != NULL;
	memcpy(comparison->name, text, name);
	comparison->name[name] = '\0';
	memcpy(comparison->value, text + length - value, value);
	comparison->value[value] = '\0';
	return 0;
}

/* Whether it is the name of a latency; the quantile may be out of range. */
static bool parse_latency(const char *name, double *quantile)
{
	char percent[WORD_MAX + 1]; /* of the requests, which are no slower */
	double share;

	if (strcmp(name, "mean") == 0) {
		*quantile = SLO_MEAN;
		return true;
	}
	if (strcmp(name, "max") == 0) {
		*quantile = 1;
		return true;
	}
	if (name[0] != 'p')
		return false;
	snprintf(percent, sizeof(percent), "%.*s%%", WORD_MAX - 1, name + 1);
	if (units_parse_share(percent, &share) != 0)
		return false;
	*quantile = share < 1 ? share : 0;
	return true;
}

/* The time of a latency's bound. */
static int parse_bound(const struct comparison *comparison, double quantile, char sign,
		       struct slo *slo, char *why, size_t size)
{
	if (quantile == 0)
		return complain(why, size,
				"'%s': a percentile is above 0 and below 100, as in p99.9%c20ms; "
				"the largest latency is max",
				comparison->name, sign);
	if (!comparison->has_sign)
		return complain(why, size, "'%s': a latency needs a bound, as in %s%c20ms",
				comparison->name, comparison->name, sign);
	if (units_parse_duration(comparison->value, &slo->bound_ns) != 0 || slo->bound_ns == 0)
		return complain(why, size,
				"'%s%c%s': '%s' is not a time above 0 with a unit, as in %s%c20ms",
				comparison->name, sign, comparison->value, comparison->value,
				comparison->name, sign);
	slo->quantile = quantile;
	return 0;
}

int slo_parse(const char *text, struct slo *slo, char *why, size_t size)
{
	struct comparison comparison;
	double quantile;

	if (cut(text, strlen(text), '<', &comparison) != 0 ||
	    !parse_latency(comparison.name, &quantile))
		return complain(why, size,
				"'%s' is not a bound of a latency, such as p99<20ms, mean<5ms or "
				"max<1s",
				text);
	return parse_bound(&comparison, quantile, '<', slo, why, size);
}

/* Its number, LOAD_ERRORS for any, or -1 if it isn't one. */
static int find_error(const char *name)
{
	if (strcmp(name, "errors") == 0)
		return LOAD_ERRORS;
	for (int i = 0; i < LOAD_ERRORS; i++)
		if (strcmp(name, load_error_names[i]) == 0)
			return i;
	return -1;
}

static int complain_of_name(const char *name, char *why, size_t size)
{
	char names[FAIL_ON_WHY_MAX] = "";

	for (int i = 0; i < LOAD_ERRORS; i++) {
		size_t length = strlen(names);

		snprintf(names + length, sizeof(names) - length, ", %s", load_error_names[i]);
	}
	return complain(why, size, "'%s' is none of: errors, none%s, p99>TIME, mean>TIME, max>TIME",
			name, names);
}

/* What follows the > of an error. */
static int parse_allowance(const struct comparison *comparison, struct fail_condition *condition,
			   char *why, size_t size)
{
	const char *value = comparison->value;
	int64_t count;

	if (!comparison->has_sign)
		return 0;
	condition->is_share = strchr(value, '%');
	if (condition->is_share) {
		if (units_parse_share(value, &condition->most) == 0 && condition->most < 1)
			return 0;
		return complain(why, size,
				"'%s>%s': a share is a number below 100 and %%, as in %s>0.1%%",
				comparison->name, value, comparison->name);
	}
	if (units_parse_count(value, &count) != 0)
		return complain(why, size,
				"'%s>%s': '%s' is neither a count nor a share, as in %s>10 or "
				"%s>0.1%%",
				comparison->name, value, value, comparison->name, comparison->name);
	condition->most = (double)count;
	return 0;
}

static int parse_condition(const char *text, size_t length, struct fail_condition *condition,
			   char *why, size_t size)
{
	struct comparison comparison;
	double quantile;

	memset(condition, 0, sizeof(*condition));
	if (length == 0)
		return complain(why, size, "a condition is missing; " EXAMPLE);
	if (cut(text, length, '>', &comparison) != 0)
		return complain(why, size, "'%.*s...' is no condition; " EXAMPLE, WORD_MAX / 2,
				text);
	if (parse_latency(comparison.name, &quantile)) {
		condition->on_latency = true;
		return parse_bound(&comparison, quantile, '>', &condition->slo, why, size);
	}
	condition->error = find_error(comparison.name);
	if (condition->error < 0)
		return complain_of_name(comparison.name, why, size);
	return parse_allowance(&comparison, condition, why, size);
}

int fail_on_parse(const char *text, struct fail_on *fail_on, char *why, size_t size)
{
	bool has_none = false;
	bool has_errors = false;
	const char *at = text;

	fail_on->count = 0;
	for (;;) {
		struct fail_condition *condition = &fail_on->conditions[fail_on->count];
		size_t length = strcspn(at, ",");

		if (length == strlen("none") && memcmp(at, "none", length) == 0) {
			has_none = true;
		} else {
			/* The last place is for the "errors" that goes without saying. */
			if (fail_on->count == FAIL_ON_MAX - 1)
				return complain(why, size, "'%s': at most %d conditions", text,
						FAIL_ON_MAX - 1);
			if (parse_condition(at, length, condition, why, size) != 0)
				return -EINVAL;
			has_errors = has_errors || !condition->on_latency;
			fail_on->count++;
		}
		if (at[length] == '\0')
			break;
		at += length + 1;
	}
	if (has_none && has_errors)
		return complain(
			why, size,
			"'%s': 'none' says that no error counts, and another condition that "
			"one does; " EXAMPLE,
			text);
	if (!has_none && !has_errors)
		fail_on->conditions[fail_on->count++] =
			(struct fail_condition){ .error = LOAD_ERRORS };
	return 0;
}
