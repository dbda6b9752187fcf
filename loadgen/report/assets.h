/* What reports are made with that is no code: gnuplot's scripts and the style of pages. */
#pragma once
#include <limits.h>
#include <stddef.h>

/*
 * The path of a file of scripts/plots: in the tree that this program was built in, or, if that is
 * gone, where it was installed. Returns 0, or -errno with a sentence in `why`.
 */
int assets_find(const char *name, char path[PATH_MAX], char *why, size_t why_size);
