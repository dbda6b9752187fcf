/*
 * A header line that a user gives, "Name: value": whether a request may carry it. It must be one
 * field (RFC 9110, 5.1 and 5.5), and none of those by which the generator frames its requests.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* A name or a method: RFC 9110, 5.6.2. */
bool header_is_token(const char *text, size_t length);

/* No white space, control characters or bytes above 126: what a request target may have. */
bool header_is_plain(const char *text);

/* The line's name is that one, in any case. */
bool header_is_named(const char *line, const char *name);

/* Why the line cannot go into a request, for "header 'LINE': REASON"; NULL if it can. */
const char *header_refusal(const char *line);
