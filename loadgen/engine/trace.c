#include "loadgen/engine/trace.h"
#include "common/clock.h"
#include "common/units.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

/* The times of many threads' schedules, each of which walks through all of it, are known then. */
static const int64_t sum_most_ns = 365 * 24 * 3600LL * NS_PER_S;

/* What is read so far, and where. */
struct reader {
	const char *path;
	size_t line;
	int64_t *gaps_ns;
	size_t count;
	size_t room;
	int64_t sum_ns;
	char *why;
	size_t size;
};

static int fail(const struct reader *reader, int rc, const char *reason)
{
	snprintf(reader->why, reader->size, "%s: %s", reader->path, reason);
	return rc;
}

static int fail_at_line(const struct reader *reader, int rc, const char *text, const char *reason)
{
	snprintf(reader->why, reader->size, "%s:%zu: %.40s: %s", reader->path, reader->line, text,
		 reason);
	return rc;
}

static int append(struct reader *reader, int64_t gap_ns)
{
	if (reader->count == reader->room) {
		size_t room = reader->room > 0 ? 2 * reader->room : FIRST_ROOM;
		int64_t *gaps_ns = reallocarray(reader->gaps_ns, room, sizeof(*gaps_ns));

		if (!gaps_ns)
			return fail(reader, -ENOMEM, strerror(ENOMEM));
		reader->gaps_ns = gaps_ns;
		reader->room = room;
	}
	reader->gaps_ns[reader->count++] = gap_ns;
	return 0;
}

/* Cut what is no part of the time off a line: a comment, and white space at both ends. */
static char *trim(char *line)
{
	size_t length;

	line += strspn(line, " \t");
	length = strcspn(line, "#");
	while (length > 0 && strchr(" \t\r\n", line[length - 1]))
		length--;
	line[length] = '\0';
	return line;
}

static int take_line(struct reader *reader, char *line, size_t length)
{
	bool is_text = strlen(line) == length;
	char *text = trim(line);
	int64_t gap_ns;
	int rc;

	reader->line++;
	if (!is_text)
		return fail_at_line(reader, -EINVAL, text, "there is a zero byte behind it");
	if (*text == '\0')
		return 0;
	rc = units_parse_duration(text, &gap_ns);
	if (rc == -EINVAL)
		return fail_at_line(reader, rc, text, "want a time such as 800us or 1.5ms");
	if (rc != 0 || gap_ns > sum_most_ns - reader->sum_ns)
		return fail_at_line(reader, -ERANGE, text, "longer than a year, all in all");
	reader->sum_ns += gap_ns;
	return append(reader, gap_ns);
}

static int read_lines(struct reader *reader, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int rc = 0;

	errno = 0;
	while (rc == 0 && (length = getline(&line, &room, file)) >= 0)
		rc = take_line(reader, line, (size_t)length);
	if (rc == 0 && !feof(file))
		rc = fail(reader, errno ? -errno : -EIO, strerror(errno ? errno : EIO));
	free(line);
	return rc;
}

int trace_read(const char *path, int64_t **gaps_ns, size_t *count, char *why, size_t size)
{
	struct reader reader = { .path = path, .why = why, .size = size };
	FILE *file = fopen(path, "re");
	int rc;

	*gaps_ns = NULL;
	*count = 0;
	if (!file)
		return fail(&reader, -errno, strerror(errno));
	rc = read_lines(&reader, file);
	fclose(file);
	if (rc == 0 && reader.count == 0)
		rc = fail(&reader, -EINVAL, "there is no time in it");
	else if (rc == 0 && reader.sum_ns == 0)
		rc = fail(&reader, -EINVAL, "all of its times are 0");
	if (rc != 0) {
		free(reader.gaps_ns);
		return rc;
	}
	*gaps_ns = reader.gaps_ns;
	*count = reader.count;
	return 0;
}

double trace_rate(const int64_t *gaps_ns, size_t count)
{
	int64_t sum_ns = 0;

	for (size_t i = 0; i < count; i++)
		sum_ns += gaps_ns[i];
	return (double)count * NS_PER_S / (double)sum_ns;
}
