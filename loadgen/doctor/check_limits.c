/* The system's limits, against what the shipped plans need. */
#include "loadgen/doctor/checks.h"
#include <string.h>

enum {
	SPARE_DESCRIPTORS = 64,
	SPARE_THREADS = 200,
	MAPS_PER_THREAD = 2,
	RAISED = 65536, /* what a limit of threads is raised to */
};

#define GIB (1LL << 30)

/* A limit, what of it is taken already, and what the two kinds of plans need. */
struct limit {
	const char *name;
	int64_t have;
	int64_t taken;
	int64_t needed;
	int64_t evidence;
};

/* False if there is nothing to mend. */
static bool judge(const struct limit *limit, struct doctor_finding *finding)
{
	int64_t left = limit->have - (limit->taken > 0 ? limit->taken : 0);
	bool short_of_all = left < limit->needed;
	char taken[64] = "";

	if (limit->have == FACTS_UNKNOWN) {
		checks_say(finding, DOCTOR_OK, "%s cannot be seen", limit->name);
		return false;
	}
	if (limit->have == FACTS_UNLIMITED) {
		checks_say(finding, DOCTOR_OK, "%s: no limit", limit->name);
		return false;
	}
	if (limit->taken > 0)
		snprintf(taken, sizeof(taken), ", %lld of them in use", (long long)limit->taken);
	checks_say(finding,
		   short_of_all             ? DOCTOR_BAD
		   : left < limit->evidence ? DOCTOR_WARNING
					    : DOCTOR_OK,
		   "%s: %lld%s; %lld needed by: %s", limit->name, (long long)limit->have, taken,
		   (long long)(short_of_all ? limit->needed : limit->evidence),
		   short_of_all ? NEEDED_BY : EVIDENCE_BY);
	return finding->level != DOCTOR_OK;
}

void check_descriptors(const struct facts *facts, struct doctor_finding *finding)
{
	const struct limit limit = {
		.name = "descriptors (ulimit -Hn)",
		.have = facts->limits.descriptors,
		.needed = NEEDED_CONNECTIONS + SPARE_DESCRIPTORS,
		.evidence = EVIDENCE_DESCRIPTORS,
	};
	int64_t most = facts->limits.descriptors_of;

	if (!judge(&limit, finding))
		return;
	checks_mend(finding, "%sprlimit --pid $$ --nofile=%d:%d",
		    most != FACTS_UNKNOWN && most < EVIDENCE_DESCRIPTORS
			    ? "sysctl -w fs.nr_open=1048576 && "
			    : "",
		    EVIDENCE_DESCRIPTORS, EVIDENCE_DESCRIPTORS);
}

static struct limit threads_limit(const char *name, int64_t have, int64_t taken)
{
	return (struct limit){
		.name = name,
		.have = have,
		.taken = taken,
		.needed = NEEDED_THREADS + SPARE_THREADS,
		.evidence = EVIDENCE_THREADS + SPARE_THREADS,
	};
}

void check_user_processes(const struct facts *facts, struct doctor_finding *finding)
{
	struct limit limit =
		threads_limit("threads of a user (ulimit -Hu)", facts->limits.user_processes, 0);

	if (facts->limits.is_root)
		checks_say(finding, DOCTOR_OK, "threads of a user: no limit for root");
	else if (judge(&limit, finding))
		checks_mend(finding, "prlimit --pid $$ --nproc=%d:%d", RAISED, RAISED);
}

void check_threads_max(const struct facts *facts, struct doctor_finding *finding)
{
	struct limit limit =
		threads_limit("kernel.threads-max", facts->limits.threads_max, facts->limits.tasks);

	if (judge(&limit, finding))
		checks_mend(finding, "sysctl -w kernel.threads-max=%d", RAISED);
}

void check_pid_max(const struct facts *facts, struct doctor_finding *finding)
{
	struct limit limit =
		threads_limit("kernel.pid_max", facts->limits.pid_max, facts->limits.tasks);

	if (judge(&limit, finding))
		checks_mend(finding, "sysctl -w kernel.pid_max=%d", RAISED);
}

void check_group_pids(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_group_limit *group = &facts->limits.group_pids;
	struct limit limit =
		threads_limit("the control group's pids.max", group->limit, group->used);

	if (judge(&limit, finding) && group->file[0])
		checks_mend(finding, "echo max > %s", group->file);
}

void check_maps(const struct facts *facts, struct doctor_finding *finding)
{
	const struct limit limit = {
		.name = "vm.max_map_count",
		.have = facts->limits.max_map_count,
		.needed = MAPS_PER_THREAD * NEEDED_THREADS + SPARE_THREADS,
		.evidence = MAPS_PER_THREAD * EVIDENCE_THREADS + SPARE_THREADS,
	};

	if (judge(&limit, finding))
		checks_mend(finding, "sysctl -w vm.max_map_count=65530");
}

