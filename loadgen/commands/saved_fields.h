/* Members of a JSON object into those of a struct, by a table, with a sentence for what is wrong.
 */
#pragma once
#include "loadgen/commands/load_saved.h"
#include <jansson.h>
#include <stddef.h>

/*
 * Counts and times that are added up or compared do so without overflow: a count is below 2^50, a
 * time below 2^61 ns, which is after the year 2040.
 */
enum saved_kind {
	SAVED_COUNT,         /* int64_t or uint64_t: a whole number, not negative */
	SAVED_COUNT_OR_NULL, /* int64_t: -1 for null */
	SAVED_TIME,          /* int64_t, ns: a whole number, not negative */
	SAVED_TIME_OR_NULL,  /* int64_t: -1 for null */
	SAVED_REAL,          /* double: finite, not negative */
	SAVED_REAL_OR_NULL,  /* double: -1 for null */
	SAVED_FLAG,          /* bool */
};

struct saved_field {
	const char *name;
	enum saved_kind kind;
	size_t offset;
};

/*
 * Read the members that the fields name into the struct at `into`. `within` is what messages have
 * before a member's name. Returns 0, or -EINVAL with what is wrong in `why`.
 */
int saved_read(const json_t *object, const char *within, const struct saved_field *fields,
	       size_t count, void *into, char why[SAVED_WHY_MAX]);

/* Write what is wrong into `why`. Returns -EINVAL. */
int saved_complain(char why[SAVED_WHY_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
