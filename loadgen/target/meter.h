/*
 * What the kernel counts of a server, read from outside: the same for any server. A server may be
 * several processes, so what is metered is a process and its descendants. A process whose parent
 * ended before it is no descendant any more.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct meter {
	int64_t voluntary;    /* context switches: it had to wait */
	int64_t involuntary;  /* context switches: it was made to wait */
	int64_t run_delay_ns; /* time its threads were runnable but not running (schedstat) */
	int64_t processes;
	int64_t threads;
	int64_t rss_bytes; /* what processes share is counted for each */
	int64_t pss_bytes; /* what processes share is divided among them */
	uint64_t tasks;    /* a fingerprint of the threads' ids: meter_same_tasks() */
};

/*
 * Read the counters of all threads that live; what ends meanwhile is left out. Takes some 30 us for
 * each thread and 50 us for each process: not for the middle of a measurement. Returns 0 or
 * -errno: -ESRCH or -ENOENT when there is no such process.
 *
 * A thread's counters are gone when it has ended. So the switches between two readings are
 *   after - before                            if meter_same_tasks(),
 *   process.usage (of process_stop) - before  if not.
 * The usage is of the server's whole life, so the latter also has in it what came behind `after`
 * and what had ended already at `before`; it is a figure for runs long enough that this is little.
 */
int meter_read(pid_t pid, struct meter *meter);

/* No thread or process came or went between two readings, unless another took its very id. */
bool meter_same_tasks(const struct meter *before, const struct meter *after);

/*
 * CPU time of the tree until now, in *ns. Takes some 15 us for each process. The processes that
 * live count exactly, ended threads included; children that have ended and were waited for count to
 * the tick (10 ms) of user and system time each, as /proc shows them. One that is waited for at
 * this very moment may be missed. Children are looked for under each process's main thread only: to
 * ask thousands of threads would take too long here. Returns 0, or -ESRCH when there is no such
 * process.
 */
int meter_cpu_ns(pid_t pid, int64_t *ns);
