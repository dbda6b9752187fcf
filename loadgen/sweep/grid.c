#include "loadgen/sweep/grid.h"
#include "common/clock.h"
#include "loadgen/model/model.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CONNECTIONS_LEAST = 16, WARMUP_WAITS = 4 };

static const int64_t wall_most_ns = 24LL * 3600 * NS_PER_S; /* the servers' own bound */

int64_t grid_connections(int64_t threads, int64_t cpu_ns, int64_t wall_ns, int64_t cores)
{
	double ratio = (double)cores * (double)wall_ns / (double)cpu_ns;
	double n = fmin(2 * ratio, 1.3 * ratio + 10);

	if (threads > 0)
		return threads;
	return n > CONNECTIONS_LEAST ? (int64_t)ceil(n) : CONNECTIONS_LEAST;
}

/* What the lists leave to be said of a point, or contradict; NULL if nothing. */
static const char *check_point(const struct grid *grid, const struct run *asked)
{
	if (archs_is_limited(asked->arch) && asked->threads == 0 && !grid->threads_match)
		return "an architecture that t limits needs threads";
	if (asked->connections == 0 && grid->threads_match)
		return "threads = connections needs connections";
	if (asked->connections == 0 && (asked->cpu_ns == 0 || asked->idle > 0))
		return "with cpu = 0 or idle connections it needs connections";
	if (asked->wall_ns < asked->cpu_ns)
		return "wall is less than cpu";
	if (strcmp(asked->wait, "none") == 0 && asked->wall_ns != asked->cpu_ns)
		return "with wait = none, wall is cpu";
	if (asked->footprint_bytes > 0 && asked->cpu_ns == 0)
		return "footprint is of the work, and cpu = 0 is none";
	if (grid->ratio.count > 0 && asked->cpu_ns == 0)
		return "ratio is w/c, and cpu = 0 has none";
	if (asked->wall_ns > wall_most_ns)
		return "wall, or ratio times cpu, is more than a day";
	if (run_is_exponential(asked) && asked->wall_ns == 0)
		return "distribution = exponential: with cpu = 0 and wall = 0 there is nothing to "
		       "draw";
	return NULL;
}

/* What a server that is not ours cannot do; NULL if it can do the point. */
static const char *check_recipe(const struct run *asked)
{
	const struct arch_traits *traits = archs_find(asked->arch);
	const struct recipe *recipe = traits ? traits->recipe : NULL;
	bool is_proxy = strcmp(asked->service, "proxy") == 0;

	if (!recipe)
		return NULL;
	if (!(recipe->services & (is_proxy ? RECIPE_PROXY : RECIPE_APP)))
		return is_proxy ? "this target is no proxy: want service = app"
				: "this target is a proxy: want service = proxy";
	if (strcmp(asked->wait, "timer") == 0)
		return "a target waits for the backend: want wait = backend";
	if (strcmp(asked->work, "clock") != 0 || asked->footprint_bytes > 0)
		return "a target's work is CPU time: want work = clock, and no footprint";
	if (run_is_exponential(asked) && !is_proxy)
		return "a target's times are constant: want distribution = constant";
	return NULL;
}

/* The same of its timing. */
static const char *check_timing(const struct plan_timing *timing)
{
	if (timing->window_most_ns > 0 && timing->window_most_ns < timing->window_ns)
		return "window-most is less than window";
	return NULL;
}

/*
 * How long a window has to be for the requests that it is to hold, by the lower of the model's two
 * bounds, the closed network's; and no shorter than it is asked to be.
 */
static int64_t window_ns(const struct grid *grid, const struct run *asked)
{
	const struct plan_timing *timing = &grid->timing;
	double population = (double)asked->connections;
	int64_t requests = timing->requests;
	double rate;

	if (asked->threads > 0 && asked->threads < asked->connections)
		population = (double)asked->threads;
	if (run_is_exponential(asked) && timing->requests_exponential > 0)
		requests = timing->requests_exponential;
	if (asked->cpu_ns == 0 || requests == 0)
		return timing->window_ns;
	rate = model_closed_network(population, (double)asked->cpu_ns / 1e9,
				    (double)asked->wall_ns / 1e9, (double)asked->cores);
	return (int64_t)fmax((double)timing->window_ns, ceil((double)requests / rate * 1e9));
}

/*
 * Of exponential waits, those that have not ended once are as many as e^-t/w at a time t after they
 * have begun, and the throughput that much too low: a warm-up of 4 w, after a ramp, leaves 1 %.
 */
static int64_t warmup_ns(const struct grid *grid, const struct run *asked)
{
	int64_t waits_ns = run_is_exponential(asked) ? WARMUP_WAITS * asked->wall_ns : 0;

	return waits_ns > grid->timing.warmup_ns ? waits_ns : grid->timing.warmup_ns;
}

/* Whether one of `count` points is that one: cases, and values of t, may share points. */
static bool is_known(const struct plan_point *points, size_t count, const struct run *asked)
{
	for (size_t i = 0; i < count; i++)
		if (run_same_point(&points[i].asked, asked))
			return true;
	return false;
}

