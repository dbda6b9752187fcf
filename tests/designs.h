/* Plans and sweeps without a machine: for the tests of the order in which a sweep measures. */
#pragma once
#include "loadgen/sweep/design.h"

enum { DESIGNS_STEPS_MAX = 4096 };

/*
 * A plan of so many loads, which differ in w, with so many contenders each, which differ in t.
 * Until plan_free().
 */
struct plan designs_plan(size_t loads, size_t contenders, struct plan_timing timing);

/* The row that a step leaves, with that throughput. It passed the audits, or did not. */
struct run designs_row(const struct design *design, const struct ledger *ledger,
		       const struct design_step *step, double throughput_rps, bool accepted);

/* The throughput of a step, or a negative one for an attempt that is rejected. */
typedef double designs_measure(const struct plan *plan, const struct design_step *step);

/*
 * Measure all that the design asks for, in `steps`; the ledger goes on from what it has. Returns
 * their number.
 */
size_t designs_run(const struct design *design, struct ledger *ledger, designs_measure *measure,
		   struct design_step steps[DESIGNS_STEPS_MAX]);

/* The same throughput every time; and one that is never the same twice. */
double designs_steady(const struct plan *plan, const struct design_step *step);
double designs_restless(const struct plan *plan, const struct design_step *step);
