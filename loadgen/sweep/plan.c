#include "loadgen/sweep/plan.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/units.h"
#include "loadgen/engine/load.h"
#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 64, POINTS_MAX = 4096, CONNECTIONS_LEAST = 16 };

static const char no_line[] = "neither [section], key = value nor # comment";

struct list {
	int64_t values[LIST_MAX];
	size_t count;
};

/* A case while its section is read. */
struct grid {
	char name[RUN_NAME_MAX];
	char service[RUN_WORD_MAX];
	char wait[RUN_WORD_MAX];
	char work[RUN_WORD_MAX];
	char archs[LIST_MAX][RUN_WORD_MAX];
	size_t arch_count;
	struct list threads;
	struct list cpu;
	struct list wall;
	struct list connections;
	int64_t twin;
	struct plan_timing timing;
	int line; /* where it starts */
};

struct reader {
	FILE *file;
	const char *path;
	struct plan *plan;
	struct plan_timing timing; /* [plan]'s */
	struct grid grid;
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

/* Points */

int64_t plan_connections(int64_t threads, int64_t cpu_ns, int64_t wall_ns, int64_t cores)
{
	double ratio = (double)cores * (double)wall_ns / (double)cpu_ns;
	double n = fmin(2 * ratio, 1.3 * ratio + 10);

	if (threads > 0)
		return threads;
	return n > CONNECTIONS_LEAST ? (int64_t)ceil(n) : CONNECTIONS_LEAST;
}

static int add_point(struct reader *reader, const struct run *asked)
{
	struct plan *plan = reader->plan;
	struct plan_point *point;

	for (size_t i = 0; i < plan->count; i++)
		if (run_same_point(&plan->points[i].asked, asked))
			return 1; /* cases may share points */
	if (plan->count == POINTS_MAX)
		return complain(reader, reader->grid.line, "more than %d points", POINTS_MAX);
	point = &plan->points[plan->count++];
	point->asked = *asked;
	point->timing = reader->grid.timing;
	return 1;
}

/* All connections of one arch, t, c and w. */
static int expand_connections(struct reader *reader, struct run *asked)
{
	const struct list *connections = &reader->grid.connections;

	if (connections->count == 0) {
		asked->connections = plan_connections(asked->threads, asked->cpu_ns, asked->wall_ns,
						      asked->cores);
		return add_point(reader, asked);
	}
	for (size_t i = 0; i < connections->count; i++) {
		asked->connections = connections->values[i];
		if (!add_point(reader, asked))
			return 0;
	}
	return 1;
}

static bool has_threads(const char *arch)
{
	return strcmp(arch, "loop") != 0;
}

/* Contenders come one after the other, so that they meet the same state of the machine. */
static int expand_archs(struct reader *reader, struct run *asked, int64_t threads)
{
	for (size_t i = 0; i < reader->grid.arch_count; i++) {
		const char *arch = reader->grid.archs[i];

		snprintf(asked->arch, sizeof(asked->arch), "%s", arch);
		asked->threads = has_threads(arch) ? threads : 0;
		if (has_threads(arch) && threads == 0)
			return complain(reader, reader->grid.line,
					"[case %s] with arch %s needs threads", reader->grid.name,
					arch);
		if (!expand_connections(reader, asked))
			return 0;
	}
	return 1;
}

static int expand_times(struct reader *reader, struct run *asked)
{
	const struct grid *grid = &reader->grid;

	for (size_t c = 0; c < grid->cpu.count; c++) {
		for (size_t w = 0; w < grid->wall.count; w++) {
			asked->cpu_ns = grid->cpu.values[c];
			asked->wall_ns = grid->wall.values[w];
			if (asked->wall_ns < asked->cpu_ns)
				return complain(reader, grid->line,
						"[case %s]: wall is less than cpu", grid->name);
			if (strcmp(grid->wait, "none") == 0 && asked->wall_ns != asked->cpu_ns)
				return complain(reader, grid->line,
						"[case %s]: with wait = none, wall is cpu",
						grid->name);
			for (size_t t = 0; t < grid->threads.count; t++)
				if (!expand_archs(reader, asked, grid->threads.values[t]))
					return 0;
			if (grid->threads.count == 0 && !expand_archs(reader, asked, 0))
				return 0;
		}
	}
	return 1;
}

static int end_case(struct reader *reader)
{
	const struct grid *grid = &reader->grid;
	struct run asked = { .schema = RUN_SCHEMA,
			     .twin = grid->twin,
			     .cores = CPU_COUNT(&reader->plan->server_cpus) };

	if (!reader->in_case)
		return 1;
	reader->in_case = false;
	if (grid->arch_count == 0 || grid->cpu.count == 0 || grid->wall.count == 0)
		return complain(reader, grid->line, "[case %s] needs arch, cpu and wall",
				grid->name);
	snprintf(asked.case_name, sizeof(asked.case_name), "%s", grid->name);
	snprintf(asked.service, sizeof(asked.service), "%s", grid->service);
	snprintf(asked.wait, sizeof(asked.wait), "%s",
		 strcmp(grid->service, "proxy") == 0 ? "backend" : grid->wait);
	snprintf(asked.work, sizeof(asked.work), "%s", grid->work);
	return expand_times(reader, &asked);
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
	*grid = (struct grid){ .twin = 1, .timing = reader->timing, .line = reader->line };
	snprintf(grid->name, sizeof(grid->name), "%s", name);
	snprintf(grid->service, sizeof(grid->service), "app");
	snprintf(grid->wait, sizeof(grid->wait), "backend");
	snprintf(grid->work, sizeof(grid->work), "clock");
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
		     struct list *list)
{
	char copy[INI_MAX_LINE];
	char *rest = copy;
	char *word;

