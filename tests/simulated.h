/* Runs that never were: what the intervals of a window say of a queue with one server. */
#pragma once
#include <gsl/gsl_rng.h>
#include <stdbool.h>

enum { SIMULATED_INTERVALS_MAX = 64 };

struct simulation {
	double rate;      /* of Poisson arrivals, per second; 0: closed loop, always busy */
	double service_s; /* mean, exponential */
	int connections;  /* open loop: requests that are sent at the most before a reply */
	int intervals;    /* of 1 s each */
	double stall_s;   /* at the end of each 10 s, whose begin is random; 0: none */
	double drift;     /* the service takes longer by this share at the window's end, linearly */
	double step;      /* factor of the service's time in the second half; 0: none */
	double alternates; /* factor of the service's time in every other interval; 0: none */
};

struct simulated {
	double rate[SIMULATED_INTERVALS_MAX];
	double p50_ns[SIMULATED_INTERVALS_MAX]; /* from send; 0 if there was no reply */
	double requests;
};

void simulate(const struct simulation *simulation, gsl_rng *random, struct simulated *simulated);
