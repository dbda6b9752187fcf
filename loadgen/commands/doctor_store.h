/* What a sweep leaves of cwt doctor, and the look with its progress that both take. */
#pragma once
#include "loadgen/doctor/doctor.h"
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

enum { DOCTOR_DURATION_LEAST_NS = 100 * 1000 * 1000 };

/*
 * Look at the machine for duration_ns (0: not at all) and write DIR/doctor.json; a line on stdout
 * says what was found, if it is not fit. When *stop is set meanwhile, nothing is written, and the
 * caller goes on to where it looks at that itself. Returns 0, -ENOMEM, or -EIO when the file cannot
 * be written.
 */
int doctor_store(const char *directory, const cpu_set_t *server, const cpu_set_t *load,
		 int64_t duration_ns, const atomic_bool *stop);

/* doctor_look(), with the time that is left on stderr if that is a terminal. */
struct facts *doctor_look_shown(struct doctor_look look);
