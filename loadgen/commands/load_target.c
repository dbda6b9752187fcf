#include "loadgen/commands/load_target.h"
#include "common/cpus.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_checks.h"
#include "loadgen/commands/load_report.h"
#include "loadgen/sweep/archs.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CPUS_TEXT_MAX = 256 };

static const char program[] = "cwt load";

const char *const load_service_names[] = { "app", "proxy", NULL };

/* One that is a proxy only is taken as one. */
static int take_service(const struct option_table *table, const struct load_given *given,
			struct run *asked)
{
	const struct recipe *recipe = archs_find(asked->arch)->recipe;
	unsigned services = recipe ? recipe->services : RECIPE_APP | RECIPE_PROXY;
	bool is_proxy = given->target_service == 1;

	if (!load_is_given(table, "target-service"))
		is_proxy = !(services & RECIPE_APP);
	if (!(services & (is_proxy ? RECIPE_PROXY : RECIPE_APP)))
		return options_complain(table, "--target-service: %s is no %s", asked->arch,
					load_service_names[is_proxy]);
	snprintf(asked->service, sizeof(asked->service), "%s", load_service_names[is_proxy]);
	return CWT_OK;
}

static int take_threads(const struct option_table *table, const struct load_given *given,
			struct run *asked)
{
	bool is_limited = archs_is_limited(asked->arch);

	asked->threads = given->target_threads;
	if (is_limited && !load_is_given(table, "target-threads"))
		return options_complain(table, "%s has a thread limit: --target-threads T",
					asked->arch);
	if (!is_limited && load_is_given(table, "target-threads"))
		return options_complain(table, "--target-threads: %s has no such limit",
					asked->arch);
	return CWT_OK;
}

/* The server's processors, and the others for the generator if it was not given any. */
static int take_cpus(const struct option_table *table, const struct load_given *given,
		     struct load_job *job)
{
	struct plan *plan = &job->target->plan;
	cpu_set_t all;
	cpu_set_t both;
	char text[CPUS_TEXT_MAX];
	int rc = cpus_allowed(&all);

	plan->server_cpus = given->target_cpus;
	if (rc != 0)
		return options_fail(program, "processors: %s", strerror(-rc));
	CPU_AND(&both, &all, &plan->server_cpus);
	if (!CPU_EQUAL(&both, &plan->server_cpus))
		return options_complain(table, "--target-cpus %s: not all of these can be used",
					cpus_format(&plan->server_cpus, text, sizeof(text)));
	if (!load_is_given(table, "cpus")) {
		CPU_XOR(&job->cpus, &all, &plan->server_cpus);
		if (CPU_COUNT(&job->cpus) == 0)
			return options_complain(table,
						"--target-cpus leaves the generator no processor; "
						"if they are to share, say so with --cpus");
	}
	plan->load_cpus = job->cpus;
	job->target->asked.cores = CPU_COUNT(&plan->server_cpus);
	return CWT_OK;
}

int load_target_ask(const struct option_table *table, const struct load_given *given,
		    struct load_job *job)
{
	char why[RECIPE_WHY_MAX];
	const struct recipe *recipe;
	struct run *asked;
	int rc;

	if (!given->target)
		return CWT_OK;
	job->target = calloc(1, sizeof(*job->target));
	if (!job->target)
		return options_fail(program, "out of memory");
	asked = &job->target->asked;
	*asked = run_usual("load", "backend");
	asked->cpu_ns = given->target_cpu_ns;
	asked->wall_ns = given->target_wall_ns;
	if (archs_parse(given->target, asked->arch, why, sizeof(why)) != 0)
		return options_complain(table, "--target %s: %s", given->target, why);
	if (asked->wall_ns < asked->cpu_ns)
		return options_complain(table,
					"--target-wall is below --target-cpu, which is part of it");
	rc = take_service(table, given, asked);
	if (rc == CWT_OK)
		rc = take_threads(table, given, asked);
	if (rc == CWT_OK)
		rc = take_cpus(table, given, job);
	recipe = archs_find(asked->arch)->recipe;
	if (rc == CWT_OK && recipe && recipe_missing(recipe, NULL, why))
		rc = options_complain(table, "--target: %s", why);
	/* More would never be served. */
	if (archs_find(asked->arch)->limit == RECIPE_LIMIT_CONNECTIONS &&
	    !load_is_given(table, "connections"))
		job->config.connections = asked->threads;
	return rc;
}

