/*
 * Verdicts as JUnit XML, which build servers show as tests: the least that they all read, one
 * <testsuite> of <testcase>s with <failure>, <error> or <skipped> inside.
 */
#pragma once
#include <stddef.h>

enum junit_status {
	JUNIT_PASSED,
	JUNIT_FAILED,  /* a verdict against: a regression, a model that does not hold */
	JUNIT_ERROR,   /* nothing can be told, for a fault that has to be mended: invalid */
	JUNIT_SKIPPED, /* nothing can be told, or nothing was asked: inconclusive, measured only */
};

/* Texts are UTF-8 and the caller's; they are escaped here. */
struct junit_case {
	const char *name;
	const char *classname;
	enum junit_status status;
	const char *message; /* one line; NULL or empty: none */
};

/*
 * Write `path`, with a suite of that name. Returns 0, or -errno with a sentence in `why` (size:
 * of that room).
 */
int junit_write(const char *path, const char *suite, const struct junit_case *cases, size_t count,
		char *why, size_t size);
