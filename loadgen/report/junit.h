/*
 * JUnit XML, which continuous integration shows beside a project's tests. There is no standard;
 * what is written here is what the schemas of Jenkins, GitLab and Maven's Surefire have in common.
 */
#pragma once
#include <stddef.h>

enum junit_status {
	JUNIT_PASSED,
	JUNIT_FAILED,  /* what was tested is not so */
	JUNIT_SKIPPED, /* it cannot be told */
	JUNIT_ERROR,   /* it could not be tested */
};

struct junit_case {
	const char *name;
	const char *classname; /* a group of cases */
	double time_s;
	enum junit_status status;
	const char *message; /* why it has not passed; NULL or empty if it has */
};

/*
 * Write a file with one suite. Texts are UTF-8; what XML cannot hold becomes '?'. Returns 0 or
 * -errno.
 */
int junit_write(const char *path, const char *suite, const struct junit_case *cases, size_t count);
