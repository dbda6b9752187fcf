#include "loadgen/engine/base64.h"
#include "loadgen/engine/hdr.h"
#include "loadgen/engine/hdr_format.h"
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <zlib.h>

enum { DIGITS_MAX = 5 };

/* What is inflated, a chunk at a time. */
struct source {
	z_stream stream;
	uint8_t chunk[4096];
	size_t at;
	size_t filled;
	bool ended; /* zlib has found its end and its checksum right */
};

static int fail(char why[HDR_WHY_MAX], int rc, const char *sentence)
{
	snprintf(why, HDR_WHY_MAX, "%s", sentence);
	return rc;
}

static const char damaged[] = "the compressed histogram is damaged or cut short";

/* Returns the byte, or -EBADMSG if there is none. */
static int next_byte(struct source *source)
{
	while (source->at == source->filled) {
		int rc;

		if (source->ended)
			return -EBADMSG;
		source->stream.next_out = source->chunk;
		source->stream.avail_out = sizeof(source->chunk);
		rc = inflate(&source->stream, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END)
			return -EBADMSG;
		source->ended = rc == Z_STREAM_END;
		source->at = 0;
		source->filled = sizeof(source->chunk) - source->stream.avail_out;
	}
	return source->chunk[source->at++];
}

static int read_head(struct source *source, struct hdr_head *head)
{
	uint8_t bytes[sizeof(*head)];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		int byte = next_byte(source);

		if (byte < 0)
			return byte;
		bytes[i] = (uint8_t)byte;
	}
	memcpy(head, bytes, sizeof(*head));
	head->cookie = be32toh(head->cookie);
	head->counts_bytes = be32toh(head->counts_bytes);
	head->index_offset = be32toh(head->index_offset);
	head->digits = be32toh(head->digits);
	head->lowest = be64toh(head->lowest);
	head->highest = be64toh(head->highest);
	head->ratio = be64toh(head->ratio);
	return 0;
}

/* How the writer's buckets lie: the first 2^(half_bits + 1) are 2^unit_bits wide. */
struct layout {
	unsigned unit_bits;
	unsigned half_bits;
	int64_t buckets;
};

static int lay_out(const struct hdr_head *head, struct layout *layout, char why[HDR_WHY_MAX])
{
	uint64_t largest = 2;
	unsigned top_bits;

	if (head->digits > DIGITS_MAX || head->lowest < 1 || head->highest > INT64_MAX ||
	    head->lowest > head->highest / 2)
		return fail(why, -EBADMSG, "no HdrHistogram has these digits, lowest and highest");
	for (unsigned i = 0; i < head->digits; i++)
		largest *= 10;
	layout->unit_bits = 63 - (unsigned)__builtin_clzll(head->lowest);
	layout->half_bits = 63 - (unsigned)__builtin_clzll(largest - 1);
	top_bits = layout->unit_bits + layout->half_bits + 1;
	if (top_bits > 62)
		return fail(why, -EBADMSG, "no HdrHistogram has these digits, lowest and highest");
	layout->buckets = 2LL << layout->half_bits;
	for (; top_bits < 63 && 1ULL << top_bits <= head->highest; top_bits++)
		layout->buckets += 1LL << layout->half_bits;
	return 0;
}

static int check(const struct hdr_head *head, struct layout *layout, char why[HDR_WHY_MAX])
{
	int rc;

	if ((head->cookie & ~(uint32_t)HDR_COOKIE_WORD_MASK) != HDR_COOKIE_V2)
		return fail(why, -EBADMSG, "the compressed data is no HdrHistogram of encoding V2");
	if (head->index_offset != 0)
		return fail(why, -ENOTSUP, "its index is shifted, as that of a DoubleHistogram is");
	if (head->ratio != hdr_ratio_one())
		return fail(why, -ENOTSUP, "its values are not integers: its ratio is not 1");
	rc = lay_out(head, layout, why);
	if (rc == 0 && head->counts_bytes > (uint64_t)layout->buckets * HDR_COUNT_BYTES_MAX)
		rc = fail(why, -EBADMSG, "it claims more counts than it can have buckets");
	return rc;
}

static int read_number(struct source *source, uint32_t *left, int64_t *number)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < HDR_COUNT_BYTES_MAX; i++) {
		int byte = *left > 0 ? next_byte(source) : -EBADMSG;

		if (byte < 0)
			return byte;
		(*left)--;
		if (i == HDR_COUNT_BYTES_MAX - 1) {
			bits |= (uint64_t)byte << 7 * i;
			break;
		}
		bits |= (uint64_t)(byte & 0x7f) << 7 * i;
		if (byte < 0x80)
			break;
	}
	*number = (int64_t)(bits >> 1 ^ -(bits & 1));
	return 0;
}

