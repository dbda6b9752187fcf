/* Runs gnuplot on one of the scripts in scripts/plots. */
#pragma once
#include <stddef.h>

enum { GNUPLOT_ARGUMENTS_MAX = 8 };

/*
 * Run NAME.gp in `directory`, or where we are if that is NULL, with `arguments`, a NULL after the
 * last, as its ARG1, ARG2... Waits for the end. Returns 0, or -errno with a sentence in `why` that
 * names the cause and the remedy.
 */
int gnuplot_run(const char *name, const char *directory, const char *const *arguments, char *why,
		size_t why_size);
