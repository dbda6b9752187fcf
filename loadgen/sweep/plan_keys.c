#include "loadgen/sweep/plan_keys.h"
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/sweep/plan_values.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define WORDS(...)    ((const char *const[]){ __VA_ARGS__, NULL })
#define PLAN(field)   offsetof(struct plan, field)
#define TIMING(field) offsetof(struct plan_timing, field)
#define GRID(field)   offsetof(struct grid, field)

static const struct plan_key plan_keys[] = {
	{ "name", plan_take_name, PLAN(name) },
	{ "server-cpus", plan_take_cpus, PLAN(server_cpus) },
	{ "load-cpus", plan_take_cpus, PLAN(load_cpus) },
	{ "tries", plan_take_number, PLAN(tries), units_parse_count, 1 },
	{ "seed", plan_take_number, PLAN(seed), units_parse_count, 1 },
	{ "figure", plan_take_figure, PLAN(figure), .words = plan_y_names },
	{ "precision", plan_take_share, PLAN(precision) },
	{ "claim", plan_take_claim, PLAN(evidence.claim) },
	{ "x", plan_take_x, PLAN(evidence), .words = plan_x_names },
	{ "y", plan_take_panels, PLAN(evidence), .words = plan_y_names },
};

/* Of [plan] for all cases, and of a case. */
static const struct plan_key timing_keys[] = {
	{ "repetitions", plan_take_number, TIMING(repetitions), units_parse_count, 1,
	  PLAN_REPETITIONS_MAX },
	{ "repetitions-most", plan_take_number, TIMING(repetitions_most), units_parse_count, 1,
	  PLAN_REPETITIONS_MAX },
	{ "window", plan_take_number, TIMING(window_ns), units_parse_duration, NS_PER_MS },
	{ "window-most", plan_take_number, TIMING(window_most_ns), units_parse_duration,
	  NS_PER_MS },
	{ "requests", plan_take_number, TIMING(requests), units_parse_count },
	{ "requests-exponential", plan_take_number, TIMING(requests_exponential),
	  units_parse_count },
	{ "windows", plan_take_number, TIMING(windows), units_parse_count, 1, PLAN_WINDOWS_MAX },
	{ "warmup", plan_take_number, TIMING(warmup_ns), units_parse_duration },
	{ "ramp", plan_take_number, TIMING(ramp_ns), units_parse_duration, NS_PER_MS },
};

static const struct plan_key case_keys[] = {
	{ "arch", plan_take_archs },
	{ "service", plan_take_word, GRID(service), .words = WORDS("app", "proxy") },
	{ "wait", plan_take_word, GRID(wait), .words = WORDS("backend", "timer", "none") },
	{ "work", plan_take_word, GRID(work), .words = WORDS("clock", "ops") },
	{ "threads", plan_take_threads, .parse = units_parse_count, .least = 1 },
	{ "cpu", plan_take_numbers, GRID(cpu), units_parse_duration },
	{ "wall", plan_take_numbers, GRID(wall), units_parse_duration },
	{ "ratio", plan_take_numbers, GRID(ratio), units_parse_count, 1 },
	{ "connections", plan_take_numbers, GRID(connections), units_parse_count, 1 },
	{ "distribution", plan_take_distributions, .words = WORDS("constant", "exponential") },
	{ "footprint", plan_take_numbers, GRID(footprint), units_parse_size },
	{ "idle", plan_take_numbers, GRID(idle), units_parse_count },
	{ "requests-per-connection", plan_take_number, GRID(requests_per_connection),
	  units_parse_count },
	{ "twin", plan_take_number, GRID(twin), units_parse_count, 1 },
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Keys, and what their offsets are in. */
struct table {
	const struct plan_key *keys;
	size_t count;
	char *target;
};

/* `section` is for the message; the list of keys in it is that of both tables. */
static int take_from(const struct table tables[2], const char *section, const char *name,
		     const char *text, char why[PLAN_WHY_MAX])
{
	size_t used;

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < tables[i].count; j++) {
			const struct plan_key *key = &tables[i].keys[j];

			if (strcmp(name, key->name) == 0)
				return key->take(key, text, tables[i].target + key->offset, why);
		}
	used = (size_t)snprintf(why, PLAN_WHY_MAX, "unknown key %s in [%s] (", name, section);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < tables[i].count && used < PLAN_WHY_MAX; j++)
			used += (size_t)snprintf(why + used, PLAN_WHY_MAX - used, "%s%s",
						 i + j > 0 ? ", " : "", tables[i].keys[j].name);
	if (used < PLAN_WHY_MAX)
		snprintf(why + used, PLAN_WHY_MAX - used, ")");
	return -EINVAL;
}

int plan_keys_take(struct plan *plan, struct plan_timing *timing, const char *name,
		   const char *text, char why[PLAN_WHY_MAX])
{
	const struct table tables[2] = {
		{ plan_keys, COUNT(plan_keys), (char *)plan },
		{ timing_keys, COUNT(timing_keys), (char *)timing },
	};

	return take_from(tables, "plan", name, text, why);
}

int plan_keys_take_case(struct grid *grid, const char *name, const char *text,
			char why[PLAN_WHY_MAX])
{
	const struct table tables[2] = {
		{ case_keys, COUNT(case_keys), (char *)grid },
		{ timing_keys, COUNT(timing_keys), (char *)&grid->timing },
	};
	char section[RUN_NAME_MAX + 8];

	snprintf(section, sizeof(section), "case %s", grid->name);
	return take_from(tables, section, name, text, why);
}
