/* What cwt sweep says: its plan, how far it has come, and what came of it. */
#include "common/clock.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/sweep_job.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The plan */

static const char *unit_of(int64_t ns)
{
	return ns < 3600LL * NS_PER_S ? " min" : " h";
}

static void print_range(const char *before, const char *least, const char *most, const char *after)
{
	printf("%s%s", before, least);
	if (strcmp(least, most) != 0)
		printf(" to %s", most);
	printf("%s", after);
}

static void print_sum(const struct sweep *sweep)
{
	struct estimate_sum least = estimate_left(&sweep->estimate, &sweep->ledger, ESTIMATE_LEAST);
	struct estimate_sum most = estimate_left(&sweep->estimate, &sweep->ledger, ESTIMATE_MOST);
	char texts[4][COMMAND_CLOCK_MAX];

	snprintf(texts[0], COMMAND_CLOCK_MAX, "%lld", (long long)least.repetitions);
	snprintf(texts[1], COMMAND_CLOCK_MAX, "%lld", (long long)most.repetitions);
	print_range("", texts[0], texts[1], " runs, ");
	print_range("about ", command_format_clock(texts[2], least.ns),
		    command_format_clock(texts[3], most.ns), unit_of(most.ns));
	printf("\n");
	if (least.repetitions != most.repetitions)
		printf("the more where the 95 %% interval of the %s is wider than ±%g %%\n",
		       plan_y_names[sweep->plan.figure], 100 * sweep->plan.precision);
}

static void print_groups(const struct sweep *sweep, bool left_out)
{
	const struct design *design = &sweep->design;

	for (size_t i = 0; i < design->group_count; i++) {
		const struct design_group *group = &design->groups[i];
		const struct run *load = &sweep->plan.points[design->members[group->first]].asked;
		struct estimate_sum sum =
			estimate_group(&sweep->estimate, &sweep->ledger, i, ESTIMATE_LEAST);
		char label[LABEL_MAX];
		char clock[COMMAND_CLOCK_MAX];

		if (group->left_out != left_out)
			continue;
		printf("  %-60s %zu points  %s\n", label_load(load, label), group->count,
		       command_format_clock(clock, sum.ns));
	}
}

static size_t count_groups(const struct sweep *sweep, bool left_out)
{
	size_t count = 0;

	for (size_t i = 0; i < sweep->design.group_count; i++)
		count += sweep->design.groups[i].left_out == left_out;
	return count;
}

static void print_choice(const struct sweep *sweep)
{
	char clock[COMMAND_CLOCK_MAX];

	if (sweep->store.budget_ns == 0)
		return;
	printf("chosen for %s%s, %zu of %zu groups of contenders:\n",
	       command_format_clock(clock, sweep->store.budget_ns), unit_of(sweep->store.budget_ns),
	       count_groups(sweep, false), sweep->design.group_count);
	print_groups(sweep, false);
	if (count_groups(sweep, true) == 0)
		return;
	printf("left out:\n");
	print_groups(sweep, true);
}

static void print_skipped(const struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->plan.absent_count; i++)
		printf("not measured: %s\n", sweep->plan.absent[i].why);
	if (sweep->plan.skipped > 0)
		printf("%zu combinations are skipped, as their windows would be longer than "
		       "window-most\n",
		       sweep->plan.skipped);
}

static void print_point(const struct plan_point *point, int64_t metering_ns)
{
	const struct plan_timing *timing = &point->timing;
	char label[LABEL_MAX];
	char clock[COMMAND_CLOCK_MAX];

	printf("%-66s %lld", label_point(&point->asked, label), (long long)timing->repetitions);
	if (timing->repetitions_most > timing->repetitions)
		printf("...%lld", (long long)timing->repetitions_most);
	printf(" x %s", command_format_clock(clock, measure_estimate(point)));
	if (metering_ns > 0)
		printf(" and %s before", command_format_clock(clock, metering_ns));
	printf("\n");
}

void sweep_print_plan(const struct sweep *sweep)
{
	const struct design *design = &sweep->design;
	size_t points = 0;

	for (size_t i = 0; i < design->group_count; i++) {
		const struct design_group *group = &design->groups[i];

		for (size_t j = 0; j < group->count && !group->left_out; j++) {
			size_t point = design->members[group->first + j];
			int64_t ns = estimate_repetition_ns(&sweep->estimate, point, 0);

			print_point(&sweep->plan.points[point],
				    ns - measure_estimate(&sweep->plan.points[point]));
			points++;
		}
	}
	print_skipped(sweep);
	print_choice(sweep);
	printf("%zu points in %zu groups, ", points, count_groups(sweep, false));
	print_sum(sweep);
}

