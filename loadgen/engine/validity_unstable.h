/* The part of validity.h that goes by the window's intervals: is the run unstable? */
#pragma once
#include "loadgen/engine/validity.h"

/* Append a reason, if there is room. */
void validity_add(struct validity_verdict *verdict, enum validity kind, const char *remedy,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Append what is unstable, as in validity.h. */
void validity_judge_unstable(const struct validity_facts *facts, struct validity_verdict *verdict);
