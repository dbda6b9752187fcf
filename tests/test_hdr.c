#include "loadgen/engine/base64.h"
#include "loadgen/engine/hdr.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static struct histogram h;
static struct histogram back;

static void setup(void)
{
	histogram_reset(&h);
	histogram_reset(&back);
}

TestSuite(hdr, .init = setup, .timeout = 120);

enum { HEAD_BYTES = 40, OUTER_BYTES = 8, PAYLOAD_MAX = 1 << 17, QUANTILES = 6 };

static const double fractions[QUANTILES] = { 0.25, 0.5, 0.75, 0.9, 0.99, 0.999 };

/*
 * What HdrHistogram 2.1.11 for Java, the reference implementation (Debian's libhdrhistogram-java),
 * encodes of some recordings, and what it says of them: the count, the least and the largest value,
 * the mean, and values at percentiles, which there are the highest of their buckets. (The least of
 * `the largest` is what it says is at the 0th percentile: as a minimum it takes INT64_MAX for
 * none.)
 */
static const struct golden {
	const char *name;
	int digits;
	int64_t count;
	int64_t least;
	int64_t most;
	double mean;
	int64_t quantiles[QUANTILES];
	const char *text;
} golden[] = {
	{ "empty",
	  2,
	  0,
	  0,
	  0,
	  0.0,
	  { 0, 0, 0, 0, 0, 0 },
	  "HISTFAAAABt4nJNpmSzMwMDAyAABTFAazrf/AGUBADyvAnw=" },
	{ "0",
	  2,
	  1,
	  0,
	  0,
	  0.0,
	  { 0, 0, 0, 0, 0, 0 },
	  "HISTFAAAABt4nJNpmSzMwMDAyAABTFAazrf/AGUAADyxAn4=" },
	{ "255",
	  2,
	  1,
	  255,
	  255,
	  255.0,
	  { 255, 255, 255, 255, 255, 255 },
	  "HISTFAAAAB94nJNpmSzMwMDAzAABTFCaEca3/wBh/GVmAgBE7gOA" },
	{ "256",
	  2,
	  1,
	  256,
	  257,
	  257.0,
	  { 257, 257, 257, 257, 257, 257 },
	  "HISTFAAAACB4nJNpmSzMwMDAzAABTFCaEUr9t/8AYf1nZgIAUN0EgA==" },
	{ "the largest",
	  2,
	  1,
	  INT64_MAX - (1LL << 55) + 1,
	  INT64_MAX,
	  9.205357638345294e+18,
	  { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX },
	  "HISTFAAAACF4nJNpmSzMwMDAzAABTFCasf4/BNh/gAj8LWQCALe2C2Q=" },
	{ "as many as can be",
	  2,
	  INT64_MAX,
	  5,
	  5,
	  5.0,
	  { 5, 5, 5, 5, 5, 5 },
	  "HISTFAAAACB4nJNpmSzMwMDAxQABTFCaEca3/wBhcP77DwUAgbILhA==" },
	{ "300 of two digits",
	  2,
	  300,
	  1,
	  1061158911,
	  42866210.21666667,
	  { 2127, 193535, 6520831, 95944703, 826277887, 1061158911 },
	  "HISTFAAAAUp4nD2RXUrDQBSFx5MJQwghlBBCaUsoQUoIUkofpJRS+uQCfHIB4rN7cAdu1B3E796Kmc"
	  "zfuefcv1l/fTchaB3un/72B1uu8zxff/4tcaFcMagV58DCKCKY7dowE6cKoGAepIaLaj2p10J7sAS0"
	  "gPMMu2aWJp5waLKd2lgok941xQRQoHvR2dyvNGqrc4SjJYYSuMSc4S5xHyTfM+y2Bsdz3/0AWumExr"
	  "QlwROspBs+tk54jRe0naOZlzMSdYBRMHbEq1lzhkXwZlBlbEinFyUGCizRJiHqkOZaxdZsA5eYaNgG"
	  "46OOXk7lqXS4LEmxgTepjvICLAHrojH5J2YOlLFa3nvohsCp7pWtwDtvrz1ES8RMnyLeHpPJ7CEa41"
	  "qoq3fA8h1de9AQR7Q1pDfrVhN7tLrANJ9L927yEw9nzhIqU35AO2L7BTeqHNU=" },
	{ "300 of three digits",
	  3,
	  300,
	  1,
	  1059586047,
	  42877371.02666666,
	  { 2119, 192639, 6512639, 95551487, 824180735, 1059586047 },
	  "HISTFAAAAgB4nC2RT0iUURTFv/t7bxokQgaREAuRcBEhEhGDDMMgIkNIC5EIkWgRLlpFREirGFIGaT"
	  "XEICESLkIiBplFtIhoMURItJCIISRCIiKGgVqEhMR47uT3573v3e+ee84999TSo74k4UXy/wpHu/lS"
	  "6HQ6hV9HEZKYIUVM6EffiRbdPVEx3zmtN62vEwr06D0PfTrQyyhDZBhTLM2I7jS3yTNMjgElJMwxr9"
	  "gkT4xrCJchsB5YhuOK3uMmZfgY+R5U+Axtowkb0ArxA7w2fhqzqtkOWoTKsmZMCLbp7Cn9u8pFGp6U"
	  "VXH9vMy09D42EcwyrpR5lo29wA2uc1fIFU8+ywwbkY7xDAFy1NTqfuCd8d7U1SVlLPDP+ISL2oLVqA"
	  "4W2HZtPDQ+I+IJXpoIBhiKVe8wr/aeGl+Nqju3EiSlFFhUvWn5IdE7xh+jwJ6p4bqxiiTW4Yd1/Srq"
	  "NMyByZwGbAYdRH+fOxL/VtpQC+sSbe5bCyome938rJtV5Bxlr/7ciXs1zTYMyoVRaZ10H2Zck9AjXO"
	  "CkdD0wac4ovG+O3DYpLWoQc7wxn0OOSlqFJKgaaDkuz5Z5JWkfF6/EyIJylLG3xFkJ7MIV/nYBNW/u"
	  "C5qJePQ0U5I05QCXLx/6KUUHT4l013w0TaPmlb8FGkH7K7fit3srh3aOUYJ6d0yH0fB78g==" },
	{ "three digits, from 1000",
	  3,
	  5050,
	  999936,
	  100007935,
	  66999167.188910894,
	  { 50003967, 71041023, 87031807, 95027199, 100007935, 100007935 },
	  "HISTFAAAARR4nC2I7yvDYRRHvx/fxZIQktw9I0mStCS5rpC0JEmShCRJkiTJRZK0JElCkqQlSUiStC"
	  "T5lbzbK3/C4qUnr4maU6dTxxfazHQc58eJ4/7n489gIBJ26j7j58Gf8J3mOfUmRpO8T57kmJsSc1Pf"
	  "3fRoQoZFlkW2RY5FroXvC36L/DcUaKEWabGWaKmWaUDLtUIrtWqmWmu0Vuu1oadRgtwkzdwirdwm7d"
	  "whndwl3dwrfdwvAzwoQzwsIzwqYzwuEzLJUzLNszLH87IAXoSEwEvIWwatwKyC1kDroA2YLdA2aAe0"
	  "C7MH2geFQQcwh6Aj0DHoBOYMdA66gLkEXYGuQRGYG9At6A50D/MIega9gF7xCwWOT98=" },
	{ "up to an hour",
	  2,
	  5050,
	  999424,
	  100139007,
	  66999704.78891089,
	  { 50069503, 71303167, 87031807, 95420415, 100139007, 100139007 },
	  "HISTFAAAAP14nC3I0SoEQACF4XOMI4yREDK7koQkbZKwQmKTJEmSJEmSJElIktgkSUKSpE2SJEnSJk"
	  "mSvIkr5QWUi/XffPUHogc5AL6RKOlfAiYSisfQ8pMYXz7pl8kbTFlM7UgPZzRkhrPKs32uzwsW+EIf"
	  "8EXB4vwSV2rLXIWrtFWu2oVsjau1da7eNdom1+xabVtauyLqVJfpVo961ad+DZhBDWlYIxo1YxrXhC"
	  "Y1ZaY1o1nNaV4LZknLWtGq1mjWqSi1SWwR28QOsUvsEfvEIXHEY+KEOCXOiBhxTlwQl8QVcU3c8Ja4"
	  "I+6JB+KRiBNPxDPxQrwSb3wnPohP/gFujzMk" },
	{ "no digit",
	  0,
	  10,
	  8,
	  127,
	  58.8,
	  { 31, 63, 127, 127, 127, 127 },
	  "HISTFAAAAB94nJNpmSzMwMDAyoAKGKF0vf0HCIOdiYWNAwBOHAMW" },
};

