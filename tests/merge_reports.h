/* Reports of `cwt load` without a run, for the tests of what merges them. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { MADE_SERVER_CPU_NS = 50000, MADE_SERVER_SWITCHES = 3, MADE_VALUES = 6000 };

/*
 * A run of a load of MADE_VALUES requests that has every step-th of them, from `first` on. All zero
 * but the step is a whole closed loop of 10 s in ten parts.
 */
struct made {
	bool open;
	int64_t connections;
	int first;
	int step;
	int64_t start_ns; /* of the window, after some time in the past */
	int64_t window_ns;
	int rows;
	const char *host;
	const char *target;
	bool metered;
};

/* Its report, as a new reference. */
json_t *make_report(const struct made *made);

/*
 * Read the reports and release them; join them, each under its number, as in "0.json"; return the
 * merged report, as a new reference. `fail_on` is --fail-on, or NULL.
 */
json_t *merge(json_t **reports, int count, const char *fail_on);

/* Members that must be there. */
double number(const json_t *object, const char *name);
double number_at(const json_t *object, const char *within, const char *name);
const char *text(const json_t *object, const char *name);
