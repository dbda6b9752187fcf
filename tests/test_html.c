/* Pieces of HTML: text that stands for itself, and figures' data as tables. */
#include "loadgen/report/html.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect_written(const char *text, const char *expected)
{
	char *html = NULL;
	size_t size;
	FILE *file = open_memstream(&html, &size);

	cr_assert_not_null(file);
	html_write(file, text);
	fclose(file);
	cr_expect_str_eq(html, expected);
	free(html);
}

Test(html, text_stands_for_itself)
{
	expect_written("", "");
	expect_written("p99 < 20 ms & \"x\" > y", "p99 &lt; 20 ms &amp; &quot;x&quot; &gt; y");
	expect_written("t_max ± 2 %", "t_max ± 2 %");
}

/* The data as HTML, with no tag but those of cells and captions, one row a line. */
static char *tables_of(const char *data)
{
	char path[] = "/tmp/cwt-html-XXXXXX";
	int fd = mkstemp(path);
	char *html = NULL;
	size_t size;
	FILE *file = open_memstream(&html, &size);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, data, strlen(data)), (ssize_t)strlen(data));
	close(fd);
	cr_expect_eq(html_write_data(file, path), 0);
	fclose(file);
	unlink(path);
	return html;
}

static int count_of(const char *text, const char *word)
{
	int count = 0;

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		count++;
	return count;
}

Test(html, each_block_of_data_is_a_table_under_its_name)
{
	char *html = tables_of("# claim: a < b\n# columns: t measured/s case\n\"pool\"\n"
			       "1 98.5 \"heavy app\\nt = 1\"\n10 nan \"light\"\n\n\n"
			       "\"w/c = 1 & more\"\n2 3 \"x\"\n");

	cr_expect_eq(count_of(html, "<table>"), 2);
	cr_expect_eq(count_of(html, "</table>"), 2);
	cr_expect_eq(count_of(html, "<th scope=\"col\">"), 6, "the names hold until others come");
	cr_expect_not_null(strstr(html, "<caption>pool</caption>"));
	cr_expect_not_null(strstr(html, "<caption>w/c = 1 &amp; more</caption>"));
	cr_expect_not_null(strstr(html, "<tr><td class=\"number\">1</td><td class=\"number\">98.5"
					"</td><td>heavy app, t = 1</td></tr>"));
	cr_expect_not_null(strstr(html, "<td class=\"number\">–</td>"), "not a number");
	cr_expect_null(strstr(html, "claim"));
	free(html);
}

Test(html, other_columns_begin_another_table)
{
	char *html = tables_of("# columns: a\n1\n# columns: b c\n2 3\n");

	cr_expect_eq(count_of(html, "<table>"), 2);
	cr_expect_eq(count_of(html, "<th scope=\"col\">"), 3);
	free(html);
}

Test(html, data_that_is_not_there_is_an_error)
{
	cr_expect_eq(html_write_data(stdout, "/nonexistent/x.dat"), -ENOENT);
}