enum { GOLDEN = sizeof(golden) / sizeof(golden[0]) };

static const struct golden *golden_of(const char *name)
{
	const struct golden *found = golden;

	while (found < golden + GOLDEN && strcmp(found->name, name) != 0)
		found++;
	cr_assert_lt(found, golden + GOLDEN, "no golden %s", name);
	return found;
}

/* The recordings of `300 of...`: numbers of up to 30 bits, most of them of fewer. */
static void record_300(void)
{
	uint64_t x = 1;

	for (int i = 0; i < 300; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		histogram_record(&h, (int64_t)((x >> 34) >> ((x >> 8) % 25)));
	}
}

static void record_golden(const char *name)
{
	if (strcmp(name, "0") == 0)
		histogram_record(&h, 0);
	else if (strcmp(name, "255") == 0)
		histogram_record(&h, 255);
	else if (strcmp(name, "256") == 0)
		histogram_record(&h, 256);
	else if (strcmp(name, "the largest") == 0)
		histogram_record(&h, INT64_MAX);
	else if (strcmp(name, "as many as can be") == 0)
		histogram_record_times(&h, 5, INT64_MAX);
	else if (strcmp(name, "300 of two digits") == 0)
		record_300();
	else if (strcmp(name, "up to an hour") == 0)
		for (int64_t i = 1; i <= 100; i++)
			histogram_record_times(&h, i * 1000000, (uint64_t)i);
	else
		cr_assert_str_eq(name, "empty");
}

