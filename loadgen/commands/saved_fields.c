#include "loadgen/commands/saved_fields.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define COUNT_MOST (1LL << 50)
#define TIME_MOST  (1LL << 61)
#define REAL_MOST  1e30

static const char *const wanted[] = {
	[SAVED_COUNT] = "a count",           [SAVED_COUNT_OR_NULL] = "a count, or null",
	[SAVED_TIME] = "a time in ns",       [SAVED_TIME_OR_NULL] = "a time in ns, or null",
	[SAVED_REAL] = "a number from 0 on", [SAVED_REAL_OR_NULL] = "a number from 0 on, or null",
	[SAVED_FLAG] = "true or false",
};

int saved_complain(char why[SAVED_WHY_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, SAVED_WHY_MAX, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static bool read_whole(const json_t *value, int64_t most, int64_t *into)
{
	*into = json_integer_value(value);
	return json_is_integer(value) && *into >= 0 && *into <= most;
}

static bool read_real(const json_t *value, double *into)
{
	*into = json_number_value(value);
	return json_is_number(value) && isfinite(*into) && *into >= 0 && *into <= REAL_MOST;
}

static bool read_whole_or_null(const json_t *value, int64_t most, int64_t *into)
{
	if (!json_is_null(value))
		return read_whole(value, most, into);
	*into = -1;
	return true;
}

static bool read_one(const json_t *value, enum saved_kind kind, char *into)
{
	switch (kind) {
	case SAVED_COUNT:
		return read_whole(value, COUNT_MOST, (int64_t *)into);
	case SAVED_COUNT_OR_NULL:
		return read_whole_or_null(value, COUNT_MOST, (int64_t *)into);
	case SAVED_TIME:
		return read_whole(value, TIME_MOST, (int64_t *)into);
	case SAVED_TIME_OR_NULL:
		return read_whole_or_null(value, TIME_MOST, (int64_t *)into);
	case SAVED_REAL:
		return read_real(value, (double *)into);
	case SAVED_REAL_OR_NULL:
		if (!json_is_null(value))
			return read_real(value, (double *)into);
		*(double *)into = -1;
		return true;
	case SAVED_FLAG:
		*(bool *)into = json_is_true(value);
		return json_is_boolean(value);
	}
	return false;
}

int saved_read(const json_t *object, const char *within, const struct saved_field *fields,
	       size_t count, void *into, char why[SAVED_WHY_MAX])
{
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, fields[i].name);

		if (!value)
			return saved_complain(why, "has no %s%s", within, fields[i].name);
		if (!read_one(value, fields[i].kind, (char *)into + fields[i].offset))
			return saved_complain(why, "has a %s%s that is not %s", within,
					      fields[i].name, wanted[fields[i].kind]);
	}
	return 0;
}
