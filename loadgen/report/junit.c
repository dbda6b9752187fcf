#include "loadgen/report/junit.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* In an attribute. Bytes that XML 1.0 has no place for become '?'. */
static void write_escaped(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		case '\t':
		case '\n':
		case '\r':
			fprintf(file, "&#%d;", *text);
			break;
		default:
			fputc((unsigned char)*text < ' ' ? '?' : *text, file);
		}
	}
}

static void write_attribute(FILE *file, const char *name, const char *text)
{
	fprintf(file, " %s=\"", name);
	write_escaped(file, text);
	fputc('"', file);
}

static void write_case(FILE *file, const struct junit_case *one)
{
	static const char *const elements[] = {
		[JUNIT_FAILED] = "failure",
		[JUNIT_ERROR] = "error",
		[JUNIT_SKIPPED] = "skipped",
	};

	fputs("\t<testcase", file);
	write_attribute(file, "classname", one->classname);
	write_attribute(file, "name", one->name);
	if (one->status == JUNIT_PASSED) {
		fputs("/>\n", file);
		return;
	}
	fprintf(file, ">\n\t\t<%s", elements[one->status]);
	if (one->message && one->message[0])
		write_attribute(file, "message", one->message);
	fputs("/>\n\t</testcase>\n", file);
}

int junit_write(const char *path, const char *suite, const struct junit_case *cases, size_t count,
		char *why, size_t size)
{
	size_t counts[JUNIT_SKIPPED + 1] = { 0 };
	FILE *file = fopen(path, "we");
	int rc = file ? 0 : -errno;

	if (file) {
		for (size_t i = 0; i < count; i++)
			counts[cases[i].status]++;
		fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite", file);
		write_attribute(file, "name", suite);
		fprintf(file, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
			count, counts[JUNIT_FAILED], counts[JUNIT_ERROR], counts[JUNIT_SKIPPED]);
		for (size_t i = 0; i < count; i++)
			write_case(file, &cases[i]);
		fputs("</testsuite>\n", file);
		if (ferror(file))
			rc = -EIO;
		if (fclose(file) != 0 && rc == 0)
			rc = -errno;
	}
	if (rc != 0)
		snprintf(why, size, "%s: %s", path, strerror(-rc));
	return rc;
}
