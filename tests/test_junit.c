#include "loadgen/report/junit.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

static void written(const char *suite, const struct junit_case *cases, size_t count,
		    char text[TEXT_MAX])
{
	char path[] = "/tmp/cwt-test-junit-XXXXXX";
	int fd = mkstemp(path);
	FILE *file;

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(junit_write(path, suite, cases, count), 0);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
	fclose(file);
	unlink(path);
}

Test(junit, each_status_has_its_element_and_is_counted)
{
	static const struct junit_case cases[] = {
		{ "a", "group", 1.5, JUNIT_PASSED, NULL },
		{ "b", "group", 0.25, JUNIT_FAILED, "slower" },
		{ "c", "group", 0, JUNIT_SKIPPED, "unclear" },
		{ "d", "group", 0, JUNIT_ERROR, "no run" },
		{ "e", "group", 0, JUNIT_PASSED, "" },
	};
	char text[TEXT_MAX];

	written("a suite", cases, 5, text);
	cr_expect_str_eq(text,
			 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<testsuites>\n"
			 "  <testsuite name=\"a suite\" tests=\"5\" failures=\"1\" errors=\"1\" "
			 "skipped=\"1\" time=\"1.750\">\n"
			 "    <testcase name=\"a\" classname=\"group\" time=\"1.500\"/>\n"
			 "    <testcase name=\"b\" classname=\"group\" time=\"0.250\">\n"
			 "      <failure message=\"slower\"/>\n"
			 "    </testcase>\n"
			 "    <testcase name=\"c\" classname=\"group\" time=\"0.000\">\n"
			 "      <skipped message=\"unclear\"/>\n"
			 "    </testcase>\n"
			 "    <testcase name=\"d\" classname=\"group\" time=\"0.000\">\n"
			 "      <error message=\"no run\"/>\n"
			 "    </testcase>\n"
			 "    <testcase name=\"e\" classname=\"group\" time=\"0.000\"/>\n"
			 "  </testsuite>\n"
			 "</testsuites>\n");
}

Test(junit, texts_keep_their_meaning_in_xml)
{
	static const struct junit_case one = { "a<b> & \"c\"", "long poll ÷10", 0, JUNIT_FAILED,
					       "one\ntwo\tthree\001" };
	char text[TEXT_MAX];

	written("&", &one, 1, text);
	cr_expect_not_null(strstr(text, "<testsuite name=\"&amp;\""), "%s", text);
	cr_expect_not_null(strstr(text, "name=\"a&lt;b&gt; &amp; &quot;c&quot;\""), "%s", text);
	cr_expect_not_null(strstr(text, "classname=\"long poll ÷10\""), "%s", text);
	cr_expect_not_null(strstr(text, "message=\"one&#10;two&#9;three?\""), "%s", text);
}

Test(junit, a_suite_may_be_empty_and_a_file_that_cannot_be_written_is_told)
{
	char text[TEXT_MAX];

	written("none", NULL, 0, text);
	cr_expect_not_null(strstr(text, "tests=\"0\""), "%s", text);
	cr_expect_eq(junit_write("/nonexistent/junit.xml", "none", NULL, 0), -ENOENT);
}
