/*
 * A log-linear histogram of non-negative integers, after HdrHistogram: each power of two is cut
 * into 128 equal buckets, so a value is known to within 1/256 of itself, in constant memory and a
 * few instructions per record. The buckets are those of an HdrHistogram of two significant digits
 * and a lowest discernible value of 1, in the order of its counts array: see hdr.h.
 */
#pragma once
#include <stdint.h>

enum {
	HISTOGRAM_SUB_BITS = 7,
	HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SUB_BITS) << HISTOGRAM_SUB_BITS
};

struct histogram {
	uint64_t count;
	int64_t least;
	int64_t most;
	double sum;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Empty it. */
void histogram_reset(struct histogram *histogram);

/* Count one value; a negative one counts as 0. */
void histogram_record(struct histogram *histogram, int64_t value);

/* Count one value so many times; a negative one counts as 0. */
void histogram_record_times(struct histogram *histogram, int64_t value, uint64_t times);

/* Count in `into` what `from` has recorded as well, as if all had been recorded there. */
void histogram_add(struct histogram *into, const struct histogram *from);

/* The mean of what was recorded, exact; 0 if nothing was. */
double histogram_mean(const struct histogram *histogram);

/*
 * The smallest value that at least `fraction` (0...1) of the records do not exceed, to within
 * 1/256 of it; the largest and smallest record are exact. 0 if nothing was recorded.
 */
int64_t histogram_quantile(const struct histogram *histogram, double fraction);
