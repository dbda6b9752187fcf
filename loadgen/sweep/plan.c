#include "loadgen/sweep/plan.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/sweep/archs.h"
#include "loadgen/sweep/plan_keys.h"
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

enum { GIVEN_MAX = 1024 };

struct reader {
	FILE *file;
	const char *path;
	struct plan *plan;
	struct plan_timing timing; /* [plan]'s */
	struct grid grid;          /* the case that is being read */
	int case_line;             /* where it starts */
	char given[GIVEN_MAX];     /* keys of this section, each between blanks */
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

/* False if the section has the key already; only a claim goes on. */
static bool take_once(struct reader *reader, const char *key)
{
	size_t used = strlen(reader->given);
	char word[GIVEN_MAX];

	snprintf(word, sizeof(word), " %s ", key);
	if (strcmp(key, "claim") != 0 && strstr(reader->given, word))
		return false;
	snprintf(reader->given + used, sizeof(reader->given) - used, "%s", word);
	return true;
}

static int on_key(void *context, const char *section, const char *key, const char *text)
{
	struct reader *reader = context;
	char why[PLAN_WHY_MAX];
	int rc;

	if (reader->failed)
		return 0;
	if (!reader->in_case && strcmp(section, "plan") != 0)
		return complain(reader, reader->line, "%s: want [plan] or [case NAME] before it",
				key);
	rc = reader->in_case ? plan_keys_take_case(&reader->grid, key, text, why)
			     : plan_keys_take(reader->plan, &reader->timing, key, text, why);
	if (rc != 0)
		return complain(reader, reader->line, "%s", why);
	if (take_once(reader, key))
		return 1;
	return complain(reader, reader->line,
			"%s is given twice, or goes on in a second line: want one line, a list "
			"with commas",
			key);
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
	reader->given[0] = '\0';
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
	int given = (evidence->claim[0] != '\0') + evidence->has_x + (evidence->panel_count > 0);

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

/* Whether its server is not installed, which is noted once. */
static bool is_absent(struct plan *plan, const struct run *asked)
{
	const struct arch_traits *traits = archs_find(asked->arch);
	struct plan_absent *absent = &plan->absent[plan->absent_count];

	if (!traits || !traits->recipe)
		return false;
	for (size_t i = 0; i < plan->absent_count; i++)
		if (strcmp(plan->absent[i].arch, asked->arch) == 0)
			return true;
	if (plan->absent_count == ARCHS_RECIPES_MAX ||
	    !recipe_missing(traits->recipe, NULL, absent->why))
		return false;
	snprintf(absent->arch, sizeof(absent->arch), "%s", asked->arch);
	plan->absent_count++;
	return true;
}

size_t plan_leave_out_absent(struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (!is_absent(plan, &plan->points[i].asked))
			plan->points[kept++] = plan->points[i];
	plan->count = kept;
	return kept;
}

void plan_free(struct plan *plan)
{
	free(plan->points);
	plan->points = NULL;
	plan->count = 0;
}