struct payload {
	uint8_t bytes[PAYLOAD_MAX];
	uLongf size;
};

static struct payload unwrap(const char *text)
{
	static struct payload payload;
	static uint8_t packed[PAYLOAD_MAX];
	ssize_t size = base64_decode(text, strlen(text), packed);

	cr_assert_gt(size, OUTER_BYTES);
	payload.size = PAYLOAD_MAX;
	cr_assert_eq(uncompress(payload.bytes, &payload.size, packed + OUTER_BYTES,
				(uLong)size - OUTER_BYTES),
		     Z_OK);
	return payload;
}

/* Bytes as a text that is right on the outside; the caller frees. */
static char *wrap(const uint8_t *bytes, size_t size)
{
	uLongf packed_size = compressBound(size);
	uint8_t *packed = malloc(OUTER_BYTES + packed_size);
	char *text;

	cr_assert_eq(compress(packed + OUTER_BYTES, &packed_size, bytes, size), Z_OK);
	memcpy(packed, "\x1c\x84\x93\x14", 4);
	for (int i = 0; i < 4; i++)
		packed[4 + i] = (uint8_t)(packed_size >> (24 - 8 * i));
	text = malloc(base64_length(OUTER_BYTES + packed_size) + 1);
	base64_encode(packed, OUTER_BYTES + packed_size, text);
	free(packed);
	return text;
}

static int decode(const char *text)
{
	char why[HDR_WHY_MAX] = "";
	int rc = hdr_decode(text, strlen(text), &back, why);

	cr_assert_eq(rc == 0, why[0] == '\0', "%d: '%s'", rc, why);
	return rc;
}

/* What holds of any histogram, or of an empty one if it was refused. */
static void expect_sound(int rc)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		count += back.buckets[i];
	cr_assert_eq(back.count, rc == 0 ? count : 0);
	cr_assert_leq(back.least, back.most);
	cr_assert_geq(histogram_quantile(&back, 0.5), back.least);
	cr_assert_leq(histogram_quantile(&back, 0.5), back.most);
	if (rc != 0)
		cr_assert_eq(count, 0);
}

/* HdrHistogram's countsArrayIndex() of subBucketCount 256, written from its definition. */
static unsigned counts_index(uint64_t value)
{
	unsigned power = 63 - (unsigned)__builtin_clzll(value | 255);
	unsigned bucket = power - 7;
	unsigned sub_bucket = (unsigned)(value >> bucket);

	return (bucket + 1) * 128 + sub_bucket - 128;
}

