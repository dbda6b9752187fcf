#include "loadgen/doctor/checks.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const doctor_level_names[DOCTOR_LEVELS] = { "ok", "note", "warning", "bad" };

const struct doctor_check doctor_checks[DOCTOR_CHECKS] = {
	{ "cores", "everything: server and generator take time from each other", check_cores },
	{ "processors", "everything: nothing can run where the plan wants it", check_processors },
	{ "siblings", "everything: two hyperthreads share one core's time, and c with it",
	  check_siblings },
	{ "neighbours", "c, whenever something runs on the other hyperthread", check_neighbours },
	{ "nodes", "CPU per request: each packet crosses from one memory to another", check_nodes },
	{ "cross-core",
	  "figures with c below 1 ms, and comparisons of runs in different states of the machine",
	  check_cross_core },
	{ "virtual", "absolute figures: what the host does cannot be seen from here",
	  check_virtual },
	{ "governor", "CPU per request, which rises while the clock is low", check_governor },
	{ "boost", "figures that are compared: the clock depends on heat and on other cores",
	  check_boost },
	{ "idle-states", "latency at low load: each wake-up waits for the processor", check_idle },
	{ "speed", "points with work = ops, and comparisons that are not made alternately",
	  check_speed },
	{ "steal", "throughput, and tail latency most of all; audits reject runs over 1 %",
	  check_steal },
	{ "others", "throughput and latency; audits reject runs over 1 %", check_others },
	{ "interrupts", "CPU per request and tail latency of what they interrupt",
	  check_interrupts },
	{ "quota", "everything: who has used up its quota stands still for tens of ms",
	  check_quota },
	{ "clock-source", "CPU per request: a clock read by a system call costs up to some µs",
	  check_clock_source },
	{ "clock-cost", "CPU per request, of generator and servers, which read it all the time",
	  check_clock_cost },
	{ "resolution", "waits: w ends with the next tick", check_resolution },
	{ "sleep", "w, and an open loop's schedule; audits reject runs late by 1 ms and 1 % of w",
	  check_sleep },
	{ "accounting", "user and system time in other tools; cwt reads the exact CPU clocks",
	  check_accounting },
	{ "descriptors", "plans with many connections, which are refused", check_descriptors },
	{ "user-processes", "plans with many threads, which fail", check_user_processes },
	{ "threads-max", "plans with many threads, which are refused", check_threads_max },
	{ "pid-max", "plans with many threads, which are refused", check_pid_max },
	{ "pids", "plans with many threads, which fail", check_group_pids },
	{ "maps", "plans with many threads, which are refused", check_maps },
	{ "memory", "plans with many threads, and everything once memory runs out", check_memory },
	{ "hugepages", "memory per connection", check_hugepages },
	{ "swap", "latency, and memory per connection", check_swap },
	{ "backlog", "runs that begin with many connections: some wait a second for a retry",
	  check_backlog },
	{ "ports", "plans with many connections, which fail", check_ports },
	{ "tw-reuse", "plans with a connection for each request, which run out of ports",
	  check_tw_reuse },
	{ "uring", "the architecture uring, in scripts/plans/evidence", check_uring },
	{ "perf", "no plan; perf, by hand, cannot tell where the time goes", check_perf },
};

void checks_say(struct doctor_finding *finding, enum doctor_level level, const char *format, ...)
{
	va_list arguments;

	finding->level = level;
	va_start(arguments, format);
	vsnprintf(finding->what, sizeof(finding->what), format, arguments);
	va_end(arguments);
}

void checks_mend(struct doctor_finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->remedy, sizeof(finding->remedy), format, arguments);
	va_end(arguments);
}

/* In a container, no command may work. */
static bool is_in_vain(const struct facts_machine *machine, const char *remedy)
{
	return (machine->sysctl_fixed && strstr(remedy, "sysctl -w")) ||
	       (machine->sysfs_fixed &&
		(strstr(remedy, "/sys/devices/") || strstr(remedy, "/sys/kernel/")));
}

enum doctor_level doctor_judge(const struct facts *facts,
			       struct doctor_finding findings[DOCTOR_CHECKS])
{
	for (int i = 0; i < DOCTOR_CHECKS; i++) {
		findings[i] = (struct doctor_finding){ .check = &doctor_checks[i] };
		doctor_checks[i].judge(facts, &findings[i]);
		if (is_in_vain(&facts->machine, findings[i].remedy))
			findings[i].remedy[0] = '\0';
	}
	return doctor_worst(findings);
}

enum doctor_level doctor_worst(const struct doctor_finding findings[DOCTOR_CHECKS])
{
	enum doctor_level worst = DOCTOR_OK;

	for (int i = 0; i < DOCTOR_CHECKS; i++)
		if (findings[i].level > worst)
			worst = findings[i].level;
	return worst;
}

const char *doctor_verdict(enum doctor_level worst)
{
	switch (worst) {
	case DOCTOR_BAD:
		return "unfit";
	case DOCTOR_WARNING:
		return "noisy";
	default:
		return "fit";
	}
}
