#include "tests/outcomes.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct outcome outcome_of(struct program *program)
{
	struct outcome outcome;

	outcome.output = client_receive(program->output, 0);
	outcome.status = program_wait(program);
	program_errors(program, outcome.errors);
	close(program->errors);
	return outcome;
}

struct outcome cwt(const char *const *words)
{
	struct program program;

	program_start(&program, "CWT", words);
	return outcome_of(&program);
}

json_t *outcome_json(struct outcome *outcome)
{
	json_error_t error;
	json_t *root = json_loads(outcome->output.bytes, 0, &error);

	cr_assert_not_null(root, "%s in '%s'; %s", error.text, outcome->output.bytes,
			   outcome->errors);
	free(outcome->output.bytes);
	return root;
}

void expect_one_line(const char *text, const char *word)
{
	const char *end = strchr(text, '\n');

	cr_expect(end && end[1] == '\0' && end > text, "not one line: '%s'", text);
	cr_expect_not_null(strstr(text, word), "'%s' lacks '%s'", text, word);
}

void expect_refused(const char *const *words, int status, const char *word)
{
	struct outcome outcome = cwt(words);

	cr_expect_eq(outcome.status, status, "%s: %d", word, outcome.status);
	cr_expect_str_empty(outcome.output.bytes);
	expect_one_line(outcome.errors, word);
	free(outcome.output.bytes);
}

double expect_number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	cr_expect(json_is_number(value), "no number %s", name);
	return json_number_value(value);
}
