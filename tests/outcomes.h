/* `cwt` run as a program, and what came of it. */
#pragma once
#include "tests/programs.h"
#include <jansson.h>

/* Words of a command line, each a text of its own. */
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct outcome {
	int status;
	struct text output; /* freed by the caller */
	char errors[PROGRAM_ERRORS_MAX];
};

/* Wait for the end of a program that was started. */
struct outcome outcome_of(struct program *program);

/* Run `cwt`, in no particular folder, with the words, of which NULL is the last. */
struct outcome cwt(const char *const *words);

/* The JSON on its stdout, which is freed: a new reference. */
json_t *outcome_json(struct outcome *outcome);

/* It is one line, and has the word in it. */
void expect_one_line(const char *text, const char *word);

/* `cwt` with these words ends with that status, nothing on stdout and one such line on stderr. */
void expect_refused(const char *const *words, int status, const char *word);

/* The number that the object has under that name. */
double expect_number(const json_t *object, const char *name);