Test(hdr, a_bucket_is_where_hdrhistogram_with_two_digits_counts_it)
{
	for (int bit = 0; bit < 63; bit++)
		for (int64_t step = -300; step <= 300; step++) {
			int64_t value = (int64_t)((1ULL << bit) + (uint64_t)step);

			if (value < 0)
				continue;
			histogram_reset(&h);
			histogram_record(&h, value);
			cr_assert_eq(h.buckets[counts_index((uint64_t)value)], 1, "%" PRId64,
				     value);
		}
	cr_expect_eq(counts_index(INT64_MAX), HISTOGRAM_BUCKETS - 1);
}

Test(hdr, the_encoding_is_the_reference_implementations_byte_for_byte_before_compression)
{
	for (size_t i = 0; i < GOLDEN; i++) {
		struct payload theirs;
		struct payload ours;
		char *text;
		/* Their range starts at 2 and their last is fixed; ours ends with a power of two.
		 */
		bool same_range =
			golden[i].most > 255 && strcmp(golden[i].name, "up to an hour") != 0;

		if (golden[i].digits != 2)
			continue;
		histogram_reset(&h);
		record_golden(golden[i].name);
		cr_assert_eq(hdr_encode(&h, &text), 0);
		ours = unwrap(text);
		free(text);
		theirs = unwrap(golden[i].text);
		if (!same_range) {
			memset(ours.bytes + 24, 0, 8);
			memset(theirs.bytes + 24, 0, 8);
		}
		cr_expect_eq(ours.size, theirs.size, "%s", golden[i].name);
		cr_expect_arr_eq(ours.bytes, theirs.bytes, theirs.size, "%s", golden[i].name);
	}
}

Test(hdr, the_reference_implementations_encoding_reads_as_it_reads_it_itself)
{
	for (size_t i = 0; i < GOLDEN; i++) {
		const struct golden *g = &golden[i];
		/* A share of the value: half a bucket of the writer's, and half of one of ours. */
		double share = g->digits == 0 ? 1 : 1.0 / 128;

		cr_assert_eq(decode(g->text), 0, "%s", g->name);
		cr_expect_eq(back.count, (uint64_t)g->count, "%s", g->name);
		cr_expect_eq(back.least, g->least, "%s", g->name);
		cr_expect_eq(back.most, g->most, "%s", g->name);
		cr_expect_float_eq(histogram_mean(&back), g->mean, g->mean * 1e-12, "%s: %.17g",
				   g->name, histogram_mean(&back));
		for (int q = 0; q < QUANTILES; q++) {
			int64_t got = histogram_quantile(&back, fractions[q]);

			cr_expect_leq(fabs((double)(got - g->quantiles[q])),
				      (double)g->quantiles[q] * share,
				      "%s, %g: %" PRId64 ", not %" PRId64, g->name, fractions[q],
				      got, g->quantiles[q]);
		}
		expect_sound(0);
	}
}

Test(hdr, what_is_encoded_and_decoded_has_the_same_counts_and_its_ends_within_their_buckets)
{
	static const int64_t table[] = { 0, 1, 100, 255, 256, 1000, 123456789, INT64_MAX };
	char *text;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		histogram_record_times(&h, table[i], (uint64_t)1 << (7 * i));
		cr_assert_eq(hdr_encode(&h, &text), 0);
		cr_assert_eq(decode(text), 0);
		free(text);
		cr_expect_eq(back.count, h.count);
		cr_expect_arr_eq(back.buckets, h.buckets, sizeof(h.buckets));
		cr_expect_eq(back.least, 0);
		cr_expect_geq(back.most, h.most);
		cr_expect_leq((double)back.most, (double)h.most * (1 + 1.0 / 128));
		cr_expect_float_eq(histogram_mean(&back), histogram_mean(&h),
				   histogram_mean(&h) / 256);
	}
}

Test(hdr, more_records_than_the_format_can_hold_are_refused)
{
	char *text;

	histogram_record_times(&h, 1, INT64_MAX);
	histogram_record(&h, 2);
	cr_expect_eq(hdr_encode(&h, &text), -EOVERFLOW);
	cr_expect_null(text);
}

