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
	histogram_record_times(histogram, value, 1);
}

void histogram_record_times(struct histogram *histogram, int64_t value, uint64_t times)
{
	if (times == 0)
		return;
	if (value < 0)
		value = 0;
	if (histogram->count == 0 || value < histogram->least)
		histogram->least = value;
	if (value > histogram->most)
		histogram->most = value;
	histogram->count += times;
	histogram->sum += (double)value * (double)times;
	histogram->buckets[bucket_of((uint64_t)value)] += times;
}

void histogram_add(struct histogram *into, const struct histogram *from)
{
	if (from->count == 0)
		return;
	if (into->count == 0 || from->least < into->least)
		into->least = from->least;
	if (from->most > into->most)
		into->most = from->most;
	into->count += from->count;
	into->sum += from->sum;
	for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
		into->buckets[bucket] += from->buckets[bucket];
}

double histogram_mean(const struct histogram *histogram)
{
	return histogram->count > 0 ? histogram->sum / (double)histogram->count : 0;
}

int64_t histogram_quantile(const struct histogram *histogram, double fraction)
{
	/* 0.07 is a little more than 7/100 in binary, and must not ask for the eighth of 100. */
	uint64_t rank = (uint64_t)ceil(nextafter(fraction, 0) * (double)histogram->count);
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
