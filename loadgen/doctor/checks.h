/* The checks, and what they have in common. Each is a function of the facts alone. */
#pragma once
#include "common/units.h"
#include "loadgen/doctor/doctor.h"

/* The finding's level and sentence. */
void checks_say(struct doctor_finding *finding, enum doctor_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* And the command that mends it. */
void checks_mend(struct doctor_finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What the shipped plans need at the most: that of scripts/bench, and those of scripts/evidence. */
enum {
	NEEDED_THREADS = 10000,     /* scripts/plans/model.ini: long poll with threads to match */
	NEEDED_CONNECTIONS = 13010, /* the same: long poll, loop */
	EVIDENCE_THREADS = 19500,   /* scripts/plans/evidence/memory.ini */
	EVIDENCE_DESCRIPTORS = 20000,
};

#define NEEDED_BY   "scripts/plans/model.ini"
#define EVIDENCE_BY "scripts/plans/evidence/memory.ini"

/* check_processors.c */
void check_cores(const struct facts *facts, struct doctor_finding *finding);
void check_processors(const struct facts *facts, struct doctor_finding *finding);
void check_siblings(const struct facts *facts, struct doctor_finding *finding);
void check_neighbours(const struct facts *facts, struct doctor_finding *finding);
void check_nodes(const struct facts *facts, struct doctor_finding *finding);

/* check_frequency.c */
void check_virtual(const struct facts *facts, struct doctor_finding *finding);
void check_governor(const struct facts *facts, struct doctor_finding *finding);
void check_boost(const struct facts *facts, struct doctor_finding *finding);
void check_idle(const struct facts *facts, struct doctor_finding *finding);
void check_clock_source(const struct facts *facts, struct doctor_finding *finding);

/* check_watch.c */
void check_cross_core(const struct facts *facts, struct doctor_finding *finding);
void check_speed(const struct facts *facts, struct doctor_finding *finding);
void check_sleep(const struct facts *facts, struct doctor_finding *finding);
void check_resolution(const struct facts *facts, struct doctor_finding *finding);
void check_clock_cost(const struct facts *facts, struct doctor_finding *finding);
void check_accounting(const struct facts *facts, struct doctor_finding *finding);

/* check_load.c */
void check_steal(const struct facts *facts, struct doctor_finding *finding);
void check_others(const struct facts *facts, struct doctor_finding *finding);
void check_interrupts(const struct facts *facts, struct doctor_finding *finding);
void check_quota(const struct facts *facts, struct doctor_finding *finding);
void check_swap(const struct facts *facts, struct doctor_finding *finding);

/* check_limits.c */
void check_descriptors(const struct facts *facts, struct doctor_finding *finding);
void check_user_processes(const struct facts *facts, struct doctor_finding *finding);
void check_threads_max(const struct facts *facts, struct doctor_finding *finding);
void check_pid_max(const struct facts *facts, struct doctor_finding *finding);
void check_group_pids(const struct facts *facts, struct doctor_finding *finding);
void check_maps(const struct facts *facts, struct doctor_finding *finding);
void check_memory(const struct facts *facts, struct doctor_finding *finding);
void check_hugepages(const struct facts *facts, struct doctor_finding *finding);
void check_backlog(const struct facts *facts, struct doctor_finding *finding);
void check_ports(const struct facts *facts, struct doctor_finding *finding);
void check_tw_reuse(const struct facts *facts, struct doctor_finding *finding);
void check_uring(const struct facts *facts, struct doctor_finding *finding);
void check_perf(const struct facts *facts, struct doctor_finding *finding);
