#include "loadgen/engine/histogram.h"
#include <math.h>
#include <string.h>

enum { SUB_COUNT = 1 << HISTOGRAM_SUB_BITS };

/* Values below 2·SUB_COUNT have buckets of their own; above, `shift` low bits are dropped. */
static unsigned shift_of(uint64_t value)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);

	return bits > HISTOGRAM_SUB_BITS + 1 ? bits - HISTOGRAM_SUB_BITS - 1 : 0;
}

static unsigned bucket_of(uint64_t value)
{
	unsigned shift = shift_of(value);

	return (shift << HISTOGRAM_SUB_BITS) + (unsigned)(value >> shift);
}

/* The value in the middle of a bucket. */
static int64_t middle_of(unsigned bucket)
{
	unsigned shift = bucket >> HISTOGRAM_SUB_BITS;

	if (shift > 0)
		shift--;
	return (int64_t)(((uint64_t)(bucket - (shift << HISTOGRAM_SUB_BITS)) << shift) +
			 ((1ULL << shift) >> 1));
}

void histogram_reset(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

void histogram_record(struct histogram *histogram, int64_t value)
{
	if (value < 0)
		value = 0;
	if (histogram->count == 0 || value < histogram->least)
		histogram->least = value;
	if (value > histogram->most)
		histogram->most = value;
	histogram->count++;
	histogram->sum += (double)value;
	histogram->buckets[bucket_of((uint64_t)value)]++;
}

double histogram_mean(const struct histogram *histogram)
{
	return histogram->count > 0 ? histogram->sum / (double)histogram->count : 0;
}

int64_t histogram_quantile(const struct histogram *histogram, double fraction)
{
	uint64_t rank = (uint64_t)ceil(fraction * (double)histogram->count);
	uint64_t seen = 0;

	if (rank <= 1)
		return histogram->least;
	if (rank >= histogram->count)
		return histogram->most;
	for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		seen += histogram->buckets[bucket];
		if (seen >= rank) {
			int64_t value = middle_of(bucket);

			if (value < histogram->least)
				return histogram->least;
			return value > histogram->most ? histogram->most : value;
		}
	}
	return histogram->most;
}
