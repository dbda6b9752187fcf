/*
 * The throughput model (McGranaghan 2010) and the closed queueing network behind its knee. Times
 * are seconds, rates requests per second; n, t and k are counts.
 */
#pragma once

/* k/c: what the processors allow. */
double model_cpu_bound(double cpu_s, double cores);

/* n/w: what n requests at once allow. */
double model_thread_bound(double threads, double wall_s);

/* min(k/c, n/w), the nominal model. An evented server is bound by its clients alone: n = N. */
double model_nominal(double threads, double cpu_s, double wall_s, double cores);

/*
 * Throughput of a closed network of n jobs that each think for w - c and then queue for k
 * processors for c, with exponential times: exact, by the balance of the birth-death chain of
 * jobs at the processors (the machine repairman's). For k = 1 that is what mean value analysis
 * gives (Reiser & Lavenberg 1980).
 */
double model_closed_network(double threads, double cpu_s, double wall_s, double cores);

/* t* = k·w/c, where the two bounds cross. */
double model_t_star(double cpu_s, double wall_s, double cores);

/* The seven cases of the model's publication. */
struct model_case {
	const char *name;
	double threads;
	double cpu_s;
	double wall_s;
};

enum { MODEL_CASES = 7 };
extern const struct model_case model_cases[MODEL_CASES];
