/*
 * HdrHistogram's interval log, a text format that its tools plot and merge: a head, then a line for
 * each interval and tag, with the histogram of that interval in the last column (hdr.h).
 *
 *   Tag=intended,0.000,1.000,12.583,HISTFAAA...
 *   tag, start and length in seconds, largest value in ms, histogram in ns
 */
#pragma once
#include "loadgen/engine/histogram.h"
#include <stdint.h>
#include <stdio.h>

/*
 * Write the head. Starts of intervals count from `start_unix_ns`, in ns since the epoch. Returns 0,
 * or -errno.
 */
int hdr_log_begin(FILE *file, int64_t start_unix_ns);

/*
 * Write an interval's line: its start, from the log's, its length, and what was recorded in it, in
 * ns. `tag` names one of several histograms of an interval; NULL is none. Returns 0, or -errno,
 * with nothing written: -EINVAL for a tag that is empty or has a comma, space or line's end, or for
 * a negative time, -ENOMEM, -EOVERFLOW as hdr_encode(). An error of `file` may leave part of a
 * line.
 */
int hdr_log_write(FILE *file, const char *tag, int64_t start_ns, int64_t length_ns,
		  const struct histogram *histogram);
