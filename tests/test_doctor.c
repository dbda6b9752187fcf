/* What is made of facts, with facts that are made up. */
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/doctor/doctor.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SECOND ((int64_t)NS_PER_S)

static struct facts *facts;

static void set_cpus(cpu_set_t *set, const char *list)
{
	CPU_ZERO(set);
	if (*list)
		cr_assert_eq(cpus_parse(list, set), 0);
}

static void fill(struct facts_series *series, double value)
{
	series->count = 600;
	for (size_t i = 0; i < series->count; i++) {
		series->at_s[i] = 0.1 * (double)i + 0.05;
		series->values[i] = value;
	}
}

static void set_states(double low, double high, double share, size_t changes)
{
	facts->watch.states = (struct states){
		.two = high > low, .low = low, .high = high, .high_share = share, .changes = changes
	};
}

/* Four cores of a real machine, set up by someone who knows. */
static void make_healthy(void)
{
	struct facts_processors *processors;

	facts = calloc(1, sizeof(*facts));
	cr_assert_not_null(facts);
	processors = &facts->processors;
	set_cpus(&processors->chosen[FACTS_SERVER], "0");
	set_cpus(&processors->chosen[FACTS_LOAD], "1");
	set_cpus(&processors->siblings[FACTS_SERVER], "0");
	set_cpus(&processors->siblings[FACTS_LOAD], "1");
	set_cpus(&processors->online, "0-3");
	set_cpus(&processors->allowed, "0-3");
	set_cpus(&processors->first, "0-3");
	facts->frequency = (struct facts_frequency){ .governor = "performance",
						     .boost = 0,
						     .idle_exit_us = 2,
						     .idle_state = 1,
						     .idle_name = "C1",
						     .idle_shallow = -1 };
	facts->machine = (struct facts_machine){ .clock_source = "tsc",
						 .clock_sources = "tsc hpet acpi_pm" };
	facts->limits = (struct facts_limits){
		.descriptors = 1048576,
		.descriptors_of = 1048576,
		.user_processes = 100000,
		.threads_max = 100000,
		.pid_max = 4194304,
		.tasks = 300,
		.max_map_count = 65530,
		.group_pids = { .limit = FACTS_UNLIMITED, .used = 40 },
		.group_memory = { .limit = FACTS_UNLIMITED, .used = 1 << 20 },
		.group_cpu = { .limit = FACTS_UNLIMITED, .used = 100000 },
		.somaxconn = 4096,
		.ports = 28232,
		.tw_reuse = 2,
		.perf_paranoid = 1,
		.uring_disabled = 0,
		.hugepages = "madvise",
		.available_bytes = 8LL << 30,
		.swap_used_bytes = 0,
	};
	facts->load = (struct facts_load){ .ns = 60 * SECOND,
					   .others = { 0.001, 0.001 },
					   .interrupts = { 20, 30 },
					   .irq = { 36, 36 },
					   .irq_name = { "nvme0q1", "nvme0q1" },
					   .irq_moves = { true, true } };
	facts->watch.asked_ns = facts->watch.ns = 60 * SECOND;
	facts->watch.was_bound = true;
	facts->watch.resolution_ns = 1;
	facts->watch.clock_ns = 25;
	facts->watch.cpu_clock_ns = 250;
	facts->watch.ticks = 0;
	fill(&facts->watch.ping_pong_ns, 50);
	fill(&facts->watch.speed, 0.8);
	set_states(50, 50, 0, 0);
	for (int role = 0; role < FACTS_ROLES; role++)
		histogram_record_times(&facts->watch.late_ns[role], 60000, 3000);
}

static void tear_down(void)
{
	free(facts);
}

TestSuite(doctor, .init = make_healthy, .fini = tear_down);

/* Make a fact what it should not be. */
static void one_processor(void)
{
	set_cpus(&facts->processors.online, "0");
	set_cpus(&facts->processors.allowed, "0");
	set_cpus(&facts->processors.first, "0");
	set_cpus(&facts->processors.chosen[FACTS_LOAD], "0");
	set_cpus(&facts->processors.siblings[FACTS_LOAD], "0");
}

