/* cwt sweep: measure a plan's points and append each run to runs.csv. */
#include "common/clock.h"
#include "common/options.h"
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/sweep_job.h"
#include "loadgen/sweep/limits.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char sweep_program[] = "cwt sweep";

static int check_limits(const struct sweep *sweep)
{
	char text[256];
	cpu_set_t both;

	CPU_AND(&both, &sweep->plan.server_cpus, &sweep->plan.load_cpus);
	if (CPU_COUNT(&both) > 0)
		return options_fail(sweep_program,
				    "%s: server-cpus and load-cpus must be different processors: "
				    "the server would share its time with the generator",
				    sweep->plan_path);
	for (size_t i = 0; i < sweep->plan.count; i++) {
		const struct plan_point *point = &sweep->plan.points[i];

		if (limits_refusal(&point->asked, text, sizeof(text)))
			return options_fail(sweep_program, "[case %s]: %s", point->asked.case_name,
					    text);
	}
	return 0;
}

/* The design, of what the seed and the budget make of the plan. Nothing is done of it yet. */
static int choose(struct sweep *sweep)
{
	char budget[UNITS_TEXT_MAX];
	char least[UNITS_TEXT_MAX];
	int64_t least_ns;
	int64_t chosen;

	if (sweep->store.budget_ns == 0)
		return 0;
	chosen = budget_choose(&sweep->design, &sweep->ledger, sweep->store.budget_ns, &least_ns);
	if (chosen != 0)
		return chosen < 0 ? (int)chosen : 0;
	return options_fail(sweep_program,
			    "--budget %s is too little for any of the plan: the least is %s",
			    units_format_duration_exact(budget, sweep->store.budget_ns),
			    units_format_duration(least, (double)least_ns));
}

static int begin_design(struct sweep *sweep)
{
	int rc = ledger_begin(&sweep->ledger, &sweep->plan);

	if (rc == 0)
		rc = design_begin(&sweep->design, &sweep->plan, sweep->store.seed);
	if (rc == 0)
		rc = choose(sweep);
	if (rc == 0)
		rc = estimate_begin(&sweep->estimate, &sweep->design);
	return rc < 0 ? options_fail(sweep_program, "%s", strerror(-rc)) : rc;
}

/* What is done of it already. */
static int take_rows(struct sweep *sweep)
{
	for (int64_t i = 0; i < sweep->store.row_count; i++) {
		const char *why;

		switch (ledger_add(&sweep->ledger, &sweep->store.rows[i])) {
		case -ENOENT:
			why = "the plan has no such point";
			break;
		case -ERANGE:
			why = "the plan has no such repetition";
			break;
		case -EEXIST:
			why = "that repetition was measured before";
			break;
		case -ENOMEM:
			why = "out of memory";
			break;
		default:
			continue;
		}
		return options_fail(sweep_program, "%s/runs.csv:%lld: %s", sweep->store.folder,
				    (long long)i + 2, why);
	}
	return 0;
}

static int run_sweep(struct sweep *sweep)
{
	char why[STORE_WHY_MAX];
	int rc = check_limits(sweep);

	if (rc != 0)
		return rc;
	rc = store_open(&sweep->store, sweep->resume, why);
	if (rc != 0)
		return options_fail(sweep_program, "%s", why);
	rc = begin_design(sweep);
	if (rc == 0)
		rc = take_rows(sweep);
	if (rc != 0)
		return rc;
	sweep_print_beginning(sweep);
	sweep_begin_pace(sweep);
	return sweep_measure(sweep);
}

static int show_plan(struct sweep *sweep)
{
	int rc = begin_design(sweep);

	if (rc == 0)
		sweep_print_plan(sweep);
	return rc;
}

static void end_sweep(struct sweep *sweep)
{
	store_close(&sweep->store);
	estimate_end(&sweep->estimate);
	design_end(&sweep->design);
	ledger_end(&sweep->ledger);
	plan_free(&sweep->plan);
}

int command_sweep(int argc, char **argv)
{
	struct sweep sweep = { .terminal = isatty(STDERR_FILENO) != 0,
			       .doctor_ns = 3LL * NS_PER_S };
	char why[PLAN_WHY_MAX];
	bool dry_run = false;
	struct option_spec specs[] = {
		{ "out", OPTION_TEXT, &sweep.store.folder, "DIR",
		  "a folder for runs.csv, sweep.json, machine.json, doctor.json, plan.ini and "
		  "server.log" },
		{ "doctor", OPTION_DURATION, &sweep.doctor_ns, "TIME",
		  "look at the machine first, as cwt doctor does, for so long; 0: do not" },
		{ "resume", OPTION_FLAG, &sweep.resume, NULL,
		  "go on with the sweep in DIR, however it ended: what is missing is measured" },
		{ "budget", OPTION_DURATION, &sweep.store.budget_ns, "TIME",
		  "measure the part of the plan that says most in that time [all of it]",
		  .least = 1, .hide_default = true },
		{ "seed", OPTION_COUNT, &sweep.store.seed, "S",
		  "of the order of measuring [the plan's, or else taken from the clock]",
		  .least = 1, .hide_default = true },
		{ "dry-run", OPTION_FLAG, &dry_run, NULL,
		  "list the points and the time they take" },
	};
	struct option_table table = {
		.program = sweep_program,
		.usage = "PLAN.ini --out DIR [OPTION]...",
		.about = "Measures the points of a plan: each server is started on its own "
			 "processors,\n"
			 "driven, metered from outside and stopped. Each run is a row of "
			 "DIR/runs.csv.",
		.notes =
			"Contenders under the same load are measured in blocks, in a random order "
			"and then in\n"
			"the reverse one, A B C C B A; a round has a block of each load, in a "
			"random order.\n"
			"Rounds go on until the plan's figure is as precise as the plan asks, or "
			"there were as\n"
			"many repetitions as it allows. Runs that an audit rejects are kept, "
			"marked, and repeated.\n\n"
			"--budget chooses groups of contenders one by one: each adds the most for "
			"its time to\n"
			"the distance between those chosen, in log c, log w/c and log t, where it "
			"counts for\n"
			"more near the knee t = k w/c. DIR keeps the choice.\n\n"
			"Ctrl-C ends it; the runs until then stay valid, and --resume goes on with "
			"them.\n"
			"Exit status: 0 all measured, 1 a server or the machine failed, 2 usage, "
			"130 interrupted.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int rc = command_parse(&table, argc, argv, 1,
			       "which plan? one plan at a time, such as scripts/plans/quick.ini");

	if (rc != COMMAND_GOES_ON)
		return rc;
	if (!dry_run && !sweep.store.folder)
		return options_complain(&table, "where to? --out DIR");
	if (dry_run && sweep.resume)
		return options_complain(&table, "--dry-run is of a whole plan: without --resume");
	sweep.plan_path = sweep.store.plan_path = argv[argc - 1];
	rc = plan_read(sweep.plan_path, &sweep.plan, why);
	sweep.store.plan = &sweep.plan;
	if (rc == 0 && plan_leave_out_absent(&sweep.plan) == 0) {
		options_fail(sweep_program, "%s: nothing to measure: %s", sweep.plan_path,
			     sweep.plan.absent[0].why);
		rc = CWT_USAGE;
	} else if (rc == 0) {
		rc = dry_run ? show_plan(&sweep) : run_sweep(&sweep);
	} else {
		options_fail(sweep_program, "%s", why);
		rc = CWT_USAGE;
	}
	end_sweep(&sweep);
	return rc;
}
