/* The clocks that the suite reads. All values are nanoseconds. */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum {
	NS_PER_US = 1000,
	NS_PER_MS = 1000 * 1000,
	NS_PER_S = 1000 * 1000 * 1000,
};

/* Nanoseconds of `clock`; 0 if the kernel has no such clock. */
static inline int64_t clock_read_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) != 0)
		return 0;
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Time since an arbitrary start, never set back. */
static inline int64_t clock_now_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

/* CPU time of the calling thread: exact to the nanosecond, not to the tick. */
static inline int64_t clock_thread_cpu_ns(void)
{
	return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/*
 * CPU time of process `pid` (0: this one), its ended threads included, in *ns.
 * Returns 0, or -errno: -ESRCH when there is no such process.
 */
int clock_process_cpu_ns(pid_t pid, int64_t *ns);

/* Sleep until clock_now_ns() reaches `at_ns`. Returns 0, or -EINTR when a signal came first. */
int clock_sleep_until(int64_t at_ns);

static inline struct timespec clock_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };
}

static inline struct timeval clock_timeval(int64_t ns)
{
	return (struct timeval){ .tv_sec = ns / NS_PER_S, .tv_usec = ns % NS_PER_S / NS_PER_US };
}
