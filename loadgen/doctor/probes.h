/* What a processor does when asked, each measured on the calling thread where it is bound. */
#pragma once
#include <stdint.h>
#include <time.h>

/* Operations of the fixed work that take some `ns` of CPU time here. */
int64_t probes_calibrate(int64_t ns);

/* Do so many, each of which needs the last one's result; the CPU time it took, in ns. */
int64_t probes_work(int64_t operations);

/* What one reading of the clock takes, in ns: the least of some rounds. */
double probes_clock_ns(clockid_t clock);

/*
 * Whether user and system time are guessed by who runs when the tick comes: 1, or 0. Threads spend
 * equal CPU time in user mode and in the kernel, too short for a tick each; where these are
 * guessed, all of it is one or the other.
 */
int64_t probes_ticks(void);