/* Ten thousand threads take some 0.8 GB of memory that is mostly the kernel's; 19,500 1.5 GB. */
void check_memory(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_group_limit *group = &facts->limits.group_memory;
	int64_t left = facts->limits.available_bytes;
	bool is_limited = group->limit != FACTS_UNKNOWN && group->limit != FACTS_UNLIMITED;

	if (is_limited && (left == FACTS_UNKNOWN || group->limit - group->used < left))
		left = group->limit - group->used;
	else
		is_limited = false;
	if (left == FACTS_UNKNOWN) {
		checks_say(finding, DOCTOR_NOTE, "memory cannot be seen");
		return;
	}
	checks_say(finding,
		   left < GIB       ? DOCTOR_BAD
		   : left < 2 * GIB ? DOCTOR_WARNING
				    : DOCTOR_OK,
		   "%.1f GiB of memory %s; %d needed by: %s", (double)left / GIB,
		   is_limited ? "left in the control group" : "available", left < GIB ? 1 : 2,
		   left < GIB ? NEEDED_BY : EVIDENCE_BY);
	if (finding->level != DOCTOR_OK && is_limited && group->file[0])
		checks_mend(finding, "echo %s > %s",
			    strstr(group->file, "limit_in_bytes") ? "-1" : "max", group->file);
}

void check_hugepages(const struct facts *facts, struct doctor_finding *finding)
{
	const char *choice = facts->limits.hugepages;

	if (strcmp(choice, "always") != 0) {
		checks_say(finding, DOCTOR_OK, "transparent huge pages: %s",
			   *choice ? choice : "not visible");
		return;
	}
	checks_say(finding, DOCTOR_NOTE,
		   "transparent huge pages: always; a server may take 2 MiB for a few KiB");
	checks_mend(finding, "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
}

void check_backlog(const struct facts *facts, struct doctor_finding *finding)
{
	enum { NEEDED = 4096 }; /* NET_BACKLOG, of all servers here */
	int64_t have = facts->limits.somaxconn;

	if (have == FACTS_UNKNOWN) {
		checks_say(finding, DOCTOR_OK, "net.core.somaxconn cannot be seen");
		return;
	}
	if (have >= NEEDED) {
		checks_say(finding, DOCTOR_OK, "net.core.somaxconn: %lld", (long long)have);
		return;
	}
	checks_say(
		finding, DOCTOR_WARNING,
		"net.core.somaxconn: %lld; %d needed by: all servers, for connections that start "
		"together",
		(long long)have, NEEDED);
	checks_mend(finding, "sysctl -w net.core.somaxconn=%d", NEEDED);
}

void check_ports(const struct facts *facts, struct doctor_finding *finding)
{
	const struct limit limit = {
		.name = "ports in net.ipv4.ip_local_port_range",
		.have = facts->limits.ports,
		.needed = NEEDED_CONNECTIONS,
		.evidence = EVIDENCE_DESCRIPTORS,
	};

	if (judge(&limit, finding))
		checks_mend(finding, "sysctl -w net.ipv4.ip_local_port_range=\"32768 60999\"");
}

void check_tw_reuse(const struct facts *facts, struct doctor_finding *finding)
{
	if (facts->limits.tw_reuse != 0) {
		checks_say(finding, DOCTOR_OK, "ports of closed connections are used again");
		return;
	}
	checks_say(finding, DOCTOR_WARNING,
		   "net.ipv4.tcp_tw_reuse: 0, a closed connection keeps its port for a minute; 2 "
		   "needed by: scripts/plans/evidence/connections.ini");
	checks_mend(finding, "sysctl -w net.ipv4.tcp_tw_reuse=2");
}

void check_uring(const struct facts *facts, struct doctor_finding *finding)
{
	if (!facts->limits.uring_refused) {
		checks_say(finding, DOCTOR_OK, "io_uring is there");
		return;
	}
	checks_say(finding, DOCTOR_WARNING,
		   "io_uring is refused%s; needed by: scripts/plans/evidence/requests.ini",
		   facts->limits.uring_disabled > 0 ? " (kernel.io_uring_disabled)" : "");
	if (facts->limits.uring_disabled > 0)
		checks_mend(finding, "sysctl -w kernel.io_uring_disabled=0");
}

void check_perf(const struct facts *facts, struct doctor_finding *finding)
{
	enum { PARANOID_MOST = 1 }; /* processes of one's own, with their time in the kernel */
	int64_t paranoid = facts->limits.perf_paranoid;

	if (facts->limits.is_root || paranoid <= PARANOID_MOST) {
		checks_say(finding, DOCTOR_OK, "perf may count");
		return;
	}
	checks_say(finding, DOCTOR_NOTE, "kernel.perf_event_paranoid: %lld", (long long)paranoid);
	checks_mend(finding, "sysctl -w kernel.perf_event_paranoid=1");
}
