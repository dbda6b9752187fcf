/*
 * The architectures of cwt-server as a plan and the model see them: whether t limits them, and in
 * what way. A variant is a name with options that go to the server as they are:
 * "loop --events poll".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { ARCHS_VARIANT_MAX = 48 };

/* What t is a limit of. */
enum arch_limit {
	ARCH_LIMIT_NONE,     /* there is no t: k/c */
	ARCH_LIMIT_REQUESTS, /* requests in hand; a connection between requests needs no thread */
	ARCH_LIMIT_CONNECTIONS, /* connections: each has a thread (or process) until it ends */
};

struct arch_traits {
	const char *name;
	enum arch_limit limit;
	bool processes; /* connections are spread over several processes */
};

/* The traits of a variant, by its first word; NULL if there is no such architecture. */
const struct arch_traits *archs_find(const char *variant);

/* Whether t limits it; not so if it is unknown. */
bool archs_is_limited(const char *variant);

/*
 * Check the text of a plan and write it with single spaces. Returns 0, or -EINVAL with what is
 * wrong in `why`.
 */
int archs_parse(const char *text, char variant[ARCHS_VARIANT_MAX], char *why, size_t size);
