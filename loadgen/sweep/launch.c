#include "loadgen/sweep/launch.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/random.h"
#include "common/units.h"
#include <stdio.h>
#include <string.h>

enum {
	READY_S = 30,        /* 10,000 threads take their time to start */
	BACKEND_LATE_S = 60, /* the backend is given up so long after the longest wait */
};

struct command_line {
	char *arguments[PROCESS_ARGUMENTS_MAX];
	char text[4096];
	size_t used;
	int count;
};

static void add(struct command_line *line, const char *word)
{
	size_t length = strlen(word) + 1;

	if (line->count + 1 >= PROCESS_ARGUMENTS_MAX || line->used + length > sizeof(line->text))
		return;
	memcpy(line->text + line->used, word, length);
	line->arguments[line->count++] = line->text + line->used;
	line->used += length;
}

static void add_option(struct command_line *line, const char *name, const char *value)
{
	add(line, name);
	add(line, value);
}

static void add_duration(struct command_line *line, const char *name, int64_t ns)
{
	char text[UNITS_TEXT_MAX];

	add_option(line, name, units_format_duration_exact(text, ns));
}

static void add_program(struct command_line *line, const char *name)
{
	char folder[PATH_MAX];
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", process_programs(folder), name);
	add(line, path);
}

static void add_cpus(struct command_line *line, const cpu_set_t *cpus)
{
	char text[256];

	add_option(line, "--cpus", cpus_format(cpus, text, sizeof(text)));
}

/* The name, and the variant's options as they are. */
static void add_arch(struct command_line *line, const char *variant)
{
	char copy[ARCHS_VARIANT_MAX];
	char *rest = copy;
	char *word;

	snprintf(copy, sizeof(copy), "%s", variant);
	add(line, "--arch");
	while ((word = strsep(&rest, " ")))
		add(line, word);
}

static void add_number(struct command_line *line, const char *name, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	add_option(line, name, text);
}

static bool is_proxy(const struct run *asked)
{
	return strcmp(asked->service, "proxy") == 0;
}

/*
 * Each run has random numbers of its own: repetitions that drew the same would be closer to each
 * other than to the mean.
 */
static void add_distribution(struct command_line *line, const struct run *asked)
{
	uint64_t seed = random_seed((uint64_t)asked->seed, (uint64_t)asked->sequence);
	bool waits = !is_proxy(asked) && asked->wall_ns > asked->cpu_ns;

	if (!run_is_exponential(asked) || (asked->cpu_ns == 0 && !waits))
		return;
	add_option(line, "--distribution", "exponential");
	add_number(line, "--seed", (int64_t)(seed >> 1));
}

static void add_backend(struct command_line *line, const struct run *asked, const char *address)
{
	int64_t longest_ns = asked->wall_ns;

	if (strcmp(asked->wait, "backend") != 0)
		return;
	if (run_is_exponential(asked))
		longest_ns *= RANDOM_EXPONENTIAL_MOST;
	add_option(line, "--upstream", address);
	add_duration(line, "--upstream-timeout", longest_ns + (int64_t)BACKEND_LATE_S * NS_PER_S);
}

/* The work and how it is known; without any, the server refuses these options. */
static void add_work(struct command_line *line, const struct run *asked)
{
	char size[UNITS_TEXT_MAX];

	add_duration(line, "--cpu", asked->cpu_ns);
	add_duration(line, "--wall", asked->wall_ns);
	if (asked->cpu_ns == 0)
		return;
	if (strcmp(asked->work, "ops") != 0)
		add_duration(line, "--overhead", asked->overhead_ref_ns);
	add_option(line, "--work", asked->work);
	if (asked->footprint_bytes > 0)
		add_option(line, "--footprint", units_format_size(size, asked->footprint_bytes));
}

static int launch_recipe(struct measure *measure, const struct run *asked,
			 const struct recipe *recipe, struct process *server,
			 struct recipe_server *other)
{
	int64_t work_ns = asked->cpu_ns - asked->overhead_ref_ns;
	bool waits = !is_proxy(asked) && strcmp(asked->wait, "none") != 0;
	struct recipe_use use = {
		.threads = asked->threads,
		.connections = asked->connections + asked->idle,
		.cpu_ns = work_ns > 0 ? work_ns : 0,
		.wait_ns = waits ? asked->wall_ns - asked->cpu_ns : 0,
		.upstream = measure->backend.address,
		.cpus = &measure->plan->server_cpus,
		.log = measure->log,
		.stop = measure->stop,
	};

	return recipe_start(recipe, &use, server, other, measure->why);
}

int launch_server(struct measure *measure, const struct run *asked, struct process *server,
		  struct recipe_server *other)
{
	const struct arch_traits *traits = archs_find(asked->arch);
	struct command_line line = { .count = 0 };

	*other = (struct recipe_server){ 0 };
	if (traits && traits->recipe)
		return launch_recipe(measure, asked, traits->recipe, server, other);

	add_program(&line, "cwt-server");
	add_arch(&line, asked->arch);
	add_option(&line, "--service", asked->service);
	if (asked->threads > 0)
		add_number(&line, "--threads", asked->threads);
	if (!is_proxy(asked))
		add_option(&line, "--wait", asked->wait);
	add_backend(&line, asked, measure->backend.address);
	add_work(&line, asked);
	add_distribution(&line, asked);
	add_cpus(&line, &measure->plan->server_cpus);
	return process_start(server, line.arguments, measure->log, (int64_t)READY_S * NS_PER_S,
			     measure->why);
}

int launch_backend(struct measure *measure)
{
	struct command_line line = { .count = 0 };

	add_program(&line, "cwt-backend");
	add_cpus(&line, &measure->plan->load_cpus);
	return process_start(&measure->backend, line.arguments, measure->log,
			     (int64_t)READY_S * NS_PER_S, measure->why);
}
