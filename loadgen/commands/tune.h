/* The parts of `cwt tune`: what it measures, what it makes of that, how it says it. */
#pragma once
#include "loadgen/engine/fail_on.h"
#include "loadgen/sweep/measure.h"
#include "loadgen/tune/explain.h"
#include "loadgen/tune/next.h"
#include <jansson.h>

enum { TUNE_RUNS_MAX = 400, TUNE_SLO_MAX = 40, TUNE_TEXT_MAX = 512 };

/* What an SLO came to at a t. */
struct tune_slo_point {
	int64_t t;
	double low;  /* the highest rate that met it; 0: none did */
	double high; /* the lowest that did not; INFINITY: unknown */
	bool is_client_limited;
	bool done; /* it was looked for to the end */
	int meets; /* with a rate that is given: how often it was met, and missed */
	int misses;
};

struct tune {
	/* As asked. */
	struct plan plan;    /* its processors */
	struct run asked;    /* the server and its load; t is what is looked for */
	const char *target;  /* the path that is asked for, or NULL */
	int64_t connections; /* 0: as many as threads */
	int64_t window_ns;   /* the least */
	int64_t budget_ns;
	struct next_settings next;
	int64_t seed;
	bool has_assert;
	int64_t asserted; /* t as it is configured */
	double tolerance; /* by which that may be outside the interval */
	const char *baseline;
	const char *log;
	const char *slo_text; /* the goal is a bound on the latency; NULL: throughput */
	struct slo slo;
	double rate; /* at which it is to be met, requests/s; 0: as high as it goes */

	/* As measured. */
	struct run alone;               /* t = 1, N = 1 */
	struct run runs[TUNE_RUNS_MAX]; /* the others, in order */
	size_t run_count;
	size_t rejected; /* of these */
	int64_t stretch; /* how many times as long as thought they are, warm-up and window */
	char rejection[TUNE_TEXT_MAX]; /* the last one's reason */
	char note[TUNE_TEXT_MAX];      /* of the server that had to be killed last; or "" */
	struct curve curve;            /* of those that count */
	struct tune_slo_point slo_points[TUNE_SLO_MAX]; /* as they were measured */
	size_t slo_count;
	size_t slo_probes;
	int64_t took_ns;
	char failure[TUNE_TEXT_MAX]; /* of a server: nothing more could be measured; or "" */
	bool out_of_time;            /* the budget ended it, not the precision */
	bool disturbed;              /* what the runs were rejected for did, after enough tries */
	bool interrupted;
};

/* The t that an SLO needs. */
struct tune_slo_answer {
	int64_t t;
	double low; /* of t */
	double high;
	double rate; /* at which that t meets it */
	bool known;  /* that fewer do not was seen, too */
};

/* What it came to. With an SLO, t and its interval in `answer` are those that the SLO needs. */
struct tune_result {
	struct curve_answer answer;
	struct tune_slo_answer slo;
	struct explanation explanation;
	double cpu_s;       /* c of a request at the plateau; alone, if nothing reached it */
	struct shift shift; /* against the baseline, if there is one */
	int status;         /* of enum cwt_status */
	char verdict[TUNE_TEXT_MAX];
};

/* While it is measured. */
struct tune_session {
	struct tune *tune;
	struct measure measure;
	int64_t began_ns;
	char now[TUNE_TEXT_MAX]; /* what is being measured */
};

/*
 * Whether none of these audits, bits of enum audit, rejects a run, with what a request alone has
 * shown for c and w; if one does, tune->rejection says why. What c is not to be is
 * not known, so AUDIT_UTILISATION has nothing to say.
 */
bool tune_is_good(struct tune *tune, const struct run *run, unsigned audits);

/* What the SLO asks for beside the curve. Returns 0, -EINTR or an exit status. */
int tune_slo_measure(struct tune_session *session);

/* Whether a request alone meets it: no t does, if none is. Of a percentile below 50 that is not
 * known. */
bool tune_slo_is_possible(const struct tune *tune);

const struct tune_slo_point *tune_slo_find(const struct tune *tune, int64_t t);

/* The t that the SLO needs; false if none was found that meets it. */
bool tune_slo_conclude(const struct tune *tune, struct tune_slo_answer *answer);

/*
 * Measure. Returns 0, also when interrupted or with tune->failure set; or the exit status of what
 * kept it from beginning.
 */
int tune_measure(struct tune *tune);

/* What the measured says, and the exit status. */
void tune_conclude(const struct tune *tune, struct tune_result *result);

/*
 * What the baseline file of `tune` says, which has to be of the same target, share and SLO. Returns
 * 0, -ENOENT, or -EINVAL with a sentence in `why`.
 */
int tune_read_baseline(const struct tune *tune, struct baseline *baseline, char why[TUNE_TEXT_MAX]);

void tune_print(const struct tune *tune, const struct tune_result *result);
json_t *tune_to_json(const struct tune *tune, const struct tune_result *result);

/* For a pull request, and for a build server. Return 0 or -errno. */
int tune_write_markdown(const char *path, const struct tune *tune,
			const struct tune_result *result);
int tune_write_junit(const char *path, const struct tune *tune, const struct tune_result *result);

extern const char tune_program[];
