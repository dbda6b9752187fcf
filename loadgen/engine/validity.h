/*
 * From facts of a run to a verdict: whether its figures are the server's at the load that was asked
 * for, and if not, why, and what to do about it. A pure function. The idea of a tool that judges
 * its own run is Lancet's (Kogias et al., USENIX ATC 2019); that the generator's own queueing is
 * what most often falsifies a tail is Treadmill's (Zhang et al., ISCA 2016).
 *
 * A healthy run on a noisy machine must not be condemned. So each rule asks whether a figure of the
 * report is falsified by a notable part, and not whether something was ever late.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum validity {
	VALID,
	INVALID_ERRORS,   /* not every request was served */
	INVALID_CLIENT,   /* the figures are the generator's, in part */
	INVALID_SERVER,   /* the server didn't keep up with the rate */
	INVALID_UNSTABLE, /* one figure doesn't describe the whole window */
	INVALID_MERGE,    /* what was merged didn't run at the same time; no run's own */
	VALIDITIES,
};

/* For scripts: "valid", "errors", "client-limited", "server-limited", "unstable", "merge". */
extern const char *const validity_names[VALIDITIES];

enum { VALIDITY_REASONS_MAX = 8, VALIDITY_FIGURE_MAX = 160, VALIDITY_REMEDY_MAX = 200 };

struct validity_facts {
	bool open_loop;
	double rate; /* asked, requests per second; open loop */
	int64_t window_ns;
	int64_t connections;
	int pipeline;            /* requests under way on a connection at the most, >= 1 */
	uint64_t requests;       /* good replies that were counted */
	uint64_t errors;         /* those that --fail-on counts */
	const char *worst_error; /* name of the most frequent kind; NULL if there were none */
	uint64_t worst_count;
	/* open loop */
	uint64_t scheduled;      /* requests meant to go in the window */
	uint64_t unfinished;     /* of those: not answered when the run ended, after its patience */
	int64_t backlog_end_ns;  /* how far behind the schedule sending was at the window's end */
	int64_t backlog_left_ns; /* the least of the drain that followed; the load went on meanwhile
				  */
	int64_t backlog_least_ns; /* the least since the window's middle */
	int64_t start_lag_p99_ns; /* send after intended time although a connection was free */
	/* both loops, of the window; 0: unknown */
	double mean_sent_latency_ns;
	/* the generator itself; of its busiest thread */
	double busy;    /* CPU without spinning, share of the window */
	double waiting; /* ready to run but not running (run-queue delay), share of the window */
	double stolen;  /* steal of its processors, share; negative: unknown */
	int64_t lag_p99_ns; /* a reply waited so long for the generator's attention */
	/* Closed loop: share of the connections' time that replies account for; 0: not known */
	double accounted;
	bool target_died;
	/* consecutive equal parts of the window, at most 64 */
	int intervals;
	const double *interval_rate;   /* good replies per second in each */
	const double *interval_p50_ns; /* median latency from send in each; 0: no requests */
};

struct validity_reason {
	enum validity kind;
	char figure[VALIDITY_FIGURE_MAX]; /* the figures that say so, a sentence; no full stop */
	char remedy[VALIDITY_REMEDY_MAX]; /* what to do; likewise */
};

struct validity_verdict {
	enum validity verdict;
	int count; /* of reasons; 0 if valid */
	struct validity_reason reasons[VALIDITY_REASONS_MAX];
};

/*
 * Judge a run. The first reason is the verdict; they come in the order of enum validity.
 *
 * errors   Any.
 * client   The busiest thread wanted more than 0.9 of a core (busy and waiting), or used more than
 *          0.85. Waiting alone is no reason: a backend on the same core makes a thread wait as
 *          long as it works itself, and the latencies stay true.
 *          More than 0.05 of its processors was stolen.
 *          Replies (open loop: or sends) waited for it, p99, more than 1 ms and half of the mean
 *          latency from send: then, waits being exponential, a tenth of the latency is its own.
 *          Needs 1,000 requests, so that ten and not one or two were late.
 * errors   Besides: a target that died.
 * server   Open loop: since the window's middle the backlog was never below 20 ms and 0.2 % of the
 *          window, nor was it halved by the drain. Or: the backlog at the window's end is above 20
 * ms, 0.2 % of the window and four deviations of what chance makes of it, and not even halved by
 * the drain; or more than one request and 0.1 % of those scheduled got no answer. A server that
 * stalls and catches up is not meant by that. Closed loop: replies account for less than nine
 * tenths of the connections' time, N = X·R (Little 1961): some connections wait for replies that
 * never come. Needs ten replies for each. Both loops: not one reply came in the window, and no
 * error either. unstable Throughput (closed loop) or median latency from send (both) steps, drifts
 * or, the throughput only, scatters by more than ±25 %: stats/steady.h. Intervals in which an open
 * loop's replies were fewer or more than the requests, that is in a stall and in the catching up
 * behind it, are left out. Not judged with fewer than 5 intervals, or fewer than 20 requests in
 * each on average. Latencies near saturation scatter by nature, and how well they are known is said
 * by their interval, not here.
 */
void validity_judge(const struct validity_facts *facts, struct validity_verdict *verdict);
