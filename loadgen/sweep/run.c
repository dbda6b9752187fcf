#include "loadgen/sweep/run.h"
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum column_type { INTEGER, REAL, TEXT };

struct column {
	const char *name;
	enum column_type type;
	size_t offset;
	size_t size;
	int64_t since; /* the first schema that has it */
};

#define COLUMN_SINCE(type, field, since)                                                           \
	{                                                                                          \
#field, type, offsetof(struct run, field), sizeof(((struct run *)0)->field), since \
	}
#define COLUMN(type, field) COLUMN_SINCE(type, field, 1)

static const struct column columns[] = {
	COLUMN(INTEGER, schema),
	COLUMN(TEXT, case_name),
	COLUMN(INTEGER, twin),
	COLUMN(TEXT, service),
	COLUMN(TEXT, wait),
	COLUMN(TEXT, work),
	COLUMN(TEXT, arch),
	COLUMN(INTEGER, threads),
	COLUMN(INTEGER, cores),
	COLUMN(INTEGER, cpu_ns),
	COLUMN(INTEGER, wall_ns),
	COLUMN(INTEGER, connections),
	COLUMN_SINCE(INTEGER, footprint_bytes, 2),
	COLUMN_SINCE(INTEGER, idle, 2),
	COLUMN_SINCE(INTEGER, requests_per_connection, 2),
	COLUMN_SINCE(TEXT, distribution, 3),
	COLUMN(INTEGER, repetition),
	COLUMN(INTEGER, sequence),
	COLUMN_SINCE(INTEGER, seed, 3),
	COLUMN_SINCE(INTEGER, block, 3),
	COLUMN_SINCE(INTEGER, attempt, 3),
	COLUMN(TEXT, started),
	COLUMN(INTEGER, overhead_ref_ns),
	COLUMN(INTEGER, overhead_ns),
	COLUMN(INTEGER, work_ns),
	COLUMN(INTEGER, wall_cal_ns),
	COLUMN(INTEGER, cpu_alone_ns),
	COLUMN(INTEGER, window_ns),
	COLUMN(INTEGER, requests),
	COLUMN(REAL, throughput_rps),
	COLUMN(TEXT, window_requests),
	COLUMN(REAL, mean_ns),
	COLUMN(INTEGER, p50_ns),
	COLUMN(INTEGER, p90_ns),
	COLUMN(INTEGER, p99_ns),
	COLUMN(INTEGER, p999_ns),
	COLUMN(INTEGER, max_ns),
	COLUMN(INTEGER, error_connect),
	COLUMN(INTEGER, error_reset),
	COLUMN(INTEGER, error_closed),
	COLUMN(INTEGER, error_timeout),
	COLUMN(INTEGER, error_status),
	COLUMN(INTEGER, error_malformed),
	COLUMN(INTEGER, error_changed),
	COLUMN(INTEGER, never_served),
	COLUMN(INTEGER, all_requests),
	COLUMN_SINCE(INTEGER, connects, 2),
	COLUMN_SINCE(INTEGER, idle_lost, 2),
	COLUMN(INTEGER, client_cpu_ns),
	COLUMN(INTEGER, client_lag_p99_ns),
	COLUMN(INTEGER, server_cpu_ns),
	COLUMN_SINCE(INTEGER, processes, 2),
	COLUMN_SINCE(INTEGER, tasks_changed, 2),
	COLUMN(INTEGER, voluntary_switches),
	COLUMN(INTEGER, involuntary_switches),
	COLUMN(INTEGER, run_delay_ns),
	COLUMN(INTEGER, server_threads),
	COLUMN(INTEGER, rss_bytes),
	COLUMN(INTEGER, pss_bytes),
	COLUMN_SINCE(INTEGER, available_before_bytes, 2),
	COLUMN_SINCE(INTEGER, available_after_bytes, 2),
	COLUMN(INTEGER, listen_overflows),
	COLUMN(INTEGER, listen_drops),
	COLUMN(INTEGER, run_ns),
	COLUMN(INTEGER, steal_ns),
	COLUMN(INTEGER, others_cpu_ns),
	COLUMN(INTEGER, ping_pong_before_ns),
	COLUMN(INTEGER, ping_pong_after_ns),
	COLUMN_SINCE(TEXT, rejected, 3),
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), LINE_BYTES = 4096 };

static const char *format_header(char text[LINE_BYTES], int64_t schema)
{
	size_t used = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		if (columns[i].since <= schema)
			used += (size_t)snprintf(text + used, LINE_BYTES - used, "%s%s",
						 used ? "," : "", columns[i].name);
	return text;
}

int run_write_header(FILE *file)
{
	char header[LINE_BYTES];

	fprintf(file, "%s\n", format_header(header, RUN_SCHEMA));
	return fflush(file) == 0 ? 0 : -errno;
}

/* Texts hold no commas: the plan refuses names that do. */
static void write_value(FILE *file, const struct column *column, const struct run *run)
{
	const char *at = (const char *)run + column->offset;

	switch (column->type) {
	case INTEGER:
		fprintf(file, "%lld", (long long)*(const int64_t *)(const void *)at);
		break;
	case REAL:
		fprintf(file, "%.9g", *(const double *)(const void *)at);
		break;
	case TEXT:
		fputs(at, file);
		break;
	}
}

int run_write(FILE *file, const struct run *run)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		if (i > 0)
			fputc(',', file);
		write_value(file, &columns[i], run);
	}
	fputc('\n', file);
	if (fflush(file) != 0 || fsync(fileno(file)) != 0)
		return -errno;
	return 0;
}

