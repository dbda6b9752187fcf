/* The machine's limits, known before a sweep begins instead of in the middle of it. */
#pragma once
#include "loadgen/sweep/plan.h"

/*
 * What stands against a point (descriptors, threads, ports), as a sentence that names the limit
 * and the setting; NULL if nothing does.
 */
const char *limits_refusal(const struct run *asked, char *text, size_t size);
