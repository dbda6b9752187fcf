#include "loadgen/report/junit.h"
#include "loadgen/report/html.h"
#include <errno.h>
#include <stdio.h>

static const char *const elements[] = {
	[JUNIT_PASSED] = NULL,
	[JUNIT_FAILED] = "failure",
	[JUNIT_SKIPPED] = "skipped",
	[JUNIT_ERROR] = "error",
};

static void write_attribute(FILE *file, const char *name, const char *text)
{
	fprintf(file, " %s=\"", name);
	html_write(file, text ? text : "");
	fputc('"', file);
}

static void write_case(FILE *file, const struct junit_case *one)
{
	const char *element = elements[one->status];

	fputs("    <testcase", file);
	write_attribute(file, "name", one->name);
	write_attribute(file, "classname", one->classname);
	fprintf(file, " time=\"%.3f\"", one->time_s);
	if (!element) {
		fputs("/>\n", file);
		return;
	}
	fprintf(file, ">\n      <%s", element);
	write_attribute(file, "message", one->message);
	fputs("/>\n    </testcase>\n", file);
}

int junit_write(const char *path, const char *suite, const struct junit_case *cases, size_t count)
{
	size_t of_status[JUNIT_ERROR + 1] = { 0 };
	double time_s = 0;
	FILE *file = fopen(path, "we");
	int rc = 0;

	if (!file)
		return -errno;
	for (size_t i = 0; i < count; i++) {
		of_status[cases[i].status]++;
		time_s += cases[i].time_s;
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite", file);
	write_attribute(file, "name", suite);
	fprintf(file,
		" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
		count, of_status[JUNIT_FAILED], of_status[JUNIT_ERROR], of_status[JUNIT_SKIPPED],
		time_s);
	for (size_t i = 0; i < count; i++)
		write_case(file, &cases[i]);
	fputs("  </testsuite>\n</testsuites>\n", file);
	if (ferror(file))
		rc = -EIO;
	if (fclose(file) != 0 && rc == 0)
		rc = -errno;
	return rc;
}
