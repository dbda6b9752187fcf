#include "loadgen/model/model.h"
#include <math.h>

const struct model_case model_cases[MODEL_CASES] = {
	{ "proxy", 25, 0.1e-3, 10e-3 },
	{ "light app", 25, 2e-3, 2e-3 },
	{ "heavy app", 25, 5e-3, 100e-3 },
	{ "feed fetcher", 25, 2e-3, 250e-3 },
	{ "long poll", 25, 1e-3, 10 },
	{ "long poll", 250, 1e-3, 10 },
	{ "long poll, threads to match", 10000, 1e-3, 10 },
};

double model_cpu_bound(double cpu_s, double cores)
{
	return cores / cpu_s;
}

double model_thread_bound(double threads, double wall_s)
{
	return threads / wall_s;
}

double model_nominal(double threads, double cpu_s, double wall_s, double cores)
{
	return fmin(model_cpu_bound(cpu_s, cores), model_thread_bound(threads, wall_s));
}

/*
 * With j of n jobs at the processors, (n - j)/Z more arrive and min(j, k)/c leave per second, so
 * p(j + 1)/p(j) is the quotient of the two. Sums are scaled by the largest term so far, as the
 * terms themselves overflow for n in the thousands.
 */
double model_closed_network(double threads, double cpu_s, double wall_s, double cores)
{
	double think_s = wall_s - cpu_s;
	double log_term = 0;
	double log_most = 0;
	double sum = 1;  /* of p(j), in units of exp(log_most) */
	double rate = 0; /* of p(j)·min(j, k)/c, likewise */

	if (think_s <= 0)
		return fmin(threads, cores) / cpu_s;
	for (double j = 1; j <= threads; j++) {
		double leave = fmin(j, cores) / cpu_s;
		double arrive = (threads - j + 1) / think_s;
		double scale;

		log_term += log(arrive / leave);
		if (log_term > log_most) {
			scale = exp(log_most - log_term);
			sum *= scale;
			rate *= scale;
			log_most = log_term;
		}
		sum += exp(log_term - log_most);
		rate += exp(log_term - log_most) * leave;
	}
	return rate / sum;
}

double model_t_star(double cpu_s, double wall_s, double cores)
{
	return cores * wall_s / cpu_s;
}