#define HEAD(digits, lowest, highest, counts)                                                      \
	"\x1c\x84\x93\x13\0\0" counts "\0\0\0\0\0\0\0" digits lowest highest "\x3f\xf0\0\0\0\0\0"  \
	"\0"
#define ONE    "\0\0\0\0\0\0\0\1"
#define TWO    "\0\0\0\0\0\0\0\2"
#define TOP    "\x7f\xff\xff\xff\xff\xff\xff\xff"
#define MANY   "\xfe\xff\xff\xff\xff\xff\xff\xff\xff" /* INT64_MAX counts */
#define FEWEST "\xff\xff\xff\xff\xff\xff\xff\xff\xff" /* INT64_MIN, as a run of empty buckets */

Test(hdr, a_payload_that_no_histogram_has_is_refused_with_its_reason)
{
#define ROW(name, bytes, rc)                                                                       \
	{                                                                                          \
		name, bytes, sizeof(bytes) - 1, rc                                                 \
	}
	static const struct {
		const char *name;
		const char *bytes;
		size_t size;
		int rc;
	} table[] = {
		ROW("sound", HEAD("\2", ONE, TOP, "\0\1") "\2", 0),
		ROW("no counts at all", HEAD("\2", ONE, TOP, "\0\0"), 0),
		ROW("five digits", HEAD("\5", ONE, TOP, "\0\1") "\2", 0),
		ROW("a single digit", HEAD("\1", ONE, TOP, "\0\1") "\2", 0),
		ROW("the largest run", HEAD("\2", ONE, TOP, "\0\3") "\xfd\x71\2", 0),
		ROW("a run of all", HEAD("\2", ONE, TOP, "\0\2") "\xff\x71", 0),
		ROW("the largest count", HEAD("\2", ONE, TOP, "\0\x09") MANY, 0),
		ROW("six digits", HEAD("\6", ONE, TOP, "\0\1") "\2", -EBADMSG),
		ROW("lowest of 0", HEAD("\2", "\0\0\0\0\0\0\0\0", TOP, "\0\1") "\2", -EBADMSG),
		ROW("lowest above", HEAD("\2", TOP, TOP, "\0\1") "\2", -EBADMSG),
		ROW("negative highest", HEAD("\2", ONE, "\x80\0\0\0\0\0\0\0", "\0\1") "\2",
		    -EBADMSG),
		ROW("lowest too high for its digits",
		    HEAD("\5", "\1\0\0\0\0\0\0\0", TOP, "\0\1") "\2", -EBADMSG),
		ROW("counts behind the last", HEAD("\2", ONE, TWO, "\0\3") "\xff\x03\2", -EBADMSG),
		ROW("a run past the last", HEAD("\2", ONE, TOP, "\0\2") "\x81\x72", -EBADMSG),
		ROW("the longest run", HEAD("\2", ONE, TOP, "\0\x09") FEWEST, -EBADMSG),
		ROW("fewer counts than said", HEAD("\2", ONE, TOP, "\0\2") "\2", -EBADMSG),
		ROW("more counts than said", HEAD("\2", ONE, TOP, "\0\1") "\2\2", -EBADMSG),
		ROW("an unfinished count", HEAD("\2", ONE, TOP, "\0\1") "\x82", -EBADMSG),
		ROW("more than it has room for", HEAD("\2", ONE, TWO, "\xff\xff") "\2", -EBADMSG),
		ROW("cut in the head", "\x1c\x84\x93\x13\0\0\0\1", -EBADMSG),
		ROW("nothing", "", -EBADMSG),
		ROW("another cookie", "\x1c\x84\x93\x01" HEAD("\2", ONE, TOP, "\0\1") "\2",
		    -EBADMSG),
		ROW("counts that overflow", HEAD("\2", ONE, TOP, "\0\x0a") MANY "\2", -EOVERFLOW),
		ROW("a shifted index",
		    "\x1c\x84\x93\x13\0\0\0\1\0\0\0\1\0\0\0\2" ONE TOP "\x3f\xf0\0\0\0\0\0\0\2",
		    -ENOTSUP),
		ROW("a ratio of 2",
		    "\x1c\x84\x93\x13\0\0\0\1\0\0\0\0\0\0\0\2" ONE TOP "\x40\0\0\0\0\0\0\0\2",
		    -ENOTSUP),
	};
#undef ROW
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *text = wrap((const uint8_t *)table[i].bytes, table[i].size);
		int rc = decode(text);

		cr_expect_eq(rc, table[i].rc, "%s: %d", table[i].name, rc);
		expect_sound(rc);
		free(text);
	}
}

