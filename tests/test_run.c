#include "loadgen/sweep/run.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 16384 };

static char path[] = "/tmp/cwt-test-run-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

TestSuite(run, .init = setup, .fini = teardown);

/* Every number a different one, so that columns that change places show. */
static struct run sample(int64_t salt)
{
	struct run run = { .case_name = "long poll ÷10",
			   .service = "app",
			   .wait = "timer",
			   .work = "clock",
			   .arch = "pool --accept shared",
			   .distribution = "exponential",
			   .rejected = "little",
			   .started = "2026-01-02T03:04:05Z",
			   .window_requests = "10;20;30;40",
			   .throughput_rps = 192.7,
			   .mean_ns = 129733333.25 };
	int64_t *const first = &run.threads;
	int64_t *const spans[][2] = {
		{ first, &run.requests_per_connection },
		{ &run.repetition, &run.attempt },
		{ &run.overhead_ref_ns, &run.requests },
		{ &run.p50_ns, &run.ping_pong_after_ns },
	};
	int64_t value = salt * 1000;

	run.schema = RUN_SCHEMA;
	run.twin = 10;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		for (int64_t *at = spans[i][0]; at <= spans[i][1]; at++)
			*at = ++value;
	run.steal_ns = INT64_MAX;
	run.listen_drops = -1;
	return run;
}

static void expect_equal(const struct run *a, const struct run *b)
{
	cr_expect_str_eq(a->case_name, b->case_name);
	cr_expect_str_eq(a->service, b->service);
	cr_expect_str_eq(a->wait, b->wait);
	cr_expect_str_eq(a->work, b->work);
	cr_expect_str_eq(a->arch, b->arch);
	cr_expect_str_eq(a->started, b->started);
	cr_expect_str_eq(a->window_requests, b->window_requests);
	cr_expect_float_eq(a->throughput_rps, b->throughput_rps, 1e-6);
	cr_expect_float_eq(a->mean_ns, b->mean_ns, 1);
	cr_expect_eq(a->schema, b->schema);
	cr_expect_eq(a->twin, b->twin);
	cr_expect_str_eq(a->distribution, b->distribution);
	cr_expect_str_eq(a->rejected, b->rejected);
	cr_expect_arr_eq(&a->threads, &b->threads,
			 offsetof(struct run, distribution) - offsetof(struct run, threads));
	cr_expect_arr_eq(&a->repetition, &b->repetition,
			 offsetof(struct run, started) - offsetof(struct run, repetition));
	cr_expect_arr_eq(&a->overhead_ref_ns, &b->overhead_ref_ns,
			 offsetof(struct run, throughput_rps) -
				 offsetof(struct run, overhead_ref_ns));
	cr_expect_arr_eq(&a->p50_ns, &b->p50_ns,
			 offsetof(struct run, rejected) - offsetof(struct run, p50_ns));
}

static void write_runs(int count)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	cr_assert_eq(run_write_header(file), 0);
	for (int i = 0; i < count; i++) {
		struct run run = sample(i);

		cr_assert_eq(run_write(file, &run), 0);
	}
	fclose(file);
}

static void read_text(char text[TEXT_MAX])
{
	FILE *file = fopen(path, "re");

	cr_assert_not_null(file);
	text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
	fclose(file);
}

static void write_text(const char *text)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect_refused(const char *line, const char *word)
{
	char start[128];
	char why[256] = "";
	struct run *runs = (struct run *)1;
	int64_t count = run_read_all(path, &runs, why, sizeof(why));

	cr_expect_eq(count, -EINVAL, "%s: %lld", word, (long long)count);
	cr_expect_null(runs);
	snprintf(start, sizeof(start), "%s:%s: ", path, line);
	cr_expect_eq(strncmp(why, start, strlen(start)), 0, "'%s' is not at %s", why, start);
	cr_expect_not_null(strstr(why, word), "'%s' lacks '%s'", why, word);
}

Test(run, what_was_written_is_read_back)
{
	static const int counts[] = { 0, 1, 2, 3, 4, 5, 9 };
	char why[256];

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct run *runs;

		write_runs(counts[i]);
		cr_assert_eq(run_read_all(path, &runs, why, sizeof(why)), counts[i]);
		for (int j = 0; j < counts[i]; j++) {
			struct run expected = sample(j);

			expect_equal(&runs[j], &expected);
		}
		free(runs);
	}
}

Test(run, a_row_is_on_disk_when_writing_returns)
{
	FILE *file = fopen(path, "we");
	struct run run = sample(1);
	struct run *runs;
	char why[256];

	cr_assert_eq(run_write_header(file), 0);
	cr_assert_eq(run_write(file, &run), 0);
	cr_expect_eq(run_read_all(path, &runs, why, sizeof(why)), 1);
	free(runs);
	fclose(file);
}

