/*
 * Searches: what load a server bears, found by many short runs. Here is the decision of what to try
 * next and when to end; what a run is, the caller's function knows, so that the decisions can be
 * tested against servers that are only a formula.
 *
 * A run is noisy, and the noise is worst just where the answer lies. So no single run is believed,
 * and the answer is an interval whose ends were tried until one answer was clearly ahead (a
 * sequential test, after Wald, 1945).
 */
#pragma once
#include "loadgen/engine/fail_on.h"
#include "loadgen/engine/validity.h"
#include <stdbool.h>
#include <stdint.h>

enum { SEARCH_PROBES_MAX = 256, SEARCH_POINTS_MAX = 64 };

/* A run that is asked for. */
struct search_ask {
	double at; /* requests per second, or connections */
	int64_t window_ns;
	double low;         /* what is known to hold, or 0 */
	double high;        /* what is known not to, or INFINITY */
	double probes_left; /* a guess, this one included; INFINITY: it cannot be known yet */
};

/* What came of it. */
struct search_probe {
	double throughput; /* good replies per second */
	double latency_ns; /* what the condition is on */
	enum validity verdict;
	bool is_short; /* of connections: not all of them were served */
};

struct search {
	/* Run once. Anything but 0 ends the search with SEARCH_STOPPED. */
	int (*probe)(void *context, const struct search_ask *ask, struct search_probe *probe);
	void *context;
	int64_t window_ns; /* the least; a probe gets a longer one where it needs that */
};

enum search_end {
	SEARCH_DONE,     /* the interval is as narrow as it gets */
	SEARCH_STOPPED,  /* by the caller */
	SEARCH_ERRORS,   /* of connections: requests failed in the last probe */
	SEARCH_SILENT,   /* of connections: not one reply came in the longest window */
	SEARCH_SCATTERS, /* not narrow after SEARCH_PROBES_MAX probes */
};

/* The highest rate that meets a bound */

struct search_rate {
	double low;             /* the highest that met it; 0: none did */
	double high;            /* the lowest that did not; INFINITY: unknown */
	bool is_client_limited; /* there is no `high` because the generator was the limit */
	int probes;
};

/* Whether a probe meets it: a server that is unsteady has still met the bound, or not. */
bool search_meets(const struct slo *slo, const struct search_probe *probe);

/*
 * Look for the highest rate that meets the bound, beginning at `first` (requests per second). Rates
 * below 1 and above SCHEDULE_RATE_MOST are not tried. What is known so far is in the answer however
 * it ends.
 */
enum search_end search_rate(const struct search *search, const struct slo *slo, double first,
			    struct search_rate *answer);

/* The number of connections at which throughput stops growing */

struct search_point {
	int64_t connections;
	double throughput; /* mean of the probes */
	double half;       /* of its 95 % interval */
	bool is_client_limited;
};

struct search_connections {
	struct search_point points[SEARCH_POINTS_MAX]; /* as they were measured */
	int count;
	int flat;               /* the last steps up in a row that have brought nothing */
	bool is_saturated;      /* they were enough; the next is the answer */
	int64_t connections;    /* the fewest that reach nearly the greatest throughput */
	int64_t low;            /* the most that clearly do not; 0: none */
	int64_t high;           /* the fewest that clearly do; 0 if not saturated: unknown */
	double most;            /* greatest throughput */
	bool is_client_limited; /* it is the generator's */
	int probes;
};

/*
 * Try connections from `least` up to `most`, that one included; `pipeline` requests are under way
 * on each. What is known so far is in the answer however it ends; `count` may be 0 then.
 */
enum search_end search_connections(const struct search *search, int64_t least, int64_t most,
				   int pipeline, struct search_connections *answer);

/* That share of the greatest throughput counts as all of it. */
#define SEARCH_PLATEAU 0.95
