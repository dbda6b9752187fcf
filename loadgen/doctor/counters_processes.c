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

/* "PID (NAME) STATE" and numbers, of which utime and stime are the 12th and 13th behind it. */
static bool read_process(const char *root, int pid, struct counters_process *process)
{
	int64_t tick_ns = NS_PER_S / sysconf(_SC_CLK_TCK);
	char line[STAT_BYTES];
	const char *open;
	const char *close;
	long long user;
	long long system;

	if (!files_line(root, line, sizeof(line), "proc/%d/stat", pid))
		return false;
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close || close < open ||
	    sscanf(close + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &user,
		   &system) != 2)
		return false;
	*process = (struct counters_process){ .pid = pid, .cpu_ns = (user + system) * tick_ns };
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

void counters_busiest(const struct counters *before, const struct counters *after, int self,
		      struct facts_load *load)
{
	for (size_t i = 0; i < after->process_count; i++) {
		const struct counters_process *process = &after->processes[i];
		const struct counters_process *old =
			before->process_count > 0
				? bsearch(process, before->processes, before->process_count,
					  sizeof(*process), by_pid)
				: NULL;
		struct facts_process busy = {
			.pid = process->pid,
			.share = (double)(process->cpu_ns - (old ? old->cpu_ns : 0)) /
				 (double)load->ns,
		};

		if (process->pid == self || busy.share < SHARE_LEAST)
			continue;
		memcpy(busy.name, process->name, sizeof(busy.name));
		insert(load->busiest, busy);
	}
}