	snprintf(copy, sizeof(copy), "%s", text);
	list->count = 0;
	while ((word = next_word(&rest))) {
		if (list->count == LIST_MAX)
			return complain(reader, reader->line, "%s: more than %d values", key,
					LIST_MAX);
		if (!take_number(reader, key, word, parse, 1, &list->values[list->count++]))
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
	char *rest = copy;
	char *word;
	struct grid *grid = &reader->grid;

	snprintf(copy, sizeof(copy), "%s", text);
	grid->arch_count = 0;
	while ((word = next_word(&rest))) {
		if (grid->arch_count == LIST_MAX)
			return complain(reader, reader->line, "arch: too many");
		if (!take_choice(reader, "arch", word, "pool, loop",
				 grid->archs[grid->arch_count++]))
			return 0;
	}
	return 1;
}

static int take_windows(struct reader *reader, const char *key, const char *text, int64_t *windows)
{
	if (!take_number(reader, key, text, units_parse_count, 1, windows))
		return 0;
	if (*windows > LOAD_WINDOWS_MAX)
		return complain(reader, reader->line, "%s = %s: the most is %d", key, text,
				LOAD_WINDOWS_MAX);
	return 1;
}

/* 1: taken; 0: refused; -1: no key of the timing. */
static int take_timing(struct reader *reader, const char *key, const char *text,
		       struct plan_timing *timing)
{
	if (strcmp(key, "repetitions") == 0)
		return take_number(reader, key, text, units_parse_count, 1, &timing->repetitions);
	if (strcmp(key, "window") == 0)
		return take_number(reader, key, text, units_parse_duration, NS_PER_MS,
				   &timing->window_ns);
	if (strcmp(key, "windows") == 0)
		return take_windows(reader, key, text, &timing->windows);
	if (strcmp(key, "warmup") == 0)
		return take_number(reader, key, text, units_parse_duration, 0, &timing->warmup_ns);
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
	if (strcmp(key, "tries") == 0)
		return take_number(reader, key, text, units_parse_count, 1, &plan->tries);
	return complain(
		reader, reader->line,
		"unknown key %s in [plan] (name, server-cpus, load-cpus, tries, repetitions, "
		"window, windows, warmup)",
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
		return take_list(reader, key, text, units_parse_count, &grid->threads);
	if (strcmp(key, "cpu") == 0)
		return take_list(reader, key, text, units_parse_duration, &grid->cpu);
	if (strcmp(key, "wall") == 0)
		return take_list(reader, key, text, units_parse_duration, &grid->wall);
	if (strcmp(key, "connections") == 0)
		return take_list(reader, key, text, units_parse_count, &grid->connections);
	if (strcmp(key, "twin") == 0)
		return take_number(reader, key, text, units_parse_count, 1, &grid->twin);
	return complain(
		reader, reader->line,
		"unknown key %s in [case %s] (arch, service, wait, work, threads, cpu, wall, "
		"connections, twin, repetitions, window, windows, warmup)",
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

	*plan = (struct plan){ .tries = 3 };
	snprintf(plan->name, sizeof(plan->name), "sweep");
	cpus_parse("0", &plan->server_cpus);
	cpus_parse("1", &plan->load_cpus);
	plan->points = calloc(POINTS_MAX, sizeof(*plan->points));
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
	if (!reader.failed && plan->count == 0)
		complain(&reader, reader.line, "no [case NAME] in it");
	return reader.failed ? -EINVAL : 0;
}

void plan_free(struct plan *plan)
{
	free(plan->points);
	plan->points = NULL;
	plan->count = 0;
}
