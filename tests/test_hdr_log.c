#include "loadgen/engine/hdr.h"
#include "loadgen/engine/hdr_log.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct histogram h;
static char *text;
static size_t length;
static FILE *file;

static void setup(void)
{
	histogram_reset(&h);
	file = open_memstream(&text, &length);
}

static void teardown(void)
{
	fclose(file);
	free(text);
}

TestSuite(hdr_log, .init = setup, .fini = teardown);

Test(hdr_log, it_begins_with_the_format_the_start_and_the_legend)
{
	cr_assert_eq(hdr_log_begin(file, 1403476110183000000), 0);
	fflush(file);
	cr_expect_str_eq(text, "#[Written by cwt: latencies in ns]\n"
			       "#[Histogram log format version 1.3]\n"
			       "#[BaseTime: 1403476110.183 (seconds since epoch)]\n"
			       "#[StartTime: 1403476110.183 (seconds since epoch), "
			       "Sun Jun 22 22:28:30 UTC 2014]\n"
			       "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
			       "\"Interval_Compressed_Histogram\"\n");
}

/* HdrHistogram's reader in C reads each into 128 bytes, with its end and a NUL. */
Test(hdr_log, no_line_of_its_head_is_longer_than_readers_have_room_for)
{
	cr_assert_eq(hdr_log_begin(file, INT64_MAX), 0);
	fflush(file);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		cr_expect_leq(strcspn(line, "\n"), 126, "%s", line);
}

Test(hdr_log, an_interval_is_a_line_with_seconds_the_largest_in_ms_and_the_histogram)
{
	static struct histogram back;
	static const struct {
		const char *tag;
		int64_t start_ns;
		int64_t length_ns;
		int64_t value;
		const char *prefix;
	} table[] = {
		{ "intended", 0, 1000000000, 12583000, "Tag=intended,0.000,1.000,12.583,HISTFAAA" },
		{ "sent", 1000000000, 1000000000, 1, "Tag=sent,1.000,1.000,0.000,HISTFAAA" },
		{ NULL, 3600999000000, 250000000, 2000000000, "3600.999,0.250,2000.000,HISTFAAA" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char why[HDR_WHY_MAX];
		const char *last;

		histogram_reset(&h);
		histogram_record(&h, table[i].value);
		rewind(file);
		cr_assert_eq(hdr_log_write(file, table[i].tag, table[i].start_ns,
					   table[i].length_ns, &h),
			     0);
		fflush(file);
		cr_expect(strncmp(text, table[i].prefix, strlen(table[i].prefix)) == 0, "%s", text);
		cr_assert_eq(text[length - 1], '\n');
		last = memrchr(text, ',', length) + 1;
		cr_assert_eq(hdr_decode(last, (size_t)(text + length - 1 - last), &back, why), 0);
		cr_expect_arr_eq(back.buckets, h.buckets, sizeof(h.buckets));
	}
}

Test(hdr_log, what_a_reader_would_take_apart_in_the_wrong_place_is_refused)
{
	static const struct {
		const char *tag;
		int64_t start_ns;
		int64_t length_ns;
	} table[] = { { "", 0, 1 },     { "a,b", 0, 1 }, { "a b", 0, 1 },
		      { "a\nb", 0, 1 }, { "a", -1, 1 },  { "a", 0, -1 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		cr_expect_eq(hdr_log_write(file, table[i].tag, table[i].start_ns,
					   table[i].length_ns, &h),
			     -EINVAL);
	fflush(file);
	cr_expect_eq(length, 0);
}

Test(hdr_log, a_full_disk_is_told)
{
	FILE *full = fopen("/dev/full", "we");

	cr_assert_not_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	cr_expect_eq(hdr_log_begin(full, 0), -ENOSPC);
	cr_expect_eq(hdr_log_write(full, NULL, 0, 1, &h), -ENOSPC);
	fclose(full);
}
