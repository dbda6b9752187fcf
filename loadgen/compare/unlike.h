/* Points that cannot be compared, and why not. */
#pragma once
#include "loadgen/compare/side.h"

enum { UNLIKE_WHY_MAX = 400 };

struct unlike_point {
	struct run asked;
	char why[UNLIKE_WHY_MAX];
};

/* A run of that point on the side; NULL if there is none. */
const struct run *unlike_find(const struct side *side, const struct run *point);

/*
 * Whether the plans of both sides measure the point, which is on both, in different ways. Sweeps
 * whose plan is missing or does not have it say nothing. In `why`: in which.
 */
bool unlike_plans(const struct side *base, const struct side *newer, const struct run *point,
		  char why[UNLIKE_WHY_MAX]);

/*
 * Why `point`, which is on one side alone, has no counterpart on `other`: what is most like it
 * there differs in that. The names are of the side that has it, and of the other.
 */
void unlike_say(const struct side *other, const struct run *point, const char *name,
		const char *other_name, char why[UNLIKE_WHY_MAX]);