static void not_allowed(void)
{
	set_cpus(&facts->processors.allowed, "2-3");
}

static void not_online(void)
{
	set_cpus(&facts->processors.chosen[FACTS_LOAD], "7");
	set_cpus(&facts->processors.siblings[FACTS_LOAD], "");
}

static void same_processor(void)
{
	set_cpus(&facts->processors.chosen[FACTS_LOAD], "0");
	set_cpus(&facts->processors.siblings[FACTS_LOAD], "0");
}

static void share_a_core(void)
{
	set_cpus(&facts->processors.siblings[FACTS_SERVER], "0-1");
	set_cpus(&facts->processors.siblings[FACTS_LOAD], "0-1");
	set_cpus(&facts->processors.first, "0,2");
}

static void share_the_only_core(void)
{
	share_a_core();
	set_cpus(&facts->processors.online, "0-1");
	set_cpus(&facts->processors.allowed, "0-1");
	set_cpus(&facts->processors.first, "0");
}

static void have_neighbours(void)
{
	set_cpus(&facts->processors.siblings[FACTS_SERVER], "0,2");
	set_cpus(&facts->processors.siblings[FACTS_LOAD], "1,3");
	set_cpus(&facts->processors.first, "0-1");
	facts->processors.smt_switch = true;
}

static void two_nodes(void)
{
	facts->processors.nodes[FACTS_LOAD] = 1;
}

static void balance_nodes(void)
{
	facts->processors.numa_balancing = true;
}

static void two_states(void)
{
	set_states(52, 201, 0.29, 6);
}

static void far_apart(void)
{
	set_states(201, 201, 0, 0);
}

static void never_together(void)
{
	facts->watch.ping_pong_ns.count = 0;
	set_states(0, 0, 0, 0);
}

static void be_virtual(void)
{
	facts->machine.is_virtual = true;
	strcpy(facts->machine.hypervisor, "KVM");
}

static void save_power(void)
{
	strcpy(facts->frequency.governor, "powersave");
}

static void boost(void)
{
	facts->frequency.boost = 1;
}

static void boost_of_intel(void)
{
	boost();
	facts->frequency.boost_of_intel = true;
}

static void sleep_deep(void)
{
	facts->frequency.idle_exit_us = 60;
	facts->frequency.idle_shallow = 2;
	facts->frequency.idle_state = 3;
}

static void sleep_deeper(void)
{
	sleep_deep();
	facts->frequency.idle_exit_us = 890;
}

/* Every other second 10 % or 25 % slower. */
static void change_speed(double share)
{
	for (size_t i = 0; i < facts->watch.speed.count; i++)
		if ((size_t)facts->watch.speed.at_s[i] % 2 == 1)
			facts->watch.speed.values[i] *= 1 - share;
}

static void drift_a_little(void)
{
	change_speed(0.1);
}

static void drift(void)
{
	change_speed(0.25);
}

static void steal_little(void)
{
	facts->load.steal[FACTS_SERVER] = 0.005;
}

static void steal(void)
{
	facts->load.steal[FACTS_LOAD] = 0.03;
}

static void steal_much(void)
{
	facts->load.steal[FACTS_SERVER] = 0.2;
}

static void add_busy(int pid, const char *name, double share)
{
	facts->load.busiest[0] = (struct facts_process){ .pid = pid, .share = share };
	strcpy(facts->load.busiest[0].name, name);
}

static void others(void)
{
	facts->load.others[FACTS_SERVER] = 0.04;
	add_busy(4711, "cron", 0.04);
}

static void others_much(void)
{
	facts->load.others[FACTS_LOAD] = 0.9;
	add_busy(4711, "cc1", 0.9);
}

static void interrupt(void)
{
	facts->load.interrupts[FACTS_SERVER] = 500;
}

static void interrupt_much(void)
{
	facts->load.interrupts[FACTS_SERVER] = 9000;
}