Test(hdr, a_text_that_is_no_histogram_is_refused_with_its_reason)
{
	static const struct {
		const char *text;
		int rc;
	} table[] = {
		{ "", -EBADMSG },
		{ "HIST", -EBADMSG },
		{ "not base64", -EBADMSG },
		{ "HISTFAAAABt4nJNpmSzMwMDAyAABTFAazrf/AGUBADyvAnw=\n", -EBADMSG },
		{ "HISTFA//////nJNpmSzMwMDAyAABTFAazrf/AGUBADyvAnw=", -EBADMSG },
		{ "HISTEQAAABt4nJNpmSzMwMDAyAABTFAazrf/AGUBADyvAnw=", -ENOTSUP },
		{ "HISTEwAAABt4nJNpmSzMwMDAyAABTFAazrf/AGUBADyvAnw=", -ENOTSUP },
		{ "AAAAAAAAABt4nJNpmSzMwMDAyAABTFAazrf/AGUBADyvAnw=", -EBADMSG },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int rc = decode(table[i].text);

		cr_expect_eq(rc, table[i].rc, "'%s': %d", table[i].text, rc);
		expect_sound(rc);
	}
}

Test(hdr, a_text_that_is_cut_anywhere_is_refused)
{
	const char *text = golden_of("300 of three digits")->text;
	char why[HDR_WHY_MAX];

	for (size_t length = 0; length < strlen(text); length++) {
		char *cut = malloc(length + 1); /* no more, so that a sanitizer sees what is read */

		memcpy(cut, text, length);
		cr_expect_lt(hdr_decode(cut, length, &back, why), 0, "%zu", length);
		expect_sound(-1);
		free(cut);
	}
}

/*
 * Few bits are of no account: the size of a word, and those that fill deflate's last byte. And few
 * changes are missed by Adler-32, which is weak on so few bytes.
 */
Test(hdr, a_text_with_any_byte_changed_is_refused_but_for_what_the_checksum_misses)
{
	const char *text = golden_of("300 of two digits")->text;
	char *changed = strdup(text);
	int accepted = 0;
	int tried = 0;

	for (size_t at = 0; at < strlen(text); at++) {
		for (int flip = 1; flip < 256; flip += flip < 8 ? 1 : 31) {
			int rc;

			changed[at] = (char)(text[at] ^ flip);
			rc = decode(changed);
			expect_sound(rc);
			accepted += rc == 0;
			tried++;
		}
		changed[at] = text[at];
	}
	cr_expect_leq(accepted, tried / 100, "%d of %d", accepted, tried);
	free(changed);
}

Test(hdr, a_payload_with_any_byte_changed_is_read_or_refused_and_never_more)
{
	static const char *const names[] = { "300 of three digits", "three digits, from 1000",
					     "as many as can be" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct payload payload = unwrap(golden_of(names[i])->text);

		for (size_t at = 0; at < payload.size; at++)
			for (int flip = 1; flip < 256; flip += flip < 4 ? 1 : 63) {
				char *text;

				payload.bytes[at] ^= (uint8_t)flip;
				text = wrap(payload.bytes, payload.size);
				expect_sound(decode(text));
				free(text);
				payload.bytes[at] ^= (uint8_t)flip;
			}
	}
}

Test(hdr, a_text_that_inflates_without_end_is_refused_after_the_last_bucket)
{
	static const char head[] = HEAD("\2", ONE, TOP, "\xff\xff");
	enum { BOMB_BYTES = 64 << 20 };
	uint8_t *bomb = calloc(1, BOMB_BYTES);
	char *text;

	memcpy(bomb, head, HEAD_BYTES);
	text = wrap(bomb, BOMB_BYTES);
	free(bomb);
	cr_expect_eq(decode(text), -EBADMSG);
	expect_sound(-1);
	free(text);
}
