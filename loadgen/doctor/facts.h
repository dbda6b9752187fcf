/*
 * What is known of a machine that is to be measured on, before anything is made of it: read from
 * /proc and /sys (read_*.c), or watched for a while (watch.c). Checks are functions of these facts
 * alone (checks.c), so that a test can make them up.
 *
 * A number that cannot be seen here is FACTS_UNKNOWN, a limit that is none FACTS_UNLIMITED.
 */
#pragma once
#include "loadgen/doctor/files.h"
#include "loadgen/engine/histogram.h"
#include "loadgen/stats/states.h"
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define FACTS_UNKNOWN   FILES_MISSING
#define FACTS_UNLIMITED FILES_UNLIMITED

enum { FACTS_TEXT_MAX = 64, FACTS_BUSIEST = 3, FACTS_PATH_MAX = 256 };

/* The two sets of processors that a measurement takes. */
enum facts_role { FACTS_SERVER, FACTS_LOAD, FACTS_ROLES };

/* Which processors there are. */
struct facts_processors {
	cpu_set_t chosen[FACTS_ROLES];
	cpu_set_t siblings[FACTS_ROLES]; /* hyperthreads of the same cores, themselves included */
	cpu_set_t online;
	cpu_set_t allowed;      /* that this process can bind itself to */
	cpu_set_t first;        /* one processor of each core that is online */
	int nodes[FACTS_ROLES]; /* of memory, of the first chosen one; -1: cannot be seen */
	bool smt_switch;        /* hyperthreads are on and can be switched off */
	bool numa_balancing;
};

/* How fast they are, and how they rest. */
struct facts_frequency {
	char governor[FACTS_TEXT_MAX]; /* of the chosen; one that is not "performance" first; or ""
					*/
	int64_t boost;                 /* 1: on, 0: off */
	bool boost_of_intel;           /* its switch is intel_pstate's no_turbo */
	int64_t idle_exit_us;          /* of the deepest idle state that is allowed */
	int idle_state;                /* its number */
	int idle_shallow; /* the number of the first that takes more than 10 us, or -1 */
	char idle_name[FACTS_TEXT_MAX];
};

/* What it runs on, and what it tells time by. */
struct facts_machine {
	bool is_virtual;
	char hypervisor[FACTS_TEXT_MAX]; /* its name if there is one */
	char clock_source[FACTS_TEXT_MAX];
	char clock_sources[FACTS_TEXT_MAX]; /* that could be used instead */
	bool sysctl_fixed;                  /* /proc/sys is mounted read-only, as in a container */
	bool sysfs_fixed;                   /* /sys is */
};

/* A limit set by a control group: the tightest one on the way to the root. */
struct facts_group_limit {
	int64_t limit;
	int64_t used;
	char file[FACTS_PATH_MAX]; /* that holds it, if root can write to it; or "" */
};

struct facts_limits {
	bool is_root;
	int64_t descriptors;    /* hard limit of a process */
	int64_t descriptors_of; /* fs.nr_open: what that can be raised to */
	int64_t user_processes; /* hard limit; no limit for root */
	int64_t threads_max;
	int64_t pid_max;
	int64_t tasks; /* processes and threads that there are */
	int64_t max_map_count;
	struct facts_group_limit group_pids;
	struct facts_group_limit group_memory;
	struct facts_group_limit group_cpu; /* limit: us of CPU a period; used: us of a period */
	int64_t somaxconn;
	int64_t ports; /* in ip_local_port_range */
	int64_t tw_reuse;
	int64_t perf_paranoid;
	int64_t uring_disabled;
	bool uring_refused;             /* when asked for one, for whatever reason */
	char hugepages[FACTS_TEXT_MAX]; /* "always", "madvise", "never", or "" */
	int64_t available_bytes;
	int64_t swap_used_bytes;
};

/* A process that was busy meanwhile. */
struct facts_process {
	int pid;
	char name[FACTS_TEXT_MAX];
	double share; /* of one processor, with that of children that have ended */
};

/* What else went on on the chosen processors; shares are of their time, -1: cannot be seen. */
struct facts_load {
	int64_t ns; /* that was watched */
	double steal[FACTS_ROLES];
	double others[FACTS_ROLES];     /* busy, but not with what was done here */
	double interrupts[FACTS_ROLES]; /* of devices, a second */
	int irq[FACTS_ROLES];           /* the number of the busiest of these, or -1 */
	char irq_name[FACTS_ROLES][FACTS_TEXT_MAX];
	bool irq_moves[FACTS_ROLES]; /* it can be sent to another processor */
	int64_t throttled;           /* how often the control group's quota stopped it */
	int64_t swapped_pages;       /* in and out */
	struct facts_process busiest[FACTS_BUSIEST]; /* the busiest first; pid 0: no more */
};

enum { FACTS_SAMPLES_MAX = 4096 };

/* A series over the time that was watched. */
struct facts_series {
	size_t count;
	double values[FACTS_SAMPLES_MAX];
	double at_s[FACTS_SAMPLES_MAX]; /* when, since the begin */
};

/* What was measured. */
struct facts_watch {
	int64_t asked_ns;
	int64_t ns;
	bool interrupted;
	bool was_bound; /* to the chosen processors; if not, the rest says nothing */
	struct facts_series ping_pong_ns;
	struct states states;                  /* of that */
	struct facts_series speed;             /* operations of a fixed work in a ns of CPU time */
	struct histogram late_ns[FACTS_ROLES]; /* how late a sleep ended */
	int64_t resolution_ns;                 /* of CLOCK_MONOTONIC */
	double clock_ns;                       /* what it takes to read that */
	double cpu_clock_ns;                   /* and to read a thread's CPU clock */
	int64_t ticks; /* 1: user and system time are guessed by the tick, 0: they are not */
};

struct facts {
	struct facts_processors processors;
	struct facts_frequency frequency;
	struct facts_machine machine;
	struct facts_limits limits;
	struct facts_load load;
	struct facts_watch watch;
};

/* The first processor of a set, -1 of an empty one. */
int facts_first(const cpu_set_t *set);
