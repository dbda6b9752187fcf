/*
 * Meters o_ref, the CPU that the reference architecture (`loop`) spends on a request of a service
 * beyond the work: what c leaves for the work is c - o_ref (docs/model.md).
 *
 * A child process serves the service with a known work on the server's processors, its parent
 * drives it over loopback from the others, and o_ref is the child's CPU per request less that
 * work. Takes some 0.3 s.
 */
#pragma once
#include "servers/service.h"
#include <sched.h>
#include <stdint.h>

/*
 * o_ref in *ns for `service`, on `cpus`. Returns 0 or -errno. The calling process must have one
 * thread and not be bound to `cpus` yet; its affinity is as before afterwards.
 */
int overhead_meter(const struct service *service, const cpu_set_t *cpus, int64_t *ns);
