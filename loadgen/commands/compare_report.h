/* What `cwt compare` says: for people, for scripts, for a pull request, for a build server. */
#pragma once
#include "loadgen/compare/compare.h"
#include <jansson.h>
#include <stdio.h>

/* A comparison with what is said of it as a whole. */
struct compare_report {
	const struct side *base;
	const struct side *newer;
	const struct comparison *comparison;
	const json_t *differences; /* compare/provenance.h */
	enum compare_verdict verdict;
	const char *refusal; /* why the sweeps were not compared; NULL if they were */
};

/*
 * The points' indices, worst first: regressions, what is invalid or inconclusive, what has passed;
 * and among these by the ratio. The caller frees it; NULL if there is no memory.
 */
size_t *compare_worst_first(const struct comparison *comparison);

/* "12 points: 1 regression, ..." */
void compare_write_sum(FILE *file, const struct comparison *comparison);

void compare_print_differences(const struct compare_report *report);
void compare_print_points(const struct compare_report *report);

/* A new reference; docs/compare.md has the fields. */
json_t *compare_to_json(const struct compare_report *report);

/* Write the Markdown of a comparison, under a heading that begins with `heading`, such as "##". */
void compare_write_section(FILE *file, const char *heading, const struct compare_report *report);

/* Write a file. Both return 0 or -errno. */
int compare_write_markdown(const char *path, const struct compare_report *report);
int compare_write_junit(const char *path, const struct compare_report *report);
