#include "tests/closed_network.h"
#include <gsl/gsl_randist.h>
#include <math.h>

/* The job that comes first. */
static int next_job(const struct closed_network *network)
{
	int next = 0;

	for (int i = 1; i < network->jobs; i++)
		if (network->arrivals_s[i] < network->arrivals_s[next])
			next = i;
	return next;
}

/* Share the processor's time from `begin` to `end` out among the windows that it falls into. */
static void spend(double begin_s, double end_s, double window_s, struct closed_window *windows,
		  int count)
{
	for (int i = (int)(begin_s / window_s); i < count && i * window_s < end_s; i++)
		windows[i].busy_s += fmin(end_s, (i + 1) * window_s) - fmax(begin_s, i * window_s);
}

/* In the order of arrival, what is known of the earlier ones tells how long the next one queues. */
void closed_network_run(struct closed_network *network, double window_s,
			struct closed_window *windows, int count)
{
	for (;;) {
		int job = next_job(network);
		double arrival_s = network->arrivals_s[job];
		double begin_s = fmax(arrival_s, network->free_s);
		int in;

		if (arrival_s >= count * window_s)
			return;
		network->free_s = begin_s + gsl_ran_exponential(network->random, network->cpu_s);
		spend(begin_s, network->free_s, window_s, windows, count);
		network->arrivals_s[job] =
			network->free_s + gsl_ran_exponential(network->random, network->wait_s);
		in = (int)fmin(network->arrivals_s[job] / window_s, count);
		if (in == count)
			continue;
		windows[in].requests++;
		windows[in].latencies_s += network->arrivals_s[job] - arrival_s;
	}
}
