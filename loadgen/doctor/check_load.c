/* Who else uses the chosen processors, or keeps them from being used. */
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/doctor/checks.h"
#include <math.h>
#include <string.h>

/* The kernel shows idle time in ticks of 10 ms, at either end of what was watched. */
#define TICKS_ERROR_NS 20e6

static const char *const role_names[FACTS_ROLES] = { "server's", "generator's" };

/* The role with the larger value. */
static enum facts_role larger(const double values[FACTS_ROLES])
{
	return values[FACTS_LOAD] > values[FACTS_SERVER] ? FACTS_LOAD : FACTS_SERVER;
}

/* A share's level, of which the ticks may have made up a part. */
static enum doctor_level level_of_share(const struct facts *facts, double share, double note)
{
	double least = share - TICKS_ERROR_NS / fmax(1, (double)facts->load.ns);

	return least > 0.1    ? DOCTOR_BAD
	       : least > 0.01 ? DOCTOR_WARNING
	       : least > note ? DOCTOR_NOTE
			      : DOCTOR_OK;
}

void check_steal(const struct facts *facts, struct doctor_finding *finding)
{
	enum facts_role role = larger(facts->load.steal);
	double share = facts->load.steal[role];

	if (share < 0)
		checks_say(finding, DOCTOR_NOTE, "steal cannot be seen");
	else
		checks_say(finding, level_of_share(facts, share, 0.001),
			   "the hypervisor took %.2g %% of the %s processors", 100 * share,
			   role_names[role]);
}

/* Processors that are none of the chosen ones. Returns their number. */
static int find_rest(const struct facts_processors *processors, cpu_set_t *rest)
{
	cpu_set_t chosen;

	CPU_OR(&chosen, &processors->chosen[FACTS_SERVER], &processors->chosen[FACTS_LOAD]);
	CPU_OR(rest, &processors->online, &chosen);
	CPU_XOR(rest, rest, &chosen);
	return CPU_COUNT(rest);
}

void check_others(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_load *load = &facts->load;
	enum facts_role role = larger(load->others);
	double share = load->others[role];
	char list[DOCTOR_TEXT_MAX / 2] = "";
	char cpus[64];
	cpu_set_t rest;

	if (share < 0) {
		checks_say(finding, DOCTOR_NOTE, "other load cannot be seen");
		return;
	}
	for (int i = 0; i < FACTS_BUSIEST && load->busiest[i].pid > 0; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s %s (%d) %.1f %%",
			 i > 0 ? "," : "; the busiest:", load->busiest[i].name,
			 load->busiest[i].pid, 100 * load->busiest[i].share);
	checks_say(finding, level_of_share(facts, share, 0.003),
		   "the %s processors were busy with something else for %.2g %% of the time%s",
		   role_names[role], 100 * share, list);
	if (finding->level >= DOCTOR_WARNING && load->busiest[0].pid > 0 &&
	    find_rest(&facts->processors, &rest) > 0)
		checks_mend(finding, "taskset -acp %s %d", cpus_format(&rest, cpus, sizeof(cpus)),
			    load->busiest[0].pid);
}

void check_interrupts(const struct facts *facts, struct doctor_finding *finding)
{
	enum { NOTE_RATE = 200, WARNING_RATE = 2000 };
	const struct facts_load *load = &facts->load;
	enum facts_role role = larger(load->interrupts);
	double rate = load->interrupts[role];
	char busiest[FACTS_TEXT_MAX + 32] = "";
	cpu_set_t rest;

	if (rate < 0) {
		checks_say(finding, DOCTOR_NOTE, "interrupts cannot be seen");
		return;
	}
	if (load->irq[role] >= 0)
		snprintf(busiest, sizeof(busiest), ", most of all from %s (%d)",
			 load->irq_name[role], load->irq[role]);
	checks_say(finding,
		   rate > WARNING_RATE ? DOCTOR_WARNING
		   : rate > NOTE_RATE  ? DOCTOR_NOTE
				       : DOCTOR_OK,
		   "devices interrupted the %s processors %.0f times a second%s", role_names[role],
		   rate, busiest);
	if (finding->level != DOCTOR_OK && load->irq[role] >= 0 && load->irq_moves[role] &&
	    find_rest(&facts->processors, &rest) > 0)
		checks_mend(finding, "echo %d > /proc/irq/%d/smp_affinity_list", facts_first(&rest),
			    load->irq[role]);
}

void check_quota(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_group_limit *quota = &facts->limits.group_cpu;
	int needed = CPU_COUNT(&facts->processors.chosen[FACTS_SERVER]) +
		     CPU_COUNT(&facts->processors.chosen[FACTS_LOAD]);
	double granted;

	if (quota->limit == FACTS_UNKNOWN || quota->limit == FACTS_UNLIMITED || quota->used <= 0) {
		checks_say(finding, DOCTOR_OK, "no control group limits CPU time");
		return;
	}
	granted = (double)quota->limit / (double)quota->used;
	if (granted >= needed && facts->load.throttled == 0) {
		checks_say(finding, DOCTOR_OK, "the control group grants %.3g processors", granted);
		return;
	}
	checks_say(finding, DOCTOR_BAD,
		   "the control group grants %.3g processors, of %d needed; it was stopped %lld "
		   "times meanwhile",
		   granted, needed, (long long)facts->load.throttled);
	if (quota->file[0])
		checks_mend(finding, "echo %s > %s",
			    strstr(quota->file, "cfs_quota") ? "-1" : "max", quota->file);
}

void check_swap(const struct facts *facts, struct doctor_finding *finding)
{
	int64_t used = facts->limits.swap_used_bytes;

	if (facts->load.swapped_pages > 0)
		checks_say(finding, DOCTOR_WARNING,
			   "%lld pages went to or came from swap meanwhile",
			   (long long)facts->load.swapped_pages);
	else if (used > 0)
		checks_say(finding, DOCTOR_NOTE, "%.0f MiB lie in swap", (double)used / 1048576);
	else
		checks_say(finding, DOCTOR_OK, "no swap in use");
	if (finding->level != DOCTOR_OK && facts->limits.available_bytes > 2 * used)
		checks_mend(finding, "swapoff -a");
}