Test(run, texts_as_long_as_their_room_are_read_back)
{
	FILE *file = fopen(path, "we");
	struct run run = sample(1);
	struct run *runs;
	char why[256];

	memset(run.case_name, 'n', sizeof(run.case_name) - 1);
	memset(run.window_requests, '1', sizeof(run.window_requests) - 1);
	cr_assert_eq(run_write_header(file), 0);
	cr_assert_eq(run_write(file, &run), 0);
	fclose(file);
	cr_assert_eq(run_read_all(path, &runs, why, sizeof(why)), 1, "%s", why);
	expect_equal(runs, &run);
	free(runs);
}

/* Replace the value in the column `name` of the last row. */
static void replace(char text[TEXT_MAX], const char *name, const char *value)
{
	char rest[TEXT_MAX];
	char *header = text;
	char *at;

	text[strlen(text) - 1] = '\0';
	at = strrchr(text, '\n') + 1;
	while (strncmp(header, name, strlen(name)) != 0 || !strchr(",\n", header[strlen(name)])) {
		header = strchr(header, ',') + 1;
		at = strchr(at, ',') + 1;
	}
	snprintf(rest, sizeof(rest), "%s", at + strcspn(at, ","));
	snprintf(at, (size_t)(TEXT_MAX - (at - text)), "%s%s\n", value, rest);
}

Test(run, a_bad_value_is_refused_with_its_line_and_column)
{
	static const struct {
		const char *column;
		const char *value;
		const char *word;
	} table[] = {
		{ "threads", "25x", "threads" },
		{ "threads", "", "threads" },
		{ "threads", "2.5", "threads" },
		{ "cpu_ns", "0x10", "cpu_ns" },
		{ "cpu_ns", "five", "cpu_ns" },
		{ "throughput_rps", "fast", "throughput_rps" },
		{ "throughput_rps", "", "throughput_rps" },
		{ "throughput_rps", "nan", "throughput_rps" },
		{ "mean_ns", "inf", "mean_ns" },
		{ "throughput_rps", "1.5.2", "throughput_rps" },
		{ "service", "a word that is too long for it", "service" },
		{ "arch", "a name with options that is too long to be one of ours", "arch" },
		{ "schema", "1", "schema 1 under a header of schema 3" },
		{ "schema", "2", "schema 2 under" },
		{ "schema", "4", "schema 4 under" },
		{ "distribution", "a word that is too long for it", "distribution" },
		{ "rejected", "a word that is too long for it", "rejected" },
		{ "seed", "", "seed" },
		{ "seed", "9223372036854775808", "seed" },
		{ "block", "first", "block" },
		{ "attempt", "1.5", "attempt" },
		{ "schema", "one", "schema" },
	};
	static char text[TEXT_MAX];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		write_runs(3);
		read_text(text);
		replace(text, table[i].column, table[i].value);
		write_text(text);
		expect_refused("4", table[i].word);
	}
}

