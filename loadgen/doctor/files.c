#include "loadgen/doctor/files.h"
#include "common/cpus.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096 };

/* Limits of memory that are none are written as the largest number of pages. */
#define BOUNDLESS (1LL << 60)

static void join(char path[PATH_MAX], const char *root, const char *format, va_list arguments)
{
	size_t used = (size_t)snprintf(path, PATH_MAX, "%s/", root);

	if (used < PATH_MAX)
		vsnprintf(path + used, PATH_MAX - used, format, arguments);
}

char *files_path(char path[PATH_MAX], const char *root, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	join(path, root, format, arguments);
	va_end(arguments);
	return path;
}

FILE *files_open(const char *root, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	join(path, root, format, arguments);
	va_end(arguments);
	return fopen(path, "re");
}

static bool first_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	bool there = file && fgets(text, (int)size, file);

	if (!there)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (file)
		fclose(file);
	return there;
}

int64_t files_integer(const char *root, const char *format, ...)
{
	char path[PATH_MAX];
	char line[LINE_BYTES];
	va_list arguments;
	long long value;

	va_start(arguments, format);
	join(path, root, format, arguments);
	va_end(arguments);
	if (!first_line(path, line, sizeof(line)))
		return FILES_MISSING;
	if (strcmp(line, "max") == 0)
		return FILES_UNLIMITED;
	if (!isdigit((unsigned char)line[0]))
		return FILES_MISSING;
	value = strtoll(line, NULL, 10);
	return value >= BOUNDLESS ? FILES_UNLIMITED : value;
}

bool files_line(const char *root, char *text, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	join(path, root, format, arguments);
	va_end(arguments);
	return first_line(path, text, size);
}

bool files_cpus(const char *root, cpu_set_t *set, const char *format, ...)
{
	char path[PATH_MAX];
	char line[LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	join(path, root, format, arguments);
	va_end(arguments);
	CPU_ZERO(set);
	if (first_line(path, line, sizeof(line)) && cpus_parse(line, set) == 0)
		return true;
	CPU_ZERO(set);
	return false;
}

int64_t files_field(const char *root, const char *file, const char *name)
{
	FILE *lines = files_open(root, "%s", file);
	char line[LINE_BYTES];
	int64_t value = FILES_MISSING;
	size_t length = strlen(name);

	if (!lines)
		return FILES_MISSING;
	while (value == FILES_MISSING && fgets(line, sizeof(line), lines))
		if (strncmp(line, name, length) == 0)
			value = strtoll(line + length + strspn(line + length, ": \t"), NULL, 10);
	fclose(lines);
	return value;
}

bool files_list_has(const char *list, char separator, const char *word)
{
	const char ends[] = { separator, '\0' };
	size_t length = strlen(word);

	while (*list) {
		size_t here = strcspn(list, ends);

		if (here == length && strncmp(list, word, length) == 0)
			return true;
		list += here + (list[here] == separator);
	}
	return false;
}
