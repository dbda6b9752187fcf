#include "loadgen/engine/hdr_log.h"
#include "loadgen/engine/hdr.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double second_ns = 1e9;
static const double max_unit_ns = 1e6; /* the column's, by custom */

static int written(int result)
{
	if (result >= 0)
		return 0;
	return errno != 0 ? -errno : -EIO;
}

/*
 * BaseTime says that starts are offsets, which readers otherwise guess. No line of the head may
 * have more than 126 characters: HdrHistogram's reader in C has no room for more.
 */
int hdr_log_begin(FILE *file, int64_t start_unix_ns)
{
	double start_s = (double)start_unix_ns / second_ns;
	time_t second = (time_t)(start_unix_ns / 1000000000);
	struct tm date;
	char text[64];

	if (!gmtime_r(&second, &date))
		return -errno;
	strftime(text, sizeof(text), "%a %b %d %H:%M:%S UTC %Y", &date);
	return written(fprintf(file,
			       "#[Written by cwt: latencies in ns]\n"
			       "#[Histogram log format version 1.3]\n"
			       "#[BaseTime: %.3f (seconds since epoch)]\n"
			       "#[StartTime: %.3f (seconds since epoch), %s]\n"
			       "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
			       "\"Interval_Compressed_Histogram\"\n",
			       start_s, start_s, text));
}

int hdr_log_write(FILE *file, const char *tag, int64_t start_ns, int64_t length_ns,
		  const struct histogram *histogram)
{
	char *text;
	int rc;

	if (start_ns < 0 || length_ns < 0 ||
	    (tag && (tag[0] == '\0' || strpbrk(tag, ", \t\r\n") != NULL)))
		return -EINVAL;
	rc = hdr_encode(histogram, &text);
	if (rc != 0)
		return rc;
	rc = written(fprintf(file, "%s%s%s%.3f,%.3f,%.3f,%s\n", tag ? "Tag=" : "", tag ? tag : "",
			     tag ? "," : "", (double)start_ns / second_ns,
			     (double)length_ns / second_ns, (double)histogram->most / max_unit_ns,
			     text));
	free(text);
	return rc;
}
