/* summary.json and docs/summary.schema.json, held against each other. */
#include "loadgen/model/model.h"
#include "loadgen/report/summary.h"
#include "tests/runs.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRONG_MAX = 400, POINTS_MAX = 256 };

static char folder[] = "/tmp/cwt-test-summary-XXXXXX";
static json_t *schema;

static void setup(void)
{
	const char *docs = getenv("CWT_DOCS");
	char path[PATH_MAX];
	json_error_t error;

	cr_assert_not_null(docs);
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/summary.schema.json", docs);
	schema = json_load_file(path, 0, &error);
	cr_assert_not_null(schema, "%s:%d: %s", path, error.line, error.text);
}

static void teardown(void)
{
	static const char *const names[] = { "runs.csv", "summary.json" };
	char path[PATH_MAX];

	json_decref(schema);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

TestSuite(summary, .init = setup, .fini = teardown);

/* The keywords that the schema uses. What is wrong goes into `wrong`, at `where`. */

static bool conforms(const json_t *value, const json_t *to, const char *where, char *wrong);

static bool fail(char *wrong, const char *where, const char *what)
{
	snprintf(wrong, WRONG_MAX, "%s: %s", where, what);
	return false;
}

static bool has_type(const json_t *value, const char *type)
{
	static const struct {
		const char *name;
		json_type type;
	} types[] = { { "object", JSON_OBJECT },  { "array", JSON_ARRAY },
		      { "string", JSON_STRING },  { "integer", JSON_INTEGER },
		      { "number", JSON_INTEGER }, { "number", JSON_REAL },
		      { "boolean", JSON_TRUE },   { "boolean", JSON_FALSE },
		      { "null", JSON_NULL } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, type) == 0 && types[i].type == json_typeof(value))
			return true;
	return false;
}

static bool has_one_type(const json_t *value, const json_t *types)
{
	size_t i;
	const json_t *type;

	if (json_is_string(types))
		return has_type(value, json_string_value(types));
	json_array_foreach(types, i, type)
	{
		if (has_type(value, json_string_value(type)))
			return true;
	}
	return false;
}

static bool is_one_of(const json_t *value, const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (json_equal(value, item))
			return true;
	}
	return false;
}

/* Stricter than the schema, to keep it whole: no property that it does not have. */
static bool has_properties(json_t *value, const json_t *to, const char *where, char *wrong)
{
	json_t *properties = json_object_get(to, "properties");
	const json_t *required = json_object_get(to, "required");
	char place[256];
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach(required, i, item)
	{
		if (!json_object_get(value, json_string_value(item)))
			return fail(wrong, where, json_string_value(item));
	}
	json_object_foreach(value, key, item)
	{
		snprintf(place, sizeof(place), "%.128s.%.64s", where, key);
		if (properties && !json_object_get(properties, key))
			return fail(wrong, place, "not in the schema");
		if (properties && !conforms(item, json_object_get(properties, key), place, wrong))
			return false;
	}
	return true;
}

static bool has_items(const json_t *value, const json_t *to, const char *where, char *wrong)
{
	const json_t *items = json_object_get(to, "items");
	const json_t *item;
	char place[256];
	size_t i;

	if (!items)
		return true;
	json_array_foreach(value, i, item)
	{
		snprintf(place, sizeof(place), "%.128s[%zu]", where, i);
		if (!conforms(item, items, place, wrong))
			return false;
	}
	return true;
}

static bool is_within(const json_t *value, const json_t *to)
{
	const json_t *least = json_object_get(to, "minimum");
	const json_t *most = json_object_get(to, "maximum");

	return !json_is_number(value) ||
	       ((!least || json_number_value(value) >= json_number_value(least)) &&
		(!most || json_number_value(value) <= json_number_value(most)));
}

static const json_t *follow(const json_t *to)
{
	static const char start[] = "#/$defs/";
	const char *reference = json_string_value(json_object_get(to, "$ref"));

	if (!reference)
		return to;
	cr_assert_eq(strncmp(reference, start, sizeof(start) - 1), 0, "%s", reference);
	return json_object_get(json_object_get(schema, "$defs"), reference + sizeof(start) - 1);
}

static bool conforms(const json_t *value, const json_t *to, const char *where, char *wrong)
{
	const json_t *types;
	const json_t *list;
	json_t *constant;

	to = follow(to);
	cr_assert_not_null(to, "%s", where);
	types = json_object_get(to, "type");
	list = json_object_get(to, "enum");
	constant = json_object_get(to, "const");
	if (types && !has_one_type(value, types))
		return fail(wrong, where, "another type");
	if (list && !is_one_of(value, list))
		return fail(wrong, where, "none of the schema's values");
	if (constant && !json_equal(value, constant))
		return fail(wrong, where, "another value");
	if (!is_within(value, to))
		return fail(wrong, where, "out of range");
	if (json_is_object(value))
		return has_properties((json_t *)value, to, where, wrong);
	return !json_is_array(value) || has_items(value, to, where, wrong);
}

/* A sweep with points of every verdict, several regions, t_max and a crossover. */

struct rows {
	FILE *file;
	int64_t count;
};

static void add(struct rows *rows, struct run run)
{
	for (int i = 0; i < 3; i++) {
		run.repetition = i;
		cr_assert_eq(run_write(rows->file, &run), 0);
	}
	rows->count += 3;
}