/* Points that are skipped are counted once too: they are kept at the array's end. */
static const char *add_point(const struct grid *grid, struct plan *plan, const struct run *asked)
{
	struct plan_point *skipped = plan->points + PLAN_POINTS_MAX - plan->skipped;
	struct plan_point *point = plan->points + plan->count;
	int64_t ns = window_ns(grid, asked);
	bool skip = grid->timing.window_most_ns > 0 && ns > grid->timing.window_most_ns;

	if (is_known(plan->points, plan->count, asked) ||
	    (skip && is_known(skipped, plan->skipped, asked)))
		return NULL;
	if (plan->count + plan->skipped == PLAN_POINTS_MAX)
		return "too many points";
	if (skip) {
		point = skipped - 1;
		plan->skipped++;
	} else {
		plan->count++;
	}
	point->asked = *asked;
	point->timing = grid->timing;
	point->timing.window_ns = ns;
	point->timing.warmup_ns = warmup_ns(grid, asked);
	return NULL;
}

static const char *add_arch(const struct grid *grid, struct plan *plan, struct run asked,
			    const char *arch)
{
	const char *wrong;

	snprintf(asked.arch, sizeof(asked.arch), "%s", arch);
	if (!archs_is_limited(arch))
		asked.threads = 0;
	else if (grid->threads_match)
		asked.threads = asked.connections + asked.idle;
	wrong = check_point(grid, &asked);
	if (!wrong)
		wrong = check_recipe(&asked);
	if (wrong)
		return wrong;
	if (asked.connections == 0)
		asked.connections =
			grid_connections(asked.threads, asked.cpu_ns, asked.wall_ns, asked.cores);
	return add_point(grid, plan, &asked);
}

/* A list and the field of the point that takes its values; an empty one leaves it 0. */
struct axis {
	const struct grid_list *list;
	int64_t *value;
};

/* Set all values for one of the combinations; the last axis changes fastest. */
static void set_values(const struct axis *axes, size_t count, size_t combination)
{
	for (size_t i = count; i-- > 0;) {
		const struct grid_list *list = axes[i].list;

		if (list->count == 0)
			continue;
		*axes[i].value = list->values[combination % list->count];
		combination /= list->count;
	}
}

static void set_case(const struct grid *grid, struct run *asked)
{
	snprintf(asked->case_name, sizeof(asked->case_name), "%s", grid->name);
	snprintf(asked->service, sizeof(asked->service), "%s", grid->service);
	snprintf(asked->work, sizeof(asked->work), "%s", grid->work);
	snprintf(asked->wait, sizeof(asked->wait), "%s",
		 strcmp(grid->service, "proxy") == 0 ? "backend" : grid->wait);
}

int grid_expand(const struct grid *grid, struct plan *plan, char why[GRID_WHY_MAX])
{
	struct run asked = { .schema = RUN_SCHEMA,
			     .twin = grid->twin,
			     .cores = CPU_COUNT(&plan->server_cpus),
			     .requests_per_connection = grid->requests_per_connection };
	int64_t ratio = 0;
	int64_t distribution = 0;
	/* Indices into grid->distributions. */
	struct grid_list distributions = { .values = { 0, 1 }, .count = grid->distribution_count };
	const struct axis axes[] = {
		{ &grid->cpu, &asked.cpu_ns },
		{ &grid->wall, &asked.wall_ns },
		{ &grid->ratio, &ratio },
		{ &distributions, &distribution },
		{ &grid->footprint, &asked.footprint_bytes },
		{ &grid->threads, &asked.threads },
		{ &grid->idle, &asked.idle },
		{ &grid->connections, &asked.connections },
	};
	enum { AXES = sizeof(axes) / sizeof(axes[0]) };
	size_t total = 1;

	if (grid->arch_count == 0 || grid->cpu.count == 0 ||
	    (grid->wall.count > 0) == (grid->ratio.count > 0)) {
		snprintf(why, GRID_WHY_MAX, "it needs arch, cpu, and either wall or ratio");
		return -EINVAL;
	}
	if (check_timing(&grid->timing)) {
		snprintf(why, GRID_WHY_MAX, "%s", check_timing(&grid->timing));
		return -EINVAL;
	}
	set_case(grid, &asked);
	for (size_t i = 0; i < AXES; i++)
		total *= axes[i].list->count > 0 ? axes[i].list->count : 1;
	/* Contenders one after the other, so that they meet the same state of the machine. */
	for (size_t i = 0; i < total * grid->arch_count; i++) {
		const char *arch = grid->archs[i % grid->arch_count];
		const char *wrong;

		set_values(axes, AXES, i / grid->arch_count);
		if (grid->ratio.count > 0 &&
		    __builtin_mul_overflow(ratio, asked.cpu_ns, &asked.wall_ns))
			asked.wall_ns = INT64_MAX;
		snprintf(asked.distribution, sizeof(asked.distribution), "%s",
			 grid->distributions[distribution]);
		wrong = add_arch(grid, plan, asked, arch);
		if (wrong) {
			snprintf(why, GRID_WHY_MAX, "%s: %s", arch, wrong);
			return -EINVAL;
		}
	}
	return 0;
}
