/*
 * What the kernel counts of processors, interrupts and processes, read twice: the difference tells
 * who else was at work meanwhile.
 */
#pragma once
#include "loadgen/doctor/facts.h"

enum { COUNTERS_IRQS_MAX = 512 };

struct counters_irq {
	int number;
	char name[FACTS_TEXT_MAX];
	int64_t count[FACTS_ROLES];
};

struct counters_process {
	int pid;
	int parent;
	char name[FACTS_TEXT_MAX];
	int64_t cpu_ns; /* of it and of children that it has waited for; in ticks of 10 ms */
};

struct counters {
	int64_t at_ns;
	bool has_processors; /* the next two can be seen */
	int64_t idle_ns[FACTS_ROLES];
	int64_t steal_ns[FACTS_ROLES];
	int irq_count;
	struct counters_irq irqs[COUNTERS_IRQS_MAX]; /* of devices */
	size_t process_count;
	struct counters_process *processes; /* in the order of their ids */
	int64_t throttled;
	int64_t swapped_pages;
};

/*
 * Read all of them, at `at_ns`, for the chosen processors. counters_end() releases them. Without
 * memory, processes are left out.
 */
void counters_read(const char *root, const cpu_set_t chosen[FACTS_ROLES], int64_t at_ns,
		   struct counters *counters);

void counters_end(struct counters *counters);

/*
 * What went on between two readings, in *load. own_ns is what the caller did itself on either set
 * of processors, without the interrupts that woke it, wake_ups how often it slept there, and `self`
 * its id, which is not among the busiest.
 */
void counters_compare(const char *root, const struct counters *before, const struct counters *after,
		      const cpu_set_t chosen[FACTS_ROLES], const int64_t own_ns[FACTS_ROLES],
		      const int64_t wake_ups[FACTS_ROLES], int self, struct facts_load *load);
