/*
 * From the options of `cwt load` to what a run needs: addresses, requests, schedule, processors.
 * All return CWT_OK, or a usage error of which one line was printed. What they make is the job's,
 * and load_job_free() releases it.
 */
#pragma once
#include "loadgen/commands/load_job.h"

/* What is parsed and not kept. */
struct load_given {
	struct option_list headers;
	struct option_list weights;
	struct option_list sources;
	const char *unix_socket;
	const char *body;
	const char *trace;
	const char *search;
	const char *fail_on;
	int64_t body_bytes;
	double rate;
	int64_t ramp_ns;
	int64_t seed;
	int64_t threads;
	int64_t pipeline;
	int arrivals;
	int think_distribution;
	int close;
	const char *target; /* of a server that is started for the run, as all that follows */
	int64_t target_threads;
	int64_t target_cpu_ns;
	int64_t target_wall_ns;
	cpu_set_t target_cpus;
	int target_service; /* an index into load_service_names */
};

int load_prepare_urls(const struct option_table *table, struct load_job *job, char **urls,
		      int count);

int load_prepare_requests(const struct option_table *table, const struct load_given *given,
			  struct load_job *job);

int load_prepare_schedule(const struct option_table *table, const struct load_given *given,
			  struct load_job *job);

/*
 * The addresses to connect from: those given; or, if the target is in 127.0.0.0/8 and half of the
 * ports of one address do not suffice, as many of that net as it takes. Half, because the kernel
 * gives the ports of one parity first; for each connection after these it looks through all of
 * them, which takes a ms of CPU.
 */
int load_prepare_sources(const struct option_table *table, const struct load_given *given,
			 struct load_job *job);

/* As many equal parts as seconds, and at least ten, unless they would be too short. */
int load_prepare_parts(struct load_job *job);

/* The generator's processors, and the others. Binds this process. */
int load_prepare_cpus(const struct option_table *table, struct load_job *job);
