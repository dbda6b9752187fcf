#include "loadgen/commands/load_prepare.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_checks.h"
#include "loadgen/engine/body.h"
#include "loadgen/engine/trace.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PARTS_LEAST = 10,
	PART_SHORTEST_NS = 10 * NS_PER_MS,
	PARTS_MAX = 100000,
	CPUS_TEXT_MAX = 256,
	WHY_MAX = 512,
};

int load_prepare_urls(const struct option_table *table, struct load_job *job, char **urls,
		      int count)
{
	int stray;

	if (count == 0)
		return options_complain(table, "which URL?");
	if (count > LOAD_URLS_MAX)
		return options_complain(table, "%d URLs are too many: %d at the most", count,
					LOAD_URLS_MAX);
	job->url = urls[0];
	job->url_count = count;
	for (int i = 0; i < count; i++) {
		int rc = url_parse(urls[i], &job->urls[i]);

		if (rc == -EPROTONOSUPPORT)
			return options_complain(table, "%s: only http:// URLs can be driven",
						urls[i]);
		/* Then it is only a name for the request. */
		if (rc == -EADDRNOTAVAIL && load_is_given(table, "unix-socket"))
			rc = 0;
		if (rc == -EADDRNOTAVAIL)
			return options_complain(table, "%s: no such host", urls[i]);
		if (rc != 0)
			return options_complain(table, "'%s': %s", urls[i],
						load_check_url(urls[i]));
	}
	stray = url_stray(job->urls, count);
	if (stray >= 0)
		return options_complain(table,
					"%s is on another host or port than %s: all URLs of a run "
					"must be on one (drive each by a process of its own, and "
					"join their reports with --merge)",
					urls[stray], urls[0]);
	job->config.address = job->urls[0].address;
	return CWT_OK;
}

static int read_body(const struct option_table *table, const struct load_given *given,
		     struct load_job *job, int64_t *bytes)
{
	char why[WHY_MAX];

	*bytes = given->body_bytes;
	if (!given->body)
		return CWT_OK;
	if (given->body[0] != '@') {
		job->body = strdup(given->body);
		*bytes = (int64_t)strlen(given->body);
		return job->body ? CWT_OK : options_fail("cwt load", "out of memory");
	}
	if (request_body_read(given->body + 1, &job->body, bytes, why, sizeof(why)) != 0)
		return options_complain(table, "--body: %s", why);
	return CWT_OK;
}

int load_prepare_requests(const struct option_table *table, const struct load_given *given,
			  struct load_job *job)
{
	struct requests_target targets[LOAD_URLS_MAX];
	struct requests_config config = {
		.method = job->method,
		.targets = targets,
		.target_count = job->url_count,
		.host = job->urls[0].host,
		.headers = given->headers.items,
		.header_count = given->headers.count,
		.with_last = job->config.close == LOAD_CLOSE_SERVER,
	};
	char why[REQUESTS_WHY_MAX];
	int rc = read_body(table, given, job, &config.body_bytes);

	if (rc != CWT_OK)
		return rc;
	config.body = job->body;
	if (given->weights.count > 0 && given->weights.count != job->url_count)
		return options_complain(
			table, "--weight: %d given, and %d URL%s; want one for each",
			given->weights.count, job->url_count, job->url_count == 1 ? "" : "s");
	for (int i = 0; i < job->url_count; i++) {
		char *end = "";

		targets[i].target = job->urls[i].target;
		targets[i].weight = 1;
		if (given->weights.count > 0)
			targets[i].weight = strtod(given->weights.items[i], &end);
		if (*end != '\0' || !(targets[i].weight > 0) || !isfinite(targets[i].weight))
			return options_complain(table, "--weight %s: want a number above 0",
						given->weights.items[i]);
	}
	rc = requests_make(&job->requests, &config, why, sizeof(why));
	if (rc != 0)
		return options_complain(table, "%s", why);
	job->config.requests = &job->requests;
	return CWT_OK;
}

int load_prepare_schedule(const struct option_table *table, const struct load_given *given,
			  struct load_job *job)
{
	char why[WHY_MAX];

