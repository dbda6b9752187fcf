/*
 * What passes between us and wrk: the script that tells it what to send and how to print its
 * figures, and the reading of those.
 */
#pragma once
#include "loadgen/target/wrk.h"
#include <stdio.h>

/*
 * Write the script to `file`. Returns 0, or -EIO; the file remains the caller's.
 *
 * At the end of the run, it prints the figures as a line of their own: a marker, and an object in
 * JSON. The latencies are read where wrk keeps them, because wrk's interface to scripts looks
 * for the i-th by counting from the first, which takes minutes if there are a million; whether it
 * keeps them there (count, limit, least, most, and one counter for each microsecond) is checked
 * by what that interface says.
 */
int wrk_figures_script(FILE *file, const struct wrk_config *config);

/*
 * Read the figures from all that wrk printed; sets what they say in `result`, and resets the
 * rest. `connections` is what wrk was started with. Returns 0, or -EPROTO with a sentence in
 * `why`, or -ENOMEM.
 */
int wrk_figures_read(const char *text, int64_t connections, struct wrk_result *result, char *why,
		     size_t size);
