#include "loadgen/sweep/figure.h"
#include <math.h>
#include <stdlib.h>

double figure_of(const struct run *run, enum plan_y figure)
{
	switch (figure) {
	case PLAN_Y_THROUGHPUT:
		return run->throughput_rps;
	case PLAN_Y_CPU:
		return (double)run->server_cpu_ns / 1e9 / (double)run->requests;
	case PLAN_Y_SWITCHES:
		return (double)(run->voluntary_switches + run->involuntary_switches) /
		       (double)run->all_requests;
	case PLAN_Y_MEMORY:
		return (double)run->pss_bytes;
	case PLAN_Y_AVAILABLE:
		return (double)(run->available_before_bytes - run->available_after_bytes);
	case PLAN_Y_LATENCY:
		return (double)run->p99_ns / 1e9;
	}
	return 0;
}

size_t figure_windows(const struct run *run, double samples[FIGURE_WINDOWS_MAX])
{
	const char *at = run->window_requests;
	size_t count = 0;
	size_t parts = 1;

	for (const char *c = at; *c; c++)
		parts += *c == ';';
	while (*at && count < FIGURE_WINDOWS_MAX) {
		char *end;
		double requests = strtod(at, &end);

		samples[count++] = requests * (double)parts * 1e9 / (double)run->window_ns;
		at = *end == ';' ? end + 1 : end;
		if (end == at && *end)
			break;
	}
	return count;
}

double figure_tapered(const struct run *run)
{
	double parts[FIGURE_WINDOWS_MAX];
	size_t count = figure_windows(run, parts);
	double sum = 0;
	double weights = 0;

	for (size_t i = 0; i < count; i++) {
		double weight = fmin((double)i + 0.5, (double)(count - i) - 0.5);

		sum += weight * parts[i];
		weights += weight;
	}
	return weights > 0 ? sum / weights : 0;
}