static int read_value(const char *text, const struct column *column, struct run *run)
{
	char *at = (char *)run + column->offset;
	char *end = NULL;
	double real;

	errno = 0;
	switch (column->type) {
	case INTEGER:
		*(int64_t *)(void *)at = strtoll(text, &end, 10);
		if (errno == ERANGE)
			return -EINVAL;
		break;
	case REAL:
		*(double *)(void *)at = real = strtod(text, &end);
		if (!isfinite(real))
			return -EINVAL;
		break;
	case TEXT:
		if (strlen(text) >= column->size)
			return -EINVAL;
		memcpy(at, text, strlen(text) + 1);
		return 0;
	}
	return end != text && *end == '\0' ? 0 : -EINVAL;
}

/* One line, without its newline, of a file of that schema. Returns NULL, or what is wrong. */
static const char *parse_row(char *line, int64_t schema, struct run *run)
{
	static char wrong[RUN_NAME_MAX + 32];
	char *rest = line;

	for (size_t i = 0; i < COLUMNS; i++) {
		char *value;

		if (columns[i].since > schema)
			continue;
		value = strsep(&rest, ",");
		if (!value)
			return "too few columns";
		if (read_value(value, &columns[i], run) != 0) {
			snprintf(wrong, sizeof(wrong), "bad value for %s", columns[i].name);
			return wrong;
		}
	}
	if (rest)
		return "too many columns";
	if (run->schema == schema)
		return NULL;
	snprintf(wrong, sizeof(wrong), "schema %lld under a header of schema %lld",
		 (long long)run->schema, (long long)schema);
	return wrong;
}

/* The schema that the header belongs to, or what is wrong with it. */
static const char *read_header(const char *line, int64_t *schema)
{
	char header[LINE_BYTES];

	for (*schema = RUN_SCHEMA; *schema > 0; (*schema)--)
		if (strcmp(line, format_header(header, *schema)) == 0)
			return NULL;
	return "not the header of a runs.csv of schema 1, 2 or 3, which this cwt reads";
}

static int add(struct run **runs, int64_t count, const struct run *run)
{
	if ((count & (count - 1)) == 0) { /* full at every power of two */
		struct run *more = realloc(*runs, sizeof(*more) * (size_t)(count ? count * 2 : 1));

		if (!more)
			return -ENOMEM;
		*runs = more;
	}
	(*runs)[count] = *run;
	return 0;
}

/* Whether a line that has no newline is the file's last, rather than longer than any row. */
static bool is_at_end(FILE *file)
{
	int next = fgetc(file);

	if (next != EOF)
		ungetc(next, file);
	return next == EOF;
}

int64_t run_read_all(const char *path, struct run **runs, char *why, size_t size)
{
	FILE *file = fopen(path, "re");
	char line[LINE_BYTES];
	const char *wrong = NULL;
	int64_t count = 0;
	int64_t line_number = 0;
	int64_t schema = 0;

	*runs = NULL;
	if (!file) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return -errno;
	}
	why[0] = '\0';
	while (!wrong && fgets(line, sizeof(line), file)) {
		/* What older schemas lack was always so. */
		struct run run = { .distribution = "constant", .rejected = "-" };

		if (line_number++ > 0 && !strchr(line, '\n') && is_at_end(file)) {
			snprintf(why, size,
				 "%s:%lld: the last line was cut short while it was written; the "
				 "%lld runs before it are used",
				 path, (long long)line_number, (long long)count);
			break;
		}
		line[strcspn(line, "\n")] = '\0';
		if (line_number == 1)
			wrong = read_header(line, &schema);
		else if (!wrong)
			wrong = parse_row(line, schema, &run);
		if (!wrong && line_number > 1 && add(runs, count++, &run) != 0)
			wrong = "out of memory";
	}
	fclose(file);
	if (!wrong && line_number == 0)
		wrong = "empty";
	if (!wrong)
		return count;
	snprintf(why, size, "%s:%lld: %s", path, (long long)line_number, wrong);
	free(*runs);
	*runs = NULL;
	return -EINVAL;
}

bool run_column(size_t index, struct run_column *column)
{
	static const char *const types[] = { "integer", "real", "text" };

	if (index >= COLUMNS)
		return false;
	*column = (struct run_column){ columns[index].name, types[columns[index].type],
				       columns[index].since };
	return true;
}

struct run run_usual(const char *case_name, const char *wait)
{
	struct run run = {
		.schema = RUN_SCHEMA,
		.twin = 1,
		.service = "app",
		.work = "clock",
		.distribution = "constant",
		.rejected = "-",
	};

	snprintf(run.case_name, sizeof(run.case_name), "%s", case_name);
	snprintf(run.wait, sizeof(run.wait), "%s", wait);
	return run;
}

bool run_same_load(const struct run *a, const struct run *b)
{
	return strcmp(a->service, b->service) == 0 && strcmp(a->wait, b->wait) == 0 &&
	       strcmp(a->work, b->work) == 0 && a->cores == b->cores && a->cpu_ns == b->cpu_ns &&
	       a->wall_ns == b->wall_ns && a->footprint_bytes == b->footprint_bytes &&
	       a->idle == b->idle && a->requests_per_connection == b->requests_per_connection &&
	       strcmp(a->distribution, b->distribution) == 0;
}

int run_same_point(const struct run *a, const struct run *b)
{
	return run_same_load(a, b) && strcmp(a->arch, b->arch) == 0 && a->threads == b->threads &&
	       a->connections == b->connections;
}

bool run_is_exponential(const struct run *run)
{
	return strcmp(run->distribution, "exponential") == 0;
}

bool run_is_predicted(const struct run *run)
{
	return run->cpu_ns > 0 && strcmp(run->work, "ops") != 0 &&
	       run->requests_per_connection == 0;
}
