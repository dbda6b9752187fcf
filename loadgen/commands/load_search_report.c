/*
 * What a search of `cwt load` has found, for people or for scripts. What is not known is null in
 * JSON, and never a number that stands for it.
 */
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/load_report.h"
#include "loadgen/commands/load_search.h"
#include "loadgen/stats/interval.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 512 };

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* A bound that is not known is 0 or INFINITY. */
static json_t *bound(double value)
{
	return value > 0 ? number(value) : json_null();
}

static json_t *probes_json(const struct search_run *search)
{
	json_t *probes = json_array();

	for (int i = 0; i < search->count; i++) {
		const struct search_run_probe *r = &search->records[i];
		json_t *one = json_pack("{s:o, s:o, s:o, s:s}", "at", number(r->at),
					"throughput_rps", number(r->probe.throughput), "latency_ns",
					number(r->probe.latency_ns), "verdict",
					validity_names[r->probe.verdict]);

		if (search->job->search == SEARCH_SLO)
			json_object_set_new(
				one, "met",
				json_boolean(search_meets(&search->job->slo, &r->probe)));
		json_array_append_new(probes, one);
	}
	return probes;
}

static bool is_interrupted(const struct search_run *search)
{
	return search->end == SEARCH_STOPPED;
}

static const char *verdict_of(const struct search_probe *probe)
{
	return probe->verdict == VALID ? "" : validity_names[probe->verdict];
}

/* The condition that is searched for, as it was given: fail_on.h has it the other way round. */
static void format_slo(char text[FAIL_ON_TEXT_MAX], const struct slo *slo)
{
	struct fail_condition condition = { .on_latency = true, .slo = *slo };
	char *above;

	fail_on_format(text, &condition);
	above = strchr(text, '>');
	if (above)
		*above = '<';
}

/* Rates */

static int rate_status(const struct search_run *search, const struct search_rate *answer)
{
	if (is_interrupted(search))
		return CWT_INTERRUPTED;
	if (answer->is_client_limited)
		return CWT_INVALID;
	if (search->end == SEARCH_SCATTERS)
		return CWT_INCONCLUSIVE;
	if (answer->low > 0)
		return isfinite(answer->high) ? CWT_OK : CWT_INCONCLUSIVE;
	return isfinite(answer->high) ? CWT_BROKEN : CWT_INCONCLUSIVE;
}

static void print_rate_interval(const struct search_rate *answer, const char *slo)
{
	if (answer->low > 0 && isfinite(answer->high))
		printf("  %s holds up to %.6g requests/s; at %.6g it does not\n", slo, answer->low,
		       answer->high);
	else if (answer->low > 0)
		printf("  %s holds at %.6g requests/s; of more, nothing is known\n", slo,
		       answer->low);
	else if (isfinite(answer->high))
		printf("  %s does not hold at %.6g requests/s, nor at any rate that was tried\n",
		       slo, answer->high);
	else
		printf("  nothing is known of %s\n", slo);
}

/* A line for the probes in a row that had the same rate. Returns how many there were. */
static int print_same_rate(const struct search_run *search, int first)
{
	const struct search_run_probe *records = &search->records[first];
	double latency_ns[SEARCH_PROBES_MAX];
	enum validity worst = VALID;
	char latency[UNITS_TEXT_MAX];
	int met = 0;
	int count = 0;

	while (first + count < search->count && records[count].at == records[0].at) {
		const struct search_probe *probe = &records[count].probe;

		latency_ns[count++] = probe->latency_ns;
		met += search_meets(&search->job->slo, probe);
		if (probe->verdict != VALID && (worst == VALID || probe->verdict < worst))
			worst = probe->verdict;
	}
	printf("  %10.6g requests/s  %2d of %2d meet it, median %-9s %s\n", records[0].at, met,
	       count, units_format_duration(latency, median_of(latency_ns, (size_t)count)),
	       worst == VALID ? "" : validity_names[worst]);
	return count;
}

static void print_rate(const struct search_run *search, const struct search_rate *answer,
		       const char *slo, const char *client)
{
	const struct load_job *job = search->job;
	const struct search_run_probe *last = &search->records[search->count - 1];
	char latency[UNITS_TEXT_MAX];

	printf("%s: %lld connections, open loop, %s arrivals; closed loop: %.6g requests/s\n",
	       job->url, (long long)job->config.connections, load_arrival_names[job->schedule.kind],
	       search->closed_rps);
	for (int i = 0; i < search->count;)
		i += print_same_rate(search, i);
	print_rate_interval(answer, slo);
	printf("  %d probes, the last at %.6g requests/s: %s\n", search->count, last->at,
	       units_format_duration(latency, last->probe.latency_ns));
	if (answer->is_client_limited)
		printf("  the generator was the limit above that: %s\n", client);
	if (is_interrupted(search))
		printf("  interrupted: the interval is not as narrow as it could be\n");
	if (search->end == SEARCH_SCATTERS)
		printf("  the figures scatter too much for a narrower interval (--duration)\n");
}

int load_search_report_rate(const struct search_run *search, const struct search_rate *answer)
{
	const struct load_job *job = search->job;
	char slo[FAIL_ON_TEXT_MAX];
	char client[SENTENCE_MAX];

	format_slo(slo, &job->slo);
	snprintf(client, sizeof(client), "%s; %s", search->client.figure, search->client.remedy);
	if (job->json)
		command_print_json(json_pack(
			"{s:s, s:s, s:s, s:I, s:s, s:o, s:o, s:[o, o], s:b, s:o, s:b, s:o}", "url",
			job->url, "search", "slo", "slo", slo, "connections",
			(json_int_t)job->config.connections, "arrivals",
			load_arrival_names[job->schedule.kind], "closed_loop_rps",
			number(search->closed_rps), "rate_rps", bound(answer->low), "interval",
			bound(answer->low), bound(answer->high), "client_limited",
			answer->is_client_limited, "reason",
			answer->is_client_limited ? json_string(client) : json_null(),
			"interrupted", is_interrupted(search), "probes", probes_json(search)));
	else
		print_rate(search, answer, slo, client);
	return rate_status(search, answer);
}

