/* cwt tune: the thread limit that a server needs, by measurement; for a job that keeps it right. */
#include "loadgen/commands/tune.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/sweep/archs.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char tune_program[] = "cwt tune";

enum { WHY_MAX = RECIPE_WHY_MAX, SHARE_MAX = 1, NOTHING_TO_TUNE = -2, SLO_BUDGET_S = 1800 };

/* What options say before it is put together. */
struct asked {
	const char *share;
	const char *tolerance;
	const char *markdown;
	const char *junit;
	const char *save;
	int limit; /* of a command line's t: an index into limit_names */
	bool json;
};

static const char *const limit_names[] = { "connections", "requests", NULL };

static void set_defaults(struct tune *tune)
{
	cpus_parse("0", &tune->plan.server_cpus);
	cpus_parse("1", &tune->plan.load_cpus);
	tune->asked = run_usual("tune", "backend");
	tune->asked.cpu_ns = 5 * NS_PER_MS;
	tune->asked.wall_ns = 100 * NS_PER_MS;
	tune->next = (struct next_settings){ .least = 1, .most = 2000, .precision = 0.1 };
	tune->window_ns = NS_PER_S;
	tune->budget_ns = 90LL * NS_PER_S;
	tune->seed = 1;
	tune->log = "/dev/null";
}

static int take_share(const struct option_table *table, const char *option, const char *text,
		      double *share)
{
	if (units_parse_share(text, share) == 0 && *share < SHARE_MAX)
		return CWT_OK;
	return options_complain(table, "--%s %s: want a share below 100%%, such as 5%%", option,
				text);
}

/* A command line is a recipe without a file. */
static int take_command(const struct option_table *table, struct tune *tune,
			enum recipe_limit limit, char **words, int count)
{
	struct recipe recipe;
	char why[RECIPE_WHY_MAX];

	if (recipe_of_command(words, count, limit, &recipe, why) != 0)
		return options_complain(table, "%s", why);
	if (archs_add(&recipe, why, sizeof(why)) != 0)
		return options_complain(table, "%s", why);
	snprintf(tune->asked.arch, sizeof(tune->asked.arch), "%s", recipe.name);
	return CWT_OK;
}

static int take_name(const struct option_table *table, struct tune *tune, const char *text)
{
	char why[WHY_MAX];

	if (archs_parse(text, tune->asked.arch, why, sizeof(why)) != 0)
		return options_complain(table, "%s: %s", text, why);
	return CWT_OK;
}

/* One word is a name or a file; more are a command line. */
static int take_target(const struct option_table *table, struct tune *tune,
		       const struct asked *asked, char **words, int count)
{
	const struct run *run = &tune->asked;
	char missing[RECIPE_WHY_MAX];
	const struct recipe *recipe;
	int rc = count == 1 ? take_name(table, tune, words[0])
			    : take_command(table, tune,
					   asked->limit == 0 ? RECIPE_LIMIT_CONNECTIONS
							     : RECIPE_LIMIT_REQUESTS,
					   words, count);

	if (rc != CWT_OK)
		return rc;
	if (!archs_is_limited(run->arch)) {
		printf("%s: no limit matters here: it has none\n", run->arch);
		return NOTHING_TO_TUNE;
	}
	recipe = archs_find(run->arch)->recipe;
	if (recipe && recipe_missing(recipe, NULL, missing))
		return options_complain(table, "%s", missing);
	return CWT_OK;
}

static int complete(const struct option_table *table, struct tune *tune)
{
	struct run *run = &tune->asked;
	char why[FAIL_ON_WHY_MAX];
	cpu_set_t both;

	if (run->wall_ns < run->cpu_ns)
		return options_complain(table, "--wall is below --cpu, which is part of it");
	if (tune->next.least > tune->next.most)
		return options_complain(table, "--least is above --most");
	if (tune->slo_text && slo_parse(tune->slo_text, &tune->slo, why, sizeof(why)) != 0)
		return options_complain(table, "--slo: %s", why);
	if (tune->rate > 0 && !tune->slo_text)
		return options_complain(table, "--rate says nothing without --slo");
	if (tune->slo_text && !options_find(table, "budget")->given)
		tune->budget_ns = (int64_t)SLO_BUDGET_S * NS_PER_S;
	CPU_AND(&both, &tune->plan.server_cpus, &tune->plan.load_cpus);
	if (CPU_COUNT(&both) > 0)
		fprintf(stderr,
			"%s: server and generator share processors: what the generator uses, the "
			"server does not get\n",
			tune_program);
	run->cores = CPU_COUNT(&tune->plan.server_cpus);
	tune->has_assert = options_find(table, "assert")->given;
	return CWT_OK;
}

