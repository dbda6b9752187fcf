#include "loadgen/engine/base64.h"
#include "loadgen/engine/hdr.h"
#include "loadgen/engine/hdr_format.h"
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
	DIGITS = 2,
	FIRST_TOP = (2 << HISTOGRAM_SUB_BITS) - 1, /* the highest value of the buckets of width 1 */
};

/* The ninth byte has no bit to continue, so it holds eight. */
static uint8_t *put_number(uint8_t *at, int64_t number)
{
	uint64_t bits = (uint64_t)number << 1 ^ (uint64_t)(number >> 63);

	for (int i = 0; i < HDR_COUNT_BYTES_MAX - 1 && bits > 0x7f; i++) {
		*at++ = (uint8_t)(bits | 0x80);
		bits >>= 7;
	}
	*at++ = (uint8_t)bits;
	return at;
}

/* Runs of empty buckets are -n; one alone is 0. */
static uint8_t *put_counts(uint8_t *at, const struct histogram *histogram, unsigned limit)
{
	int64_t empty = 0;

	for (unsigned bucket = 0; bucket < limit; bucket++) {
		if (histogram->buckets[bucket] == 0) {
			empty++;
			continue;
		}
		if (empty > 0)
			at = put_number(at, empty > 1 ? -empty : 0);
		empty = 0;
		at = put_number(at, (int64_t)histogram->buckets[bucket]);
	}
	return empty > 0 ? put_number(at, 0) : at;
}

/* How many buckets there are up to the last that is not empty; the format has one at least. */
static unsigned used_buckets(const struct histogram *histogram)
{
	unsigned limit = HISTOGRAM_BUCKETS;

	while (limit > 1 && histogram->buckets[limit - 1] == 0)
		limit--;
	return limit;
}

/* The end of the power of two that has the bucket: as far as a histogram that grows has grown. */
static uint64_t highest_of(unsigned bucket)
{
	unsigned octave = bucket >> HISTOGRAM_SUB_BITS;

	return ((uint64_t)(FIRST_TOP + 1) << (octave > 1 ? octave - 1 : 0)) - 1;
}

int hdr_encode(const struct histogram *histogram, char **text)
{
	unsigned limit = used_buckets(histogram);
	uint8_t *plain = malloc(sizeof(struct hdr_head) + (size_t)limit * HDR_COUNT_BYTES_MAX);
	uint8_t *packed = NULL;
	int rc = -ENOMEM;
	struct hdr_head head = {
		.cookie = htobe32(HDR_COOKIE_V2 | HDR_COOKIE_WORD),
		.digits = htobe32(DIGITS),
		.lowest = htobe64(1),
		.highest = htobe64(highest_of(limit - 1)),
		.ratio = htobe64(hdr_ratio_one()),
	};
	uLong plain_bytes;
	uLongf packed_bytes;
	uint32_t word;

	*text = NULL;
	if (histogram->count > INT64_MAX) {
		rc = -EOVERFLOW;
		goto out;
	}
	if (!plain)
		goto out;
	plain_bytes = (uLong)(put_counts(plain + sizeof(head), histogram, limit) - plain);
	head.counts_bytes = htobe32((uint32_t)(plain_bytes - sizeof(head)));
	memcpy(plain, &head, sizeof(head));

	packed_bytes = compressBound(plain_bytes);
	packed = malloc(HDR_OUTER_BYTES + packed_bytes);
	if (!packed ||
	    compress(packed + HDR_OUTER_BYTES, &packed_bytes, plain, plain_bytes) != Z_OK)
		goto out;
	word = htobe32(HDR_COOKIE_V2_COMPRESSED | HDR_COOKIE_WORD);
	memcpy(packed, &word, sizeof(word));
	word = htobe32((uint32_t)packed_bytes);
	memcpy(packed + sizeof(word), &word, sizeof(word));

	*text = malloc(base64_length(HDR_OUTER_BYTES + packed_bytes) + 1);
	if (!*text)
		goto out;
	base64_encode(packed, HDR_OUTER_BYTES + packed_bytes, *text);
	rc = 0;
out:
	free(packed);
	free(plain);
	return rc;
}
