/* Runs a program of others and waits for its end. */
#pragma once
#include <stddef.h>

/*
 * Run words[0], looked for on the path, with `words`, a NULL after the last, in `directory`, or
 * where we are if that is NULL. What it says goes where ours goes. Returns 0, or -errno with a
 * sentence in `why` that names the cause and the remedy: -ENOENT if it is not installed, -EIO if it
 * fails.
 */
int tool_run(const char *const *words, const char *directory, char *why, size_t why_size);
