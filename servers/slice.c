#include "servers/slice.h"
#include <errno.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

static int get(struct sched_attr *attr)
{
	return syscall(SYS_sched_getattr, 0, attr, sizeof(*attr), 0) == 0 ? 0 : -errno;
}

int slice_set(int64_t ns)
{
	struct sched_attr attr = { .size = sizeof(attr) };
	int rc = get(&attr);

	if (rc != 0)
		return rc;
	attr.sched_runtime = (uint64_t)ns;
	if (syscall(SYS_sched_setattr, 0, &attr, 0) != 0)
		return -errno;
	/* Older kernels take it, and do nothing with it. */
	rc = get(&attr);
	if (rc == 0 && attr.sched_runtime != (uint64_t)ns)
		rc = -ENOTSUP;
	return rc;
}
