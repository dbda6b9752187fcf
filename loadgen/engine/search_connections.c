/*
 * The number of connections at which throughput stops growing: twice as many until that brings
 * nothing, twice in a row, as one step may be chance; then between the last that did.
 */
#include "common/clock.h"
#include "loadgen/engine/search.h"
#include "loadgen/stats/interval.h"
#include <math.h>
#include <string.h>

enum {
	PROBES_A_POINT = 3,
	FLAT_STEPS = 2,
	REFINEMENTS = 4,
	LATENCIES = 20, /* so many mean latencies long is a window at the least */
	WINDOW_MOST_NS = 60LL * NS_PER_S,
};

#define GROWS         1.03    /* less from twice the connections is no growth */
#define FINE          1.1     /* so near to each other are numbers not told apart */
#define WINDOW_SPARE  1.25    /* lest the window must grow again and again */
#define SMALL_STEP    M_SQRT2 /* a last step below that is shared with the one before */
#define SILENT_LONGER 4

struct state {
	const struct search *search;
	struct search_connections *answer;
	int64_t most;
	int pipeline;
	int64_t window_ns;
	enum search_end end;
};

static double steps_left(const struct state *state, int64_t connections)
{
	return floor(log2((double)state->most / (double)connections)) + 1;
}

/*
 * By Little's law the mean latency is the requests under way by the throughput. A window of a few
 * latencies would count the requests at its edges, and not a rate. True if it has been enlarged.
 */
static bool enlarge_window(struct state *state, int64_t connections, double throughput)
{
	double now_ns = (double)state->window_ns;
	double needed_ns = SILENT_LONGER * now_ns;

	if (throughput > 0)
		needed_ns =
			LATENCIES * (double)connections * state->pipeline / throughput * NS_PER_S;
	if (now_ns >= (double)WINDOW_MOST_NS || needed_ns <= now_ns)
		return false;
	state->window_ns = (int64_t)fmin(needed_ns * WINDOW_SPARE, (double)WINDOW_MOST_NS);
	return true;
}

static bool probe_once(struct state *state, int64_t connections, int left,
		       struct search_probe *probe)
{
	struct search_ask ask = {
		.at = (double)connections,
		.window_ns = state->window_ns,
		.high = INFINITY,
		.probes_left =
			state->answer->flat >= FLAT_STEPS
				? left
				: left + PROBES_A_POINT * (steps_left(state, connections) - 1),
	};

	memset(probe, 0, sizeof(*probe));
	if (state->answer->probes == SEARCH_PROBES_MAX)
		state->end = SEARCH_SCATTERS;
	else if (state->search->probe(state->search->context, &ask, probe) != 0)
		state->end = SEARCH_STOPPED;
	if (state->end != SEARCH_DONE)
		return false;
	state->answer->probes++;
	/* A throughput with failures in it is not that of so many connections. */
	if (probe->verdict == INVALID_ERRORS || probe->is_short)
		state->end = SEARCH_ERRORS;
	return state->end == SEARCH_DONE;
}

static bool measure_point(struct state *state, int64_t connections)
{
	struct search_connections *answer = state->answer;
	double throughput[PROBES_A_POINT];
	struct interval interval;
	int client = 0;
	int count = 0;

	while (count < PROBES_A_POINT) {
		struct search_probe probe;

		if (!probe_once(state, connections, PROBES_A_POINT - count, &probe))
			return false;
		if (enlarge_window(state, connections, probe.throughput))
			continue;
		if (!(probe.throughput > 0)) {
			state->end = SEARCH_SILENT;
			return false;
		}
		client += probe.verdict == INVALID_CLIENT;
		throughput[count++] = probe.throughput;
	}
	interval = interval_of(throughput, PROBES_A_POINT);
	answer->points[answer->count++] = (struct search_point){
		.connections = connections,
		.throughput = interval.mean,
		.half = interval.half,
		.is_client_limited = 2 * client > PROBES_A_POINT,
	};
	return true;
}

/* The last step goes to the most that may be tried, and no step is too small to show growth. */
static int64_t step_up(const struct state *state, int64_t connections)
{
	double ratio = (double)state->most / (double)connections;

	if (ratio <= 2)
		return state->most;
	if (ratio < 2 * SMALL_STEP)
		return llround(sqrt((double)connections * (double)state->most));
	return 2 * connections;
}

static void climb(struct state *state, int64_t connections)
{
	struct search_connections *answer = state->answer;
	int64_t last = 0;

	while (measure_point(state, connections)) {
		double throughput = answer->points[answer->count - 1].throughput;
		double doublings = last > 0 ? log2((double)connections / (double)last) : 1;

		answer->flat =
			throughput < pow(GROWS, doublings) * answer->most ? answer->flat + 1 : 0;
		answer->most = fmax(answer->most, throughput);
		if (answer->flat >= FLAT_STEPS || connections >= state->most)
			return;
		last = connections;
		connections = step_up(state, connections);
	}
}

static const struct search_point *find_knee(const struct search_connections *answer)
{
	const struct search_point *knee = NULL;

	for (int i = 0; i < answer->count; i++) {
		const struct search_point *point = &answer->points[i];

		if (point->throughput >= SEARCH_PLATEAU * answer->most &&
		    (!knee || point->connections < knee->connections))
			knee = point;
	}
	return knee;
}

static int64_t find_below(const struct search_connections *answer, int64_t knee)
{
	int64_t below = 0;

	for (int i = 0; i < answer->count; i++)
		if (answer->points[i].connections < knee && answer->points[i].connections > below)
			below = answer->points[i].connections;
	return below;
}

static void refine(struct state *state)
{
	struct search_connections *answer = state->answer;

	for (int i = 0; i < REFINEMENTS; i++) {
		int64_t knee = find_knee(answer)->connections;
		int64_t below = find_below(answer, knee);

		if (knee - below < 2 || (below > 0 && (double)knee < FINE * (double)below) ||
		    !measure_point(state, (knee + below) / 2))
			return;
		answer->most = fmax(answer->most, answer->points[answer->count - 1].throughput);
	}
}

static void conclude(struct search_connections *answer)
{
	double line = SEARCH_PLATEAU * answer->most;

	answer->connections = find_knee(answer)->connections;
	answer->high = INT64_MAX;
	for (int i = 0; i < answer->count; i++) {
		const struct search_point *point = &answer->points[i];

		if (point->connections < answer->connections &&
		    point->throughput + point->half < line && point->connections > answer->low)
			answer->low = point->connections;
		if (point->connections >= answer->connections &&
		    (point->throughput - point->half >= line ||
		     point->throughput >= answer->most) &&
		    point->connections < answer->high)
			answer->high = point->connections;
		if (point->is_client_limited && point->throughput > line)
			answer->is_client_limited = true;
	}
	if (!answer->is_saturated)
		answer->high = 0;
}

enum search_end search_connections(const struct search *search, int64_t least, int64_t most,
				   int pipeline, struct search_connections *answer)
{
	struct state state = {
		.search = search,
		.answer = answer,
		.most = most,
		.pipeline = pipeline > 1 ? pipeline : 1,
		.window_ns = search->window_ns,
		.end = SEARCH_DONE,
	};

	memset(answer, 0, sizeof(*answer));
	climb(&state, least);
	answer->is_saturated = answer->flat >= FLAT_STEPS;
	if (state.end == SEARCH_DONE && answer->is_saturated)
		refine(&state);
	if (answer->count > 0)
		conclude(answer);
	return state.end;
}
