#include "common/clock.h"
#include <errno.h>

int clock_process_cpu_ns(pid_t pid, int64_t *ns)
{
	struct timespec t;
	clockid_t clock;
	int rc = clock_getcpuclockid(pid, &clock);

	if (rc != 0)
		return -rc;
	if (clock_gettime(clock, &t) != 0)
		return errno == EINVAL ? -ESRCH : -errno;
	*ns = (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
	return 0;
}

int clock_sleep_until(int64_t at_ns)
{
	struct timespec t = clock_timespec(at_ns);

	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}
