#include "loadgen/sweep/plan.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/units.h"
#include "loadgen/engine/load.h"
#include "loadgen/sweep/grid.h"
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const plan_x_names[] = { "connections", "threads", "idle", "wall", "arch", NULL };
const char *const plan_y_names[] = { "throughput", "cpu",     "switches", "memory",
				     "available",  "latency", NULL };

static const char no_line[] = "neither [section], key = value nor # comment";

struct reader {
	FILE *file;
	const char *path;
	struct plan *plan;
	struct plan_timing timing; /* [plan]'s */
	struct grid grid;          /* the case that is being read */
	int case_line;             /* where it starts */
	bool has_x;
	bool in_case;
	bool has_case;
	int line;
	char *why;
	bool failed;
};

static int complain(struct reader *reader, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Keep the first complaint. Returns 0, which tells inih of a failure. */
static int complain(struct reader *reader, int line, const char *format, ...)
{
	va_list arguments;
	int length;

	if (reader->failed)
		return 0;
	reader->failed = true;
	length = snprintf(reader->why, PLAN_WHY_MAX, "%s:%d: ", reader->path, line);
	va_start(arguments, format);
	if (length > 0 && length < PLAN_WHY_MAX)
		vsnprintf(reader->why + length, (size_t)(PLAN_WHY_MAX - length), format, arguments);
	va_end(arguments);
	return 0;
}

/* Sections */

/*
 * As many repetitions as are asked for at the least, and as many again; but a point that is to be
 * measured once takes its interval from its windows, and a second run would not be comparable.
 */
static int check_repetitions(struct reader *reader)
{
	struct plan_timing *timing = &reader->grid.timing;

	if (timing->repetitions_most == 0)
		timing->repetitions_most = timing->repetitions == 1 ? 1 : 2 * timing->repetitions;
	if (timing->repetitions_most >= timing->repetitions)
		return 1;
	return complain(reader, reader->case_line,
			"[case %s]: repetitions-most = %lld is less than repetitions = %lld",
			reader->grid.name, (long long)timing->repetitions_most,
			(long long)timing->repetitions);
}

static int end_case(struct reader *reader)
{
	char why[GRID_WHY_MAX];

	if (!reader->in_case || reader->failed)
		return 1;
	reader->in_case = false;
	if (!check_repetitions(reader))
		return 0;
	if (grid_expand(&reader->grid, reader->plan, why) == 0)
		return 1;
	return complain(reader, reader->case_line, "[case %s]: %s", reader->grid.name, why);
}

static int begin_case(struct reader *reader, const char *section)
{
	struct grid *grid = &reader->grid;
	const char *name;

	if (strncmp(section, "case ", 5) != 0 || section[strspn(section + 4, " ") + 4] == '\0')
		return complain(reader, reader->line, "[%s]: want [plan] or [case NAME]", section);
	name = section + 4 + strspn(section + 4, " ");
	if (strlen(name) >= RUN_NAME_MAX || strpbrk(name, ",\"|;"))
		return complain(reader, reader->line,
				"[%s]: a name has up to %d characters, and none "
				"of , \" | ;",
				section, RUN_NAME_MAX - 1);
	reader->case_line = reader->line;
	*grid = (struct grid){ .twin = 1, .timing = reader->timing };
	snprintf(grid->name, sizeof(grid->name), "%s", name);
	snprintf(grid->service, sizeof(grid->service), "app");
	snprintf(grid->wait, sizeof(grid->wait), "backend");
	snprintf(grid->work, sizeof(grid->work), "clock");
	snprintf(grid->distributions[0], sizeof(grid->distributions[0]), "constant");
	grid->distribution_count = 1;
	reader->in_case = reader->has_case = true;
	return 1;
}

/* Keys */

typedef int parse_number(const char *text, int64_t *value);

static int take_number(struct reader *reader, const char *key, const char *text,
		       parse_number *parse, int64_t least, int64_t *value)
{
	if (parse(text, value) != 0)
		return complain(reader, reader->line, "%s = %s: want %s", key, text,
				parse == units_parse_duration ? "a time such as 5ms"
				: parse == units_parse_size   ? "a size such as 64KiB"
							      : "a whole number such as 25");
	if (*value < least)
		return complain(reader, reader->line, "%s = %s: the least is %lld", key, text,
				(long long)least);
	return 1;
}

/* The next word of a comma-separated list, trimmed, or NULL. */
static char *next_word(char **rest)
{
	char *word = strsep(rest, ",");

	if (!word)
		return NULL;
	word += strspn(word, " \t");
	for (size_t length = strlen(word); length > 0 && strchr(" \t", word[length - 1]);)
		word[--length] = '\0';
	return word;
}

static int take_list(struct reader *reader, const char *key, const char *text, parse_number *parse,
		     int64_t least, struct grid_list *list)
{
	char copy[INI_MAX_LINE];
	char *rest = copy;
	char *word;

	snprintf(copy, sizeof(copy), "%s", text);
	list->count = 0;
	while ((word = next_word(&rest))) {
		if (list->count == GRID_LIST_MAX)
			return complain(reader, reader->line, "%s: more than %d values", key,
					GRID_LIST_MAX);
		if (!take_number(reader, key, word, parse, least, &list->values[list->count++]))
			return 0;
	}
	return 1;
}

static int take_choice(struct reader *reader, const char *key, const char *text,
		       const char *choices, char word[RUN_WORD_MAX])
{
	char copy[128];
	char *rest = copy;
	char *choice;

	snprintf(copy, sizeof(copy), "%s", choices);
	while ((choice = next_word(&rest))) {
		if (strcmp(choice, text) == 0) {
			snprintf(word, RUN_WORD_MAX, "%s", text);
			return 1;
		}
	}
	return complain(reader, reader->line, "%s = %s: want one of %s", key, text, choices);
}

static int take_archs(struct reader *reader, const char *text)
{
	char copy[INI_MAX_LINE];
	char why[PLAN_WHY_MAX];
	char *rest = copy;
	char *word;
	struct grid *grid = &reader->grid;

	snprintf(copy, sizeof(copy), "%s", text);
	grid->arch_count = 0;
	while ((word = next_word(&rest))) {
		if (grid->arch_count == GRID_LIST_MAX)
			return complain(reader, reader->line, "arch: too many");
		if (archs_parse(word, grid->archs[grid->arch_count++], why, sizeof(why)) != 0)
			return complain(reader, reader->line, "arch = %s: %s", word, why);
	}
	return 1;
}

static int take_threads(struct reader *reader, const char *key, const char *text)
{
	struct grid *grid = &reader->grid;

	grid->threads.count = 0;
	grid->threads_match = strcmp(text, "connections") == 0;
	return grid->threads_match ||
	       take_list(reader, key, text, units_parse_count, 1, &grid->threads);
}

/* The index of the name in the list. Returns whether it is there. */
static int take_name(struct reader *reader, const char *key, const char *text,
		     const char *const *names, int *index)
{
	char choices[128] = "";
	size_t used = 0;

	for (*index = 0; names[*index]; (*index)++) {
		if (strcmp(names[*index], text) == 0)
			return 1;
		used += (size_t)snprintf(choices + used, sizeof(choices) - used, "%s%s",
					 used ? ", " : "", names[*index]);
	}
	return complain(reader, reader->line, "%s = %s: want one of %s", key, text, choices);
}

static int take_panels(struct reader *reader, const char *key, const char *text)
{
	struct plan_evidence *evidence = &reader->plan->evidence;
	char copy[INI_MAX_LINE];
	char *rest = copy;
	char *word;

	snprintf(copy, sizeof(copy), "%s", text);
	evidence->panel_count = 0;
	while ((word = next_word(&rest))) {
		int index;

		if (evidence->panel_count == PLAN_PANELS_MAX)
			return complain(reader, reader->line, "y: more than %d", PLAN_PANELS_MAX);
		if (!take_name(reader, key, word, plan_y_names, &index))
			return 0;
		evidence->panels[evidence->panel_count++] = (enum plan_y)index;
	}
	return 1;
}

/* A further line goes on where the last one ended: inih takes 200 characters at a time. */
static int take_claim(struct reader *reader, const char *text)
{
	char *claim = reader->plan->evidence.claim;
	size_t used = strlen(claim);

	if (used + strlen(text) + 2 > PLAN_CLAIM_MAX)
		return complain(reader, reader->line, "claim: longer than %d characters",
				PLAN_CLAIM_MAX - 1);
	snprintf(claim + used, PLAN_CLAIM_MAX - used, "%s%s", used ? " " : "", text);
	return 1;
}

/* 1: taken; 0: refused; -1: no key of the evidence. */
static int take_evidence(struct reader *reader, const char *key, const char *text)
{
	int x;

	if (strcmp(key, "claim") == 0)
		return take_claim(reader, text);
	if (strcmp(key, "y") == 0)
		return take_panels(reader, key, text);
	if (strcmp(key, "x") != 0)
		return -1;
	if (!take_name(reader, key, text, plan_x_names, &x))
		return 0;
	reader->plan->evidence.x = (enum plan_x)x;
	reader->has_x = true;
	return 1;
}

static int take_repetitions(struct reader *reader, const char *key, const char *text,
			    int64_t *repetitions)
{
	if (!take_number(reader, key, text, units_parse_count, 1, repetitions))
		return 0;
	if (*repetitions > PLAN_REPETITIONS_MAX)
		return complain(reader, reader->line, "%s = %s: the most is %d", key, text,
				PLAN_REPETITIONS_MAX);
	return 1;
}

static int take_windows(struct reader *reader, const char *key, const char *text, int64_t *windows)
{
	if (!take_number(reader, key, text, units_parse_count, 1, windows))
		return 0;
	if (*windows > PLAN_WINDOWS_MAX)
		return complain(reader, reader->line, "%s = %s: the most is %d", key, text,
				PLAN_WINDOWS_MAX);
	return 1;
}

static int take_distributions(struct reader *reader, const char *key, const char *text)
{
	struct grid *grid = &reader->grid;
	char copy[INI_MAX_LINE];
	char *rest = copy;
	char *word;

	snprintf(copy, sizeof(copy), "%s", text);
	grid->distribution_count = 0;
	while ((word = next_word(&rest))) {
		if (grid->distribution_count == GRID_DISTRIBUTIONS_MAX)
			return complain(reader, reader->line, "%s: more than %d", key,
					GRID_DISTRIBUTIONS_MAX);
		if (!take_choice(reader, key, word, "constant, exponential",
				 grid->distributions[grid->distribution_count++]))
			return 0;
	}
	return 1;
}

/* A share such as 2% or 0.02. */
static int take_precision(struct reader *reader, const char *key, const char *text,
			  double *precision)
{
	char *end;
	double value = strtod(text, &end);

	if (end != text && strcmp(end, "%") == 0)
		value /= 100;
	else if (end == text || *end != '\0')
		value = 0;
	if (!(value > 0) || value >= 1)
		return complain(reader, reader->line, "%s = %s: want a share such as 2%%", key,
				text);
	*precision = value;
	return 1;
}

/* 1: taken; 0: refused; -1: no key of the timing. */
static int take_timing(struct reader *reader, const char *key, const char *text,
		       struct plan_timing *timing)
{
	if (strcmp(key, "repetitions") == 0)
		return take_repetitions(reader, key, text, &timing->repetitions);
	if (strcmp(key, "window") == 0)
		return take_number(reader, key, text, units_parse_duration, NS_PER_MS,
				   &timing->window_ns);
	if (strcmp(key, "repetitions-most") == 0)
		return take_repetitions(reader, key, text, &timing->repetitions_most);
	if (strcmp(key, "window-most") == 0)
		return take_number(reader, key, text, units_parse_duration, NS_PER_MS,
				   &timing->window_most_ns);
	if (strcmp(key, "requests") == 0)
		return take_number(reader, key, text, units_parse_count, 0, &timing->requests);
	if (strcmp(key, "windows") == 0)
		return take_windows(reader, key, text, &timing->windows);
	if (strcmp(key, "warmup") == 0)
		return take_number(reader, key, text, units_parse_duration, 0, &timing->warmup_ns);
	if (strcmp(key, "ramp") == 0)
		return take_number(reader, key, text, units_parse_duration, NS_PER_MS,
				   &timing->ramp_ns);
	return -1;
}

static int take_cpus(struct reader *reader, const char *key, const char *text, cpu_set_t *cpus)
{
	if (cpus_parse(text, cpus) != 0)
		return complain(reader, reader->line, "%s = %s: want processors such as 0 or 0,2-3",
				key, text);
	return 1;
}

static int take_plan_key(struct reader *reader, const char *key, const char *text)
{
	struct plan *plan = reader->plan;
	int rc = take_timing(reader, key, text, &reader->timing);

	if (rc < 0)
		rc = take_evidence(reader, key, text);
	if (rc >= 0)
		return rc;
	if (strcmp(key, "name") == 0) {
		snprintf(plan->name, sizeof(plan->name), "%s", text);
		return 1;
	}
	if (strcmp(key, "server-cpus") == 0)
		return take_cpus(reader, key, text, &plan->server_cpus);
	if (strcmp(key, "load-cpus") == 0)
		return take_cpus(reader, key, text, &plan->load_cpus);
	if (strcmp(key, "seed") == 0)
		return take_number(reader, key, text, units_parse_count, 1, &plan->seed);
	if (strcmp(key, "precision") == 0)
		return take_precision(reader, key, text, &plan->precision);
	if (strcmp(key, "figure") == 0) {
		int figure;

		if (!take_name(reader, key, text, plan_y_names, &figure))
			return 0;
		plan->figure = (enum plan_y)figure;
		return 1;
	}
	if (strcmp(key, "tries") == 0)
		return take_number(reader, key, text, units_parse_count, 1, &plan->tries);
	return complain(
		reader, reader->line,
		"unknown key %s in [plan] (name, server-cpus, load-cpus, tries, seed, figure, "
		"precision, claim, x, y, repetitions, repetitions-most, window, window-most, "
		"requests, windows, warmup, ramp)",
		key);
}

static int take_case_key(struct reader *reader, const char *key, const char *text)
{
	struct grid *grid = &reader->grid;
	int rc = take_timing(reader, key, text, &grid->timing);

	if (rc >= 0)
		return rc;
	if (strcmp(key, "arch") == 0)
		return take_archs(reader, text);
	if (strcmp(key, "service") == 0)
		return take_choice(reader, key, text, "app, proxy", grid->service);
	if (strcmp(key, "wait") == 0)
		return take_choice(reader, key, text, "backend, timer, none", grid->wait);
	if (strcmp(key, "work") == 0)
		return take_choice(reader, key, text, "clock, ops", grid->work);
	if (strcmp(key, "threads") == 0)
		return take_threads(reader, key, text);
	if (strcmp(key, "cpu") == 0)
		return take_list(reader, key, text, units_parse_duration, 0, &grid->cpu);
	if (strcmp(key, "wall") == 0)
		return take_list(reader, key, text, units_parse_duration, 0, &grid->wall);
	if (strcmp(key, "connections") == 0)
		return take_list(reader, key, text, units_parse_count, 1, &grid->connections);
	if (strcmp(key, "ratio") == 0)
		return take_list(reader, key, text, units_parse_count, 1, &grid->ratio);
	if (strcmp(key, "distribution") == 0)
		return take_distributions(reader, key, text);
	if (strcmp(key, "footprint") == 0)
		return take_list(reader, key, text, units_parse_size, 0, &grid->footprint);
	if (strcmp(key, "idle") == 0)
		return take_list(reader, key, text, units_parse_count, 0, &grid->idle);
	if (strcmp(key, "requests-per-connection") == 0)
		return take_number(reader, key, text, units_parse_count, 0,
				   &grid->requests_per_connection);
	if (strcmp(key, "twin") == 0)
		return take_number(reader, key, text, units_parse_count, 1, &grid->twin);
	return complain(
		reader, reader->line,
		"unknown key %s in [case %s] (arch, service, wait, work, threads, cpu, wall, "
		"ratio, connections, distribution, footprint, idle, requests-per-connection, twin, "
		"repetitions, repetitions-most, window, window-most, requests, windows, warmup, "
		"ramp)",
		key, grid->name);
}

static int on_key(void *context, const char *section, const char *key, const char *text)
{
	struct reader *reader = context;

	if (reader->failed)
		return 0;
	if (reader->in_case)
		return take_case_key(reader, key, text);
	if (strcmp(section, "plan") != 0)
		return complain(reader, reader->line, "%s: want [plan] or [case NAME] before it",
				key);
	return take_plan_key(reader, key, text);
}

/*
 * A line that opens a section, which ends a case. inih tells of a section only with its first key,
 * and cuts its name short.
 */
static void open_section(struct reader *reader, const char *line)
{
	char section[INI_MAX_LINE];
	size_t length = strcspn(line + 1, "]");

	end_case(reader);
	if (line[1 + length] != ']') {
		complain(reader, reader->line, "%s", no_line);
		return;
	}
	snprintf(section, sizeof(section), "%.*s", (int)length, line + 1);
	if (strcmp(section, "plan") != 0)
		begin_case(reader, section);
	else if (reader->has_case)
		complain(reader, reader->line, "[plan] comes before the cases");
}

/* Hands inih one line, and keeps the count that it doesn't. */
static char *read_line(char *text, int size, void *stream)
{
	struct reader *reader = stream;
	char *line = fgets(text, size, reader->file);

	if (!line)
		return NULL;
	reader->line++;
	if (!strchr(line, '\n') && !feof(reader->file))
		complain(reader, reader->line, "the line is longer than %d characters", size - 2);
	if (line[strspn(line, " \t")] == '[')
		open_section(reader, line + strspn(line, " \t"));
	return line;
}

static void check_evidence(struct reader *reader)
{
	const struct plan_evidence *evidence = &reader->plan->evidence;
	int given = (evidence->claim[0] != '\0') + reader->has_x + (evidence->panel_count > 0);

	if (given != 0 && given != 3)
		complain(reader, 1, "claim, x and y of [plan] go together");
}

int plan_read(const char *path, struct plan *plan, char why[PLAN_WHY_MAX])
{
	struct reader reader = {
		.path = path,
		.plan = plan,
		.why = why,
		.timing = { .repetitions = 3,
			    .window_ns = 4LL * NS_PER_S,
			    .windows = 1,
			    .warmup_ns = NS_PER_S / 2 },
	};
	int rc;

	*plan = (struct plan){ .tries = 3, .figure = PLAN_Y_THROUGHPUT, .precision = 0.02 };
	snprintf(plan->name, sizeof(plan->name), "sweep");
	cpus_parse("0", &plan->server_cpus);
	cpus_parse("1", &plan->load_cpus);
	plan->points = calloc(PLAN_POINTS_MAX, sizeof(*plan->points));
	reader.file = fopen(path, "re");
	if (!reader.file || !plan->points) {
		rc = errno;
		snprintf(why, PLAN_WHY_MAX, "%s: %s", path, strerror(rc));
		if (reader.file)
			fclose(reader.file);
		return -rc;
	}
	rc = ini_parse_stream(read_line, &reader, on_key, &reader);
	if (rc > 0)
		complain(&reader, rc, "%s", no_line);
	end_case(&reader);
	fclose(reader.file);
	if (plan->count == 0 && plan->skipped > 0)
		complain(&reader, reader.line,
			 "nothing to measure: windows longer than window-most would be needed "
			 "(points: %zu)",
			 plan->skipped);
	else if (plan->count == 0)
		complain(&reader, reader.line, "no [case NAME] in it");
	check_evidence(&reader);
	return reader.failed ? -EINVAL : 0;
}

void plan_free(struct plan *plan)
{
	free(plan->points);
	plan->points = NULL;
	plan->count = 0;
}
