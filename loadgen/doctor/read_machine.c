#include "loadgen/doctor/read.h"
#include <string.h>

enum { FLAGS_BYTES = 8192 };

/* Processors of the x86 kind say whether they are virtual ones. */
static bool has_hypervisor_flag(const char *root)
{
	FILE *file = files_open(root, "proc/cpuinfo");
	char line[FLAGS_BYTES];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = strncmp(line, "flags", 5) == 0 && strstr(line, " hypervisor");
	fclose(file);
	return found;
}

/* What firmware or paravirtual clocks call the makers of virtual machines. */
static const char *known_maker(const char *text)
{
	static const struct {
		const char *part;
		const char *name;
	} makers[] = {
		{ "QEMU", "QEMU" },
		{ "KVM", "KVM" },
		{ "kvm-clock", "KVM" },
		{ "VMware", "VMware" },
		{ "innotek", "VirtualBox" },
		{ "VirtualBox", "VirtualBox" },
		{ "Xen", "Xen" },
		{ "xen", "Xen" },
		{ "Amazon EC2", "Amazon EC2" },
		{ "Google", "Google Compute Engine" },
		{ "Virtual Machine", "Hyper-V" },
		{ "hyperv", "Hyper-V" },
		{ "Parallels", "Parallels" },
		{ "OpenStack", "OpenStack" },
	};

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (strstr(text, makers[i].part))
			return makers[i].name;
	return NULL;
}

/*
 * The metal of Amazon and Google bears the same names as their virtual machines. Where there is the
 * processor's flag to go by, x86, it decides; elsewhere the firmware's names do.
 */
void read_machine(const char *root, struct facts_machine *machine)
{
	static const char *const files[] = {
		"sys/hypervisor/type",
		"sys/class/dmi/id/product_name",
		"sys/class/dmi/id/sys_vendor",
		"sys/devices/system/clocksource/clocksource0/available_clocksource",
	};
	bool is_x86 = files_field(root, "proc/cpuinfo", "cpu family") != FACTS_UNKNOWN;
	const char *maker = NULL;

	*machine = (struct facts_machine){ .is_virtual = has_hypervisor_flag(root) };
	for (size_t i = 0; !maker && i < sizeof(files) / sizeof(files[0]); i++) {
		char text[FACTS_PATH_MAX];

		if (files_line(root, text, sizeof(text), "%s", files[i]))
			maker = known_maker(text);
	}
	if (maker && !is_x86)
		machine->is_virtual = true;
	if (maker && machine->is_virtual)
		snprintf(machine->hypervisor, sizeof(machine->hypervisor), "%s", maker);
	files_line(root, machine->clock_source, sizeof(machine->clock_source),
		   "sys/devices/system/clocksource/clocksource0/current_clocksource");
	files_line(root, machine->clock_sources, sizeof(machine->clock_sources),
		   "sys/devices/system/clocksource/clocksource0/available_clocksource");
}