static int64_t lowest_of_bucket(const struct layout *layout, int64_t bucket, int64_t *width)
{
	int64_t half = 1LL << layout->half_bits;
	int64_t octave = bucket >> layout->half_bits;
	int64_t shift = layout->unit_bits + (octave > 0 ? octave - 1 : 0);

	*width = 1LL << shift;
	return ((bucket & (half - 1)) + (octave > 0 ? half : 0)) << shift;
}

static int read_counts(struct source *source, const struct hdr_head *head,
		       const struct layout *layout, struct histogram *histogram,
		       char why[HDR_WHY_MAX])
{
	uint32_t left = head->counts_bytes;
	int64_t least = -1;
	int64_t most = 0;
	int64_t bucket = 0;

	while (left > 0) {
		int64_t number;
		int64_t lowest;
		int64_t width;

		if (read_number(source, &left, &number) < 0)
			return fail(why, -EBADMSG, damaged);
		if (bucket >= layout->buckets || number < bucket - layout->buckets)
			return fail(why, -EBADMSG, "it has counts beyond its highest value");
		if (number <= 0) {
			bucket += number < 0 ? -number : 1;
			continue;
		}
		if (histogram->count + (uint64_t)number > INT64_MAX)
			return fail(why, -EOVERFLOW, "it has more records than can be counted");
		lowest = lowest_of_bucket(layout, bucket, &width);
		histogram_record_times(histogram, lowest + (width >> 1), (uint64_t)number);
		if (least < 0)
			least = lowest;
		most = lowest + (width - 1);
		bucket++;
	}
	if (least >= 0) {
		histogram->least = least;
		histogram->most = most;
	}
	if (next_byte(source) >= 0 || !source->ended || source->stream.avail_in > 0)
		return fail(why, -EBADMSG, damaged);
	return 0;
}

static int inflate_histogram(uint8_t *packed, size_t size_bytes, struct histogram *histogram,
			     char why[HDR_WHY_MAX])
{
	struct source source = { .stream.next_in = packed, .stream.avail_in = (uInt)size_bytes };
	struct layout layout;
	struct hdr_head head;
	int rc;

	if (inflateInit(&source.stream) != Z_OK)
		return fail(why, -ENOMEM, "there is no memory to decompress it");
	rc = read_head(&source, &head);
	if (rc < 0)
		rc = fail(why, rc, damaged);
	else
		rc = check(&head, &layout, why);
	if (rc == 0)
		rc = read_counts(&source, &head, &layout, histogram, why);
	inflateEnd(&source.stream);
	return rc;
}

/* The outer head: which encoding it is, and that all of it is there. */
static int check_outer(const uint8_t *packed, ssize_t size_bytes, char why[HDR_WHY_MAX])
{
	uint32_t cookie;
	uint32_t length;

	if (size_bytes < HDR_OUTER_BYTES)
		return fail(why, -EBADMSG,
			    size_bytes < 0 ? "it is not base64, or cut short" : damaged);
	memcpy(&cookie, packed, sizeof(cookie));
	memcpy(&length, packed + sizeof(cookie), sizeof(length));
	cookie = be32toh(cookie) & ~(uint32_t)HDR_COOKIE_WORD_MASK;
	if (cookie == HDR_COOKIE_V2_COMPRESSED)
		return be32toh(length) == (size_t)size_bytes - HDR_OUTER_BYTES
			       ? 0
			       : fail(why, -EBADMSG, damaged);
	if ((cookie & ~0xfU) == HDR_COOKIE_FAMILY)
		return fail(why, -ENOTSUP, "it is not in HdrHistogram's compressed encoding V2");
	return fail(why, -EBADMSG, "it is no HdrHistogram");
}

int hdr_decode(const char *text, size_t length, struct histogram *histogram, char why[HDR_WHY_MAX])
{
	uint8_t *packed = malloc(length / 4 * 3 + 1);
	ssize_t size_bytes;
	int rc;

	histogram_reset(histogram);
	if (!packed)
		return fail(why, -ENOMEM, "there is no memory to decode it");
	size_bytes = base64_decode(text, length, packed);
	rc = check_outer(packed, size_bytes, why);
	if (rc == 0)
		rc = inflate_histogram(packed + HDR_OUTER_BYTES,
				       (size_t)size_bytes - HDR_OUTER_BYTES, histogram, why);
	free(packed);
	if (rc != 0)
		histogram_reset(histogram);
	return rc;
}
