/* Measuring what a sweep's design asks for, one repetition after the other. */
#include "common/clock.h"
#include "common/options.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/doctor_store.h"
#include "loadgen/commands/sweep_job.h"
#include "loadgen/sweep/beforehand.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So much by the estimate counts before what is measured of the pace does. */
enum { PACE_PRIOR_S = 30 };

/* Pace and time */

void sweep_begin_pace(struct sweep *sweep)
{
	const struct plan *plan = &sweep->plan;

	sweep->pace = (struct sweep_pace){ .began_ns = clock_now_ns(), .factor = 1 };
	for (size_t i = 0; i < plan->count; i++)
		for (int64_t j = 0; j < plan->points[i].timing.repetitions_most; j++)
			if (ledger_is_done(&sweep->ledger, i, j))
				sweep->pace.before_ns +=
					estimate_repetition_ns(&sweep->estimate, i, j);
}

static void keep_pace(struct sweep *sweep, const struct design_step *step)
{
	struct sweep_pace *pace = &sweep->pace;
	double prior_ns = (double)PACE_PRIOR_S * NS_PER_S;

	if (!ledger_is_done(&sweep->ledger, step->point, step->repetition))
		return;
	pace->estimated_ns +=
		estimate_repetition_ns(&sweep->estimate, step->point, step->repetition);
	pace->factor = (prior_ns + (double)(clock_now_ns() - pace->began_ns)) /
		       (prior_ns + (double)pace->estimated_ns);
}

double sweep_spent_ns(const struct sweep *sweep)
{
	return (double)(clock_now_ns() - sweep->pace.began_ns) +
	       sweep->pace.factor * (double)sweep->pace.before_ns;
}

/* Whether nobody needs the round but for precision. */
static bool is_extra(const struct sweep *sweep, int64_t round)
{
	const struct design *design = &sweep->design;

	for (size_t i = 0; i < design->group_count; i++) {
		const struct design_group *group = &design->groups[i];

		for (size_t j = 0; j < group->count && !group->left_out; j++)
			if (sweep->plan.points[design->members[group->first + j]]
				    .timing.repetitions > round * DESIGN_BLOCK_REPETITIONS)
				return false;
	}
	return true;
}

/*
 * Whether the budget ends the sweep before this step. A round for precision is begun only if it
 * can be ended in time. One that all points need is begun in any case, as points with too few
 * repetitions say nothing; if it takes too long after all, it ends between two blocks.
 */
static bool is_out_of_time(const struct sweep *sweep, const struct design_step *step)
{
	double budget_ns = (double)sweep->store.budget_ns;
	double round_ns;
	double block_ns;

	if (budget_ns == 0 || !step->begins_block || step->block == 0)
		return false;
	block_ns = (double)estimate_block_ns(&sweep->estimate, &sweep->ledger, step->group,
					     step->round);
	if (sweep_spent_ns(sweep) + sweep->pace.factor * block_ns > BUDGET_MOST * budget_ns)
		return true;
	if (!step->begins_round || !is_extra(sweep, step->round))
		return false;
	round_ns = (double)estimate_round_ns(&sweep->estimate, &sweep->ledger, step->round);
	return sweep_spent_ns(sweep) + sweep->pace.factor * round_ns > budget_ns;
}

/* Measuring */

/* One attempt at a repetition. A run that an audit rejects is kept, marked, and tried again. */
static int measure_step(struct sweep *sweep, const struct design_step *step)
{
	const struct plan_point *point = &sweep->plan.points[step->point];
	struct audit_failure failures[AUDITS];
	struct run run = point->asked;
	int failed;
	int rc;

	sweep_begin_point(sweep, step->point, step->repetition);
	run.repetition = step->repetition;
	run.block = step->block;
	run.attempt = step->attempt;
	run.sequence = sweep->ledger.sequence;
	run.seed = sweep->store.seed;
	rc = measure_run(&sweep->measure, point, &run);
	if (rc == -EINTR)
		return rc;
	if (rc != 0)
		return options_fail(sweep_program, "%s: %s", sweep->label, sweep->measure.why);
	failed = audit_run(&run, failures);
	snprintf(run.rejected, sizeof(run.rejected), "%s",
		 failed > 0 ? audit_words[failures[0].audit] : "-");
	rc = run_write(sweep->store.runs, &run);
	if (rc != 0)
		return options_fail(sweep_program, "%s/runs.csv: %s", sweep->store.folder,
				    strerror(-rc));
	if (ledger_add(&sweep->ledger, &run) < 0)
		return options_fail(sweep_program, "out of memory");
	keep_pace(sweep, step);
	sweep_print_run(sweep, &run, failures, failed);
	return 0;
}

static int measure_all(struct sweep *sweep, bool *out_of_time)
{
	struct design_step step;
	int rc = 0;

	while (rc == 0 && design_next(&sweep->design, &sweep->ledger, &step)) {
		*out_of_time = is_out_of_time(sweep, &step);
		if (*out_of_time)
			return 0;
		rc = measure_step(sweep, &step);
	}
	return rc;
}

/* w alone is known where the point was measured before. */
static int recall(struct sweep *sweep)
{
	int rc = 0;

	for (int64_t i = 0; rc == 0 && i < sweep->store.row_count; i++)
		rc = beforehand_recall(&sweep->measure, &sweep->store.rows[i]);
	return rc == 0 ? 0 : options_fail(sweep_program, "%s", strerror(-rc));
}

int sweep_measure(struct sweep *sweep)
{
	char log[PATH_MAX];
	bool out_of_time = false;
	int rc;

	snprintf(log, sizeof(log), "%s/server.log", sweep->store.folder);
	sweep->measure = (struct measure){
		.plan = &sweep->plan,
		.log = log,
		.stop = &command_stopped,
		.on_progress = sweep->terminal ? sweep_show_progress : NULL,
		.context = sweep,
	};
	command_catch_stop();
	rc = doctor_store(sweep->store.folder, &sweep->plan.server_cpus, &sweep->plan.load_cpus,
			  sweep->doctor_ns, &command_stopped);
	if (rc != 0)
		return options_fail(sweep_program, "%s/doctor.json: %s", sweep->store.folder,
				    strerror(-rc));
	rc = measure_begin(&sweep->measure);
	if (rc != 0)
		rc = options_fail(sweep_program, "%s", sweep->measure.why);
	if (rc == 0)
		rc = recall(sweep);
	if (rc == 0)
		rc = measure_all(sweep, &out_of_time);
	measure_end(&sweep->measure);
	if (rc == -EINTR) {
		fprintf(stderr,
			"\n%s: interrupted: %lld repetitions are in %s/runs.csv, and --resume goes "
			"on with them\n",
			sweep_program, (long long)sweep->ledger.done, sweep->store.folder);
		return CWT_INTERRUPTED;
	}
	if (rc == 0)
		sweep_print_end(sweep, out_of_time);
	return rc;
}