static void limit_cpu(void)
{
	facts->limits.group_cpu.limit = 150000;
	strcpy(facts->limits.group_cpu.file, "/sys/fs/cgroup/a/cpu.max");
}

static void limit_cpu_of_version_1(void)
{
	limit_cpu();
	strcpy(facts->limits.group_cpu.file, "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us");
}

static void throttle(void)
{
	facts->limits.group_cpu.limit = 200000;
	facts->load.throttled = 3;
}

static void slow_clock(void)
{
	strcpy(facts->machine.clock_source, "hpet");
}

static void slow_clock_alone(void)
{
	strcpy(facts->machine.clock_source, "acpi_pm");
	strcpy(facts->machine.clock_sources, "acpi_pm jiffies");
}

static void costly_clock(void)
{
	facts->watch.clock_ns = 900;
}

static void costly_cpu_clock(void)
{
	facts->watch.cpu_clock_ns = 2500;
}

static void coarse_timers(void)
{
	facts->watch.resolution_ns = 4000000;
}

static void late(int64_t half_ns, int64_t tail_ns)
{
	struct histogram *late_ns = &facts->watch.late_ns[FACTS_LOAD];

	histogram_reset(late_ns);
	histogram_record_times(late_ns, half_ns, 97);
	histogram_record_times(late_ns, tail_ns, 3);
}

static void late_a_little(void)
{
	late(300000, 400000);
}

static void late_at_times(void)
{
	late(60000, 3000000);
}

static void late_by_much(void)
{
	late(60000, 30000000);
}

static void count_ticks(void)
{
	facts->watch.ticks = 1;
}

static void few_descriptors(void)
{
	facts->limits.descriptors = 4096;
}

static void few_descriptors_for_all(void)
{
	facts->limits.descriptors = facts->limits.descriptors_of = 4096;
}

static void descriptors_for_the_model(void)
{
	facts->limits.descriptors = 16384;
}

static void few_processes(void)
{
	facts->limits.user_processes = 1000;
}

static void few_threads(void)
{
	facts->limits.threads_max = 10000;
}

static void few_pids(void)
{
	facts->limits.pid_max = 10300; /* 300 of them are taken */
}

static void pids_for_the_model(void)
{
	facts->limits.pid_max = 16000;
}

static void few_tasks_in_the_group(void)
{
	facts->limits.group_pids.limit = 512;
	strcpy(facts->limits.group_pids.file, "/sys/fs/cgroup/a/pids.max");
}

static void few_maps(void)
{
	facts->limits.max_map_count = 10000;
}

static void little_memory(void)
{
	facts->limits.available_bytes = 512LL << 20;
}

static void some_memory(void)
{
	facts->limits.available_bytes = 1500LL << 20;
}

static void little_memory_in_the_group(void)
{
	facts->limits.group_memory =
		(struct facts_group_limit){ .limit = 1LL << 30, .used = 512LL << 20 };
	strcpy(facts->limits.group_memory.file, "/sys/fs/cgroup/a/memory.max");
}

static void huge_pages(void)
{
	strcpy(facts->limits.hugepages, "always");
}

static void swap(void)
{
	facts->limits.swap_used_bytes = 100LL << 20;
}

static void swap_now(void)
{
	facts->load.swapped_pages = 17;
}

static void short_backlog(void)
{
	facts->limits.somaxconn = 128;
}

static void few_ports(void)
{
	facts->limits.ports = 5000;
}

static void keep_ports(void)
{
	facts->limits.tw_reuse = 0;
}

static void disable_uring(void)
{
	facts->limits.uring_disabled = 2;
	facts->limits.uring_refused = true;
}

static void filter_uring(void)
{
	facts->limits.uring_refused = true;
}

static void paranoid(void)
{
	facts->limits.perf_paranoid = 3;
}