/* "/", or what makes the backend wait as long as was asked for. */
static const char *usual_path(const struct run *asked, char text[UNITS_TEXT_MAX + 16])
{
	char wait[UNITS_TEXT_MAX];

	if (strcmp(asked->service, "proxy") != 0)
		return "/";
	snprintf(text, UNITS_TEXT_MAX + 16, "/delay/%s",
		 units_format_duration_exact(wait, asked->wall_ns - asked->cpu_ns));
	return text;
}

static int make_urls(const struct option_table *table, struct load_target *target, char **paths,
		     int count)
{
	const char *address = target->drive.server.address;

	if (count > LOAD_URLS_MAX)
		return options_complain(table, "%d paths are too many: %d at the most", count,
					LOAD_URLS_MAX);
	for (int i = 0; i < (count > 0 ? count : 1); i++) {
		char usual[UNITS_TEXT_MAX + 16];
		const char *path = count > 0 ? paths[i] : usual_path(&target->asked, usual);

		if (asprintf(&target->urls[i], "http://%s%s", address, path) < 0) {
			target->urls[i] = NULL;
			return options_fail(program, "out of memory");
		}
		target->url_count++;
	}
	return CWT_OK;
}

int load_target_start(const struct option_table *table, struct load_job *job, char **paths,
		      int count)
{
	struct load_target *target = job->target;

	for (int i = 0; i < count; i++)
		if (paths[i][0] != '/')
			return options_complain(
				table, "'%s': with --target, want a path, such as /", paths[i]);
	target->asked.connections = job->config.connections + job->idle;
	target->measure = (struct measure){
		.plan = &target->plan,
		.log = "/dev/null",
		.stop = &command_stopped,
	};
	target->drive = (struct drive){ .measure = &target->measure, .asked = &target->asked };
	command_catch_stop();
	if (measure_begin(&target->measure) != 0)
		return options_fail(program, "%s", target->measure.why);
	switch (drive_start(&target->drive)) {
	case 0:
		break;
	case -EINTR:
		return load_report_nothing();
	default:
		return options_fail(program, "--target: %s", target->measure.why);
	}
	return make_urls(table, target, paths, count);
}

void load_target_stop(struct load_job *job)
{
	struct load_target *target = job->target;

	if (!target)
		return;
	if (target->drive.server.pid > 0) {
		drive_stop(&target->drive);
		if (target->drive.ended[0])
			fprintf(stderr, "%s: --target: %s\n", program, target->drive.ended);
	}
	measure_end(&target->measure);
	for (int i = 0; i < target->url_count; i++)
		free(target->urls[i]);
	free(target);
	job->target = NULL;
}

void load_target_print(const struct load_job *job)
{
	const struct run *asked = &job->target->asked;
	char text[2][UNITS_TEXT_MAX];
	char cpus[CPUS_TEXT_MAX];

	printf("  target      %s", asked->arch);
	if (asked->threads > 0)
		printf(", t = %lld", (long long)asked->threads);
	printf(", %s, c = %s, w = %s, processors %s\n", asked->service,
	       units_format_duration(text[0], (double)asked->cpu_ns),
	       units_format_duration(text[1], (double)asked->wall_ns),
	       cpus_format(&job->target->plan.server_cpus, cpus, sizeof(cpus)));
}

json_t *load_target_json(const struct load_job *job)
{
	const struct run *asked = job->target ? &job->target->asked : NULL;

	if (!asked)
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "name", asked->arch, "service",
			 asked->service, "threads", (json_int_t)asked->threads, "cores",
			 (json_int_t)asked->cores, "cpu_ns", (json_int_t)asked->cpu_ns, "wall_ns",
			 (json_int_t)asked->wall_ns);
}
