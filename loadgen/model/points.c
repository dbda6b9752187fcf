/*
 * Runs become points: those of the same server under the same load belong together, and what is
 * said of them is of the valid ones.
 */
#include "loadgen/model/verdict.h"
#include "loadgen/sweep/figure.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MAX = FIGURE_WINDOWS_MAX };

/* What is counted of a run, and its median taken over the runs. */
struct figure {
	double (*of)(const struct run *);
	size_t field; /* of struct point */
};

static double per_request(double value, int64_t requests)
{
	return requests > 0 ? value / (double)requests : 0;
}

static double switches_of(const struct run *run)
{
	return per_request((double)(run->voluntary_switches + run->involuntary_switches),
			   run->all_requests);
}

static double server_cpu_of(const struct run *run)
{
	return per_request((double)run->server_cpu_ns / 1e9, run->requests);
}

static double p99_of(const struct run *run)
{
	return (double)run->p99_ns / 1e9;
}

static double rss_of(const struct run *run)
{
	return (double)run->rss_bytes;
}

static double pss_of(const struct run *run)
{
	return (double)run->pss_bytes;
}

static double taken_of(const struct run *run)
{
	return (double)(run->available_before_bytes - run->available_after_bytes);
}

static double wall_cal_of(const struct run *run)
{
	return (double)run->wall_cal_ns / 1e9;
}

static double cpu_alone_of(const struct run *run)
{
	return (double)run->cpu_alone_ns / 1e9;
}

static double mean_of(const struct run *run)
{
	return run->mean_ns / 1e9;
}

static double p50_of(const struct run *run)
{
	return (double)run->p50_ns / 1e9;
}

static double p90_of(const struct run *run)
{
	return (double)run->p90_ns / 1e9;
}

static double p999_of(const struct run *run)
{
	return (double)run->p999_ns / 1e9;
}

static double max_of(const struct run *run)
{
	return (double)run->max_ns / 1e9;
}

static double run_delay_of(const struct run *run)
{
	return per_request((double)run->run_delay_ns / 1e9, run->all_requests);
}

static double lag_of(const struct run *run)
{
	return (double)run->client_lag_p99_ns / 1e9;
}

static double busy_of(const struct run *run)
{
	return (double)run->server_cpu_ns / (double)run->window_ns / (double)run->cores;
}

static double available_before_of(const struct run *run)
{
	return (double)run->available_before_bytes;
}

static double available_after_of(const struct run *run)
{
	return (double)run->available_after_bytes;
}

static const struct figure figures[] = {
	{ audit_cpu_cal_s, offsetof(struct point, cpu_cal_s) },
	{ wall_cal_of, offsetof(struct point, wall_cal_s) },
	{ switches_of, offsetof(struct point, switches) },
	{ server_cpu_of, offsetof(struct point, server_cpu_s) },
	{ p99_of, offsetof(struct point, p99_s) },
	{ rss_of, offsetof(struct point, rss_bytes) },
	{ pss_of, offsetof(struct point, pss_bytes) },
	{ taken_of, offsetof(struct point, available_bytes) },
	{ cpu_alone_of, offsetof(struct point, counts.cpu_alone_s) },
	{ mean_of, offsetof(struct point, counts.mean_s) },
	{ p50_of, offsetof(struct point, counts.p50_s) },
	{ p90_of, offsetof(struct point, counts.p90_s) },
	{ p999_of, offsetof(struct point, counts.p999_s) },
	{ max_of, offsetof(struct point, counts.max_s) },
	{ run_delay_of, offsetof(struct point, counts.run_delay_s) },
	{ lag_of, offsetof(struct point, counts.lag_p99_s) },
	{ busy_of, offsetof(struct point, counts.busy) },
	{ available_before_of, offsetof(struct point, counts.available_before_bytes) },
	{ available_after_of, offsetof(struct point, counts.available_after_bytes) },
};

/* A point's runs, those that count: the valid ones, or all if none is valid. */
struct tally {
	const struct run *runs[SAMPLES_MAX];
	size_t count;
	bool repeated; /* more than one repetition was measured */
};

static void set_medians(struct point *point, const struct tally *tally)
{
	double samples[SAMPLES_MAX];

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		for (size_t j = 0; j < tally->count; j++)
			samples[j] = figures[i].of(tally->runs[j]);
		*(double *)(void *)((char *)point + figures[i].field) =
			median_of(samples, tally->count);
	}
	point->wall_cal_s = fmax(point->wall_cal_s, point->cpu_cal_s);
}

static void set_mosts(struct point_counts *counts, const struct run *run)
{
	counts->never_served = fmax(counts->never_served, (double)run->never_served);
	counts->dropped =
		fmax(counts->dropped, (double)(run->listen_overflows + run->listen_drops));
	counts->client_busy =
		fmax(counts->client_busy, (double)run->client_cpu_ns / (double)run->window_ns);
}

static void add_run(struct point *point, struct tally *tally, const struct run *run)
{
	struct audit_failure failures[AUDITS];
	bool is_valid = audit_run(run, failures) == 0;

	point->runs++;
	tally->repeated = tally->repeated || run->repetition > 0;
	if (!is_valid)
		snprintf(point->why, sizeof(point->why), "%s: %s; %s",
			 audit_names[failures[0].audit], failures[0].why, failures[0].remedy);
	if (is_valid && point->valid_runs == 0) { /* what the others said counts no more */
		point->first = *run;
		point->counts = (struct point_counts){ 0 };
		tally->count = 0;
	}
	if ((!is_valid && point->valid_runs > 0) || tally->count == SAMPLES_MAX)
		return;
	point->valid_runs += is_valid;
	tally->runs[tally->count++] = run;
	set_mosts(&point->counts, run);
}

static void conclude(struct point *point, const struct tally *tally)
{
	double samples[SAMPLES_MAX];

	set_medians(point, tally);
	for (size_t i = 0; i < tally->count; i++)
		samples[i] = tally->runs[i]->throughput_rps;
	if (!tally->repeated && point->valid_runs == 1)
		point->measured = interval_of(samples, figure_windows(&point->first, samples));
	else if (point->valid_runs > 0)
		point->measured = interval_of(samples, tally->count);
	verdict_judge(point);
}

static bool seen_before(const struct run *runs, int64_t index)
{
	for (int64_t i = 0; i < index; i++)
		if (run_same_point(&runs[i], &runs[index]))
			return true;
	return false;
}

int64_t verdict_of_runs(const struct run *runs, int64_t count, struct point **points)
{
	int64_t found = 0;

	*points = calloc((size_t)count + 1, sizeof(**points));
	if (!*points)
		return -ENOMEM;
	for (int64_t i = 0; i < count; i++) {
		struct point *point = &(*points)[found];
		struct tally tally = { .count = 0 };

		if (seen_before(runs, i))
			continue;
		point->first = runs[i];
		for (int64_t j = i; j < count; j++)
			if (run_same_point(&runs[i], &runs[j]))
				add_run(point, &tally, &runs[j]);
		conclude(point, &tally);
		found++;
	}
	return found;
}
