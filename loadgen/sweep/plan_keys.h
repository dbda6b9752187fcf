/*
 * The keys of a plan's sections: a table says of each what it is called, what it takes, and where
 * that goes. Reading and the list of keys in an error come from it.
 */
#pragma once
#include "loadgen/sweep/grid.h"

/*
 * Take a key of [plan], or of a case. `timing` is what cases inherit. Returns 0, or -EINVAL with a
 * sentence in `why`.
 */
int plan_keys_take(struct plan *plan, struct plan_timing *timing, const char *name,
		   const char *text, char why[PLAN_WHY_MAX]);
int plan_keys_take_case(struct grid *grid, const char *name, const char *text,
			char why[PLAN_WHY_MAX]);
