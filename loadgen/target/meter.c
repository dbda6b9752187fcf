#include "loadgen/target/meter.h"
#include "common/clock.h"
#include "loadgen/target/tree.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 128, FILE_BYTES = 4096, KIB = 1024 };

/* A small file of /proc as a string. Returns 0 or -errno. */
static int read_file(const char *path, char text[FILE_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int rc;

	if (fd < 0)
		return -errno;
	length = read(fd, text, FILE_BYTES - 1);
	rc = length < 0 ? -errno : 0;
	close(fd);
	if (rc == 0)
		text[length] = '\0';
	return rc;
}

/* The number behind "name" at the start of a line, or 0. */
static int64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

/* What vanishes between two looks is no error. */
static int unless_gone(int rc)
{
	return rc == -ENOENT || rc == -ESRCH ? 0 : rc;
}

/* Counters */

/* Bits of an id spread over all 64, so that sums of different sets differ (splitmix64). */
static uint64_t mix(uint64_t id)
{
	id += 0x9e3779b97f4a7c15U;
	id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9U;
	id = (id ^ (id >> 27)) * 0x94d049bb133111ebU;
	return id ^ (id >> 31);
}

static void add_thread(pid_t pid, pid_t thread, struct meter *meter)
{
	char path[PATH_BYTES];
	char text[FILE_BYTES];
	long long delay;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, thread);
	if (read_file(path, text) != 0)
		return; /* it has just ended */
	meter->threads++;
	meter->tasks += mix((uint64_t)thread);
	meter->voluntary += field(text, "\nvoluntary_ctxt_switches:");
	meter->involuntary += field(text, "\nnonvoluntary_ctxt_switches:");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, thread);
	if (read_file(path, text) == 0 && sscanf(text, "%*d %lld", &delay) == 1)
		meter->run_delay_ns += delay;
}

static int add_memory(pid_t pid, struct meter *meter)
{
	char path[PATH_BYTES];
	char text[FILE_BYTES];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	rc = read_file(path, text);
	if (rc != 0)
		return rc;
	meter->rss_bytes += field(text, "\nRss:") * KIB;
	meter->pss_bytes += field(text, "\nPss:") * KIB;
	return 0;
}

static int add_process(pid_t pid, struct meter *meter);

static int add_child(pid_t child, void *context)
{
	return unless_gone(add_process(child, context));
}

static int add_process(pid_t pid, struct meter *meter)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	DIR *tasks;
	int rc = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return -errno;
	meter->processes++;
	while (rc == 0 && (entry = readdir(tasks))) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

		if (thread == 0)
			continue; /* . and .. */
		add_thread(pid, thread, meter);
		rc = tree_for_each_child(pid, thread, add_child, meter);
	}
	closedir(tasks);
	return rc != 0 ? rc : add_memory(pid, meter);
}

int meter_read(pid_t pid, struct meter *meter)
{
	*meter = (struct meter){ 0 };
	return add_process(pid, meter);
}

bool meter_same_tasks(const struct meter *before, const struct meter *after)
{
	return before->tasks == after->tasks && before->threads == after->threads &&
	       before->processes == after->processes;
}

/* CPU time */

/* User and system time of the children that have ended and were waited for. */
static int64_t ended_children_ns(pid_t pid)
{
	int64_t tick_ns = NS_PER_S / sysconf(_SC_CLK_TCK);
	char path[PATH_BYTES];
	char text[FILE_BYTES];
	const char *name_end;
	long long user;
	long long system;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, text) != 0)
		return 0;
	name_end = strrchr(text, ')'); /* the name may hold anything, blanks and brackets too */
	if (!name_end ||
	    sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lld %lld",
		   &user, &system) != 2)
		return 0;
	return (user + system) * tick_ns;
}

static int add_cpu(pid_t pid, void *context)
{
	int64_t *total_ns = context;
	int64_t ns;

	/* The ended ones first: a child that ends in between is then not counted twice. */
	*total_ns += ended_children_ns(pid);
	tree_for_each_child(pid, pid, add_cpu, total_ns);
	if (clock_process_cpu_ns(pid, &ns) == 0)
		*total_ns += ns;
	return 0;
}

int meter_cpu_ns(pid_t pid, int64_t *ns)
{
	int64_t own_ns;
	int rc = clock_process_cpu_ns(pid, &own_ns);

	if (rc != 0)
		return rc;
	*ns = 0;
	return add_cpu(pid, ns);
}
