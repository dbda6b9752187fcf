#include "loadgen/commands/load_join_parts.h"
#include "common/clock.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More CPU time is not believed, in ns: some hundred days. */
#define SUM_MOST 0x1p53

/* Settings */

static json_t *urls_of(const struct saved_report *report)
{
	return json_object_get(json_object_get(report->root, "settings"), "urls");
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static double number_of(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static json_t *find_url(const json_t *urls, const json_t *url)
{
	size_t i;
	json_t *one;

	json_array_foreach(urls, i, one)
	{
		if (strcmp(text_of(one, "host"), text_of(url, "host")) == 0 &&
		    strcmp(text_of(one, "target"), text_of(url, "target")) == 0)
			return one;
	}
	return NULL;
}

/* A URL's weight is the share of all requests that were meant for it. */
static json_t *join_urls(const struct load_joined *joined, int count)
{
	json_t *urls = json_array();
	double all = 0;

	for (int i = 0; i < count; i++)
		all += (double)joined[i].report.result.all_requests;
	for (int i = 0; i < count; i++) {
		const struct saved_report *report = &joined[i].report;
		double share = all > 0 ? (double)report->result.all_requests / all : 1.0 / count;
		double sum = 0;
		size_t k;
		json_t *url;

		json_array_foreach(urls_of(report), k, url) sum += number_of(url, "weight");
		json_array_foreach(urls_of(report), k, url)
		{
			double weight = sum > 0 ? share * number_of(url, "weight") / sum : 0;
			json_t *known = find_url(urls, url);

			if (known)
				json_object_set_new(known, "weight",
						    json_real(number_of(known, "weight") + weight));
			else
				json_array_append_new(
					urls, json_pack("{s:s, s:s, s:f}", "host",
							text_of(url, "host"), "target",
							text_of(url, "target"), "weight", weight));
		}
	}
	return urls;
}

void load_join_settings(struct load_job *job, const struct load_joined *joined, int count)
{
	const json_t *first = json_object_get(joined[0].report.root, "settings");
	json_t *settings = json_copy((json_t *)first);
	json_t *urls = join_urls(joined, count);
	int64_t threads = 0;
	const char *name;
	json_t *value;

	for (int i = 0; i < count; i++) {
		const json_t *other = json_object_get(joined[i].report.root, "settings");

		threads += joined[i].report.threads;
		json_object_foreach((json_t *)first, name,
				    value) if (!json_equal(value, json_object_get(other, name)))
			json_object_set_new(settings, name, json_null());
	}
	json_object_set_new(settings, "threads", json_integer((json_int_t)threads));
	json_object_set_new(settings, "urls", urls);
	job->url_count = (int)json_array_size(urls);
	job->merged.settings = settings;
}

/* The server */

static bool has_one_host(const struct load_joined *joined, int count)
{
	const char *host = text_of(json_array_get(urls_of(&joined[0].report), 0), "host");
	size_t k;
	json_t *url;

	for (int i = 0; i < count; i++)
		json_array_foreach(urls_of(&joined[i].report), k,
				   url) if (strcmp(text_of(url, "host"), host) != 0) return false;
	return true;
}

void load_join_server(struct load_job *job, const struct load_joined *joined, int count)
{
	const struct load_result *result = &job->result;
	struct load_metered *server = &job->server;
	const struct saved_report *metered = NULL;
	int found = 0;
	double share;

	for (int i = 0; i < count; i++) {
		if (joined[i].report.has_server)
			metered = &joined[i].report;
		found += joined[i].report.has_server;
	}
	if (found != 1 || !has_one_host(joined, count))
		return;
	server->pid = 1; /* which it was is not told: only that there was one */
	server->after = metered->server;
	server->before = metered->server;
	server->is_complete = metered->server_cpu_ns_per_request >= 0;
	/* CPU time per time is what it is; per request, it is shared by those of all. */
	share = result->throughput > 0 ? metered->result.throughput / result->throughput : 0;
	server->end_ns = llround(fmin(
		metered->server_cpu_ns_per_request * share * (double)result->requests, SUM_MOST));
	server->after.voluntary =
		llround(metered->server_voluntary * (double)metered->result.all_requests);
	server->after.involuntary =
		llround(metered->server_involuntary * (double)metered->result.all_requests);
	if (metered->server_voluntary < 0 || metered->server_involuntary < 0)
		server->after.tasks = server->before.tasks + 1;
}

/* The series */

static void add_part(struct load_part *sum, const struct load_part *more)
{
	double requests = (double)(sum->requests + more->requests);

	if (requests > 0)
		sum->mean_ns = (sum->mean_ns * (double)sum->requests +
				more->mean_ns * (double)more->requests) /
			       requests;
	sum->requests += more->requests;
	sum->errors += more->errors;
	sum->p50_ns = -1;
	sum->p99_ns = -1;
	if (more->most_ns > sum->most_ns)
		sum->most_ns = more->most_ns;
}

int load_join_series(struct load_job *job, const struct load_joined *joined, int count)
{
	const struct saved_report *first = &joined[0].report;
	struct load_config *config = &job->config;
	int64_t rows = first->part_count;

	for (int i = 1; i < count; i++) {
		const struct saved_report *report = &joined[i].report;

		if (report->part_count < rows)
			rows = report->part_count;
		if (!(fabs(report->part_s - first->part_s) <= 1e-6 * first->part_s))
			rows = 0;
	}
	config->parts = calloc((size_t)rows + 1, sizeof(*config->parts));
	if (!config->parts)
		return -ENOMEM;
	config->part_count = (int)rows;
	config->window_ns = llround(first->part_s * (double)rows * NS_PER_S);
	for (int64_t row = 0; row < rows; row++)
		for (int i = 0; i < count; i++)
			add_part(&config->parts[row], &joined[i].report.parts[row]);
	return 0;
}
