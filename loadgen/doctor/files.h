/*
 * What /proc and /sys say, in files of one value. `root` goes before every path, so that a test can
 * give a made-up tree; "" is the machine's own.
 */
#pragma once
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Values of a limit that is none, and of one that is not there to be seen. */
#define FILES_UNLIMITED INT64_MAX
#define FILES_MISSING   (-1)

/* The path itself, in `path`: "ROOT/PATH". Returns `path`. */
char *files_path(char path[PATH_MAX], const char *root, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The file, to read; NULL if it is not there. */
FILE *files_open(const char *root, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The number that the file begins with: FILES_UNLIMITED for "max" and what is beyond 2^60,
 * FILES_MISSING without a file or a number.
 */
int64_t files_integer(const char *root, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Its first line, without the end; false and "" if there is none. */
bool files_line(const char *root, char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Its first line as a list of processors; false and an empty set if there is none. */
bool files_cpus(const char *root, cpu_set_t *set, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The number after `name` at the begin of one of its lines; FILES_MISSING if no line has it. */
int64_t files_field(const char *root, const char *file, const char *name);

/* Whether a list in such a file, of words with `separator` between them, has the word. */
bool files_list_has(const char *list, char separator, const char *word);
