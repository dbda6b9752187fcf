/* What is read of /proc and /sys, from trees that are made up. */
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/doctor/counters.h"
#include "loadgen/doctor/read.h"
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

static char root[64];

static void make_root(void)
{
	strcpy(root, "/tmp/cwt-doctor-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static void remove_root(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(doctor_read, .init = make_root, .fini = remove_root, .timeout = 30);

static void put(const char *path, const char *text)
{
	char whole[PATH_SIZE];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	for (char *slash = whole + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(whole, 0777);
	}
	file = fopen(whole, "we");
	cr_assert_not_null(file, "%s", whole);
	fputs(text, file);
	fclose(file);
}

static void expect_cpus(const cpu_set_t *set, const char *list)
{
	char text[64];

	cr_expect_str_eq(cpus_format(set, text, sizeof(text)), list);
}

static cpu_set_t cpus(const char *list)
{
	cpu_set_t set;

	cr_assert_eq(cpus_parse(list, &set), 0);
	return set;
}

/* Four processors, two cores of two hyperthreads, on two nodes. */
static void put_topology(void)
{
	static const char *const siblings[] = { "0,2\n", "1,3\n", "0,2\n", "1,3\n" };

	for (int cpu = 0; cpu < 4; cpu++) {
		char path[PATH_SIZE];

		snprintf(path, sizeof(path),
			 "sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
		put(path, siblings[cpu]);
	}
	put("sys/devices/system/cpu/online", "0-3\n");
	put("sys/devices/system/cpu/smt/control", "on\n");
	put("sys/devices/system/node/online", "0-1\n");
	put("sys/devices/system/node/node0/cpulist", "0,2\n");
	put("sys/devices/system/node/node1/cpulist", "1,3\n");
	put("proc/sys/kernel/numa_balancing", "1\n");
}

Test(doctor_read, the_topology_tells_cores_hyperthreads_and_nodes)
{
	struct facts_processors processors = { .chosen = { cpus("0"), cpus("1") },
					       .allowed = cpus("0-3") };

	put_topology();
	read_processors(root, &processors);
	expect_cpus(&processors.online, "0-3");
	expect_cpus(&processors.first, "0-1");
	expect_cpus(&processors.siblings[FACTS_SERVER], "0,2");
	expect_cpus(&processors.siblings[FACTS_LOAD], "1,3");
	cr_expect_eq(processors.nodes[FACTS_SERVER], 0);
	cr_expect_eq(processors.nodes[FACTS_LOAD], 1);
	cr_expect(processors.smt_switch);
	cr_expect(processors.numa_balancing);
}

Test(doctor_read, without_a_topology_each_allowed_processor_is_a_core)
{
	struct facts_processors processors = { .chosen = { cpus("0"), cpus("1") },
					       .allowed = cpus("0-1") };

	read_processors(root, &processors);
	expect_cpus(&processors.online, "0-1");
	expect_cpus(&processors.first, "0-1");
	expect_cpus(&processors.siblings[FACTS_SERVER], "0");
	expect_cpus(&processors.siblings[FACTS_LOAD], "1");
	cr_expect_eq(processors.nodes[FACTS_SERVER], -1);
	cr_expect_not(processors.smt_switch);
	cr_expect_not(processors.numa_balancing);
}

#define CPU0 "sys/devices/system/cpu/cpu0/"
#define CPU1 "sys/devices/system/cpu/cpu1/"

Test(doctor_read, frequency_scaling_is_that_of_the_chosen_processors)
{
	struct facts_frequency frequency;
	cpu_set_t chosen = cpus("0-1");

	put(CPU0 "cpufreq/scaling_governor", "performance\n");
	put(CPU1 "cpufreq/scaling_governor", "schedutil\n");
	put("sys/devices/system/cpu/cpufreq/boost", "1\n");
	put(CPU0 "cpuidle/state0/name", "POLL\n");
	put(CPU0 "cpuidle/state0/latency", "0\n");
	put(CPU0 "cpuidle/state1/name", "C1\n");
	put(CPU0 "cpuidle/state1/latency", "2\n");
	put(CPU0 "cpuidle/state2/name", "C6\n");
	put(CPU0 "cpuidle/state2/latency", "133\n");
	put(CPU0 "cpuidle/state3/name", "C10\n");
	put(CPU0 "cpuidle/state3/latency", "890\n");
	put(CPU0 "cpuidle/state3/disable", "1\n");
	read_frequency(root, &chosen, &frequency);
	cr_expect_str_eq(frequency.governor, "schedutil");
	cr_expect_eq(frequency.boost, 1);
	cr_expect_not(frequency.boost_of_intel);
	cr_expect_eq(frequency.idle_exit_us, 133);
	cr_expect_eq(frequency.idle_state, 2);
	cr_expect_eq(frequency.idle_shallow, 2);
	cr_expect_str_eq(frequency.idle_name, "C6");

	chosen = cpus("0");
	put("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
	read_frequency(root, &chosen, &frequency);
	cr_expect_str_eq(frequency.governor, "performance");
	cr_expect_eq(frequency.boost, 0);
	cr_expect(frequency.boost_of_intel);
}

Test(doctor_read, without_files_frequency_scaling_is_not_visible)
{
	struct facts_frequency frequency;
	cpu_set_t chosen = cpus("0-1");

	read_frequency(root, &chosen, &frequency);
	cr_expect_str_empty(frequency.governor);
	cr_expect_eq(frequency.boost, FACTS_UNKNOWN);
	cr_expect_eq(frequency.idle_exit_us, FACTS_UNKNOWN);
}

#define METAL   "processor\t: 0\ncpu family\t: 6\nflags\t\t: fpu vme sse2\n"
#define VIRTUAL "processor\t: 0\ncpu family\t: 6\nflags\t\t: fpu hypervisor sse2\n"
#define ARM     "processor\t: 0\nFeatures\t: fp asimd\n"

Test(doctor_read, a_virtual_machine_is_told_from_a_real_one)
{
	static const struct {
		const char *cpuinfo;
		const char *product;
		const char *vendor;
		const char *clocks;
		bool is_virtual;
		const char *name;
	} table[] = {
		{ METAL, "PowerEdge R740", "Dell Inc.", "tsc hpet acpi_pm", false, "" },
		{ METAL, "c5.metal", "Amazon EC2", "tsc hpet acpi_pm", false, "" },
		{ VIRTUAL, "", "", "tsc kvm-clock ", true, "KVM" },
		{ VIRTUAL, "c5.large", "Amazon EC2", "tsc", true, "Amazon EC2" },
		{ VIRTUAL, "Standard PC (i440FX + PIIX, 1996)", "QEMU", "tsc", true, "QEMU" },
		{ VIRTUAL, "", "", "tsc", true, "" },
		{ ARM, "Virtual Machine", "Microsoft Corporation", "arch_sys_counter", true,
		  "Hyper-V" },
		{ ARM, "", "", "arch_sys_counter", false, "" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct facts_machine machine;

		put("proc/cpuinfo", table[i].cpuinfo);
		put("sys/class/dmi/id/product_name", table[i].product);
		put("sys/class/dmi/id/sys_vendor", table[i].vendor);
		put("sys/devices/system/clocksource/clocksource0/available_clocksource",
		    table[i].clocks);
		put("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
		read_machine(root, &machine);
		cr_expect_eq(machine.is_virtual, table[i].is_virtual, "row %zu", i);
		cr_expect_str_eq(machine.hypervisor, table[i].name, "row %zu: %s", i,
				 machine.hypervisor);
		cr_expect_str_eq(machine.clock_source, "tsc");
		cr_expect_str_eq(machine.clock_sources, table[i].clocks);
	}
}

Test(doctor_read, limits_are_read_from_their_files)
{
	struct facts_limits limits = { .descriptors = 1 };

	put("proc/sys/fs/nr_open", "1048576\n");
	put("proc/sys/kernel/threads-max", "192730\n");
	put("proc/sys/kernel/pid_max", "32768\n");
	put("proc/loadavg", "0.20 0.18 0.12 1/284 11206\n");
	put("proc/sys/vm/max_map_count", "65530\n");
	put("proc/sys/net/core/somaxconn", "4096\n");
	put("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
	put("proc/sys/net/ipv4/tcp_tw_reuse", "2\n");
	put("proc/sys/kernel/perf_event_paranoid", "3\n");
	put("proc/sys/kernel/io_uring_disabled", "2\n");
	put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	put("proc/meminfo", "MemTotal: 24684092 kB\nMemAvailable:   2048 kB\n"
			    "SwapTotal:  1000 kB\nSwapFree:  990 kB\n");
	read_limits(root, &limits);
	cr_expect_eq(limits.descriptors, 1, "left alone");
	cr_expect_eq(limits.descriptors_of, 1048576);
	cr_expect_eq(limits.threads_max, 192730);
	cr_expect_eq(limits.pid_max, 32768);
	cr_expect_eq(limits.tasks, 284);
	cr_expect_eq(limits.max_map_count, 65530);
	cr_expect_eq(limits.somaxconn, 4096);
	cr_expect_eq(limits.ports, 28232);
	cr_expect_eq(limits.tw_reuse, 2);
	cr_expect_eq(limits.perf_paranoid, 3);
	cr_expect_eq(limits.uring_disabled, 2);
	cr_expect_str_eq(limits.hugepages, "madvise");
	cr_expect_eq(limits.available_bytes, 2048 * 1024);
	cr_expect_eq(limits.swap_used_bytes, 10 * 1024);
	cr_expect_eq(limits.group_pids.limit, FACTS_UNKNOWN, "no control groups in this tree");
}

Test(doctor_read, what_is_not_there_is_unknown)
{
	struct facts_limits limits = { .descriptors = 1 };
	struct facts_machine machine;

	put("proc/sys/kernel/pid_max", "many\n");
	put("proc/sys/net/ipv4/ip_local_port_range", "60999 32768\n");
	read_limits(root, &limits);
	cr_expect_eq(limits.threads_max, FACTS_UNKNOWN);
	cr_expect_eq(limits.pid_max, FACTS_UNKNOWN);
	cr_expect_eq(limits.ports, FACTS_UNKNOWN);
	cr_expect_eq(limits.available_bytes, FACTS_UNKNOWN);
	cr_expect_eq(limits.swap_used_bytes, FACTS_UNKNOWN);
	cr_expect_str_empty(limits.hugepages);
	read_machine(root, &machine);
	cr_expect_not(machine.is_virtual);
	cr_expect_str_empty(machine.clock_source);
}

#define GROUP "sys/fs/cgroup/"

static void expect_limit(const struct facts_group_limit *group, int64_t limit, int64_t used,
			 const char *file)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", root, file);
	cr_expect_eq(group->limit, limit, "%s: %lld", file, (long long)group->limit);
	cr_expect_eq(group->used, used, "%s: %lld", file, (long long)group->used);
	cr_expect_str_eq(group->file, path);
}

Test(doctor_read, the_tightest_limit_on_the_way_to_the_root_counts_in_version_2)
{
	struct facts_limits limits;

	put("proc/self/cgroup", "0::/user.slice/a\n");
	put(GROUP "user.slice/pids.max", "700\n");
	put(GROUP "user.slice/pids.current", "650\n");
	put(GROUP "user.slice/a/pids.max", "100\n");
	put(GROUP "user.slice/a/pids.current", "3\n");
	put(GROUP "user.slice/memory.max", "max\n");
	put(GROUP "user.slice/memory.current", "5000\n");
	put(GROUP "user.slice/a/memory.max", "4000000\n");
	put(GROUP "user.slice/a/memory.current", "5000\n");
	put(GROUP "user.slice/a/memory.stat", "anon 1000\ninactive_file 3000\n");
	put(GROUP "user.slice/cpu.max", "max 100000\n");
	put(GROUP "user.slice/a/cpu.max", "150000 100000\n");
	put(GROUP "user.slice/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 2\n");
	put(GROUP "user.slice/a/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 5\n");
	read_groups(root, &limits);
	expect_limit(&limits.group_pids, 700, 650, GROUP "user.slice/pids.max");
	expect_limit(&limits.group_memory, 4000000, 2000, GROUP "user.slice/a/memory.max");
	expect_limit(&limits.group_cpu, 150000, 100000, GROUP "user.slice/a/cpu.max");
	cr_expect_eq(read_throttled(root), 7);
}

Test(doctor_read, each_controller_has_a_hierarchy_in_version_1)
{
	struct facts_limits limits;

	put("proc/self/cgroup", "9:cpu,cpuacct:/b\n8:pids:/\n4:memory:/c/d\n0::/\n");
	put(GROUP "memory/memory.limit_in_bytes", "9223372036854771712\n");
	put(GROUP "memory/c/memory.limit_in_bytes", "8000\n");
	put(GROUP "memory/c/memory.usage_in_bytes", "7000\n");
	put(GROUP "memory/c/memory.stat", "cache 10\ntotal_inactive_file 500\n");
	put(GROUP "memory/c/d/memory.limit_in_bytes", "9000\n");
	put(GROUP "memory/c/d/memory.usage_in_bytes", "100\n");
	put(GROUP "cpu/b/cpu.cfs_quota_us", "50000\n");
	put(GROUP "cpu/b/cpu.cfs_period_us", "100000\n");
	put(GROUP "cpu/cpu.cfs_quota_us", "-1\n");
	read_groups(root, &limits);
	expect_limit(&limits.group_memory, 8000, 6500, GROUP "memory/c/memory.limit_in_bytes");
	expect_limit(&limits.group_cpu, 50000, 100000, GROUP "cpu/b/cpu.cfs_quota_us");
	cr_expect_eq(limits.group_pids.limit, FACTS_UNKNOWN);
	cr_expect_eq(read_throttled(root), 0);
}

/* In a container the path may be one that is seen outside only. */
Test(doctor_read, a_group_that_is_out_of_sight_leaves_those_that_are_not)
{
	struct facts_limits limits;

	put("proc/self/cgroup", "0::/docker/0123\n");
	put(GROUP "pids.max", "512\n");
	put(GROUP "pids.current", "4\n");
	put(GROUP "memory.max", "max\n");
	put(GROUP "memory.current", "4096\n");
	read_groups(root, &limits);
	expect_limit(&limits.group_pids, 512, 4, GROUP "pids.max");
	expect_limit(&limits.group_memory, FACTS_UNLIMITED, 4096, GROUP "memory.max");
}

/* Two readings, a second apart. */
static struct facts_load compare(void (*change)(void), int64_t own_ns, int64_t wake_ups)
{
	const cpu_set_t chosen[FACTS_ROLES] = { cpus("0"), cpus("2") };
	const int64_t own[FACTS_ROLES] = { own_ns, 0 };
	const int64_t woken[FACTS_ROLES] = { wake_ups, 0 };
	struct counters *counters = calloc(2, sizeof(*counters));
	struct facts_load load;

	cr_assert_not_null(counters);
	counters_read(root, chosen, 0, &counters[0]);
	change();
	counters_read(root, chosen, NS_PER_S, &counters[1]);
	counters_compare(root, &counters[0], &counters[1], chosen, own, woken, 99, &load);
	counters_end(&counters[0]);
	counters_end(&counters[1]);
	free(counters);
	return load;
}

/* user nice system idle iowait irq softirq steal, in ticks of 10 ms. */
static void put_before(void)
{
	put("proc/stat", "cpu  0 0 0 3000 0 0 0 30 0 0\ncpu0 1 0 0 1000 0 0 0 10 0 0\n"
			 "cpu1 1 0 0 1000 0 0 0 10 0 0\ncpu2 1 0 0 1000 0 0 0 10 0 0\n");
	put("proc/interrupts",
	    "           CPU0       CPU1       CPU2\n"
	    " 24:         10          0          5  IO-APIC   5-edge  ttyS0\n"
	    " 36:        100          0          0  PCI-MSIX 1-edge  virtio1-req.0\n"
	    "LOC:       1000       1000       1000  Local timer interrupts\n");
	put("proc/99/stat", "99 (cwt) R 1 99 99 0 -1 0 0 0 0 0 500 500 0 0 20 0 1 0 1 1 1\n");
	put("proc/100/stat", "100 (a b) c) S 1 1 1 0 -1 0 0 0 0 0 10 10 0 0 20 0 1 0 1 1 1\n");
	put("proc/101/stat", "101 (idle) S 1 1 1 0 -1 0 0 0 0 0 10 10 0 0 20 0 1 0 1 1 1\n");
	put("proc/vmstat", "pgfault 5\npswpin 10\npswpout 20\n");
	put("proc/cpuinfo", "");
}

static void change_nothing(void)
{
	put("proc/stat", "cpu0 1 0 0 1100 0 0 0 10 0 0\ncpu2 1 0 0 1100 0 0 0 10 0 0\n");
}

static void be_busy(void)
{
	/* Of 100 ticks: processor 0 idle for 40, waiting for 10, 20 stolen; 2 all idle. */
	put("proc/stat", "cpu  0 0 0 3100 7 0 0 33 0 0\ncpu0 31 0 0 1040 10 0 0 30 0 0\n"
			 "cpu1 101 0 0 1000 0 0 0 10 0 0\ncpu2 1 0 0 1100 0 0 0 10 0 0\n");
	put("proc/interrupts",
	    "           CPU0       CPU1       CPU2\n"
	    " 24:         13          0         10  IO-APIC   5-edge  ttyS0\n"
	    " 36:        900          0          2  PCI-MSIX 1-edge  virtio1-req.0\n"
	    "LOC:       2000       2000       2000  Local timer interrupts\n");
	put("proc/irq/36/smp_affinity_list", "0\n");
	put("proc/99/stat", "99 (cwt) R 1 99 99 0 -1 0 0 0 0 0 600 600 0 0 20 0 1 0 1 1 1\n");
	put("proc/100/stat", "100 (a b) c) S 1 1 1 0 -1 0 0 0 0 0 12 13 0 0 20 0 1 0 1 1 1\n");
	put("proc/102/stat", "102 (n\033w) R 1 1 1 0 -1 0 0 0 0 0 15 5 0 0 20 0 1 0 1 1 1\n");
	put("proc/vmstat", "pgfault 5\npswpin 13\npswpout 24\n");
}

Test(doctor_read, an_idle_machine_shows_no_other_load)
{
	struct facts_load load;

	put_before();
	load = compare(change_nothing, 0, 0);
	cr_expect_eq(load.ns, NS_PER_S);
	for (int role = 0; role < FACTS_ROLES; role++) {
		cr_expect_float_eq(load.steal[role], 0, 1e-9);
		cr_expect_float_eq(load.others[role], 0, 1e-9);
		cr_expect_float_eq(load.interrupts[role], 0, 1e-9);
		cr_expect_eq(load.irq[role], -1);
	}
	cr_expect_eq(load.busiest[0].pid, 0);
	cr_expect_eq(load.swapped_pages, 0);
}

Test(doctor_read, counters_tell_who_else_was_at_work_on_the_chosen_processors)
{
	struct facts_load load;

	put_before();
	load = compare(be_busy, 100 * NS_PER_MS, 1000);
	/* 50 ticks were idle, 20 stolen, 10 one's own, half a one went to waking it. */
	cr_expect_float_eq(load.steal[FACTS_SERVER], 0.2, 1e-9);
	cr_expect_float_eq(load.others[FACTS_SERVER], 0.195, 1e-9);
	cr_expect_float_eq(load.others[FACTS_LOAD], 0, 1e-9);
	cr_expect_float_eq(load.interrupts[FACTS_SERVER], 803, 1e-9);
	cr_expect_float_eq(load.interrupts[FACTS_LOAD], 7, 1e-9);
	cr_expect_eq(load.irq[FACTS_SERVER], 36);
	cr_expect_str_eq(load.irq_name[FACTS_SERVER], "virtio1-req.0");
	cr_expect(load.irq_moves[FACTS_SERVER]);
	cr_expect_eq(load.irq[FACTS_LOAD], 24);
	cr_expect_not(load.irq_moves[FACTS_LOAD]);
	cr_expect_eq(load.swapped_pages, 7);
	cr_expect_eq(load.busiest[0].pid, 102);
	cr_expect_float_eq(load.busiest[0].share, 0.2, 1e-9);
	cr_expect_str_eq(load.busiest[0].name, "n?w");
	cr_expect_eq(load.busiest[1].pid, 100);
	cr_expect_str_eq(load.busiest[1].name, "a b) c");
	cr_expect_float_eq(load.busiest[1].share, 0.05, 1e-9);
	cr_expect_eq(load.busiest[2].pid, 0);
}

static void put_process(int pid, const char *name, int parent, int own, int of_children)
{
	char path[PATH_SIZE];
	char text[PATH_SIZE];

	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	snprintf(text, sizeof(text), "%d (%s) S %d 1 1 0 -1 0 0 0 0 0 %d 0 %d 0 20 0 1 0 1 1 1\n",
		 pid, name, parent, own, of_children);
	put(path, text);
}

static void end_process(int pid)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/proc/%d/stat", root, pid);
	cr_assert_eq(unlink(path), 0);
}

/* A shell waited for two jobs: one that it started meanwhile, and one with a child of its own. */
static void end_jobs(void)
{
	change_nothing();
	end_process(201);
	end_process(202);
	put_process(200, "shell", 1, 5, 520 + 30 + 40);
	put_process(203, "heir", 1, 0, 0);
}

Test(doctor_read, what_ended_meanwhile_counts_for_who_waited_for_it_but_not_what_it_did_before)
{
	struct facts_load load;

	put_before();
	put_process(200, "shell", 1, 5, 0);
	put_process(201, "job", 200, 500, 0);
	put_process(202, "child", 201, 20, 0);
	put_process(203, "heir", 1, 0, 0);
	load = compare(end_jobs, 0, 0);
	cr_expect_eq(load.busiest[0].pid, 200);
	cr_expect_float_eq(load.busiest[0].share, 0.7, 1e-9, "%g", load.busiest[0].share);
	cr_expect_eq(load.busiest[1].pid, 0);
}

Test(doctor_read, without_counters_nothing_is_claimed)
{
	struct facts_load load = compare(remove_root, 0, 0);

	for (int role = 0; role < FACTS_ROLES; role++) {
		cr_expect_lt(load.steal[role], 0);
		cr_expect_lt(load.others[role], 0);
		cr_expect_lt(load.interrupts[role], 0);
	}
}
