/*
 * What a script wants a run to fail for: --fail-on errors,p99>20ms. Conditions on errors make a run
 * invalid (validity.h); a run that meets one on the latency is valid, and failed.
 */
#pragma once
#include "loadgen/engine/histogram.h"
#include "loadgen/engine/load.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAIL_ON_MAX = 16, FAIL_ON_WHY_MAX = 256, FAIL_ON_TEXT_MAX = 64 };

#define SLO_MEAN (-1.0)

/* A bound of a latency: "p99<20ms". */
struct slo {
	double quantile; /* 0...1, both excluded; 1: the largest latency; SLO_MEAN: the mean */
	int64_t bound_ns;
};

/*
 * Parse pNN<TIME, mean<TIME or max<TIME, where 0 < NN < 100 may have decimals. Returns 0, or
 * -EINVAL with a sentence in `why` (FAIL_ON_WHY_MAX is enough).
 */
int slo_parse(const char *text, struct slo *slo, char *why, size_t size);

/* The latency that the bound is for, of what was recorded. */
double slo_value_ns(const struct slo *slo, const struct histogram *histogram);

struct fail_condition {
	bool on_latency;
	struct slo slo; /* on_latency: met by more than its bound */
	int error;      /* else: an enum load_error, or LOAD_ERRORS for any */
	bool is_share;
	double most; /* met by more errors than that; is_share: by more than that share of all */
};

struct fail_on {
	int count;
	struct fail_condition conditions[FAIL_ON_MAX];
};

/*
 * Parse a list: conditions separated by commas, each one of
 *
 *   errors         any error
 *   none           no error makes the run invalid
 *   timeout        errors of this kind (load_error_names)
 *   errors>5       errors, of any kind or of one, if they are more than 5
 *   timeout>0.1%   or more than 0.1 % of all requests
 *   p99>20ms       or p99.9, mean, max
 *
 * A list with latencies only is one with "errors" besides. Returns 0, or -EINVAL with a sentence in
 * `why` (FAIL_ON_WHY_MAX is enough), which names what is wrong and shows an example.
 */
int fail_on_parse(const char *text, struct fail_on *fail_on, char *why, size_t size);

/* Errors that count against a run, as validity.h wants them. */
struct fail_errors {
	uint64_t count;
	const char *worst; /* the name of the most frequent kind; NULL if there are none */
	uint64_t worst_count;
};

/*
 * The errors of all kinds that a condition which is met speaks of. `requests` is how many got a
 * good reply; together with the errors, they are what a share is of.
 */
struct fail_errors fail_on_errors(const struct fail_on *fail_on, const uint64_t errors[LOAD_ERRORS],
				  uint64_t requests);

/*
 * The conditions on the latency that are met, as indices into `conditions`. Returns their number; 0
 * of an empty histogram.
 */
int fail_on_latency(const struct fail_on *fail_on, const struct histogram *histogram,
		    int met[FAIL_ON_MAX]);

/* Write a condition as it could have been given: "p99>20ms". Returns `text`. */
char *fail_on_format(char text[FAIL_ON_TEXT_MAX], const struct fail_condition *condition);
