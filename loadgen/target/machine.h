/* The machine under the measurement: its state before and after, and what it is. */
#pragma once
#include <jansson.h>
#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

/* Counters that tell whether something came between. Differences of two readings matter. */
struct machine_counters {
	int64_t at_ns;
	int64_t steal_ns;         /* of the given processors, in ticks of 10 ms like the next */
	int64_t busy_ns;          /* time in which they were not idle, whoever it was that ran */
	int64_t listen_overflows; /* of the whole network namespace */
	int64_t listen_drops;
};

void machine_count(const cpu_set_t *cpus, struct machine_counters *counters);

/* What the hypervisor took of the processors between two readings, as a share; -1 without time. */
double machine_stolen(const struct machine_counters *before, const struct machine_counters *after,
		      const cpu_set_t *cpus);

/*
 * How long a cache line takes from one processor to another and back, halved, in ns: the median
 * of some rounds. 0 if the two are the same processor or cannot be had. Some virtual machines
 * change between states that differ threefold, and nothing else shows it.
 */
int64_t machine_ping_pong_ns(int cpu_a, int cpu_b);

/* Memory that programs can have: MemAvailable, and the free pages that processors keep at hand. */
int64_t machine_available_bytes(void);

/* Processor, kernel, limits, versions of what matters: a new reference to a JSON object. */
json_t *machine_provenance(void);
