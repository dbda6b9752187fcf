/* All facts of this machine: what its files say, what this process may, what is measured. */
#include "common/cpus.h"
#include "loadgen/doctor/doctor.h"
#include "loadgen/doctor/read.h"
#include "loadgen/doctor/watch.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char root[] = "";

/* The processors that this process may bind itself to, whatever it is bound to now. */
static void find_allowed(cpu_set_t *allowed)
{
	cpu_set_t before;
	cpu_set_t all;

	CPU_ZERO(allowed);
	if (cpus_allowed(&before) != 0)
		return;
	memset(&all, 0xff, sizeof(all));
	cpus_bind(&all);
	cpus_allowed(allowed);
	cpus_bind(&before);
}

static int64_t hard_limit(__rlimit_resource_t resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return FACTS_UNKNOWN;
	return limit.rlim_max == RLIM_INFINITY ? FACTS_UNLIMITED : (int64_t)limit.rlim_max;
}

/* A ring is asked for with no place to say what came of it: whoever may have one gets EFAULT. */
static bool is_uring_refused(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno != EFAULT;
}

static bool is_read_only(const char *path)
{
	struct statvfs status;

	return statvfs(path, &status) == 0 && (status.f_flag & ST_RDONLY) != 0;
}

struct facts *doctor_look(const struct doctor_look *look)
{
	struct facts *facts = calloc(1, sizeof(*facts));
	struct watch watch = {
		.root = root,
		.duration_ns = look->duration_ns,
		.stop = look->stop,
		.on_progress = look->on_progress,
	};
	cpu_set_t chosen;

	if (!facts)
		return NULL;
	facts->processors.chosen[FACTS_SERVER] = look->server;
	facts->processors.chosen[FACTS_LOAD] = look->load;
	CPU_OR(&chosen, &look->server, &look->load);
	find_allowed(&facts->processors.allowed);
	read_processors(root, &facts->processors);
	read_frequency(root, &chosen, &facts->frequency);
	read_machine(root, &facts->machine);
	facts->machine.sysctl_fixed = is_read_only("/proc/sys");
	facts->machine.sysfs_fixed = is_read_only("/sys");
	facts->limits.is_root = geteuid() == 0;
	facts->limits.descriptors = hard_limit(RLIMIT_NOFILE);
	facts->limits.user_processes = hard_limit(RLIMIT_NPROC);
	facts->limits.uring_refused = is_uring_refused();
	read_limits(root, &facts->limits);
	if (watch_run(&watch, facts) != 0) {
		free(facts);
		return NULL;
	}
	return facts;
}
