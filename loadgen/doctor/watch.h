/*
 * Watches a machine for a while: in each tenth of a second it times a cache line's way between the
 * server's and the generator's processor, does a fixed work, and sleeps a few times for a known
 * time; and reads before and after what else the kernel counted on these processors.
 */
#pragma once
#include "loadgen/doctor/facts.h"
#include <stdatomic.h>

struct watch {
	const char *root; /* of the counters; what is measured is this machine's */
	int64_t duration_ns;
	const atomic_bool *stop;              /* ends it early */
	void (*on_progress)(int64_t left_ns); /* NULL: nobody wants to know */
};

/*
 * Fill in facts->watch and facts->load; facts->processors.chosen is set. The calling thread is
 * bound meanwhile, and then as before. Returns 0, or -ENOMEM. If it may not bind itself there,
 * facts->watch.was_bound is false, and nothing is measured.
 */
int watch_run(const struct watch *watch, struct facts *facts);
