/*
 * What the generator adds to its own figures here: measured by itself, on a server whose delay is
 * known (responder.h), and on no server at all (the null transport).
 */
#pragma once
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

struct calibration {
	double null_rps; /* requests per second that the engine alone does, on one core */
	/*
	 * What a request takes beyond the server's own delay: the way there and back, waking both
	 * sides, and the generator's attention. Of a latency, up to so much is not the server's:
	 * p99 is the upper bound of its 95 % interval.
	 */
	int64_t floor_p50_ns;
	int64_t floor_p99_ns;
	int64_t start_lag_p99_ns; /* how late requests go, of a constant schedule */
};

/*
 * Measure for some `time_ns`. `responder_cpus` (NULL: any) are best those that the server will run
 * on; `spin_ns` is the load's, and so is `rate`, as far as it is within 1,000 ... 5,000 requests
 * per second (0: a closed loop's, for which it is 2,000). Returns 0, or -errno; -EINTR when it was
 * stopped.
 */
int calibrate(int64_t time_ns, const cpu_set_t *responder_cpus, int64_t spin_ns, double rate,
	      const atomic_bool *stop, struct calibration *calibration);
