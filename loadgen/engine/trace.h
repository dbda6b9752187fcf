/*
 * A trace of arrivals, as a file of the gaps between them: one time a line, such as 1.5ms or 800us.
 * '#' begins a comment; blank lines are left out. Each gap is the time before an arrival; 0 is two
 * arrivals at once.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/*
 * Read one. *gaps_ns is the caller's to free. Returns 0, or -errno with a sentence in `why` that
 * names the file, the line and what is wrong: -EINVAL (not a trace, or one without any time in it),
 * -ERANGE (all in all longer than can be counted), -ENOMEM, or what opening or reading it failed
 * with; *gaps_ns is NULL then.
 */
int trace_read(const char *path, int64_t **gaps_ns, size_t *count, char *why, size_t size);

/* The mean rate of a trace that trace_read() took, in requests per second. */
double trace_rate(const int64_t *gaps_ns, size_t count);
