/*
 * cwt load --target: a server that is started for the run and stopped after it, with a backend to
 * wait for; as a sweep does it, so that one run can be looked at closely.
 */
#pragma once
#include "loadgen/commands/load_prepare.h"
#include "loadgen/sweep/drive.h"

struct load_target {
	struct plan plan; /* its processors, and the generator's */
	struct run asked;
	struct measure measure;
	struct drive drive;
	char *urls[LOAD_URLS_MAX];
	int url_count;
};

/* As --target-service has them; NULL ends. */
extern const char *const load_service_names[];

/*
 * Take up the options, and give the generator the processors that are left, and a number of
 * connections, where none is asked for. Nothing is started. Returns CWT_OK, or a usage error of
 * which one line was printed.
 */
int load_target_ask(const struct option_table *table, const struct load_given *given,
		    struct load_job *job);

/*
 * Start it; the generator's processors are bound. The paths, "/" if there is none, become URLs of
 * it in job->target. Returns CWT_OK, or a status with a line on stderr.
 */
int load_target_start(const struct option_table *table, struct load_job *job, char **paths,
		      int count);

/* Stop it, say so if it did not end as it should, and release what is here. */
void load_target_stop(struct load_job *job);

/* It as a line of the report; a new object, or null if there is none. */
void load_target_print(const struct load_job *job);
json_t *load_target_json(const struct load_job *job);