static void add_sweep_over_t(struct rows *rows, bool exponential, int64_t wall_ns)
{
	static const int64_t threads[] = { 1, 10, 100, 1000 };

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		double t = (double)threads[i];
		double w = (double)wall_ns / 1e9;
		double x = exponential ? model_closed_network(t, 1e-3, w, 1)
				       : model_nominal(t, 1e-3, w, 1);
		struct run run =
			lawful_run(threads[i], 1000000, wall_ns, threads[i] == 1000 ? 0.9 * x : x);

		if (exponential)
			strcpy(run.distribution, "exponential");
		add(rows, run);
	}
}

static void write_sweep(void)
{
	char path[PATH_MAX];
	struct rows rows = { .count = 0 };
	struct run run = lawful_run(10, 1000000, 20000000, 500);

	snprintf(path, sizeof(path), "%s/runs.csv", folder);
	rows.file = fopen(path, "we");
	cr_assert_not_null(rows.file);
	cr_assert_eq(run_write_header(rows.file), 0);
	for (int i = 0; i < 4; i++)
		add_sweep_over_t(&rows, i % 2, i < 2 ? 10000000 : 100000000);
	run.error_reset = 1; /* invalid */
	add(&rows, run);
	run.error_reset = 0;
	run.wall_ns = run.wall_cal_ns = 30000000;
	cr_assert_eq(run_write(rows.file, &run), 0); /* a single one, and steady: by its windows */
	strcpy(run.window_requests, "2500;2500");
	run.wall_ns = run.wall_cal_ns = 40000000;
	cr_assert_eq(run_write(rows.file, &run), 0); /* inconclusive */
	run = lawful_run(200, 1000000, 100000000, 1000);
	run.threads = 0;
	strcpy(run.arch, "loop");
	add(&rows, run);
	run.requests_per_connection = 1; /* measured */
	add(&rows, run);
	fclose(rows.file);
}

static json_t *written(void)
{
	struct summary summary;
	char why[SUMMARY_WHY_MAX];
	char path[PATH_MAX];
	json_t *root;

	write_sweep();
	cr_assert_eq(summary_read(folder, &summary, why), 0, "%s", why);
	cr_assert_eq(summary_write(folder, &summary, why), 0, "%s", why);
	summary_free(&summary);
	snprintf(path, sizeof(path), "%s/summary.json", folder);
	root = json_load_file(path, 0, NULL);
	cr_assert_not_null(root);
	return root;
}

Test(summary, what_is_written_is_what_its_schema_says)
{
	char wrong[WRONG_MAX] = "";
	json_t *root = written();
	const json_t *space = json_object_get(root, "space");

	cr_expect(conforms(root, schema, "summary", wrong), "%s", wrong);
	/* All parts of the schema were seen. */
	cr_expect_eq(json_array_size(json_object_get(root, "points")), 21);
	cr_expect_gt(json_array_size(json_object_get(space, "regions")), 2);
	cr_expect_eq(json_array_size(json_object_get(space, "t_max")), 4);
	cr_expect_eq(json_array_size(json_object_get(space, "leads")), 4);
	cr_expect_gt(json_array_size(json_object_get(space, "spreads")), 3);
	json_decref(root);
}

Test(summary, every_verdict_is_in_the_schema)
{
	const json_t *verdict = json_object_get(
		json_object_get(json_object_get(json_object_get(schema, "$defs"), "point"),
				"properties"),
		"verdict");
	const json_t *list = json_object_get(verdict, "enum");

	cr_assert_eq(json_array_size(list), VERDICTS);
	for (int i = 0; i < VERDICTS; i++)
		cr_expect_str_eq(json_string_value(json_array_get(list, (size_t)i)),
				 verdict_names[i]);
}

Test(summary, every_cause_is_in_the_schema)
{
	const json_t *regions = json_object_get(
		json_object_get(json_object_get(json_object_get(schema, "$defs"), "space"),
				"properties"),
		"regions");
	const json_t *properties = json_object_get(json_object_get(regions, "items"), "properties");
	const json_t *list = json_object_get(json_object_get(properties, "cause"), "enum");

	cr_assert_eq(json_array_size(list), CAUSES);
	for (int i = 0; i < CAUSES; i++)
		cr_expect_str_eq(json_string_value(json_array_get(list, (size_t)i)),
				 cause_names[i]);
}

/* The ruler itself: what does not conform is seen. */
Test(summary, a_summary_with_something_wrong_does_not_conform)
{
	static const struct {
		const char *name; /* in the first point; NULL: of the whole */
		const char *value;
	} table[] = {
		{ "threads", "\"25\"" },
		{ "threads", "2.5" },
		{ "threads", "-1" },
		{ "verdict", "\"perhaps\"" },
		{ "knee", "0" },
		{ "measured_rps", "null" },
		{ "distribution", "\"odd\"" },
		{ "not_in_the_schema", "1" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char wrong[WRONG_MAX] = "";
		json_t *root = written();
		json_t *point = json_array_get(json_object_get(root, "points"), 0);

		json_object_set_new(point, table[i].name,
				    json_loads(table[i].value, JSON_DECODE_ANY, NULL));
		cr_expect_not(conforms(root, schema, "summary", wrong), "%s", table[i].name);
		cr_expect_not_null(strstr(wrong, table[i].name), "%s", wrong);
		json_object_del(point, table[i].name);
		json_decref(root);
	}
}
