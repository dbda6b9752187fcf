/*
 * Quantities as people write them: "2ms", "10k", "64KiB", and back.
 *
 * The parsers take the whole string or refuse it: no rounding, no trailing bytes, no sign. They
 * return 0, -EINVAL (not such a quantity) or -ERANGE (does not fit).
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Durations: a decimal number and ns, us, ms, s, m or h. A bare number is refused, but for 0. */
int units_parse_duration(const char *text, int64_t *ns);

/* Counts: a decimal integer, optionally with k (10^3) or M (10^6). */
int units_parse_count(const char *text, int64_t *count);

/*
 * Numbers that need not be whole: decimal, optionally with k (10^3) or M (10^6). *number is the
 * nearest to what is written; 64 characters or more are -ERANGE.
 */
int units_parse_number(const char *text, double *number);

/* Shares: a decimal number and %, "2.5%" being 0.025. A bare number is refused, but for 0. */
int units_parse_share(const char *text, double *share);

/* Sizes in bytes: a decimal integer and B, KiB, MiB, GiB, kB, MB or GB; a bare number is bytes. */
int units_parse_size(const char *text, int64_t *bytes);

enum { UNITS_TEXT_MAX = 32 };

/* Write a number with up to ten digits: "2.5". Returns `text`. */
char *units_format_number(char text[UNITS_TEXT_MAX], double number);

/* Write a duration with the largest unit that keeps three digits: "9.90ms". Returns `text`. */
char *units_format_duration(char text[UNITS_TEXT_MAX], double ns);

/* Write a duration exactly, in the largest unit that divides it: "9900us". Returns `text`. */
char *units_format_duration_exact(char text[UNITS_TEXT_MAX], int64_t ns);

/* Write a size in bytes exactly, in the largest binary unit that divides it. Returns `text`. */
char *units_format_size(char text[UNITS_TEXT_MAX], int64_t bytes);
