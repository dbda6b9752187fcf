#include "loadgen/engine/load.h"
#include "common/clock.h"
#include "loadgen/engine/worker.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const load_error_names[LOAD_ERRORS] = {
	"refused", "connect", "reset",     "closed",  "short",
	"timeout", "status",  "malformed", "changed",
};

enum { SPARE_DESCRIPTORS = 16 };

struct run {
	struct shared shared;
	struct worker *workers[LOAD_THREADS_MAX];
	struct load_result *results[LOAD_THREADS_MAX]; /* the first is the caller's */
	pthread_t threads[LOAD_THREADS_MAX];
	int started; /* threads, this one included */
};

static void *run_worker(void *context)
{
	worker_run(context);
	return NULL;
}

/*
 * The first thread has learnt how long the ramp is. The last worker is set last: until then the
 * others are not there.
 */
static int start_others(struct shared *shared)
{
	struct run *run = (struct run *)shared;

	for (int i = 1; i < shared->threads; i++) {
		int rc;

		run->results[i] = calloc(1, sizeof(*run->results[i]));
		if (!run->results[i])
			return -ENOMEM;
		rc = worker_new(shared, i, run->results[i], &run->workers[i]);
		if (rc != 0)
			return rc;
	}
	for (; run->started < shared->threads; run->started++)
		if (pthread_create(&run->threads[run->started], NULL, run_worker,
				   run->workers[run->started]) != 0)
			return -EAGAIN;
	return 0;
}

void load_add_result(struct load_result *sum, const struct load_result *more)
{
	sum->requests += more->requests;
	sum->all_requests += more->all_requests;
	sum->throughput += more->throughput;
	for (int i = 0; i < LOAD_ERRORS; i++)
		sum->errors[i] += more->errors[i];
	sum->error_count += more->error_count;
	sum->connects += more->connects;
	sum->never_served += more->never_served;
	sum->client_cpu_ns += more->client_cpu_ns;
	sum->spin_ns += more->spin_ns;
	sum->busy = fmax(sum->busy, more->busy);
	sum->waiting = fmax(sum->waiting, more->waiting);
	sum->interrupted = sum->interrupted || more->interrupted;
	sum->target_died = sum->target_died || more->target_died;
	if (sum->last_error == 0)
		sum->last_error = more->last_error;
	sum->scheduled += more->scheduled;
	sum->unfinished += more->unfinished;
	sum->failed += more->failed;
	sum->backlog_least_ns = greatest(sum->backlog_least_ns, more->backlog_least_ns);
	sum->backlog_end_ns = greatest(sum->backlog_end_ns, more->backlog_end_ns);
	sum->backlog_left_ns = greatest(sum->backlog_left_ns, more->backlog_left_ns);
	histogram_add(&sum->latency, &more->latency);
	histogram_add(&sum->sent_latency, &more->sent_latency);
	histogram_add(&sum->lag, &more->lag);
	histogram_add(&sum->start_lag, &more->start_lag);
}

static void summarise_worker(struct worker *worker)
{
	struct load_result *result = worker->result;

	int64_t span_ns = worker->last_sent_ns - worker->window_start_ns;

	if (!worker->config->schedule || span_ns < result->window_ns)
		span_ns = result->window_ns;
	if (result->window_ns > 0)
		result->throughput = (double)result->requests * NS_PER_S / (double)span_ns;
	if (!worker->config->schedule)
		for (uint32_t i = 0; i < worker->count; i++)
			result->never_served += !worker->slots[i].served;
	/* Requests go when they are meant to. */
	if (!worker->config->schedule && worker->config->think_ns == 0)
		result->sent_latency = result->latency;
}

static int finish(struct run *run)
{
	struct load_result *result = run->results[0];
	const struct load_config *config = run->shared.config;
	int rc = 0;

	for (int i = 1; i < run->started; i++)
		pthread_join(run->threads[i], NULL);
	for (int i = 0; i < run->shared.threads && run->workers[i]; i++) {
		if (rc == 0)
			rc = run->workers[i]->rc;
		summarise_worker(run->workers[i]);
		if (i > 0)
			load_add_result(result, run->results[i]);
	}
	result->interrupted = config->stop && atomic_load(config->stop);
	return rc;
}

int load_run(const struct load_config *config, struct load_result *result)
{
	struct run *run = calloc(1, sizeof(*run));
	struct shared *shared;
	int rc = -ENOMEM;

	memset(result, 0, sizeof(*result));
	if (!run)
		return rc;
	shared = &run->shared;
	shared->config = config;
	shared->threads = config->threads > 1 ? config->threads : 1;
	if (shared->threads > config->connections)
		shared->threads = (int)config->connections;
	if (shared->threads > LOAD_THREADS_MAX)
		shared->threads = LOAD_THREADS_MAX;
	shared->pipeline = config->pipeline > 1 ? config->pipeline : 1;
	shared->schedule_start_ns = shared->window_start_ns = INT64_MAX;
	shared->start_others = start_others;
	shared->workers = run->workers;
	shared->ramp_start_ns = clock_now_ns();
	shared->ramp_ns = config->ramp_ns;
	parts_init(&shared->parts, config->parts, config->part_count, shared->threads);
	run->results[0] = result;
	run->started = 1;
	rc = worker_new(shared, 0, result, &run->workers[0]);
	if (rc == 0) {
		worker_run(run->workers[0]);
		rc = finish(run);
	}
	for (int i = 0; i < shared->threads; i++) {
		if (run->workers[i])
			worker_free(run->workers[i]);
		if (i > 0)
			free(run->results[i]);
	}
	parts_deinit(&shared->parts);
	free(run);
	return rc;
}

/* Limits */

const char *load_refusal(const struct load_config *config, char *text, size_t size)
{
	int64_t connections = config->connections;
	int64_t needed = connections + SPARE_DESCRIPTORS;
	int64_t ports = net_local_ports();
	int64_t sources = config->source_count > 1 ? config->source_count : 1;
	bool has_ports = config->address.storage.ss_family != AF_UNIX;
	int64_t hard;

	if (net_need_descriptors(needed, &hard) != 0) {
		snprintf(text, size,
			 "%lld connections need %lld file descriptors, and the hard limit is %lld "
			 "(ulimit -Hn, or LimitNOFILE= of the service; or several processes, whose "
			 "reports --merge joins)",
			 (long long)connections, (long long)needed, (long long)hard);
		return text;
	}
	if (has_ports && (connections + sources - 1) / sources > ports) {
		snprintf(text, size,
			 "%lld connections from %lld source address%s need %lld local ports each, "
			 "and there are %lld (--source, or sysctl net.ipv4.ip_local_port_range)",
			 (long long)connections, (long long)sources, sources > 1 ? "es" : "",
			 (long long)((connections + sources - 1) / sources), (long long)ports);
		return text;
	}
	return NULL;
}
