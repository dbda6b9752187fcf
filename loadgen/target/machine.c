#include "loadgen/target/machine.h"
#include "common/clock.h"
#include "common/cpus.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <gsl/gsl_version.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	LINE_BYTES = 4096,
	ROUNDS = 9,
	TURNS = 500,
	TURN_PATIENCE_NS = 20 * NS_PER_MS,
};

/* Counters */

static int64_t read_steal(const cpu_set_t *cpus)
{
	FILE *file = fopen("/proc/stat", "re");
	char line[LINE_BYTES];
	int64_t ticks = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		unsigned cpu;
		long long steal;

		if (sscanf(line, "cpu%u %*d %*d %*d %*d %*d %*d %*d %lld", &cpu, &steal) == 2 &&
		    cpu < CPU_SETSIZE && CPU_ISSET(cpu, cpus))
			ticks += steal;
	}
	fclose(file);
	return ticks * NS_PER_S / sysconf(_SC_CLK_TCK);
}

/* The value under `name` in the line pair "TcpExt: NAMES" / "TcpExt: VALUES". */
static int64_t column(char *names, char *values, const char *name)
{
	char *rest_names;
	char *rest_values;
	char *n = strtok_r(names, " \n", &rest_names);
	char *v = strtok_r(values, " \n", &rest_values);

	while (n && v) {
		if (strcmp(n, name) == 0)
			return strtoll(v, NULL, 10);
		n = strtok_r(NULL, " \n", &rest_names);
		v = strtok_r(NULL, " \n", &rest_values);
	}
	return 0;
}

static int64_t read_tcp_counter(const char *name)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	char names[LINE_BYTES];
	char values[LINE_BYTES];
	int64_t value = 0;

	if (!file)
		return 0;
	while (fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file))
		if (strncmp(names, "TcpExt:", 7) == 0)
			value = column(names, values, name);
	fclose(file);
	return value;
}

void machine_count(const cpu_set_t *cpus, struct machine_counters *counters)
{
	counters->at_ns = clock_now_ns();
	counters->steal_ns = read_steal(cpus);
	counters->listen_overflows = read_tcp_counter("ListenOverflows");
	counters->listen_drops = read_tcp_counter("ListenDrops");
}

/* Ping-pong */

struct table {
	_Alignas(64) atomic_int ball;
	int cpu;
	_Atomic bool failed;
};

static void bind_to(int cpu, _Atomic bool *failed)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (cpus_bind(&set) != 0)
		atomic_store(failed, true);
}

/* Wait until the ball shows `turn`. False when the other side is not there. */
static bool await_ball(struct table *table, int turn)
{
	int64_t deadline = 0;

	for (int spins = 1; atomic_load_explicit(&table->ball, memory_order_acquire) != turn;
	     spins++) {
		if (spins % 65536 != 0)
			continue;
		if (deadline == 0)
			deadline = clock_now_ns() + TURN_PATIENCE_NS;
		else if (clock_now_ns() > deadline || atomic_load(&table->failed))
			return false;
	}
	return true;
}

static void *answer(void *arg)
{
	struct table *table = arg;

	bind_to(table->cpu, &table->failed);
	for (int turn = 1; turn < 2 * ROUNDS * TURNS; turn += 2) {
		if (!await_ball(table, turn))
			break;
		atomic_store_explicit(&table->ball, turn + 1, memory_order_release);
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Serve all rounds; returns how many were played to their end. */
static int serve_rounds(struct table *table, int64_t round_ns[ROUNDS])
{
	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = clock_now_ns();

		for (int turn = 0; turn < TURNS; turn++) {
			int ball = 2 * (round * TURNS + turn);

			atomic_store_explicit(&table->ball, ball + 1, memory_order_release);
			if (!await_ball(table, ball + 2)) {
				atomic_store(&table->failed, true);
				return round;
			}
		}
		round_ns[round] = (clock_now_ns() - start) / (2LL * TURNS);
	}
	return ROUNDS;
}

int64_t machine_ping_pong_ns(int cpu_a, int cpu_b)
{
	struct table table = { .cpu = cpu_b };
	int64_t round_ns[ROUNDS];
	cpu_set_t before;
	pthread_t other;
	int played;

	if (cpu_a == cpu_b || cpus_allowed(&before) != 0)
		return 0;
	if (pthread_create(&other, NULL, answer, &table) != 0)
		return 0;
	bind_to(cpu_a, &table.failed);
	played = serve_rounds(&table, round_ns);
	pthread_join(other, NULL);
	cpus_bind(&before);
	if (played < ROUNDS)
		return 0;
	qsort(round_ns, ROUNDS, sizeof(round_ns[0]), compare);
	return round_ns[ROUNDS / 2];
}

/* Others */

struct other {
	pid_t pid;
	int64_t cpu_ns;
};

struct machine_others {
	cpu_set_t cpus;
	pid_t except;
	size_t count;
	size_t room;
	struct other *list; /* sorted by pid */
};

static int compare_pids(const void *a, const void *b)
{
	return ((const struct other *)a)->pid - ((const struct other *)b)->pid;
}

static int append(struct machine_others *others, pid_t pid)
{
	cpu_set_t allowed;
	int64_t cpu_ns;

	if (pid == others->except || pid == getpid() ||
	    sched_getaffinity(pid, sizeof(allowed), &allowed) != 0)
		return 0;
	CPU_AND(&allowed, &allowed, &others->cpus);
	if (CPU_COUNT(&allowed) == 0 || clock_process_cpu_ns(pid, &cpu_ns) != 0)
		return 0;
	if (others->count == others->room) {
		size_t room = others->room ? others->room * 2 : 256;
		struct other *list = realloc(others->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		others->list = list;
		others->room = room;
	}
	others->list[others->count++] = (struct other){ pid, cpu_ns };
	return 0;
}

struct machine_others *machine_others_begin(const cpu_set_t *cpus, pid_t except)
{
	struct machine_others *others = calloc(1, sizeof(*others));
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!others || !proc)
		goto failed;
	others->cpus = *cpus;
	others->except = except;
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    append(others, (pid_t)strtol(entry->d_name, NULL, 10)) != 0)
			goto failed;
	closedir(proc);
	if (others->count > 0)
		qsort(others->list, others->count, sizeof(others->list[0]), compare_pids);
	return others;
failed:
	if (proc)
		closedir(proc);
	machine_others_free(others);
	return NULL;
}

