/*
 * Several reports of runs that went on at the same time, as one: what a single generator with all
 * their connections would have reported, as far as their reports tell.
 *
 * Counts, rates and shares of processors are summed; what is the most of something is the most of
 * theirs; latencies come from the sum of their histograms. Throughput is the sum of each one's own,
 * over its own window, as that of threads is: all requests over the part that the windows have in
 * common would count those of its edges too. So requests are a little more than throughput by
 * window, if the windows are not the same.
 */
#pragma once
#include "loadgen/commands/load_saved.h"

/* Windows that have less than this share of the longest in common are no window of one run. */
#define LOAD_JOIN_OVERLAP_LEAST 0.9

/* A report and the name that its reasons are told by. */
struct load_joined {
	const char *name;
	struct saved_report report;
};

/*
 * Whether the reports can be one: of the same loop, arrivals and think time, and each there once.
 * Returns 0, or -EINVAL with a sentence in `why` that names the two that differ.
 */
int load_join_check(const struct load_joined *joined, int count, char why[SAVED_WHY_MAX]);

/*
 * Join them in an empty job, of which what load_report() needs is filled in, and judge that. With
 * `fail_on` the errors of all are judged by it, and latencies too; NULL: errors are what the
 * reports took them for. Texts stay the reports', which must outlive the job's use. Returns 0 or
 * -ENOMEM; in any case load_job_free() releases what is in the job.
 */
int load_join(struct load_job *job, const struct load_joined *joined, int count,
	      const struct fail_on *fail_on);
