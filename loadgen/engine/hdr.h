/*
 * A histogram as others' tools read it: HdrHistogram's V2 compressed encoding, in base64, which is
 * the last column of an interval log ("HISTFAAA..."). Inside are, big-endian,
 *
 *   cookie 0x1c849314, length │ zlib: cookie 0x1c849313, length of the counts, offset of the index,
 *                             │       digits, lowest, highest, conversion ratio │ counts
 *
 * where the counts are ZigZag LEB128 numbers of at most 9 bytes, and -n stands for n empty buckets.
 *
 * The sum and the least and most value are not encoded. Who decodes has them from the buckets, as
 * HdrHistogram has: the sum from the buckets' middles, the least value is the lowest of its bucket,
 * the most the highest of its.
 */
#pragma once
#include "loadgen/engine/histogram.h"
#include <stddef.h>

enum { HDR_WHY_MAX = 128 };

/*
 * Encode into *text, a string that the caller frees. Returns 0, -ENOMEM, or -EOVERFLOW if there are
 * more than INT64_MAX records, which the format cannot hold.
 */
int hdr_encode(const struct histogram *histogram, char **text);

/*
 * Decode text of that length, from any writer, into `histogram`, whose content is lost. Of other
 * digits or another lowest value, each bucket is recorded again at its middle; so what had more
 * digits has two, and what had fewer has them still. Memory does not depend on what the text
 * claims to hold, and time is bounded by the buckets that HdrHistogram can have. Damage is found as
 * well as zlib's Adler-32 finds it: a few changes in a thousand pass in a short text.
 *
 * Returns 0, or with a sentence in `why` and the histogram empty: -EBADMSG if the text is damaged
 * or is none of this format, -ENOTSUP for an older encoding, values that are not integers or a
 * shifted index, -EOVERFLOW for more than INT64_MAX records, -ENOMEM.
 */
int hdr_decode(const char *text, size_t length, struct histogram *histogram, char why[HDR_WHY_MAX]);
