/*
 * cwt selftest: does compare cry wolf here, and what can it see? The same server is measured
 * alternately as A and as B, which therefore are alike, and many comparisons are drawn from that.
 */
#include "loadgen/commands/selftest.h"
#include "common/cpus.h"
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/sweep/grid.h"
#include "loadgen/sweep/limits.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char selftest_program[] = "cwt selftest";

enum { WARMUP_NS = 200000000, THREADS_DEFAULT = 25, REPETITIONS_DEFAULT = 5 };

/* What options say before it is put together. */
struct asked {
	const char *arch;
	const char *threshold;
	const char *planted;
	int64_t threads;
	int quantity;
	bool json;
};

/* A processor for each, as in a plan that names none. */
static void set_defaults(struct selftest *selftest)
{
	cpus_parse("0", &selftest->plan.server_cpus);
	cpus_parse("1", &selftest->plan.load_cpus);
	selftest->point = (struct plan_point){
		.asked = run_usual("selftest", ""),
		.timing = { .repetitions = 1,
			    .window_ns = 1000000000,
			    .windows = 1,
			    .warmup_ns = WARMUP_NS },
	};
	selftest->point.asked.cpu_ns = 1000000;
	selftest->point.asked.wall_ns = 10000000;
	selftest->pairs = 30;
	selftest->repetitions = REPETITIONS_DEFAULT;
	selftest->trials = 1000;
	selftest->seed = 1;
}

/* Returns 0 or the usage status, with the reason said. */
static int take_arch(const struct option_table *table, struct selftest *selftest,
		     const struct asked *asked)
{
	struct run *run = &selftest->point.asked;
	char why[160];
	bool is_limited;

	if (archs_parse(asked->arch, run->arch, why, sizeof(why)) != 0)
		return options_complain(table, "--arch %s: %s", asked->arch, why);
	is_limited = archs_is_limited(run->arch);
	if (options_find(table, "threads")->given && !is_limited)
		return options_complain(table, "--threads: %s has no such limit", run->arch);
	run->threads = is_limited ? asked->threads : 0;
	return 0;
}

static int take_shares(const struct option_table *table, struct selftest *selftest,
		       const struct asked *asked)
{
	double *threshold = &selftest->settings.threshold;

	if (units_parse_share(asked->threshold, threshold) != 0 || *threshold >= 1)
		return options_complain(table,
					"--threshold %s: want a share below 100%%, such as 2.5%%",
					asked->threshold);
	if (asked->planted && (units_parse_share(asked->planted, &selftest->planted) != 0 ||
			       selftest->planted <= 0 || selftest->planted > 10))
		return options_complain(
			table, "--plant %s: want a share above 0, up to 1000%%, such as 5%%",
			asked->planted);
	return 0;
}

static int take_point(const struct option_table *table, struct selftest *selftest)
{
	struct run *run = &selftest->point.asked;
	cpu_set_t both;
	char why[256];

	if (run->wall_ns < run->cpu_ns)
		return options_complain(table, "--wall is below --cpu, which is part of it");
	CPU_AND(&both, &selftest->plan.server_cpus, &selftest->plan.load_cpus);
	if (CPU_COUNT(&both) > 0)
		return options_complain(
			table, "--server-cpus and --load-cpus must be different processors");
	run->cores = CPU_COUNT(&selftest->plan.server_cpus);
	snprintf(run->wait, sizeof(run->wait), run->wall_ns > run->cpu_ns ? "timer" : "none");
	if (run->connections == 0)
		run->connections =
			grid_connections(run->threads, run->cpu_ns, run->wall_ns, run->cores);
	if (limits_refusal(run, why, sizeof(why)))
		return options_complain(table, "%s", why);
	return 0;
}

static int check_pairs(const struct option_table *table, const struct selftest *selftest)
{
	int64_t least = selftest->planted > 0 ? 2 * selftest->repetitions : selftest->repetitions;

	if (selftest->pairs >= least)
		return 0;
	return options_complain(table, "--pairs %lld: %lld at the least for --repetitions %lld",
				(long long)selftest->pairs, (long long)least,
				(long long)selftest->repetitions);
}

static int status_of(const struct selftest *selftest, const struct selftest_result *result)
{
	if (selftest->interrupted)
		return CWT_INTERRUPTED;
	return selftest_is_good(selftest, result) ? CWT_OK : CWT_BROKEN;
}

/* What is missing, as a status. */
static int too_little(const struct selftest *selftest)
{
	size_t valid = selftest->value_count[0] + selftest->value_count[1];

	options_fail(selftest_program,
		     "%s%zu of %zu repetitions are valid, which is too little to compare%s%s",
		     selftest->interrupted ? "interrupted: " : "", valid,
		     selftest->run_count[0] + selftest->run_count[1],
		     selftest->rejected[0] ? ": " : "", selftest->rejected);
	if (selftest->interrupted)
		return CWT_INTERRUPTED;
	return valid == 0 ? CWT_INVALID : CWT_INCONCLUSIVE;
}

