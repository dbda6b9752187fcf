/*
 * Control groups: a process has a path in the one hierarchy of version 2, or in that of each
 * controller of version 1; a limit of any group on the way up holds for it. In a container the path
 * may lie outside of what is mounted: then the groups that can be seen are looked at, from the root
 * on.
 */
#include "loadgen/doctor/read.h"
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 4096 };

/*
 * The group's folder below root for a controller: "sys/fs/cgroup/memory/a/b". Of version 2 if
 * `controller` is "". False if the process is in no such hierarchy.
 */
static bool find_group(const char *root, const char *controller, char group[FACTS_PATH_MAX])
{
	FILE *file = files_open(root, "proc/self/cgroup");
	char line[LINE_BYTES];
	bool found = false;

	/* "9:cpu,cpuacct:/a/b", of version 2 "0::/a/b". */
	while (file && !found && fgets(line, sizeof(line), file)) {
		char *list = strchr(line, ':');
		char *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		found = *controller ? files_list_has(list + 1, ',', controller) : list[1] == '\0';
		if (found)
			snprintf(group, FACTS_PATH_MAX, "sys/fs/cgroup%s%s%.*s",
				 *controller ? "/" : "", *controller ? controller : "",
				 FACTS_PATH_MAX / 2, strcmp(path, "/") == 0 ? "" : path);
	}
	if (file)
		fclose(file);
	return found;
}

/* One group up; false at the hierarchy's root. */
static bool go_up(char group[FACTS_PATH_MAX], const char *controller)
{
	size_t top = strlen("sys/fs/cgroup") + (*controller ? 1 : 0) + strlen(controller);
	char *slash = strrchr(group, '/');

	if (!slash || strlen(group) <= top)
		return false;
	*slash = '\0';
	return true;
}

/* A limit as its controller has it. */
struct limit_files {
	const char *controller; /* "" for version 2 */
	const char *limit;
	const char *used;
	bool is_quota;      /* `used` has the period */
	const char *cached; /* what of `used` can be had back: a field of memory.stat, or NULL */
};

static void keep(const char *root, const char *group, const struct limit_files *files,
		 int64_t limit, int64_t used, struct facts_group_limit *tightest)
{
	char path[PATH_MAX];

	tightest->limit = limit;
	tightest->used = used;
	files_path(path, root, "%s/%s", group, files->limit);
	if ((geteuid() == 0 && access(path, W_OK) != 0) ||
	    snprintf(tightest->file, sizeof(tightest->file), "%s", path) >= FACTS_PATH_MAX)
		tightest->file[0] = '\0';
}

/* What a limit leaves, so that the tightest can be found; of a quota, its share of the period. */
static double room(const struct limit_files *files, int64_t limit, int64_t used)
{
	if (files->is_quota)
		return used > 0 ? (double)limit / (double)used : (double)limit;
	return (double)limit - (double)(used > 0 ? used : 0);
}

/* The limit of one group: "LIMIT", or "LIMIT PERIOD" of cpu.max. -1 is no quota in version 1. */
static void read_limit(const char *root, const char *group, const struct limit_files *files,
		       int64_t *limit, int64_t *used)
{
	char line[FACTS_TEXT_MAX];
	const char *space;

	*limit = files_integer(root, "%s/%s", group, files->limit);
	*used = files_integer(root, "%s/%s", group, files->used);
	if (files->cached && *used > 0) {
		char path[PATH_MAX];
		int64_t cached;

		snprintf(path, sizeof(path), "%s/memory.stat", group);
		cached = files_field(root, path, files->cached);
		*used -= cached > 0 && cached < *used ? cached : 0;
	}
	if (files->is_quota && files->used == files->limit &&
	    files_line(root, line, sizeof(line), "%s/%s", group, files->limit)) {
		long long period = 0;

		space = strchr(line, ' ');
		*used = space && sscanf(space, "%lld", &period) == 1 ? period : FACTS_UNKNOWN;
	}
}

static void find_tightest(const char *root, const struct limit_files *files,
			  struct facts_group_limit *tightest)
{
	char group[FACTS_PATH_MAX];

	if (!find_group(root, files->controller, group))
		return;
	do {
		int64_t limit;
		int64_t used;

		read_limit(root, group, files, &limit, &used);
		if (limit == FACTS_UNKNOWN)
			continue;
		if (tightest->limit == FACTS_UNKNOWN || tightest->limit == FACTS_UNLIMITED ||
		    (limit != FACTS_UNLIMITED &&
		     room(files, limit, used) < room(files, tightest->limit, tightest->used)))
			keep(root, group, files, limit, used, tightest);
	} while (go_up(group, files->controller));
}

void read_groups(const char *root, struct facts_limits *limits)
{
	static const struct limit_files pids[] = {
		{ "", "pids.max", "pids.current", false, NULL },
		{ "pids", "pids.max", "pids.current", false, NULL },
	};
	static const struct limit_files memory[] = {
		{ "", "memory.max", "memory.current", false, "inactive_file " },
		{ "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", false,
		  "total_inactive_file " },
	};
	static const struct limit_files cpu[] = {
		{ "", "cpu.max", "cpu.max", true, NULL },
		{ "cpu", "cpu.cfs_quota_us", "cpu.cfs_period_us", true, NULL },
	};

	limits->group_pids = limits->group_memory = limits->group_cpu =
		(struct facts_group_limit){ .limit = FACTS_UNKNOWN, .used = FACTS_UNKNOWN };
	for (int version = 0; version < 2; version++) {
		find_tightest(root, &pids[version], &limits->group_pids);
		find_tightest(root, &memory[version], &limits->group_memory);
		find_tightest(root, &cpu[version], &limits->group_cpu);
	}
}

int64_t read_throttled(const char *root)
{
	static const char *const controllers[] = { "", "cpu" };
	int64_t throttled = 0;

	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
		char group[FACTS_PATH_MAX];

		if (!find_group(root, controllers[i], group))
			continue;
		do {
			char path[PATH_MAX];
			int64_t count;

			snprintf(path, sizeof(path), "%s/cpu.stat", group);
			count = files_field(root, path, "nr_throttled ");
			if (count > 0)
				throttled += count;
		} while (go_up(group, controllers[i]));
	}
	return throttled;
}
