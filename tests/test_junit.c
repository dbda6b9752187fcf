#include "loadgen/report/junit.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/cwt-test-junit-XXXXXX";

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

TestSuite(junit, .init = setup, .fini = teardown);

static const char *written(const struct junit_case *cases, size_t count)
{
	static char text[4096];
	char why[256] = "";
	FILE *file;

	cr_assert_eq(junit_write(path, "a suite", cases, count, why, sizeof(why)), 0, "%s", why);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

Test(junit, each_status_has_its_element_and_its_count)
{
	static const struct junit_case cases[] = {
		{ "a", "c", JUNIT_PASSED, "not shown" }, { "b", "c", JUNIT_FAILED, "too slow" },
		{ "d", "c", JUNIT_ERROR, "unfit" },      { "e", "c", JUNIT_SKIPPED, NULL },
		{ "f", "c", JUNIT_SKIPPED, "" },
	};
	const char *text = written(cases, 5);

	cr_expect_str_eq(text,
			 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<testsuite name=\"a suite\" tests=\"5\" failures=\"1\" errors=\"1\" "
			 "skipped=\"2\">\n"
			 "\t<testcase classname=\"c\" name=\"a\"/>\n"
			 "\t<testcase classname=\"c\" name=\"b\">\n"
			 "\t\t<failure message=\"too slow\"/>\n\t</testcase>\n"
			 "\t<testcase classname=\"c\" name=\"d\">\n"
			 "\t\t<error message=\"unfit\"/>\n\t</testcase>\n"
			 "\t<testcase classname=\"c\" name=\"e\">\n\t\t<skipped/>\n\t</testcase>\n"
			 "\t<testcase classname=\"c\" name=\"f\">\n\t\t<skipped/>\n\t</testcase>\n"
			 "</testsuite>\n");
}

Test(junit, what_XML_reserves_is_escaped)
{
	static const struct junit_case one = { "a < b & \"c\" > d", "ä\x01", JUNIT_FAILED,
					       "two\nlines" };
	const char *text = written(&one, 1);

	cr_expect_not_null(strstr(text, "name=\"a &lt; b &amp; &quot;c&quot; &gt; d\""), "%s",
			   text);
	cr_expect_not_null(strstr(text, "classname=\"ä?\""), "%s", text);
	cr_expect_not_null(strstr(text, "message=\"two&#10;lines\""), "%s", text);
}

Test(junit, a_file_that_cannot_be_written_is_named)
{
	char why[256] = "";

	cr_expect_eq(junit_write("/nonexistent/x.xml", "s", NULL, 0, why, sizeof(why)), -ENOENT);
	cr_expect_not_null(strstr(why, "/nonexistent/x.xml"), "%s", why);
}