/* Connections */

static json_t *points_json(const struct search_connections *answer)
{
	json_t *array = json_array();

	for (int i = 0; i < answer->count; i++) {
		const struct search_point *point = &answer->points[i];

		json_array_append_new(array, json_pack("{s:I, s:o, s:o, s:b}", "connections",
						       (json_int_t)point->connections,
						       "throughput_rps", number(point->throughput),
						       "half_interval_rps", number(point->half),
						       "client_limited", point->is_client_limited));
	}
	return array;
}

/* Why it has ended without an answer, or why that is not the server's; empty if it is. */
static int judge_connections(const struct search_run *search,
			     const struct search_connections *answer, char why[SENTENCE_MAX])
{
	const struct search_run_probe *last = &search->records[search->count - 1];
	const struct validity_reason *reason = search->job->verdict.reasons;

	*why = '\0';
	switch (search->end) {
	case SEARCH_STOPPED:
		snprintf(why, SENTENCE_MAX, "interrupted: nothing is known beyond that");
		return CWT_INTERRUPTED;
	case SEARCH_ERRORS:
		if (last->probe.verdict == INVALID_ERRORS)
			snprintf(why, SENTENCE_MAX, "ended at %.0f connections: %s; %s", last->at,
				 reason->figure, reason->remedy);
		else
			snprintf(
				why, SENTENCE_MAX,
				"ended at %.0f connections: not all of them got a reply (--fail-on "
				"errors says why)",
				last->at);
		return CWT_INVALID;
	case SEARCH_SILENT:
		snprintf(why, SENTENCE_MAX,
			 "ended at %.0f connections: no reply came in the window (--duration)",
			 last->at);
		return CWT_INVALID;
	case SEARCH_SCATTERS:
		snprintf(why, SENTENCE_MAX, "ended after %d probes (--duration)", search->count);
		return CWT_INCONCLUSIVE;
	default:
		break;
	}
	if (answer->is_client_limited) {
		snprintf(why, SENTENCE_MAX, "the generator was the limit there: %s; %s",
			 search->client.figure, search->client.remedy);
		return CWT_INVALID;
	}
	return answer->is_saturated ? CWT_OK : CWT_INCONCLUSIVE;
}

static void print_knee(const struct search_connections *answer)
{
	const struct search_point *last = &answer->points[answer->count - 1];
	double reached = 0;

	if (!answer->is_saturated) {
		printf(answer->flat == 0
			       ? "  not saturated: throughput still grows at %lld connections "
				 "(--connections)\n"
			       : "  perhaps saturated: the last step up, to %lld connections, "
				 "brought "
				 "nothing, and one alone may be chance (--connections)\n",
		       (long long)last->connections);
		return;
	}
	for (int i = 0; i < answer->count; i++)
		if (answer->points[i].connections == answer->connections)
			reached = answer->points[i].throughput;
	printf("  saturated: %lld connections reach %.0f %% of %.6g requests/s\n",
	       (long long)answer->connections, 100 * reached / answer->most, answer->most);
	printf("  %.0f %% of it take more than %lld connections, and %lld at the most\n",
	       100 * SEARCH_PLATEAU, (long long)answer->low, (long long)answer->high);
}

static void print_connections(const struct search_run *search,
			      const struct search_connections *answer, const char *why)
{
	const struct search_run_probe *last = &search->records[search->count - 1];

	printf("%s: closed loop\n", search->job->url);
	for (int i = 0; i < answer->count; i++)
		printf("  %6lld connections  %10.6g +- %.3g requests/s%s\n",
		       (long long)answer->points[i].connections, answer->points[i].throughput,
		       answer->points[i].half,
		       answer->points[i].is_client_limited ? "  client-limited" : "");
	if (answer->count > 0 && search->end == SEARCH_DONE)
		print_knee(answer);
	printf("  %d probes, the last at %.0f connections: %.6g requests/s %s\n", search->count,
	       last->at, last->probe.throughput, verdict_of(&last->probe));
	if (*why)
		printf("  %s\n", why);
}

int load_search_report_connections(const struct search_run *search,
				   const struct search_connections *answer)
{
	const struct load_job *job = search->job;
	char why[SENTENCE_MAX];
	bool is_known = answer->count > 0;
	double throughput = NAN;
	int status = judge_connections(search, answer, why);

	for (int i = 0; i < answer->count; i++)
		if (answer->points[i].connections == answer->connections)
			throughput = answer->points[i].throughput;
	if (!job->json) {
		print_connections(search, answer, why);
		return status;
	}
	command_print_json(json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:[o, o], s:b, s:b, s:o, s:b, s:o, s:o}", "url",
		job->url, "search", "saturation", "connections",
		is_known ? json_integer(answer->connections) : json_null(), "throughput_rps",
		number(throughput), "most_rps", is_known ? number(answer->most) : json_null(),
		"interval", answer->low > 0 ? json_integer(answer->low) : json_null(),
		answer->high > 0 ? json_integer(answer->high) : json_null(), "saturated",
		answer->is_saturated, "client_limited", answer->is_client_limited, "reason",
		*why ? json_string(why) : json_null(), "interrupted", is_interrupted(search),
		"points", points_json(answer), "probes", probes_json(search)));
	return status;
}