/* What of a machine is wrong, the check that must say so, how bad it is, and what mends it. */
static const struct {
	void (*spoil)(void);
	const char *check;
	enum doctor_level level;
	const char *says[3];
	const char *remedy; /* "": none */
} table[] = {
	{ not_allowed, "processors", DOCTOR_BAD, { "0-1", "2-3" }, "" },
	{ not_online, "processors", DOCTOR_BAD, { "7" }, "" },
	{ same_processor, "processors", DOCTOR_BAD, { "0" }, "" },
	{ share_a_core, "siblings", DOCTOR_BAD, { "1 is a hyperthread", "2 is not" }, "" },
	{ share_the_only_core, "siblings", DOCTOR_BAD, { "nothing better" }, "" },
	{ have_neighbours,
	  "neighbours",
	  DOCTOR_NOTE,
	  { "2-3" },
	  "echo off > /sys/devices/system/cpu/smt/control" },
	{ two_nodes, "nodes", DOCTOR_NOTE, { "node 0", "node 1" }, "" },
	{ balance_nodes,
	  "nodes",
	  DOCTOR_NOTE,
	  { "numa_balancing" },
	  "sysctl -w kernel.numa_balancing=0" },
	{ two_states, "cross-core", DOCTOR_WARNING, { "52 ns, and 201", "29 %", "6 changes" }, "" },
	{ far_apart, "cross-core", DOCTOR_NOTE, { "201 ns" }, "" },
	{ never_together, "cross-core", DOCTOR_WARNING, { "did not get" }, "" },
	{ be_virtual, "virtual", DOCTOR_NOTE, { "KVM" }, "" },
	{ save_power,
	  "governor",
	  DOCTOR_WARNING,
	  { "powersave" },
	  "echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor" },
	{ boost, "boost", DOCTOR_NOTE, { "on" }, "echo 0 > /sys/devices/system/cpu/cpufreq/boost" },
	{ boost_of_intel,
	  "boost",
	  DOCTOR_NOTE,
	  { "on" },
	  "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo" },
	{ sleep_deep,
	  "idle-states",
	  DOCTOR_NOTE,
	  { "60 µs" },
	  "echo 1 | tee /sys/devices/system/cpu/cpu*/cpuidle/state[2-3]/disable" },
	{ sleep_deeper,
	  "idle-states",
	  DOCTOR_WARNING,
	  { "890 µs" },
	  "echo 1 | tee /sys/devices/system/cpu/cpu*/cpuidle/state[2-3]/disable" },
	{ drift_a_little, "speed", DOCTOR_NOTE, { "±5.3 %", "60" }, "" },
	{ drift, "speed", DOCTOR_WARNING, { "±14.3 %", "one second" }, "" },
	{ steal_little, "steal", DOCTOR_NOTE, { "0.5 %", "server's" }, "" },
	{ steal, "steal", DOCTOR_WARNING, { "3 %", "generator's" }, "" },
	{ steal_much, "steal", DOCTOR_BAD, { "20 %" }, "" },
	{ others,
	  "others",
	  DOCTOR_WARNING,
	  { "server's", "4 %", "cron (4711)" },
	  "taskset -acp 2-3 4711" },
	{ others_much,
	  "others",
	  DOCTOR_BAD,
	  { "generator's", "90 %", "cc1 (4711)" },
	  "taskset -acp 2-3 4711" },
	{ interrupt,
	  "interrupts",
	  DOCTOR_NOTE,
	  { "500", "nvme0q1 (36)" },
	  "echo 2 > /proc/irq/36/smp_affinity_list" },
	{ interrupt_much,
	  "interrupts",
	  DOCTOR_WARNING,
	  { "9000" },
	  "echo 2 > /proc/irq/36/smp_affinity_list" },
	{ limit_cpu,
	  "quota",
	  DOCTOR_BAD,
	  { "1.5 processors", "2 needed" },
	  "echo max > /sys/fs/cgroup/a/cpu.max" },
	{ limit_cpu_of_version_1,
	  "quota",
	  DOCTOR_BAD,
	  { "1.5 processors" },
	  "echo -1 > /sys/fs/cgroup/cpu/a/cpu.cfs_quota_us" },
	{ throttle, "quota", DOCTOR_BAD, { "3 times" }, "" },
	{ slow_clock,
	  "clock-source",
	  DOCTOR_WARNING,
	  { "hpet" },
	  "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource" },
	{ slow_clock_alone, "clock-source", DOCTOR_WARNING, { "acpi_pm" }, "" },
	{ costly_clock, "clock-cost", DOCTOR_WARNING, { "900 ns", "system call" }, "" },
	{ costly_cpu_clock, "clock-cost", DOCTOR_NOTE, { "2500 ns" }, "" },
	{ coarse_timers, "resolution", DOCTOR_WARNING, { "4ms" }, "" },
	{ late_a_little, "sleep", DOCTOR_NOTE, { "(p50)" }, "" },
	{ late_at_times, "sleep", DOCTOR_WARNING, { "(p99)" }, "" },
	{ late_by_much, "sleep", DOCTOR_BAD, { "(p99)" }, "" },
	{ count_ticks, "accounting", DOCTOR_NOTE, { "tick" }, "" },
	{ few_descriptors,
	  "descriptors",
	  DOCTOR_BAD,
	  { "4096", "13074 needed by", "model.ini" },
	  "prlimit --pid $$ --nofile=20000:20000" },
	{ few_descriptors_for_all,
	  "descriptors",
	  DOCTOR_BAD,
	  { "4096" },
	  "sysctl -w fs.nr_open=1048576 && prlimit --pid $$ --nofile=20000:20000" },
	{ descriptors_for_the_model,
	  "descriptors",
	  DOCTOR_WARNING,
	  { "16384", "20000 needed by", "evidence" },
	  "prlimit --pid $$ --nofile=20000:20000" },
	{ few_processes,
	  "user-processes",
	  DOCTOR_BAD,
	  { "1000", "10200 needed by" },
	  "prlimit --pid $$ --nproc=65536:65536" },
	{ few_threads,
	  "threads-max",
	  DOCTOR_BAD,
	  { "10000", "10200 needed by" },
	  "sysctl -w kernel.threads-max=65536" },
	{ few_pids,
	  "pid-max",
	  DOCTOR_BAD,
	  { "10300", "300 of them" },
	  "sysctl -w kernel.pid_max=65536" },
	{ pids_for_the_model,
	  "pid-max",
	  DOCTOR_WARNING,
	  { "16000", "19700 needed by" },
	  "sysctl -w kernel.pid_max=65536" },
	{ few_tasks_in_the_group,
	  "pids",
	  DOCTOR_BAD,
	  { "512" },
	  "echo max > /sys/fs/cgroup/a/pids.max" },
	{ few_maps, "maps", DOCTOR_BAD, { "10000", "20200" }, "sysctl -w vm.max_map_count=65530" },
	{ little_memory, "memory", DOCTOR_BAD, { "0.5 GiB", "model.ini" }, "" },
	{ some_memory, "memory", DOCTOR_WARNING, { "1.5 GiB", "evidence" }, "" },
	{ little_memory_in_the_group,
	  "memory",
	  DOCTOR_BAD,
	  { "0.5 GiB", "control group" },
	  "echo max > /sys/fs/cgroup/a/memory.max" },
	{ huge_pages,
	  "hugepages",
	  DOCTOR_NOTE,
	  { "always" },
	  "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled" },
	{ swap, "swap", DOCTOR_NOTE, { "100 MiB" }, "swapoff -a" },
	{ swap_now, "swap", DOCTOR_WARNING, { "17 pages" }, "swapoff -a" },
	{ short_backlog,
	  "backlog",
	  DOCTOR_WARNING,
	  { "128", "4096 needed by" },
	  "sysctl -w net.core.somaxconn=4096" },
	{ few_ports,
	  "ports",
	  DOCTOR_BAD,
	  { "5000", "13010 needed by" },
	  "sysctl -w net.ipv4.ip_local_port_range=\"32768 60999\"" },
	{ keep_ports,
	  "tw-reuse",
	  DOCTOR_WARNING,
	  { "connections.ini" },
	  "sysctl -w net.ipv4.tcp_tw_reuse=2" },
	{ disable_uring,
	  "uring",
	  DOCTOR_WARNING,
	  { "refused", "io_uring_disabled" },
	  "sysctl -w kernel.io_uring_disabled=0" },
	{ filter_uring, "uring", DOCTOR_WARNING, { "refused" }, "" },
	{ paranoid, "perf", DOCTOR_NOTE, { "3" }, "sysctl -w kernel.perf_event_paranoid=1" },
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

static const struct doctor_finding *find(const struct doctor_finding findings[DOCTOR_CHECKS],
					 const char *name)
{
	for (int i = 0; i < DOCTOR_CHECKS; i++)
		if (strcmp(findings[i].check->name, name) == 0)
			return &findings[i];
	cr_assert(false, "no check %s", name);
	return NULL;
}

Test(doctor, a_healthy_machine_has_no_finding)
{
	struct doctor_finding findings[DOCTOR_CHECKS];

	cr_expect_eq(doctor_judge(facts, findings), DOCTOR_OK);
	for (int i = 0; i < DOCTOR_CHECKS; i++) {
		cr_expect_eq(findings[i].level, DOCTOR_OK, "%s: %s", findings[i].check->name,
			     findings[i].what);
		cr_expect_str_not_empty(findings[i].what);
		cr_expect_str_not_empty(findings[i].check->spoils);
		cr_expect_str_empty(findings[i].remedy);
	}
	cr_expect_str_eq(doctor_verdict(DOCTOR_OK), "fit");
}

Test(doctor, each_fact_that_is_wrong_is_found_with_its_level_and_remedy_and_nothing_else_is)
{
	for (int row = 0; row < ROWS; row++) {
		struct doctor_finding findings[DOCTOR_CHECKS];
		const struct doctor_finding *finding;

		tear_down();
		make_healthy();
		table[row].spoil();
		cr_expect_eq(doctor_judge(facts, findings), table[row].level, "row %d", row);
		finding = find(findings, table[row].check);
		cr_expect_eq(finding->level, table[row].level, "row %d: %s: %s", row,
			     finding->check->name, finding->what);
		cr_expect_str_eq(finding->remedy, table[row].remedy, "row %d: %s", row,
				 finding->remedy);
		for (int i = 0; i < 3 && table[row].says[i]; i++)
			cr_expect_not_null(strstr(finding->what, table[row].says[i]),
					   "row %d: no '%s' in: %s", row, table[row].says[i],
					   finding->what);
		for (int i = 0; i < DOCTOR_CHECKS; i++)
			if (&findings[i] != finding)
				cr_expect_eq(findings[i].level, DOCTOR_OK, "row %d: %s: %s", row,
					     findings[i].check->name, findings[i].what);
	}
}

Test(doctor, every_check_is_provoked_by_a_row)
{
	for (int i = 0; i < DOCTOR_CHECKS; i++) {
		const char *name = doctor_checks[i].name;
		bool provoked = strcmp(name, "cores") == 0; /* with others, below */

		for (int row = 0; row < ROWS; row++)
			provoked = provoked || strcmp(table[row].check, name) == 0;
		cr_expect(provoked, "%s", name);
	}
}

Test(doctor, a_single_processor_is_bad_in_more_than_one_way)
{
	struct doctor_finding findings[DOCTOR_CHECKS];

	one_processor();
	cr_expect_eq(doctor_judge(facts, findings), DOCTOR_BAD);
	cr_expect_eq(find(findings, "cores")->level, DOCTOR_BAD);
	cr_expect_eq(find(findings, "processors")->level, DOCTOR_BAD);
}

Test(doctor, what_only_the_host_could_mend_has_no_remedy_in_a_virtual_machine)
{
	static void (*const spoils[])(void) = { have_neighbours, save_power, boost, boost_of_intel,
						sleep_deeper };
	static const char *const checks[] = { "neighbours", "governor", "boost", "boost",
					      "idle-states" };

	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		struct doctor_finding findings[DOCTOR_CHECKS];

		tear_down();
		make_healthy();
		be_virtual();
		spoils[i]();
		doctor_judge(facts, findings);
		cr_expect_gt(find(findings, checks[i])->level, DOCTOR_OK, "%s", checks[i]);
		cr_expect_str_empty(find(findings, checks[i])->remedy);
	}
}

