/* The parts of `cwt tune`: what it measures, what it makes of that, how it says it. */
#pragma once
#include "loadgen/sweep/measure.h"
#include "loadgen/tune/explain.h"
#include "loadgen/tune/next.h"
#include <jansson.h>

enum { TUNE_RUNS_MAX = 400, TUNE_TEXT_MAX = 512 };

struct tune {
	/* As asked. */
	struct plan plan;     /* its processors */
	struct run asked;     /* the server and its load; t is what is looked for */
	const char *target;   /* the path that is asked for, or NULL */
	int64_t connections;  /* 0: as many as threads */
	int64_t window_ns;    /* the least */
	int64_t budget_ns;
	struct next_settings next;
	int64_t seed;
	bool has_assert;
	int64_t asserted; /* t as it is configured */
	double tolerance; /* by which that may be outside the interval */
	const char *baseline;
	const char *log;

	/* As measured. */
	struct run alone;               /* t = 1, N = 1 */
	struct run runs[TUNE_RUNS_MAX]; /* the others, in order */
	size_t run_count;
	size_t rejected;                /* of these */
	char rejection[TUNE_TEXT_MAX];  /* the last one's reason */
	struct curve curve;             /* of those that count */
	int64_t took_ns;
	bool out_of_time; /* the budget ended it, not the precision */
	bool interrupted;
};

/* What it came to. */
struct tune_result {
	struct curve_answer answer;
	struct explanation explanation;
	struct shift shift; /* against the baseline, if there is one */
	int status;         /* of enum cwt_status */
	char verdict[TUNE_TEXT_MAX];
};

/* Measure. Returns 0, also when interrupted, or the exit status of a failure. */
int tune_measure(struct tune *tune);

/* What the measured says, and the exit status. Returns 0 or -errno. */
int tune_conclude(const struct tune *tune, struct tune_result *result);

/* What the baseline file says. Returns 0, -ENOENT, or -EINVAL with a sentence in `why`. */
int tune_read_baseline(const char *path, struct baseline *baseline, char why[TUNE_TEXT_MAX]);

void tune_print(const struct tune *tune, const struct tune_result *result);
json_t *tune_to_json(const struct tune *tune, const struct tune_result *result);

/* For a pull request, and for a build server. Return 0 or -errno. */
int tune_write_markdown(const char *path, const struct tune *tune,
			const struct tune_result *result);
int tune_write_junit(const char *path, const struct tune *tune, const struct tune_result *result);

extern const char tune_program[];
