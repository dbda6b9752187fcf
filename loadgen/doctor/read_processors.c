#include "loadgen/doctor/read.h"
#include <string.h>

int facts_first(const cpu_set_t *set)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, set))
			return cpu;
	return -1;
}

/* The hyperthreads of one's core; itself where the topology cannot be seen. */
static cpu_set_t core_of(const char *root, int cpu)
{
	cpu_set_t core;

	if (!files_cpus(root, &core, "sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
			cpu))
		CPU_SET((size_t)cpu, &core);
	return core;
}

static int node_of(const char *root, int cpu)
{
	cpu_set_t nodes;

	if (!files_cpus(root, &nodes, "sys/devices/system/node/online"))
		return -1;
	for (int node = 0; node < CPU_SETSIZE; node++) {
		cpu_set_t cpus;

		if (CPU_ISSET((size_t)node, &nodes) &&
		    files_cpus(root, &cpus, "sys/devices/system/node/node%d/cpulist", node) &&
		    cpu >= 0 && CPU_ISSET((size_t)cpu, &cpus))
			return node;
	}
	return -1;
}

void read_processors(const char *root, struct facts_processors *processors)
{
	char smt[FACTS_TEXT_MAX];

	files_cpus(root, &processors->online, "sys/devices/system/cpu/online");
	if (CPU_COUNT(&processors->online) == 0)
		processors->online = processors->allowed;
	CPU_ZERO(&processors->first);
	for (int role = 0; role < FACTS_ROLES; role++)
		CPU_ZERO(&processors->siblings[role]);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		cpu_set_t core;
		cpu_set_t there;

		if (!CPU_ISSET((size_t)cpu, &processors->online))
			continue;
		core = core_of(root, cpu);
		CPU_AND(&there, &core, &processors->first);
		if (CPU_COUNT(&there) == 0)
			CPU_SET((size_t)cpu, &processors->first);
		for (int role = 0; role < FACTS_ROLES; role++)
			if (CPU_ISSET((size_t)cpu, &processors->chosen[role]))
				CPU_OR(&processors->siblings[role], &processors->siblings[role],
				       &core);
	}
	for (int role = 0; role < FACTS_ROLES; role++)
		processors->nodes[role] = node_of(root, facts_first(&processors->chosen[role]));
	files_line(root, smt, sizeof(smt), "sys/devices/system/cpu/smt/control");
	processors->smt_switch = strcmp(smt, "on") == 0;
	processors->numa_balancing = files_integer(root, "proc/sys/kernel/numa_balancing") > 0;
}

/* The idle states of one processor; the deepest allowed one of all is kept. */
static void read_idle(const char *root, int cpu, struct facts_frequency *frequency)
{
	enum { STATES_MAX = 16, SHALLOW_US = 10 };

	for (int state = 0; state < STATES_MAX; state++) {
		int64_t exit_us = files_integer(
			root, "sys/devices/system/cpu/cpu%d/cpuidle/state%d/latency", cpu, state);

		if (exit_us < 0)
			break;
		if (files_integer(root, "sys/devices/system/cpu/cpu%d/cpuidle/state%d/disable", cpu,
				  state) > 0)
			continue;
		if (exit_us > SHALLOW_US &&
		    (frequency->idle_shallow < 0 || state < frequency->idle_shallow))
			frequency->idle_shallow = state;
		if (exit_us <= frequency->idle_exit_us)
			continue;
		frequency->idle_exit_us = exit_us;
		frequency->idle_state = state;
		files_line(root, frequency->idle_name, sizeof(frequency->idle_name),
			   "sys/devices/system/cpu/cpu%d/cpuidle/state%d/name", cpu, state);
	}
}

static void read_governor(const char *root, int cpu, struct facts_frequency *frequency)
{
	char governor[FACTS_TEXT_MAX];

	if (!files_line(root, governor, sizeof(governor),
			"sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu))
		return;
	if (!frequency->governor[0] || strcmp(governor, "performance") != 0)
		memcpy(frequency->governor, governor, sizeof(governor));
}

void read_frequency(const char *root, const cpu_set_t *chosen, struct facts_frequency *frequency)
{
	int64_t no_turbo = files_integer(root, "sys/devices/system/cpu/intel_pstate/no_turbo");

	*frequency = (struct facts_frequency){
		.boost = files_integer(root, "sys/devices/system/cpu/cpufreq/boost"),
		.idle_exit_us = FACTS_UNKNOWN,
		.idle_shallow = -1,
	};
	if (no_turbo != FACTS_UNKNOWN) {
		frequency->boost = no_turbo == 0;
		frequency->boost_of_intel = true;
	}
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET((size_t)cpu, chosen))
			continue;
		read_governor(root, cpu, frequency);
		read_idle(root, cpu, frequency);
	}
}
