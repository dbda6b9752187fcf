#include "tests/simulated.h"
#include "loadgen/stats/interval.h"
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPLIES_MAX = 20000, IN_FLIGHT_MAX = 4096 };

#define STALL_EVERY_S 10
#define WARM_UP_S     2

static double service_s(const struct simulation *simulation, double at_s, gsl_rng *random)
{
	double share = at_s / simulation->intervals;
	double mean = simulation->service_s * (1 + simulation->drift * fmax(0, share));

	if (simulation->step > 0 && share > 0.5)
		mean *= simulation->step;
	if (simulation->alternates > 0 && fmod(floor(at_s + WARM_UP_S), 2) > 0)
		mean *= simulation->alternates;
	return gsl_ran_exponential(random, mean);
}

/* When it ends: a service that would reach into a stall begins behind it. */
static double end_s(const struct simulation *simulation, double start_s, double phase_s,
		    gsl_rng *random)
{
	double service = service_s(simulation, start_s, random);
	double at = fmod(start_s + WARM_UP_S + phase_s, STALL_EVERY_S);

	if (simulation->stall_s > 0 && at + service > STALL_EVERY_S - simulation->stall_s)
		start_s += fmax(0, STALL_EVERY_S - at);
	return start_s + service;
}

void simulate(const struct simulation *simulation, gsl_rng *random, struct simulated *simulated)
{
	static double latencies[SIMULATED_INTERVALS_MAX][REPLIES_MAX];
	static double ends[IN_FLIGHT_MAX];
	size_t replies[SIMULATED_INTERVALS_MAX] = { 0 };
	double phase = gsl_rng_uniform(random) * STALL_EVERY_S;
	double arrival = -WARM_UP_S;
	double end = -WARM_UP_S;

	memset(simulated, 0, sizeof(*simulated));
	for (size_t i = 0; arrival < simulation->intervals; i++) {
		double *oldest = &ends[i % IN_FLIGHT_MAX];
		double sent = end;

		if (simulation->rate > 0) {
			size_t connections = (size_t)simulation->connections;

			arrival += gsl_ran_exponential(random, 1 / simulation->rate);
			sent = arrival;
			if (i >= connections)
				sent = fmax(sent, ends[(i - connections) % IN_FLIGHT_MAX]);
		} else {
			arrival = end;
		}
		end = *oldest = end_s(simulation, fmax(sent, end), phase, random);
		if (end >= 0 && end < simulation->intervals) {
			size_t interval = (size_t)end;

			if (replies[interval] < REPLIES_MAX)
				latencies[interval][replies[interval]++] = end - sent;
		}
	}
	for (int i = 0; i < simulation->intervals; i++) {
		simulated->rate[i] = (double)replies[i];
		simulated->requests += (double)replies[i];
		simulated->p50_ns[i] = 1e9 * median_of(latencies[i], replies[i]);
	}
}
