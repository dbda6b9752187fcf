#include "loadgen/target/machine.h"
#include "common/clock.h"
#include "common/cpus.h"
#include <ctype.h>
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
	KIB = 1024,
};

/* Counters */

/*
 * The kernel keeps a processor's idle time to the microsecond, though it shows it in ticks; user
 * and system time are guesses by the tick, so they are not used.
 */
static void read_processors(const cpu_set_t *cpus, struct machine_counters *counters)
{
	FILE *file = fopen("/proc/stat", "re");
	int64_t tick_ns = NS_PER_S / sysconf(_SC_CLK_TCK);
	char line[LINE_BYTES];

	counters->steal_ns = counters->busy_ns = 0;
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		unsigned cpu;
		long long idle;
		long long waiting;
		long long steal;

		/* The sum of all has no number; soon after boot it begins with a small one. */
		if (!isdigit((unsigned char)line[3]) ||
		    sscanf(line, "cpu%u %*d %*d %*d %lld %lld %*d %*d %lld", &cpu, &idle, &waiting,
			   &steal) != 4 ||
		    cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, cpus))
			continue;
		counters->steal_ns += steal * tick_ns;
		counters->busy_ns += counters->at_ns - (idle + waiting) * tick_ns;
	}
	fclose(file);
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
	read_processors(cpus, counters);
	counters->listen_overflows = read_tcp_counter("ListenOverflows");
	counters->listen_drops = read_tcp_counter("ListenDrops");
}

double machine_stolen(const struct machine_counters *before, const struct machine_counters *after,
		      const cpu_set_t *cpus)
{
	int64_t time_ns = (after->at_ns - before->at_ns) * CPU_COUNT(cpus);

	return time_ns > 0 ? (double)(after->steal_ns - before->steal_ns) / (double)time_ns : -1;
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

/* Memory */

/*
 * Pages that processors keep at hand, some 100 MB each here: free, though the kernel does not count
 * them as such, and what one server gives back the next takes from there.
 */
static int64_t pages_at_hand(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	char line[LINE_BYTES];
	long long pages = 0;
	long long count;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %lld", &count) == 1)
			pages += count;
	fclose(file);
	return pages;
}

int64_t machine_available_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[LINE_BYTES];
	long long kib = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1)
			break;
	fclose(file);
	return kib * KIB + pages_at_hand() * sysconf(_SC_PAGESIZE);
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