/* The columns that came after schema 1, and with which. */
static int64_t since(const char *name)
{
	static const struct {
		const char *name;
		int64_t schema;
	} table[] = {
		{ "footprint_bytes", 2 },
		{ "idle", 2 },
		{ "requests_per_connection", 2 },
		{ "connects", 2 },
		{ "idle_lost", 2 },
		{ "processes", 2 },
		{ "tasks_changed", 2 },
		{ "available_before_bytes", 2 },
		{ "available_after_bytes", 2 },
		{ "distribution", 3 },
		{ "seed", 3 },
		{ "block", 3 },
		{ "attempt", 3 },
		{ "rejected", 3 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].schema;
	return 1;
}

/* One line without the values whose column that schema does not have. */
static void print_old_columns(FILE *file, char *header, char *line, int64_t schema)
{
	const char *comma = "";
	char *name;

	while ((name = strsep(&header, ","))) {
		const char *value = strsep(&line, ",");

		if (since(name) > schema)
			continue;
		fprintf(file, "%s%s", comma, value);
		comma = ",";
	}
	fputc('\n', file);
}

/* A file with one run, as that schema has it. */
static void write_old_run(int64_t schema)
{
	static char text[TEXT_MAX];
	char header[2][4096];
	char number[8];
	char *row;
	FILE *file;

	write_runs(1);
	read_text(text);
	snprintf(number, sizeof(number), "%lld", (long long)schema);
	replace(text, "schema", number);
	row = strchr(text, '\n') + 1;
	*strchr(row, '\n') = row[-1] = '\0';
	strcpy(header[0], text);
	strcpy(header[1], text);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	print_old_columns(file, header[0], text, schema);
	print_old_columns(file, header[1], row, schema);
	fclose(file);
}

Test(run, a_file_of_an_older_schema_is_read_with_what_was_always_so_for_what_it_lacks)
{
	for (int64_t schema = 1; schema <= RUN_SCHEMA; schema++) {
		struct run expected = sample(0);
		struct run *runs;
		char why[256];

		write_old_run(schema);
		cr_assert_eq(run_read_all(path, &runs, why, sizeof(why)), 1, "%s", why);
		expected.schema = schema;
		if (schema < 2) {
			expected.footprint_bytes = expected.idle = 0;
			expected.requests_per_connection = 0;
			expected.connects = expected.idle_lost = 0;
			expected.processes = expected.tasks_changed = 0;
			expected.available_before_bytes = expected.available_after_bytes = 0;
		}
		if (schema < 3) {
			strcpy(expected.distribution, "constant");
			strcpy(expected.rejected, "-");
			expected.seed = expected.block = expected.attempt = 0;
		}
		expect_equal(runs, &expected);
		free(runs);
	}
}

Test(run, a_row_of_an_older_schema_does_not_go_under_a_newer_header)
{
	static char text[TEXT_MAX];
	static char old[TEXT_MAX];

	for (int64_t schema = 1; schema < RUN_SCHEMA; schema++) {
		write_old_run(schema);
		read_text(old);
		write_runs(1);
		read_text(text);
		strcat(text, strchr(old, '\n') + 1);
		write_text(text);
		expect_refused("3", "");
	}
}

Test(run, too_many_columns_are_refused)
{
	static char text[TEXT_MAX];

	write_runs(2);
	read_text(text);
	strcpy(strrchr(text, '\n'), ",1\n");
	write_text(text);
	expect_refused("3", "too many columns");
}

Test(run, too_few_columns_are_refused)
{
	static char text[TEXT_MAX];

	write_runs(2);
	read_text(text);
	strcpy(strrchr(text, ','), "\n");
	write_text(text);
	expect_refused("3", "too few columns");
	write_runs(1);
	read_text(text);
	strcat(text, "\n");
	write_text(text);
	expect_refused("3", "");
}

Test(run, another_header_is_refused)
{
	static const char *const headers[] = { "schema,case_name\n", "a,b,c\n", "\n", "#\n" };
	static char text[TEXT_MAX];

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		write_text(headers[i]);
		expect_refused("1", "schema 1, 2 or 3");
	}
	write_runs(1);
	read_text(text);
	write_text(strchr(text, '\n') + 1);
	expect_refused("1", "header");
}

Test(run, an_empty_file_is_refused)
{
	write_text("");
	expect_refused("0", "empty");
}

Test(run, a_file_that_is_not_there_is_named)
{
	struct run *runs;
	char why[256];

	cr_expect_eq(run_read_all("/nonexistent/runs.csv", &runs, why, sizeof(why)), -ENOENT);
	cr_expect_not_null(strstr(why, "/nonexistent/runs.csv"));
	cr_expect_null(runs);
}

Test(run, a_point_is_what_was_asked_of_the_server_and_the_load)
{
	struct run a = sample(1);
	struct run b;
	int64_t *const asked[] = { &b.threads,     &b.cores,
				   &b.cpu_ns,      &b.wall_ns,
				   &b.connections, &b.footprint_bytes,
				   &b.idle,        &b.requests_per_connection };
	char *const words[] = { b.service, b.wait, b.work, b.arch, b.distribution };

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		b = a;
		(*asked[i])++;
		cr_expect_not(run_same_point(&a, &b), "number %zu", i);
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		b = a;
		strcpy(words[i], "other");
		cr_expect_not(run_same_point(&a, &b), "word %zu", i);
	}
	b = a;
	b.repetition++;
	b.sequence++;
	b.seed++;
	b.block++;
	b.attempt++;
	strcpy(b.rejected, "-");
	b.throughput_rps *= 2;
	b.requests = 1;
	b.overhead_ns++;
	strcpy(b.case_name, "another case with the same point");
	cr_expect(run_same_point(&a, &b));
}

Test(run, the_model_predicts_where_there_is_work_and_connections_last)
{
	struct run run = { .cpu_ns = 1, .idle = 5, .footprint_bytes = 4096 };

	cr_expect(run_is_predicted(&run));
	run.requests_per_connection = 1;
	cr_expect_not(run_is_predicted(&run));
	run.requests_per_connection = 0;
	strcpy(run.work, "ops");
	cr_expect_not(run_is_predicted(&run));
	strcpy(run.work, "clock");
	cr_expect(run_is_predicted(&run));
	run.cpu_ns = 0;
	cr_expect_not(run_is_predicted(&run));
}
