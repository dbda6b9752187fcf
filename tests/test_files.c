/* runs.csv as others find it: cut short, and as docs/files.md has it. */
#include "loadgen/sweep/run.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 16384, DOC_MAX = 65536 };

static char path[] = "/tmp/cwt-test-files-XXXXXX";

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

TestSuite(files, .init = setup, .fini = teardown);

static void write_runs(int count)
{
	struct run run = lawful_run(10, 1000000, 10000000, 900);
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	cr_assert_eq(run_write_header(file), 0);
	for (run.repetition = 0; run.repetition < count; run.repetition++)
		cr_assert_eq(run_write(file, &run), 0);
	fclose(file);
}

static void read_text(const char *from, char *text, size_t size)
{
	FILE *file = fopen(from, "re");

	cr_assert_not_null(file, "%s", from);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void write_text(const char *text)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect_refused(const char *line)
{
	char start[128];
	char why[256] = "";
	struct run *runs = (struct run *)1;

	cr_expect_eq(run_read_all(path, &runs, why, sizeof(why)), -EINVAL);
	cr_expect_null(runs);
	snprintf(start, sizeof(start), "%s:%s: ", path, line);
	cr_expect_eq(strncmp(why, start, strlen(start)), 0, "'%s' is not at %s", why, start);
}

/* What a sweep leaves that was killed while it wrote. */
Test(files, a_last_line_that_was_cut_anywhere_is_told_and_the_rest_is_read)
{
	static char whole[TEXT_MAX];
	static char text[TEXT_MAX];
	char where[128];
	size_t length;

	write_runs(1);
	read_text(path, text, sizeof(text));
	length = strlen(text);
	write_runs(2);
	read_text(path, whole, sizeof(whole));
	snprintf(where, sizeof(where), "%s:3: ", path);
	for (size_t cut = length; cut <= strlen(whole); cut++) {
		bool is_cut = cut > length && cut < strlen(whole);
		struct run *runs = NULL;
		char why[256] = "?";

		memcpy(text, whole, cut);
		text[cut] = '\0';
		write_text(text);
		cr_assert_eq(run_read_all(path, &runs, why, sizeof(why)),
			     cut < strlen(whole) ? 1 : 2, "at %zu: %s", cut, why);
		cr_expect_eq(strncmp(why, where, strlen(where)) == 0, is_cut, "at %zu: '%s'", cut,
			     why);
		cr_expect_eq(strstr(why, "cut short") != NULL, is_cut, "at %zu: '%s'", cut, why);
		cr_expect_eq(why[0] == '\0', !is_cut);
		free(runs);
	}
}

Test(files, a_line_that_was_cut_in_the_middle_is_refused)
{
	static char text[TEXT_MAX];
	char *cut;

	write_runs(3);
	read_text(path, text, sizeof(text));
	cut = strchr(text, '\n') + 1; /* the second of three rows loses its end */
	cut = strchr(cut, '\n') + 1;
	cut = strchr(cut, '\n');
	memmove(cut - 8, cut, strlen(cut) + 1);
	write_text(text);
	expect_refused("3");
}

Test(files, a_line_longer_than_any_row_is_refused)
{
	static char text[TEXT_MAX];
	size_t length;

	write_runs(1);
	read_text(path, text, sizeof(text));
	length = strlen(text);
	memset(text + length, '1', 6000);
	text[length + 6000] = '\0';
	write_text(text);
	expect_refused("3");
}

Test(files, a_load_is_that_of_the_requests_whoever_serves_them)
{
	struct run a = lawful_run(10, 1000000, 10000000, 900);
	struct run b = a;

	strcpy(b.arch, "loop");
	b.threads = 0;
	b.connections++;
	cr_expect(run_same_load(&a, &b));
	cr_expect_not(run_same_point(&a, &b));
	strcpy(b.distribution, "exponential");
	cr_expect_not(run_same_load(&a, &b));
}

/* Names, types and schemas of docs/files.md are those that are written. */
Test(files, the_documented_columns_are_those_of_the_file)
{
	static char text[DOC_MAX];
	char doc[PATH_MAX];
	char row[256];
	size_t documented = 0;
	size_t index = 0;
	struct run_column column;

	snprintf(doc, sizeof(doc), "%s/files.md", getenv("CWT_DOCS"));
	read_text(doc, text, sizeof(text));
	for (const char *at = strstr(text, "| column | type |"); at && *at == '|';
	     at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		documented++;
	while (run_column(index, &column)) {
		snprintf(row, sizeof(row), "\n| `%s` | %s | %lld | ", column.name, column.type,
			 (long long)column.since);
		cr_expect_not_null(strstr(text, row), "docs/files.md lacks '%s'", row + 1);
		index++;
	}
	/* Two lines of the table are its head. */
	cr_expect_eq(documented, index + 2, "%zu rows for %zu columns", documented - 2, index);
	write_runs(0);
	read_text(path, text, sizeof(text));
	for (size_t i = 0; i < index; i++) {
		cr_assert(run_column(i, &column));
		cr_expect(i == 0 || strstr(text, column.name));
	}
}
