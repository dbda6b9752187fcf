#include "loadgen/engine/trace.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static void write_file(const char *bytes, size_t length)
{
	int fd;

	strcpy(path, "/tmp/cwt-test-trace-XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

Test(trace, it_has_one_time_a_line_and_may_have_comments_and_blank_lines)
{
	static const struct {
		const char *text;
		size_t count;
		int64_t gaps_ns[4];
		double rate;
	} table[] = {
		{ "1ms\n", 1, { 1000000 }, 1000 },
		{ "1ms", 1, { 1000000 }, 1000 },
		{ "1.5ms\n800us\n0\n1s\n", 4, { 1500000, 800000, 0, 1000000000 }, 4 / 1.0023 },
		{ "# of a Monday\n\n 10us\t\n\t# noon\n30us # evening\r\n\r\n",
		  2,
		  { 10000, 30000 },
		  50000 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t *read_ns = NULL;
		size_t count = 0;
		char why[256] = "";

		write_file(table[i].text, strlen(table[i].text));
		cr_expect_eq(trace_read(path, &read_ns, &count, why, sizeof(why)), 0, "%s", why);
		unlink(path);
		cr_assert_eq(count, table[i].count, "%s", table[i].text);
		cr_expect_arr_eq(read_ns, table[i].gaps_ns, count * sizeof(*read_ns));
		cr_expect_float_eq(trace_rate(read_ns, count), table[i].rate, 1e-9 * table[i].rate);
		free(read_ns);
	}
}

Test(trace, thousands_of_lines_are_read)
{
	enum { LINES = 10000 };
	static char text[4 * LINES + 1];
	int64_t *read_ns = NULL;
	size_t count = 0;
	char why[256] = "";

	for (int i = 0; i < LINES; i++)
		memcpy(text + 4 * i, "2us\n", 4);
	write_file(text, sizeof(text) - 1);
	cr_assert_eq(trace_read(path, &read_ns, &count, why, sizeof(why)), 0, "%s", why);
	unlink(path);
	cr_expect_eq(count, LINES);
	cr_expect_float_eq(trace_rate(read_ns, count), 500000, 1e-6);
	free(read_ns);
}

Test(trace, what_is_none_is_refused_with_file_line_and_reason)
{
	static const struct {
		const char *text;
		size_t length; /* or 0: that of a string */
		int rc;
		const char *reason; /* behind the path */
	} table[] = {
		{ "1ms\n# x\n\n5\n", 0, -EINVAL, ":4: 5: want a time such as 800us or 1.5ms" },
		{ "1ms 2ms\n", 0, -EINVAL, ":1: 1ms 2ms: want a time such as 800us or 1.5ms" },
		{ "-1ms\n", 0, -EINVAL, ":1: -1ms: want a time such as 800us or 1.5ms" },
		{ "2us\n1.5ns\n", 0, -EINVAL, ":2: 1.5ns: want a time such as 800us or 1.5ms" },
		{ "1ms\0 2ms\n", 9, -EINVAL, ":1: 1ms: there is a zero byte behind it" },
		{ "1ms\n5000h\n5000h\n", 0, -ERANGE, ":3: 5000h: longer than a year, all in all" },
		{ "8761h\n", 0, -ERANGE, ":1: 8761h: longer than a year, all in all" },
		{ "9000000h\n", 0, -ERANGE, ":1: 9000000h: longer than a year, all in all" },
		{ "0\n0ms\n", 0, -EINVAL, ": all of its times are 0" },
		{ "# nothing\n\n", 0, -EINVAL, ": there is no time in it" },
		{ "", 0, -EINVAL, ": there is no time in it" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t *read_ns = (int64_t *)1;
		size_t count = 1;
		char why[256] = "";
		size_t length = table[i].length;

		write_file(table[i].text, length > 0 ? length : strlen(table[i].text));
		cr_expect_eq(trace_read(path, &read_ns, &count, why, sizeof(why)), table[i].rc);
		unlink(path);
		cr_expect_null(read_ns);
		cr_assert_eq(strncmp(why, path, strlen(path)), 0, "%s", why);
		cr_expect_str_eq(why + strlen(path), table[i].reason);
	}
}

Test(trace, a_file_that_cannot_be_read_is_named)
{
	int64_t *read_ns;
	size_t count;
	char why[256] = "";

	cr_expect_eq(trace_read("/no/such/trace", &read_ns, &count, why, sizeof(why)), -ENOENT);
	cr_expect_str_eq(why, "/no/such/trace: No such file or directory");
	cr_expect_eq(trace_read("/tmp", &read_ns, &count, why, sizeof(why)), -EISDIR);
	cr_expect_str_eq(why, "/tmp: Is a directory");
}