Test(doctor, what_a_container_must_not_change_has_no_remedy_there)
{
	struct doctor_finding findings[DOCTOR_CHECKS];

	short_backlog();
	huge_pages();
	few_processes();
	facts->machine.sysctl_fixed = facts->machine.sysfs_fixed = true;
	doctor_judge(facts, findings);
	cr_expect_str_empty(find(findings, "backlog")->remedy);
	cr_expect_str_empty(find(findings, "hugepages")->remedy);
	cr_expect_str_not_empty(find(findings, "user-processes")->remedy);
}

/* The kernel's ticks alone are 10 % of 200 ms. */
Test(doctor, a_share_that_ticks_may_have_made_up_is_no_alarm)
{
	struct doctor_finding findings[DOCTOR_CHECKS];

	facts->load.ns = SECOND / 5;
	facts->load.others[FACTS_SERVER] = facts->load.steal[FACTS_SERVER] = 0.09;
	cr_expect_eq(doctor_judge(facts, findings), DOCTOR_OK);
}

Test(doctor, what_cannot_be_seen_is_no_alarm)
{
	struct doctor_finding findings[DOCTOR_CHECKS];
	struct facts_limits *limits = &facts->limits;

	facts->frequency = (struct facts_frequency){ .boost = FACTS_UNKNOWN,
						     .idle_exit_us = FACTS_UNKNOWN,
						     .idle_shallow = -1 };
	facts->machine.clock_source[0] = '\0';
	facts->processors.nodes[0] = facts->processors.nodes[1] = -1;
	limits->threads_max = limits->pid_max = limits->tasks = limits->max_map_count =
		limits->somaxconn = limits->ports = limits->tw_reuse = limits->perf_paranoid =
			limits->uring_disabled = limits->swap_used_bytes = FACTS_UNKNOWN;
	limits->group_pids.limit = limits->group_memory.limit = limits->group_cpu.limit =
		FACTS_UNKNOWN;
	limits->hugepages[0] = '\0';
	cr_expect_eq(doctor_judge(facts, findings), DOCTOR_OK);
	for (int i = 0; i < DOCTOR_CHECKS; i++)
		cr_expect_eq(findings[i].level, DOCTOR_OK, "%s: %s", findings[i].check->name,
			     findings[i].what);
	facts->load.steal[0] = facts->load.steal[1] = -1;
	facts->load.others[0] = facts->load.others[1] = -1;
	facts->load.interrupts[0] = facts->load.interrupts[1] = -1;
	limits->available_bytes = FACTS_UNKNOWN;
	cr_expect_eq(doctor_judge(facts, findings), DOCTOR_NOTE);
}

Test(doctor, root_has_no_limit_of_threads_and_may_count)
{
	struct doctor_finding findings[DOCTOR_CHECKS];

	few_processes();
	paranoid();
	facts->limits.is_root = true;
	cr_expect_eq(doctor_judge(facts, findings), DOCTOR_OK);
}

Test(doctor, states_that_other_load_may_have_feigned_are_told_with_that)
{
	static const char doubt[] = "the other load may feign that";
	struct doctor_finding findings[DOCTOR_CHECKS];

	two_states();
	others();
	doctor_judge(facts, findings);
	cr_expect_null(strstr(find(findings, "cross-core")->what, doubt));
	others_much();
	doctor_judge(facts, findings);
	cr_expect_not_null(strstr(find(findings, "cross-core")->what, doubt));
}

Test(doctor, verdicts_follow_the_worst_level)
{
	cr_expect_str_eq(doctor_verdict(DOCTOR_OK), "fit");
	cr_expect_str_eq(doctor_verdict(DOCTOR_NOTE), "fit");
	cr_expect_str_eq(doctor_verdict(DOCTOR_WARNING), "noisy");
	cr_expect_str_eq(doctor_verdict(DOCTOR_BAD), "unfit");
}