int64_t machine_others_used_ns(const struct machine_others *others)
{
	struct machine_others *now = machine_others_begin(&others->cpus, others->except);
	int64_t used_ns = 0;

	if (!now)
		return 0;
	for (size_t i = 0; i < now->count; i++) {
		const struct other *before = NULL;

		if (others->count > 0)
			before = bsearch(&now->list[i], others->list, others->count,
					 sizeof(others->list[0]), compare_pids);
		used_ns += now->list[i].cpu_ns - (before ? before->cpu_ns : 0);
	}
	machine_others_free(now);
	return used_ns;
}

void machine_others_free(struct machine_others *others)
{
	if (!others)
		return;
	free(others->list);
	free(others);
}

/* Provenance */

/* The value of the first line "name : value" of a file. */
static void set_line_value(json_t *object, const char *key, const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[LINE_BYTES];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		char *value = strpbrk(line, ":=");

		if (!value || strncmp(line, name, strlen(name)) != 0)
			continue;
		value += 1 + strspn(value + 1, " \t\"");
		value[strcspn(value, "\"\n")] = '\0';
		json_object_set_new(object, key, json_string(value));
		break;
	}
	fclose(file);
}

static void set_file(json_t *object, const char *key, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[LINE_BYTES];

	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		for (char *tab = line; (tab = strchr(tab, '\t'));)
			*tab = ' ';
		json_object_set_new(object, key, json_string(line));
	}
	fclose(file);
}

static json_t *sysctls(void)
{
	static const char *const names[] = {
		"net/core/somaxconn",
		"net/ipv4/tcp_max_syn_backlog",
		"net/ipv4/ip_local_port_range",
		"kernel/threads-max",
		"kernel/pid_max",
		"vm/max_map_count",
		"kernel/sched_autogroup_enabled",
	};
	json_t *object = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[LINE_BYTES];
		char key[LINE_BYTES];

		snprintf(path, sizeof(path), "/proc/sys/%s", names[i]);
		snprintf(key, sizeof(key), "%s", names[i]);
		for (char *slash = key; (slash = strchr(slash, '/'));)
			*slash = '.';
		set_file(object, key, path);
	}
	return object;
}

json_t *machine_provenance(void)
{
	json_t *object = json_object();
	struct utsname system;
	struct rlimit files;

	set_line_value(object, "cpu_model", "/proc/cpuinfo", "model name");
	json_object_set_new(object, "cores", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_set_new(
		object, "memory_bytes",
		json_integer((json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)));
	set_file(object, "hyperthreading", "/sys/devices/system/cpu/smt/active");
	set_file(object, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	set_file(object, "clock_source",
		 "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	set_line_value(object, "system", "/etc/os-release", "PRETTY_NAME");
	if (uname(&system) == 0)
		json_object_set_new(object, "kernel", json_string(system.release));
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		json_object_set_new(object, "descriptors_hard_limit",
				    json_integer((json_int_t)files.rlim_max));
	json_object_set_new(object, "sysctl", sysctls());
	json_object_set_new(object, "versions",
			    json_pack("{s:s, s:s, s:s, s:s}", "cwt", CWT_VERSION, "compiler",
				      __VERSION__, "gsl", GSL_VERSION, "jansson", JANSSON_VERSION));
	return object;
}
