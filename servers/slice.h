/* The time slice: how long a thread runs before the scheduler gives another one its turn. */
#pragma once
#include <stdint.h>

/*
 * Set that of this thread, and of all that it starts from now on, to `ns`: 100 us to 100 ms. For
 * Linux 6.12 and newer, where sched_setattr() takes it as the runtime of an ordinary thread.
 * Returns 0, -ENOTSUP if the kernel is older, or -errno.
 */
int slice_set(int64_t ns);