/* There, and one that can be read. */
static int check_baseline(const struct tune *tune)
{
	struct baseline baseline;
	char why[TUNE_TEXT_MAX];
	int rc = tune->baseline ? tune_read_baseline(tune, &baseline, why) : 0;

	if (rc == 0)
		return CWT_OK;
	if (rc == -EINVAL) {
		options_fail(tune_program, "%s", why);
		return CWT_INVALID;
	}
	options_fail(tune_program, "--baseline %s: %s; make one with --save", tune->baseline,
		     strerror(-rc));
	return CWT_NO_BASELINE;
}

static int save(const char *option, const char *path, int rc)
{
	if (rc == 0)
		return CWT_OK;
	options_fail(tune_program, "--%s %s: %s", option, path, strerror(-rc));
	return CWT_USAGE;
}

static int save_json(const char *path, json_t *value)
{
	int rc = json_dump_file(value, path, JSON_INDENT(2) | JSON_REAL_PRECISION(10));

	json_decref(value);
	return rc == 0 ? 0 : -EIO;
}

static int report(const struct tune *tune, const struct tune_result *result,
		  const struct asked *asked)
{
	int rc = CWT_OK;

	if (asked->json)
		command_print_json(tune_to_json(tune, result));
	else
		tune_print(tune, result);
	if (tune->interrupted)
		return result->status;
	if (asked->save && result->status == CWT_OK)
		rc = save("save", asked->save, save_json(asked->save, tune_to_json(tune, result)));
	if (rc == CWT_OK && asked->markdown)
		rc = save("markdown", asked->markdown,
			  tune_write_markdown(asked->markdown, tune, result));
	if (rc == CWT_OK && asked->junit)
		rc = save("junit", asked->junit, tune_write_junit(asked->junit, tune, result));
	return rc == CWT_OK ? result->status : rc;
}

