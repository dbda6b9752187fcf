/* Facts as /proc and /sys have them, below `root` ("": the machine's own). None of it can fail:
 * what is not there is unknown. */
#pragma once
#include "loadgen/doctor/facts.h"

/* processors->chosen and allowed are the caller's to set. */
void read_processors(const char *root, struct facts_processors *processors);

/* Of the `chosen` processors. */
void read_frequency(const char *root, const cpu_set_t *chosen, struct facts_frequency *frequency);

void read_machine(const char *root, struct facts_machine *machine);

/* But the limits of the process itself, which are the caller's to set. */
void read_limits(const char *root, struct facts_limits *limits);

/* The limits of this process's control groups, whichever version they are. */
void read_groups(const char *root, struct facts_limits *limits);

/* How often the quota of its control group stopped it so far; 0 if that is not to be seen. */
int64_t read_throttled(const char *root);
