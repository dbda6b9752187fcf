#include "tests/designs.h"
#include "common/clock.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct plan designs_plan(size_t loads, size_t contenders, struct plan_timing timing)
{
	struct plan plan = { .name = "a plan",
			     .tries = 3,
			     .precision = 0.02,
			     .points = calloc(loads * contenders, sizeof(*plan.points)) };

	cr_assert_not_null(plan.points);
	CPU_ZERO(&plan.server_cpus);
	CPU_SET(0, &plan.server_cpus);
	for (size_t load = 0; load < loads; load++) {
		for (size_t i = 0; i < contenders; i++) {
			struct run asked = { .schema = RUN_SCHEMA,
					     .case_name = "a case",
					     .twin = 1,
					     .service = "app",
					     .wait = "timer",
					     .work = "clock",
					     .arch = "pool",
					     .cores = 1,
					     .cpu_ns = NS_PER_MS,
					     .wall_ns = (int64_t)(load + 1) * NS_PER_MS,
					     .threads = (int64_t)i + 1,
					     .connections = (int64_t)i + 1,
					     .distribution = "constant" };

			plan.points[plan.count++] =
				(struct plan_point){ .asked = asked, .timing = timing };
		}
	}
	return plan;
}

struct run designs_row(const struct design *design, const struct ledger *ledger,
		       const struct design_step *step, double throughput_rps, bool accepted)
{
	struct run run = design->plan->points[step->point].asked;

	run.repetition = step->repetition;
	run.sequence = ledger->sequence;
	run.seed = design->seed;
	run.block = step->block;
	run.attempt = step->attempt;
	run.window_ns = NS_PER_S;
	run.requests = run.all_requests = 100;
	run.throughput_rps = throughput_rps;
	snprintf(run.started, sizeof(run.started), "2026-01-02T03:04:05Z");
	snprintf(run.window_requests, sizeof(run.window_requests), "25;25;25;25");
	snprintf(run.rejected, sizeof(run.rejected), "%s", accepted ? "-" : "machine");
	return run;
}

size_t designs_run(const struct design *design, struct ledger *ledger, designs_measure *measure,
		   struct design_step steps[DESIGNS_STEPS_MAX])
{
	size_t count = 0;

	while (design_next(design, ledger, &steps[count])) {
		double throughput = measure(design->plan, &steps[count]);
		struct run run =
			designs_row(design, ledger, &steps[count], throughput, throughput >= 0);

		cr_assert_geq(ledger_add(ledger, &run), 0);
		cr_assert_lt(++count, (size_t)DESIGNS_STEPS_MAX);
	}
	return count;
}

double designs_steady(const struct plan *plan, const struct design_step *step)
{
	(void)plan;
	(void)step;
	return 100;
}

double designs_restless(const struct plan *plan, const struct design_step *step)
{
	(void)plan;
	return step->repetition % 2 == 0 ? 100 : 200;
}
