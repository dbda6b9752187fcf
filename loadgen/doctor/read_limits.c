#include "loadgen/doctor/read.h"
#include <string.h>

static int64_t read_ports(const char *root)
{
	char line[FACTS_TEXT_MAX];
	long long first;
	long long last;

	if (!files_line(root, line, sizeof(line), "proc/sys/net/ipv4/ip_local_port_range") ||
	    sscanf(line, "%lld %lld", &first, &last) != 2 || last < first)
		return FACTS_UNKNOWN;
	return last - first + 1;
}

/* The choice in brackets: "always [madvise] never". */
static void read_choice(const char *root, const char *path, char *text, size_t size)
{
	char line[FACTS_PATH_MAX];
	const char *open;

	text[0] = '\0';
	if (!files_line(root, line, sizeof(line), "%s", path))
		return;
	open = strchr(line, '[');
	if (open)
		snprintf(text, size, "%.*s", (int)strcspn(open + 1, "]"), open + 1);
}

/* Processes and threads: "0.20 0.18 0.12 RUNNING/ALL PID". */
static int64_t read_tasks(const char *root)
{
	char line[FACTS_TEXT_MAX];
	long long all;

	if (!files_line(root, line, sizeof(line), "proc/loadavg") ||
	    sscanf(line, "%*f %*f %*f %*d/%lld", &all) != 1)
		return FACTS_UNKNOWN;
	return all;
}

static int64_t read_kib(const char *root, const char *name)
{
	int64_t kib = files_field(root, "proc/meminfo", name);

	return kib == FACTS_UNKNOWN ? FACTS_UNKNOWN : kib * 1024;
}

void read_limits(const char *root, struct facts_limits *limits)
{
	int64_t total = read_kib(root, "SwapTotal:");
	int64_t left = read_kib(root, "SwapFree:");

	limits->descriptors_of = files_integer(root, "proc/sys/fs/nr_open");
	limits->threads_max = files_integer(root, "proc/sys/kernel/threads-max");
	limits->pid_max = files_integer(root, "proc/sys/kernel/pid_max");
	limits->tasks = read_tasks(root);
	limits->max_map_count = files_integer(root, "proc/sys/vm/max_map_count");
	limits->somaxconn = files_integer(root, "proc/sys/net/core/somaxconn");
	limits->ports = read_ports(root);
	limits->tw_reuse = files_integer(root, "proc/sys/net/ipv4/tcp_tw_reuse");
	limits->perf_paranoid = files_integer(root, "proc/sys/kernel/perf_event_paranoid");
	limits->uring_disabled = files_integer(root, "proc/sys/kernel/io_uring_disabled");
	read_choice(root, "sys/kernel/mm/transparent_hugepage/enabled", limits->hugepages,
		    sizeof(limits->hugepages));
	limits->available_bytes = read_kib(root, "MemAvailable:");
	limits->swap_used_bytes =
		total == FACTS_UNKNOWN || left == FACTS_UNKNOWN ? FACTS_UNKNOWN : total - left;
	read_groups(root, limits);
}
