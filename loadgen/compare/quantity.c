#include "loadgen/compare/quantity.h"
#include "common/units.h"

const char *const quantity_names[QUANTITIES + 1] = {
	"throughput", "cpu", "latency", "memory", "switches", NULL,
};

const char *const quantity_titles[QUANTITIES] = {
	"throughput, requests/s",       "CPU per request", "latency p99", "memory (PSS)",
	"context switches per request",
};

#define BUCKET (1.0 / 256) /* engine/histogram.h */
#define MIB    1048576.0

double quantity_of(const struct run *run, enum quantity quantity)
{
	switch (quantity) {
	case QUANTITY_THROUGHPUT:
		return run->throughput_rps;
	case QUANTITY_CPU:
		return run->requests > 0 ? (double)run->server_cpu_ns / (double)run->requests : 0;
	case QUANTITY_LATENCY:
		return (double)run->p99_ns;
	case QUANTITY_MEMORY:
		return (double)run->pss_bytes;
	case QUANTITY_SWITCHES:
		if (run->all_requests <= 0)
			return 0;
		return QUANTITY_SWITCHES_FLOOR +
		       (double)(run->voluntary_switches + run->involuntary_switches) /
			       (double)run->all_requests;
	case QUANTITIES:
		break;
	}
	return 0;
}

double quantity_resolution(const struct run *run, enum quantity quantity)
{
	switch (quantity) {
	case QUANTITY_THROUGHPUT:
	case QUANTITY_CPU:
		return run->requests > 0 ? 1 / (double)run->requests : 1;
	case QUANTITY_LATENCY:
		return BUCKET;
	case QUANTITY_MEMORY:
	case QUANTITY_SWITCHES:
	case QUANTITIES:
		break;
	}
	return 0;
}

double quantity_worse(enum quantity quantity)
{
	return quantity == QUANTITY_THROUGHPUT ? -1 : 1;
}

char *quantity_format(char text[QUANTITY_TEXT_MAX], double value, enum quantity quantity)
{
	switch (quantity) {
	case QUANTITY_CPU:
	case QUANTITY_LATENCY:
		return units_format_duration(text, value);
	case QUANTITY_MEMORY:
		snprintf(text, QUANTITY_TEXT_MAX, "%.2f MiB", value / MIB);
		break;
	case QUANTITY_SWITCHES:
		snprintf(text, QUANTITY_TEXT_MAX, "%.3f", value);
		break;
	case QUANTITY_THROUGHPUT:
	case QUANTITIES:
		snprintf(text, QUANTITY_TEXT_MAX, "%.6g", value);
		break;
	}
	return text;
}
