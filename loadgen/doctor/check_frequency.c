/* What the processors' speed depends on, and by what time is told. */
#include "loadgen/doctor/checks.h"
#include <string.h>

void check_virtual(const struct facts *facts, struct doctor_finding *finding)
{
	const char *name = facts->machine.hypervisor;

	if (facts->machine.is_virtual)
		checks_say(finding, DOCTOR_NOTE,
			   "a virtual machine%s%s%s: compare only what was measured alternately",
			   *name ? " (" : "", name, *name ? ")" : "");
	else
		checks_say(finding, DOCTOR_OK, "no virtual machine");
}

void check_governor(const struct facts *facts, struct doctor_finding *finding)
{
	const char *governor = facts->frequency.governor;

	if (!*governor) {
		checks_say(finding, DOCTOR_OK, "frequency scaling is not visible%s",
			   facts->machine.is_virtual ? ", as in most virtual machines" : "");
	} else if (strcmp(governor, "performance") == 0) {
		checks_say(finding, DOCTOR_OK, "the governor is performance");
	} else {
		checks_say(finding, DOCTOR_WARNING,
			   "the governor is %s: the clock follows the load", governor);
		if (!facts->machine.is_virtual)
			checks_mend(finding,
				    "echo performance | tee "
				    "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
	}
}

void check_boost(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_frequency *frequency = &facts->frequency;

	if (frequency->boost == FACTS_UNKNOWN) {
		checks_say(finding, DOCTOR_OK, "boost is not visible%s",
			   facts->machine.is_virtual ? ", as in most virtual machines" : "");
	} else if (frequency->boost == 0) {
		checks_say(finding, DOCTOR_OK, "boost is off");
	} else {
		checks_say(finding, DOCTOR_NOTE, "boost is on: the clock is not the same all day");
		if (facts->machine.is_virtual)
			return;
		checks_mend(finding,
			    frequency->boost_of_intel
				    ? "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"
				    : "echo 0 > /sys/devices/system/cpu/cpufreq/boost");
	}
}

void check_idle(const struct facts *facts, struct doctor_finding *finding)
{
	enum { NOTE_US = 10, WARNING_US = 100 };
	const struct facts_frequency *frequency = &facts->frequency;

	if (frequency->idle_exit_us == FACTS_UNKNOWN) {
		checks_say(finding, DOCTOR_OK, "idle states are not visible%s",
			   facts->machine.is_virtual ? ", as in most virtual machines" : "");
		return;
	}
	checks_say(finding,
		   frequency->idle_exit_us > WARNING_US ? DOCTOR_WARNING
		   : frequency->idle_exit_us > NOTE_US  ? DOCTOR_NOTE
							: DOCTOR_OK,
		   "the deepest idle state, %s, takes %lld µs to leave%s", frequency->idle_name,
		   (long long)frequency->idle_exit_us,
		   facts->machine.is_virtual ? ", and the host has its own" : "");
	if (finding->level != DOCTOR_OK && !facts->machine.is_virtual &&
	    frequency->idle_shallow >= 0 && frequency->idle_state <= 9)
		checks_mend(finding,
			    "echo 1 | tee "
			    "/sys/devices/system/cpu/cpu*/cpuidle/state[%d-%d]/disable",
			    frequency->idle_shallow, frequency->idle_state);
}

/* Those that are read without a system call. */
static bool is_fast(const char *source)
{
	static const char *const fast[] = {
		"tsc",
		"kvm-clock",
		"hyperv_clocksource_tsc_page",
		"arch_sys_counter",
		"riscv_clocksource",
	};

	for (size_t i = 0; i < sizeof(fast) / sizeof(fast[0]); i++)
		if (strcmp(source, fast[i]) == 0)
			return true;
	return false;
}

void check_clock_source(const struct facts *facts, struct doctor_finding *finding)
{
	const struct facts_machine *machine = &facts->machine;

	if (!machine->clock_source[0]) {
		checks_say(finding, DOCTOR_OK, "the clock source is not visible");
	} else if (is_fast(machine->clock_source)) {
		checks_say(finding, DOCTOR_OK, "the clock is %s", machine->clock_source);
	} else {
		checks_say(finding, DOCTOR_WARNING, "the clock is %s, which the kernel has to read",
			   machine->clock_source);
		if (files_list_has(machine->clock_sources, ' ', "tsc"))
			checks_mend(finding, "echo tsc > /sys/devices/system/clocksource/"
					     "clocksource0/current_clocksource");
	}
}
