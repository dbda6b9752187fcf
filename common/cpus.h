/* Sets of processors, written as the kernel writes them: "0", "0-3", "0,2-3". */
#pragma once
#include <sched.h>
#include <stddef.h>

/* Parse a list into *set. Returns 0, or -EINVAL. */
int cpus_parse(const char *list, cpu_set_t *set);

/* Write the set as a list into text, at most `size` bytes with the end. Returns `text`. */
char *cpus_format(const cpu_set_t *set, char *text, size_t size);

/*
 * Bind the calling thread, and what it starts, to the set. Returns 0, or -errno: -EINVAL when
 * none of the set's processors exists and is allowed here.
 */
int cpus_bind(const cpu_set_t *set);

/* The processors that this process may use, in *set. Returns 0, or -errno. */
int cpus_allowed(cpu_set_t *set);
