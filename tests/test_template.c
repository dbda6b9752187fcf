#include "loadgen/target/template.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { TEXT_MAX = 128, WORDS_MAX = 8 };

static const struct template_value values[] = {
	{ "port", "8080" },
	{ "threads", "25" },
	{ "empty", "" },
	{ "brace", "{port}" },
};

enum { VALUES = sizeof(values) / sizeof(values[0]) };

Test(template, places_are_filled_and_other_braces_left_alone)
{
	static const char *const table[][2] = {
		{ "", "" },
		{ "none", "none" },
		{ "{port}", "8080" },
		{ "a{port}{threads}b", "a808025b" },
		{ "[{empty}]", "[]" },
		{ "events { a {port}; }", "events { a 8080; }" },
		{ "{unknown} {Port} {po rt} {port", "{unknown} {Port} {po rt} {port" },
		{ "{{port}}", "{8080}" },
		{ "{brace}", "{port}" },
	};
	char out[TEXT_MAX];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cr_expect_eq(template_fill(table[i][0], values, VALUES, out, sizeof(out)), 0);
		cr_expect_str_eq(out, table[i][1]);
	}
}

Test(template, what_does_not_fit_is_refused)
{
	char out[6];

	cr_expect_eq(template_fill("{port}x", values, VALUES, out, sizeof(out)), 0);
	cr_expect_str_eq(out, "8080x");
	cr_expect_eq(template_fill("{port}xy", values, VALUES, out, sizeof(out)), -E2BIG);
	cr_expect_eq(template_fill("xy{port}", values, VALUES, out, sizeof(out)), -E2BIG);
}

Test(template, a_place_that_stands_for_nothing_is_named)
{
	char name[TEXT_MAX];

	cr_expect_null(template_unknown("{port} { x } {X}", values, VALUES, name, sizeof(name)));
	cr_assert_not_null(template_unknown("{port} {prt}", values, VALUES, name, sizeof(name)));
	cr_expect_str_eq(name, "{prt}");
}

Test(template, words_are_split_at_blanks_outside_of_quotes)
{
	static const struct {
		const char *text;
		int count;
		const char *words[WORDS_MAX];
	} table[] = {
		{ "", 0, { NULL } },
		{ "  a  b\tc\n", 3, { "a", "b", "c" } },
		{ "a 'b c' \"d e\"", 3, { "a", "b c", "d e" } },
		{ "a='b c'd", 1, { "a=b cd" } },
		{ "'it''s' \"it's\"", 2, { "its", "it's" } },
		{ "a\\ b \\\"", 2, { "a b", "\"" } },
		{ "'' \"\" x", 3, { "", "", "x" } },
		{ "'open", -EINVAL, { NULL } },
		{ "1 2 3 4 5 6 7 8", -E2BIG, { NULL } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[TEXT_MAX];
		char *words[WORDS_MAX];
		int count;

		strcpy(text, table[i].text);
		count = template_split(text, words, WORDS_MAX);
		cr_assert_eq(count, table[i].count, "'%s': %d", table[i].text, count);
		for (int j = 0; j < count; j++)
			cr_expect_str_eq(words[j], table[i].words[j], "'%s'", table[i].text);
		if (count >= 0)
			cr_expect_null(words[count]);
	}
}