void sweep_print_beginning(const struct sweep *sweep)
{
	const struct store *store = &sweep->store;

	if (store->cut_line > 0)
		printf("%s/runs.csv:%lld was cut short and is dropped\n", store->folder,
		       (long long)store->cut_line);
	if (sweep->resume)
		printf("%s: %lld repetitions are done\n", store->folder,
		       (long long)sweep->ledger.done);
	print_skipped(sweep);
	print_choice(sweep);
	printf("seed %lld, ", (long long)store->seed);
	print_sum(sweep);
	fflush(stdout);
}

/* Progress */

static int64_t total_of(const struct sweep *sweep)
{
	return sweep->ledger.done +
	       estimate_left(&sweep->estimate, &sweep->ledger, ESTIMATE_EXPECTED).repetitions;
}

static int64_t left_ns(const struct sweep *sweep)
{
	int64_t ns = estimate_left(&sweep->estimate, &sweep->ledger, ESTIMATE_EXPECTED).ns;
	double left = sweep->pace.factor * (double)ns;

	if (sweep->store.budget_ns > 0)
		left = fmin(left, fmax(0, (double)sweep->store.budget_ns - sweep_spent_ns(sweep)));
	return (int64_t)left;
}

void sweep_begin_point(struct sweep *sweep, size_t point, int64_t repetition)
{
	int64_t ns = estimate_repetition_ns(&sweep->estimate, point, repetition);

	label_point(&sweep->plan.points[point].asked, sweep->label);
	sweep->total = total_of(sweep);
	sweep->left_ns = left_ns(sweep) - (int64_t)(sweep->pace.factor * (double)ns);
	if (sweep->left_ns < 0)
		sweep->left_ns = 0;
}

void sweep_show_progress(void *context, const struct load_progress *progress)
{
	const struct sweep *sweep = context;
	char left[COMMAND_CLOCK_MAX];

	fprintf(stderr, "\r[%lld/%lld] %-62.62s %s left ", (long long)sweep->ledger.done + 1,
		(long long)sweep->total, sweep->label,
		command_format_clock(left, sweep->left_ns + progress->left_ns));
}

void sweep_print_run(struct sweep *sweep, const struct run *run,
		     const struct audit_failure failures[AUDITS], int failed)
{
	char left[COMMAND_CLOCK_MAX];

	if (sweep->terminal)
		fprintf(stderr, "\r%100s\r", "");
	printf("[%lld/%lld] %-62s %10.2f/s", (long long)sweep->ledger.done,
	       (long long)total_of(sweep), sweep->label, run->throughput_rps);
	if (failed > 0)
		printf("  rejected: %s: %s", audit_names[failures[0].audit], failures[0].why);
	if (sweep->measure.note[0])
		printf("  %s", sweep->measure.note);
	printf("  (%s left)\n", command_format_clock(left, left_ns(sweep)));
	fflush(stdout);
}

/* The end */

static void print_imprecise(const struct sweep *sweep, size_t point)
{
	int64_t most = sweep->plan.points[point].timing.repetitions_most;
	struct interval interval = ledger_interval(&sweep->ledger, point, most);
	char label[LABEL_MAX];

	label_point(&sweep->plan.points[point].asked, label);
	if (interval.count < 2)
		printf("  %-66s %zu valid repetitions\n", label, interval.count);
	else
		printf("  %-66s ±%.1f %%\n", label, 100 * interval.half / fabs(interval.mean));
}

static size_t visit_imprecise(const struct sweep *sweep, bool print)
{
	const struct design *design = &sweep->design;
	size_t count = 0;

	for (size_t i = 0; i < design->group_count; i++) {
		const struct design_group *group = &design->groups[i];

		for (size_t j = 0; j < group->count && !group->left_out; j++) {
			size_t point = design->members[group->first + j];
			int64_t most = sweep->plan.points[point].timing.repetitions_most;

			if (ledger_is_precise(&sweep->ledger, point, most))
				continue;
			count++;
			if (print)
				print_imprecise(sweep, point);
		}
	}
	return count;
}

void sweep_print_end(const struct sweep *sweep, bool out_of_time)
{
	char clock[COMMAND_CLOCK_MAX];
	size_t imprecise = visit_imprecise(sweep, false);

	if (out_of_time)
		printf("the time is used up: what is missing does not fit into it\n");
	if (imprecise > 0) {
		printf("%zu points did not reach ±%g %% of the %s:\n", imprecise,
		       100 * sweep->plan.precision, plan_y_names[sweep->plan.figure]);
		visit_imprecise(sweep, true);
	}
	printf("%lld repetitions, seed %lld, in %s: %s/runs.csv\n", (long long)sweep->ledger.done,
	       (long long)sweep->store.seed,
	       command_format_clock(clock, clock_now_ns() - sweep->pace.began_ns),
	       sweep->store.folder);
}