static int run_selftest(struct selftest *selftest, bool json)
{
	struct selftest_result result;
	int status = selftest_measure(selftest);
	int rc;

	if (status != 0)
		return status;
	rc = selftest_conclude(selftest, &result);
	if (rc == -ENODATA)
		return too_little(selftest);
	if (rc != 0)
		return options_fail(selftest_program, "%s", strerror(-rc));
	if (selftest->interrupted)
		fprintf(stderr, "%s: interrupted: this is what was measured until then\n",
			selftest_program);
	if (json)
		command_print_json(selftest_to_json(selftest, &result));
	else
		selftest_print(selftest, &result);
	return status_of(selftest, &result);
}

static void release(struct selftest *selftest)
{
	for (int side = 0; side < 2; side++) {
		free(selftest->runs[side]);
		free(selftest->values[side]);
	}
}

int command_selftest(int argc, char **argv)
{
	struct selftest selftest = { .settings = { .quantity = QUANTITY_THROUGHPUT } };
	struct run *point = &selftest.point.asked;
	struct asked asked = {
		.arch = "loop",
		.threshold = COMPARE_THRESHOLD,
		.threads = THREADS_DEFAULT,
		.quantity = QUANTITY_THROUGHPUT,
	};
	struct option_spec specs[] = {
		{ "pairs", OPTION_COUNT, &selftest.pairs, "N", "repetitions of A, and of B",
		  .least = SAMPLES_LEAST, .most = SELFTEST_PAIRS_MAX },
		{ "duration", OPTION_DURATION, &selftest.point.timing.window_ns, "TIME",
		  "the window of a repetition", .least = 10000000 },
		{ "repetitions", OPTION_COUNT, &selftest.repetitions, "N",
		  "on each side of a comparison, as in the plans that you will compare",
		  .least = SAMPLES_LEAST, .most = SELFTEST_PAIRS_MAX },
		{ "threshold", OPTION_TEXT, &asked.threshold, "SHARE", "as of cwt compare" },
		{ "figure", OPTION_CHOICE, &asked.quantity, NULL, "as of cwt compare",
		  .choices = quantity_names },
		{ "plant", OPTION_TEXT, &asked.planted, "SHARE",
		  "give B a larger c by so much, and see how often that is found" },
		{ "arch", OPTION_TEXT, &asked.arch, "NAME", "the server's architecture" },
		{ "threads", OPTION_COUNT, &asked.threads, "N", "t, where it has such a limit",
		  .least = 1 },
		{ "cpu", OPTION_DURATION, &point->cpu_ns, "TIME", "c", .least = 1 },
		{ "wall", OPTION_DURATION, &point->wall_ns, "TIME", "w", .least = 1 },
		{ "connections", OPTION_COUNT, &point->connections, "N",
		  "N [as a plan has it for c, w and t]", .least = 1, .hide_default = true },
		{ "server-cpus", OPTION_CPUS, &selftest.plan.server_cpus, "LIST",
		  "the server's processors [0]" },
		{ "load-cpus", OPTION_CPUS, &selftest.plan.load_cpus, "LIST",
		  "the generator's [1]" },
		{ "trials", OPTION_COUNT, &selftest.trials, "N", "comparisons that are drawn",
		  .least = 100, .most = 100000 },
		{ "seed", OPTION_COUNT, &selftest.seed, "S", "of the drawing" },
		{ "out", OPTION_TEXT, &selftest.out, "DIR",
		  "keep the runs, in DIR/a and DIR/b, as sweeps that cwt compare reads" },
		{ "json", OPTION_FLAG, &asked.json, NULL,
		  "one JSON object instead of text; docs/compare.md has its fields" },
	};
	struct option_table table = {
		.program = selftest_program,
		.usage = "[OPTION]...",
		.about = "Measures one server alternately as A and as B, draws many comparisons "
			 "from "
			 "that, and says how\n"
			 "often cwt compare takes what is alike for a regression on this machine, "
			 "and how small a change\n"
			 "it can see, which is the threshold to use here.",
		.notes =
			"Ctrl-C ends the measuring; what is there by then is used.\n"
			"Exit status: 0 as it should be (at most 5 % false alarms; of what was "
			"planted, 90 % found),\n"
			"1 not so, or a failure, 2 usage, 3 too few valid repetitions, 5 none, 130 "
			"interrupted.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int status;

	set_defaults(&selftest);
	status = command_parse(&table, argc, argv, 0, NULL);
	if (status != COMMAND_GOES_ON)
		return status;
	selftest.settings.quantity = (enum quantity)asked.quantity;
	status = take_arch(&table, &selftest, &asked);
	if (status == 0)
		status = take_shares(&table, &selftest, &asked);
	if (status == 0)
		status = take_point(&table, &selftest);
	if (status == 0)
		status = check_pairs(&table, &selftest);
	if (status == 0)
		status = run_selftest(&selftest, asked.json);
	release(&selftest);
	return status;
}
