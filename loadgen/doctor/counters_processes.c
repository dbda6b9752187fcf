#include "loadgen/doctor/counters_processes.h"
#include "common/clock.h"
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STAT_BYTES = 1024 };

/* Less than this share of a processor is not worth a name. */
#define SHARE_LEAST 0.002

/*
 * "PID (NAME) STATE PARENT" and numbers, of which the 11th to 14th behind it are the time in user
 * mode and in the kernel, its own and its children's.
 */
static bool read_process(const char *root, int pid, struct counters_process *process)
{
	int64_t tick_ns = NS_PER_S / sysconf(_SC_CLK_TCK);
	char line[STAT_BYTES];
	const char *open;
	const char *close;
	long long own[2];
	long long children[2];
	int parent;

	if (!files_line(root, line, sizeof(line), "proc/%d/stat", pid))
		return false;
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close || close < open ||
	    sscanf(close + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %lld %lld",
		   &parent, &own[0], &own[1], &children[0], &children[1]) != 5)
		return false;
	*process = (struct counters_process){
		.pid = pid,
		.parent = parent,
		.cpu_ns = (own[0] + own[1] + children[0] + children[1]) * tick_ns,
	};
	snprintf(process->name, sizeof(process->name), "%.*s", (int)(close - open - 1), open + 1);
	/* A process may call itself anything. */
	for (char *c = process->name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return true;
}

static int by_pid(const void *a, const void *b)
{
	const struct counters_process *x = a;
	const struct counters_process *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

struct counters_process *counters_processes(const char *root, size_t *count)
{
	char path[PATH_MAX];
	DIR *folder = opendir(files_path(path, root, "proc"));
	struct counters_process *list = NULL;
	size_t room = 0;

	*count = 0;
	for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
	     entry = readdir(folder)) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (*count == room) {
			struct counters_process *more =
				realloc(list, (2 * room + 64) * sizeof(*list));

			if (!more)
				break;
			list = more;
			room = 2 * room + 64;
		}
		*count += read_process(root, (int)strtol(entry->d_name, NULL, 10), &list[*count]);
	}
	if (folder)
		closedir(folder);
	if (list)
		qsort(list, *count, sizeof(*list), by_pid);
	return list;
}

/* Put it where it belongs among the busiest so far. */
static void insert(struct facts_process busiest[FACTS_BUSIEST], struct facts_process process)
{
	for (int i = 0; i < FACTS_BUSIEST; i++) {
		struct facts_process here = busiest[i];

		if (process.share <= here.share)
			continue;
		busiest[i] = process;
		process = here;
	}
}

static struct counters_process *find(const struct counters *counters, int pid)
{
	const struct counters_process key = { .pid = pid };

	return counters->process_count == 0 ? NULL
					    : bsearch(&key, counters->processes,
						      counters->process_count, sizeof(key), by_pid);
}

/*
 * What processes that have ended since had used before, and have left to those that waited for
 * them: it is no work of these meanwhile.
 */
static int64_t inherited_ns(const struct counters *before, const struct counters *after, int heir)
{
	int64_t ns = 0;

	for (size_t i = 0; i < before->process_count; i++) {
		const struct counters_process *process = &before->processes[i];
		int parent = process->parent;

		if (find(after, process->pid))
			continue;
		while (parent > 0 && !find(after, parent)) {
			const struct counters_process *between = find(before, parent);

			parent = between ? between->parent : 0;
		}
		ns += parent == heir ? process->cpu_ns : 0;
	}
	return ns;
}

void counters_busiest(const struct counters *before, const struct counters *after, int self,
		      struct facts_load *load)
{
	for (size_t i = 0; i < after->process_count; i++) {
		const struct counters_process *process = &after->processes[i];
		const struct counters_process *old = find(before, process->pid);
		double used_ns = (double)(process->cpu_ns - (old ? old->cpu_ns : 0));
		struct facts_process busy = { .pid = process->pid };

		if (process->pid == self || used_ns < SHARE_LEAST * (double)load->ns)
			continue;
		used_ns -= (double)inherited_ns(before, after, process->pid);
		busy.share = used_ns / (double)load->ns;
		if (busy.share < SHARE_LEAST)
			continue;
		memcpy(busy.name, process->name, sizeof(busy.name));
		insert(load->busiest, busy);
	}
}