	job->schedule.seed = (uint64_t)given->seed;
	job->schedule.kind = given->arrivals == 1 ? SCHEDULE_POISSON : SCHEDULE_CONSTANT;
	job->schedule.rate = given->rate;
	if (given->trace) {
		if (trace_read(given->trace, &job->gaps_ns, &job->schedule.gap_count, why,
			       sizeof(why)) != 0)
			return options_complain(table, "--trace: %s", why);
		job->schedule.kind = SCHEDULE_TRACE;
		job->schedule.gaps_ns = job->gaps_ns;
		job->schedule.rate = trace_rate(job->gaps_ns, job->schedule.gap_count);
	}
	if (given->trace || load_is_given(table, "rate"))
		job->config.schedule = &job->schedule;
	return CWT_OK;
}

int load_prepare_sources(const struct option_table *table, const struct load_given *given,
			 struct load_job *job)
{
	int64_t ports = net_local_ports() / 2;
	int64_t count = (job->config.connections + ports - 1) / ports;

	job->config.sources = job->sources;
	for (int i = 0; i < given->sources.count; i++) {
		const char *source = given->sources.items[i];
		int rc;

		bool six = strchr(source, ':');
		char text[NET_TEXT_MAX];

		snprintf(text, sizeof(text), six ? "[%s]:0" : "%s:0", source);
		if (net_parse(text, &job->sources[i]) != 0)
			return options_complain(
				table, "--source %s: want an address of this machine", source);
		if (job->sources[i].storage.ss_family != job->config.address.storage.ss_family)
			return options_complain(table,
						"--source %s: not of the same kind (IPv4 or IPv6) "
						"as the target's address",
						source);
		rc = load_check_source(&job->sources[i]);
		if (rc != 0)
			return options_complain(table, "--source %s: %s", source,
						rc == -EADDRNOTAVAIL
							? "not an address of this machine (ip addr)"
							: strerror(-rc));
		job->config.source_count++;
	}
	if (given->sources.count > 0 || count <= 1 || !net_is_loopback(&job->config.address))
		return CWT_OK;
	if (count > LOAD_SOURCES_MAX)
		count = LOAD_SOURCES_MAX;
	for (int i = 0; i < count; i++)
		job->sources[i] = net_loopback_source((uint32_t)i);
	job->config.source_count = (uint32_t)count;
	return CWT_OK;
}

int load_prepare_parts(struct load_job *job)
{
	int64_t count = job->config.window_ns / NS_PER_S;

	if (count < PARTS_LEAST)
		count = job->config.window_ns / PART_SHORTEST_NS;
	else if (count > PARTS_MAX)
		count = PARTS_MAX;
	if (job->config.window_ns / NS_PER_S < PARTS_LEAST && count > PARTS_LEAST)
		count = PARTS_LEAST;
	if (count < 1)
		count = 1;
	job->config.part_count = (int)count;
	job->config.parts = calloc((size_t)count, sizeof(*job->config.parts));
	return job->config.parts ? CWT_OK : options_fail("cwt load", "out of memory");
}

int load_prepare_cpus(const struct option_table *table, struct load_job *job)
{
	char text[CPUS_TEXT_MAX];
	cpu_set_t all;
	cpu_set_t usable;

	if (cpus_allowed(&all) != 0)
		CPU_ZERO(&all);
	if (CPU_COUNT(&job->cpus) == 0)
		job->cpus = all;
	else if (cpus_bind(&job->cpus) != 0)
		return options_complain(table, "--cpus: none of these processors can be used here");
	/* The kernel leaves out those that are not there, and says nothing. */
	else if (cpus_allowed(&usable) == 0 && !CPU_EQUAL(&usable, &job->cpus))
		return options_complain(table,
					"--cpus: of these processors only %s can be used "
					"here",
					cpus_format(&usable, text, sizeof(text)));
	CPU_XOR(&job->other_cpus, &all, &job->cpus);
	CPU_AND(&job->other_cpus, &job->other_cpus, &all);
	job->has_other_cpus = CPU_COUNT(&job->other_cpus) > 0;
	return CWT_OK;
}