int command_tune(int argc, char **argv)
{
	struct tune *tune = calloc(1, sizeof(*tune));
	struct tune_result result;
	struct asked asked = { .share = "95%", .tolerance = "10%" };
	int operands;
	int rc;

	if (!tune)
		return options_fail(tune_program, "out of memory");
	set_defaults(tune);
	struct option_spec specs[] = {
		{ "cpu", OPTION_DURATION, &tune->asked.cpu_ns, "TIME",
		  "c of the load: CPU time of a request", .section = "Load" },
		{ "wall", OPTION_DURATION, &tune->asked.wall_ns, "TIME",
		  "w: its wall time, CPU included" },
		{ "path", OPTION_TEXT, &tune->target, "PATH",
		  "ask for that, which is a server's own load; --cpu and --wall are then the "
		  "target's environment only [/]",
		  .hide_default = true },
		{ "connections", OPTION_COUNT, &tune->connections, "N",
		  "clients [as many as threads]", .most = 19500, .hide_default = true },
		{ "limit", OPTION_CHOICE, &asked.limit, NULL,
		  "what t is a limit of, if the target is a command line", .choices = limit_names },
		{ "slo", OPTION_TEXT, &tune->slo_text, "CONDITION",
		  "the goal: a bound on the latency when requests come at random, such as "
		  "'p99<100ms' [throughput]",
		  .section = "Goal", .hide_default = true },
		{ "rate", OPTION_NUMBER, &tune->rate, "R",
		  "with --slo: requests/s at which it is to be met [the highest that is met]",
		  .hide_default = true },
		{ "least", OPTION_COUNT, &tune->next.least, "T",
		  "the range in which t is looked for", .section = "Search", .least = 1,
		  .most = 19500 },
		{ "most", OPTION_COUNT, &tune->next.most, "T", "likewise", .least = 1,
		  .most = 19500 },
		{ "share", OPTION_TEXT, &asked.share, "SHARE",
		  "t is the least that reaches so much of the plateau" },
		{ "budget", OPTION_DURATION, &tune->budget_ns, "TIME",
		  "how long it may take; 30m with --slo", .least = NS_PER_S },
		{ "window", OPTION_DURATION, &tune->window_ns, "TIME",
		  "how long a run measures, at the least", .least = NS_PER_MS },
		{ "server-cpus", OPTION_CPUS, &tune->plan.server_cpus, "LIST",
		  "the server's processors [0]" },
		{ "load-cpus", OPTION_CPUS, &tune->plan.load_cpus, "LIST", "the generator's [1]" },
		{ "seed", OPTION_COUNT, &tune->seed, "S", "of the drawing of the interval" },
		{ "assert", OPTION_COUNT, &tune->asserted, "T",
		  "fail if t, as it is configured, has left the interval [none]", .section = "Job",
		  .least = 1, .hide_default = true },
		{ "tolerance", OPTION_TEXT, &asked.tolerance, "SHARE",
		  "with --assert: how far outside of the interval is still right" },
		{ "baseline", OPTION_TEXT, &tune->baseline, "FILE",
		  "with --assert: what was measured when it was right, to name the cause [none]",
		  .hide_default = true },
		{ "save", OPTION_TEXT, &asked.save, "FILE", "write what --baseline reads [none]",
		  .hide_default = true },
		{ "json", OPTION_FLAG, &asked.json, NULL,
		  "one JSON object instead of text; docs/tune.md has its fields",
		  .section = "Output" },
		{ "markdown", OPTION_TEXT, &asked.markdown, "FILE",
		  "write a summary for a pull request [none]", .hide_default = true },
		{ "junit", OPTION_TEXT, &asked.junit, "FILE",
		  "write JUnit XML for a build server [none]", .hide_default = true },
		{ "log", OPTION_TEXT, &tune->log, "FILE", "where servers say what they say" },
	};
	struct option_table table = {
		.program = tune_program,
		.usage = "[OPTION]... TARGET | [OPTION]... -- COMMAND WORD...",
		.about =
			"Finds the thread limit t that a server needs, by measuring it: the least "
			"t "
			"whose throughput\n"
			"is near to the plateau, with its interval, and what the model makes of "
			"it. "
			"TARGET is an\n"
			"architecture of cwt-server, a name in scripts/targets, or a file NAME.ini "
			"like those; or a\n"
			"command line with the places {threads}, and {port} or {address}, in it, "
			"after --.",
		.notes = "Exit status: 0 told, or t is right; 1 t has left the interval, or a "
			 "failure; 2 usage, or\n"
			 "a file that cannot be written; 3 not known well enough; 4 no baseline; 5 "
			 "no "
			 "valid run;\n"
			 "130 interrupted.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	rc = command_parse_any(&table, argc, argv, &operands);
	if (rc == COMMAND_GOES_ON && operands == argc)
		rc = options_complain(&table, "which target?");
	if (rc == COMMAND_GOES_ON)
		rc = take_share(&table, "share", asked.share, &tune->next.share);
	if (rc == CWT_OK)
		rc = take_share(&table, "tolerance", asked.tolerance, &tune->tolerance);
	if (rc == CWT_OK)
		rc = take_target(&table, tune, &asked, &argv[operands], argc - operands);
	if (rc == CWT_OK)
		rc = complete(&table, tune);
	if (rc == CWT_OK)
		rc = check_baseline(tune);
	if (rc == CWT_OK)
		rc = tune_measure(tune);
	if (rc == CWT_OK) {
		tune_conclude(tune, &result);
		rc = report(tune, &result, &asked);
	}
	free(tune);
	return rc == NOTHING_TO_TUNE ? CWT_OK : rc;
}
