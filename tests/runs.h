/* Runs as the model would have them, for the tests of what judges runs. */
#pragma once
#include "loadgen/sweep/run.h"

/*
 * A run of a pool whose every figure obeys the laws at throughput x: U = X·c and N = X·R, an idle
 * machine, no error. N is t; o of this architecture is o_ref, so c_cal is c.
 */
struct run lawful_run(int64_t threads, int64_t cpu_ns, int64_t wall_ns, double x);
