/* cwt model: what the model says, before anything is measured. */
#include "loadgen/model/model.h"
#include "common/clock.h"
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include <math.h>
#include <stdio.h>

struct prediction {
	double threads;
	double cpu_s;
	double wall_s;
	double cores;
	double threaded;
	double evented;
	double closed_network;
	double t_star;
	const char *binds;
};

static struct prediction predict(double threads, double cpu_s, double wall_s, double cores)
{
	struct prediction p = {
		.threads = threads,
		.cpu_s = cpu_s,
		.wall_s = wall_s,
		.cores = cores,
		.threaded = model_nominal(threads, cpu_s, wall_s, cores),
		.evented = model_cpu_bound(cpu_s, cores),
		.closed_network = model_closed_network(threads, cpu_s, wall_s, cores),
		.t_star = model_t_star(cpu_s, wall_s, cores),
	};

	p.binds = fabs(threads - p.t_star) < 1e-9 * p.t_star ? "both"
		  : threads < p.t_star                       ? "threads"
							     : "cpu";
	return p;
}

static json_t *to_json(const char *name, const struct prediction *p)
{
	json_t *object =
		json_pack("{s:f, s:f, s:f, s:f, s:s, s:I, s:I, s:I, s:I}", "threaded", p->threaded,
			  "evented", p->evented, "closed_network", p->closed_network, "t_star",
			  p->t_star, "binds", p->binds, "threads", (json_int_t)p->threads, "cpu_ns",
			  (json_int_t)llround(p->cpu_s * 1e9), "wall_ns",
			  (json_int_t)llround(p->wall_s * 1e9), "cores", (json_int_t)p->cores);

	if (name)
		json_object_set_new(object, "case", json_string(name));
	return object;
}

static void print_row(const char *name, const struct prediction *p)
{
	char c[UNITS_TEXT_MAX];
	char w[UNITS_TEXT_MAX];

	printf("%-28s %6.0f %8s %8s %11.5g %11.5g %11.5g %8.6g  %s\n", name, p->threads,
	       units_format_duration(c, p->cpu_s * 1e9), units_format_duration(w, p->wall_s * 1e9),
	       p->threaded, p->evented, p->closed_network, p->t_star, p->binds);
}

static void print_head(void)
{
	printf("%-28s %6s %8s %8s %11s %11s %11s %8s  %s\n", "case", "t", "c", "w", "threaded",
	       "evented", "closed net.", "t*", "binds");
}

static void print_legend(void)
{
	printf("\nthreaded = min(k/c, t/w) and evented = k/c, in requests/s; closed net.: the\n"
	       "threaded server as a closed queueing network with exponential times; t* = "
	       "k*w/c.\n");
}

static int print_cases(double cores, bool json)
{
	json_t *list = json ? json_array() : NULL;

	if (!json)
		print_head();
	for (int i = 0; i < MODEL_CASES; i++) {
		const struct model_case *row = &model_cases[i];
		struct prediction p = predict(row->threads, row->cpu_s, row->wall_s, cores);

		if (json)
			json_array_append_new(list, to_json(row->name, &p));
		else
			print_row(row->name, &p);
	}
	if (json)
		command_print_json(list);
	else
		print_legend();
	return CWT_OK;
}

int command_model(int argc, char **argv)
{
	int64_t threads = 25;
	int64_t cpu_ns = 0;
	int64_t wall_ns = 0;
	int64_t cores = 1;
	bool json = false;
	struct option_spec specs[] = {
		{ "threads", OPTION_COUNT, &threads, "T", "t: requests that are held at once",
		  .least = 1, .most = 100000000 },
		{ "cpu", OPTION_DURATION, &cpu_ns, "TIME", "c: CPU time of a request", .least = 1,
		  .hide_default = true },
		{ "wall", OPTION_DURATION, &wall_ns, "TIME",
		  "w: wall time of a request, c included", .least = 1, .hide_default = true },
		{ "cores", OPTION_COUNT, &cores, "K", "k: processors of the server", .least = 1,
		  .most = 100000 },
		{ "json", OPTION_FLAG, &json, NULL,
		  "one JSON object instead of text, or a list of the cases" },
	};
	struct option_table table = {
		.program = "cwt model",
		.usage = "[--threads T --cpu TIME --wall TIME] [--cores K] [--json]",
		.about = "What the model predicts: threaded min(k/c, t/w), evented k/c, and the "
			 "closed\n"
			 "queueing network behind the knee. Without a load: the model's seven "
			 "cases.",
		.notes = "Exit status: 0 told, 2 usage.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	struct prediction p;
	int status = command_parse(&table, argc, argv, 0, NULL);

	if (status != COMMAND_GOES_ON)
		return status;
	if (!specs[0].given && !specs[1].given && !specs[2].given)
		return print_cases((double)cores, json);
	if (!specs[1].given || !specs[2].given)
		return options_complain(&table, "a load is --cpu and --wall together");
	if (wall_ns < cpu_ns)
		return options_complain(&table, "--wall is less than --cpu: w includes c");
	p = predict((double)threads, (double)cpu_ns / NS_PER_S, (double)wall_ns / NS_PER_S,
		    (double)cores);
	if (json) {
		command_print_json(to_json(NULL, &p));
		return CWT_OK;
	}
	print_head();
	print_row("", &p);
	print_legend();
	return CWT_OK;
}
