/* What writer and reader of HdrHistogram's encoding V2 share: see hdr.h. */
#pragma once
#include "loadgen/engine/histogram.h"
#include <stdint.h>
#include <string.h>

enum {
	HDR_COOKIE_V2 = 0x1c849303,
	HDR_COOKIE_V2_COMPRESSED = 0x1c849304,
	HDR_COOKIE_FAMILY = 0x1c849300, /* all encodings; the low digit is the version's */
	HDR_COOKIE_WORD = 0x10, /* in older encodings the size of a count, now always this */
	HDR_COOKIE_WORD_MASK = 0xf0,
	HDR_OUTER_BYTES = 8,
	HDR_COUNT_BYTES_MAX = 9,
};

/* What stands before the counts, big-endian in the file. */
struct hdr_head {
	uint32_t cookie;
	uint32_t counts_bytes;
	uint32_t index_offset;
	uint32_t digits;
	uint64_t lowest;
	uint64_t highest;
	uint64_t ratio; /* of values to what is recorded: the bits of a double */
};

_Static_assert(sizeof(struct hdr_head) == 40, "as long as in the file, so without gaps");

/* The ratio of a histogram of integers, 1.0. */
static inline uint64_t hdr_ratio_one(void)
{
	static const double one = 1.0;
	uint64_t bits;

	memcpy(&bits, &one, sizeof(bits));
	return bits;
}
