#include "loadgen/compare/provenance.h"
#include "common/cpus.h"
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 160, VALUE_MAX = 240 };

static const char *const groups[] = { "sysctl", "versions" };
static const char *const forbidding[] = { "cpu_model", "cores" };

/* Flat: a group's entries under "GROUP NAME". */

static void take_flat(json_t *flat, const char *group, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		char key[KEY_MAX];

		snprintf(key, sizeof(key), "%s%s%s", group, *group ? " " : "", name);
		if (!json_is_object(value) && !json_is_array(value))
			json_object_set(flat, key, value);
	}
}

static void take_cpus(json_t *flat, const char *name, const cpu_set_t *cpus)
{
	char text[VALUE_MAX];

	json_object_set_new(flat, name, json_string(cpus_format(cpus, text, sizeof(text))));
}

static json_t *flat_of(const struct side_sweep *sweep)
{
	json_t *flat = json_object();

	take_flat(flat, "", sweep->machine);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		take_flat(flat, groups[i], json_object_get(sweep->machine, groups[i]));
	if (!sweep->machine)
		json_object_set_new(flat, "machine.json", json_string("missing or damaged"));
	if (sweep->plan_why[0])
		json_object_set_new(flat, "plan.ini", json_string(sweep->plan_why));
	if (sweep->has_plan) {
		take_cpus(flat, "server-cpus", &sweep->plan.server_cpus);
		take_cpus(flat, "load-cpus", &sweep->plan.load_cpus);
	}
	return flat;
}

/* Differences */

/* What concerns the whole file is not told again for each of its entries. */
static bool is_silent(const struct side_sweep *sweep, const char *key)
{
	bool of_plan = strcmp(key, "server-cpus") == 0 || strcmp(key, "load-cpus") == 0;
	bool of_file = strcmp(key, "machine.json") == 0 || strcmp(key, "plan.ini") == 0;

	return !of_file && (of_plan ? !sweep->has_plan : !sweep->machine);
}

static const struct side_sweep *sweep_at(const struct side *base, const struct side *newer,
					 size_t index)
{
	return index < base->count ? &base->sweeps[index] : &newer->sweeps[index - base->count];
}

/* Whether the sweeps differ in it, as far as they speak of it. */
static bool differs(const struct side *base, const struct side *newer, const json_t *flats,
		    const char *key)
{
	const json_t *first = NULL;
	bool seen = false;

	for (size_t i = 0; i < base->count + newer->count; i++) {
		const json_t *value = json_object_get(json_array_get(flats, i), key);

		if (is_silent(sweep_at(base, newer, i), key))
			continue;
		if (seen && !(value == first || json_equal(value, first)))
			return true;
		first = value;
		seen = true;
	}
	return false;
}

static json_t *values_of(const struct side *base, const struct side *newer, const json_t *flats,
			 const char *key)
{
	json_t *values = json_array();

	for (size_t i = 0; i < base->count + newer->count; i++) {
		json_t *value = json_object_get(json_array_get(flats, i), key);

		if (!is_silent(sweep_at(base, newer, i), key))
			json_array_append_new(values,
					      json_pack("{s:s, s:O}", "sweep",
							sweep_at(base, newer, i)->path, "value",
							value ? value : json_null()));
	}
	return values;
}

json_t *provenance_differences(const struct side *base, const struct side *newer)
{
	json_t *flats = json_array();
	json_t *keys = json_object();
	json_t *differences = json_array();
	const char *key;
	json_t *value;

	for (size_t i = 0; i < base->count + newer->count; i++) {
		json_t *flat = flat_of(sweep_at(base, newer, i));

		json_object_update(keys, flat);
		json_array_append_new(flats, flat);
	}
	json_object_foreach(keys, key, value)
	{
		if (differs(base, newer, flats, key))
			json_array_append_new(differences,
					      json_pack("{s:s, s:o}", "what", key, "values",
							values_of(base, newer, flats, key)));
	}
	json_decref(keys);
	json_decref(flats);
	return differences;
}

char *provenance_format(const json_t *value, char *text, size_t size)
{
	if (json_is_string(value))
		snprintf(text, size, "%s", json_string_value(value));
	else if (json_is_boolean(value))
		snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_number(value))
		snprintf(text, size, "%.15g", json_number_value(value));
	else
		snprintf(text, size, "none");
	return text;
}

/* The first value that is known and differs from the first known one; NULL if there is none. */
static const json_t *find_other(const json_t *values, const json_t **first)
{
	size_t index;
	json_t *entry;

	*first = NULL;
	json_array_foreach(values, index, entry)
	{
		const json_t *value = json_object_get(entry, "value");

		if (json_is_null(value))
			continue;
		if (*first && !json_equal(*first, value))
			return value;
		if (!*first)
			*first = value;
	}
	return NULL;
}

static bool is_forbidding(const char *what)
{
	for (size_t i = 0; i < sizeof(forbidding) / sizeof(forbidding[0]); i++)
		if (strcmp(what, forbidding[i]) == 0)
			return true;
	return false;
}

bool provenance_forbids(const json_t *differences, char *why, size_t size)
{
	size_t index;
	json_t *difference;

	json_array_foreach(differences, index, difference)
	{
		const char *what = json_string_value(json_object_get(difference, "what"));
		char text[2][VALUE_MAX];
		const json_t *first;
		const json_t *other;

		other = find_other(json_object_get(difference, "values"), &first);
		if (!other || !is_forbidding(what))
			continue;
		snprintf(why, size, "%s: %s and %s", what,
			 provenance_format(first, text[0], sizeof(text[0])),
			 provenance_format(other, text[1], sizeof(text[1])));
		return true;
	}
	return false;
}
