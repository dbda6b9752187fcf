/* Whether server and generator have processors, and cores, of their own. */
#include "common/cpus.h"
#include "loadgen/doctor/checks.h"

enum { LIST_MAX = 64 };

void check_cores(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_processors *processors = &facts->processors;
	int online = CPU_COUNT(&processors->online);
	int cores = CPU_COUNT(&processors->first);

	if (online < 2)
		checks_say(finding, DOCTOR_BAD,
			   "one processor: server and generator need one each");
	else
		checks_say(finding, DOCTOR_OK, "%d core%s, %d processors", cores,
			   cores == 1 ? "" : "s", online);
}

void check_processors(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_processors *processors = &facts->processors;
	const cpu_set_t *server = &processors->chosen[FACTS_SERVER];
	const cpu_set_t *load = &processors->chosen[FACTS_LOAD];
	cpu_set_t both;
	cpu_set_t all;
	cpu_set_t there;
	cpu_set_t missing;
	char list[LIST_MAX];
	char allowed[LIST_MAX];

	CPU_AND(&both, server, load);
	CPU_OR(&all, server, load);
	cpus_format(&processors->allowed, allowed, sizeof(allowed));
	CPU_AND(&there, &all, &processors->online);
	CPU_XOR(&missing, &all, &there);
	if (CPU_COUNT(&missing) > 0) {
		checks_say(finding, DOCTOR_BAD, "there is no processor %s online; there are %s",
			   cpus_format(&missing, list, sizeof(list)), allowed);
		return;
	}
	CPU_AND(&there, &all, &processors->allowed);
	CPU_XOR(&missing, &all, &there);
	if (CPU_COUNT(&missing) > 0)
		checks_say(finding, DOCTOR_BAD,
			   "this process may not use %s, by its cpuset; it may use %s (server-cpus "
			   "and load-cpus of a plan)",
			   cpus_format(&missing, list, sizeof(list)), allowed);
	else if (CPU_COUNT(&both) > 0)
		checks_say(finding, DOCTOR_BAD, "%s is both the server's and the generator's",
			   cpus_format(&both, list, sizeof(list)));
	else
		checks_say(finding, DOCTOR_OK, "may use all that are asked for, of %s", allowed);
}

/* A processor that could be the generator's: allowed, and on none of the server's cores; or -1. */
static int elsewhere(const struct facts_processors *processors)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &processors->allowed) &&
		    CPU_ISSET((size_t)cpu, &processors->online) &&
		    !CPU_ISSET((size_t)cpu, &processors->siblings[FACTS_SERVER]))
			return cpu;
	return -1;
}

void check_siblings(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_processors *processors = &facts->processors;
	cpu_set_t shared;
	char list[LIST_MAX];
	int better = elsewhere(processors);

	/* One that is the server's as well is check_processors()'s to tell. */
	CPU_OR(&shared, &processors->siblings[FACTS_SERVER], &processors->chosen[FACTS_SERVER]);
	CPU_XOR(&shared, &shared, &processors->chosen[FACTS_SERVER]);
	CPU_AND(&shared, &shared, &processors->chosen[FACTS_LOAD]);
	if (CPU_COUNT(&shared) == 0) {
		checks_say(finding, DOCTOR_OK, "server and generator are on cores of their own%s",
			   facts->machine.is_virtual ? ", as far as a virtual machine shows" : "");
		return;
	}
	cpus_format(&shared, list, sizeof(list));
	if (better < 0)
		checks_say(finding, DOCTOR_BAD,
			   "the generator's %s is a hyperthread of the server's core, and there is "
			   "nothing better here",
			   list);
	else
		checks_say(finding, DOCTOR_BAD,
			   "the generator's %s is a hyperthread of the server's core; %d is not "
			   "(load-cpus of a plan)",
			   list, better);
}

void check_neighbours(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_processors *processors = &facts->processors;
	cpu_set_t all;
	cpu_set_t cores;
	cpu_set_t others;
	char list[LIST_MAX];

	CPU_OR(&all, &processors->chosen[FACTS_SERVER], &processors->chosen[FACTS_LOAD]);
	CPU_OR(&cores, &processors->siblings[FACTS_SERVER], &processors->siblings[FACTS_LOAD]);
	CPU_AND(&cores, &cores, &processors->online);
	CPU_OR(&others, &cores, &all);
	CPU_XOR(&others, &others, &all);
	if (CPU_COUNT(&others) == 0) {
		checks_say(finding, DOCTOR_OK, "no other processor shares these cores");
		return;
	}
	checks_say(finding, DOCTOR_NOTE,
		   "hyperthreads %s share these cores: what the system runs there slows them",
		   cpus_format(&others, list, sizeof(list)));
	if (processors->smt_switch && !facts->machine.is_virtual)
		checks_mend(finding, "echo off > /sys/devices/system/cpu/smt/control");
}

void check_nodes(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_processors *processors = &facts->processors;
	int server = processors->nodes[FACTS_SERVER];
	int load = processors->nodes[FACTS_LOAD];

	if (server >= 0 && load >= 0 && server != load) {
		checks_say(finding, DOCTOR_NOTE,
			   "the server's memory is that of node %d, the generator's of node %d",
			   server, load);
	} else if (processors->numa_balancing) {
		checks_say(
			finding, DOCTOR_NOTE,
			"kernel.numa_balancing is on: pages are unmapped now and then to see who "
			"uses them");
		checks_mend(finding, "sysctl -w kernel.numa_balancing=0");
	} else {
		checks_say(finding, DOCTOR_OK, "server and generator share one memory");
	}
}
