#include "loadgen/sweep/limits.h"
#include "common/net.h"
#include "loadgen/engine/load.h"
#include <stdio.h>
#include <string.h>

enum { SPARE_DESCRIPTORS = 64, SPARE_THREADS = 200, MAPS_PER_THREAD = 2 };

static int64_t read_limit(const char *path)
{
	FILE *file = fopen(path, "re");
	long long value = INT64_MAX;

	if (!file)
		return INT64_MAX;
	if (fscanf(file, "%lld", &value) != 1)
		value = INT64_MAX;
	fclose(file);
	return value;
}

/* Of a server that is one process, which has all connections. */
static const char *check_descriptors(const struct run *asked, char *text, size_t size)
{
	int64_t connections = asked->connections + asked->idle;
	int64_t sockets = strcmp(asked->wait, "backend") == 0 ? 2 : 1;
	int64_t needed = sockets * connections + SPARE_DESCRIPTORS;
	int64_t hard;

	if (net_need_descriptors(needed, &hard) == 0)
		return NULL;
	snprintf(text, size,
		 "the server needs %lld file descriptors for %lld connections, and the hard limit "
		 "is %lld (ulimit -Hn)",
		 (long long)needed, (long long)connections, (long long)hard);
	return text;
}

/* Of a server with t threads or processes. */
static const char *check_threads(const struct run *asked, bool processes, char *text, size_t size)
{
	static const struct {
		const char *path;
		const char *setting;
		int64_t per_thread;
		bool of_a_process;
	} limits[] = {
		{ "/proc/sys/kernel/threads-max", "kernel.threads-max", 1, false },
		{ "/proc/sys/kernel/pid_max", "kernel.pid_max", 1, false },
		{ "/proc/sys/vm/max_map_count", "vm.max_map_count", MAPS_PER_THREAD, true },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int64_t limit = read_limit(limits[i].path);
		int64_t uses = asked->threads * limits[i].per_thread + SPARE_THREADS;

		if ((limits[i].of_a_process && processes) || uses <= limit)
			continue;
		snprintf(text, size, "%lld threads need %lld of sysctl %s, and it is %lld",
			 (long long)asked->threads, (long long)uses, limits[i].setting,
			 (long long)limit);
		return text;
	}
	return NULL;
}

const char *limits_refusal(const struct run *asked, char *text, size_t size)
{
	const struct arch_traits *traits = archs_find(asked->arch);
	bool processes = traits && traits->processes;
	struct load_config config = { .connections = asked->connections };

	if (load_refusal(&config, text, size))
		return text;
	if (!processes && check_descriptors(asked, text, size))
		return text;
	if (asked->threads > 0 && check_threads(asked, processes, text, size))
		return text;
	if (traits && traits->limit == RECIPE_LIMIT_CONNECTIONS && asked->idle >= asked->threads) {
		snprintf(text, size,
			 "%s with threads = %lld is taken up by %lld idle connections: threads = "
			 "connections gives it as many as it needs",
			 asked->arch, (long long)asked->threads, (long long)asked->idle);
		return text;
	}
	return NULL;
}
