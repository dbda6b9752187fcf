/* Texts with places in braces, such as {port}, and how they become words. */
#pragma once
#include <stddef.h>

struct template_value {
	const char *name;
	const char *text;
};

/*
 * Write `text` into `out` with {NAME} for each of the values replaced; any other brace stays as it
 * is. Returns 0, or -E2BIG when it has more than `size` bytes with its end.
 */
int template_fill(const char *text, const struct template_value *values, size_t count, char *out,
		  size_t size);

/*
 * The first {name} of small letters and _ in it that none of the values has; NULL if there is none.
 * It is written into `name` with its braces, cut to `size`.
 */
const char *template_unknown(const char *text, const struct template_value *values, size_t count,
			     char *name, size_t size);

/*
 * Split `text` in place into words at blanks; "..." and '...' hold words with blanks, and \ before
 * a character takes that as it is. words[] ends with NULL. Returns how many there are, -EINVAL for
 * a quote that is not closed, or -E2BIG for `room` or more.
 */
int template_split(char *text, char **words, int room);
