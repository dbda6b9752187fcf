#include "loadgen/engine/validity.h"
#include "common/units.h"
#include "loadgen/engine/validity_unstable.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const validity_names[VALIDITIES] = { "valid",          "errors",   "client-limited",
						 "server-limited", "unstable", "merge" };

enum { LAG_REQUESTS_LEAST = 1000 };

#define BUSY_MOST          0.85
#define WANTED_MOST        0.90
#define STOLEN_MOST        0.05
#define LAG_LEAST_NS       1e6
#define LAG_SHARE_MOST     0.5
#define BACKLOG_LEAST_NS   20e6
#define BACKLOG_SHARE      0.002
#define BACKLOG_DEVIATIONS 4
#define UNFINISHED_MOST    0.001
#define CONNECTIONS_SPARE  1.25
#define LITTLE_LEAST       0.9

enum { LITTLE_REPLIES_LEAST = 10 };

void validity_add(struct validity_verdict *verdict, enum validity kind, const char *remedy,
		  const char *format, ...)
{
	struct validity_reason *reason = &verdict->reasons[verdict->count];
	va_list arguments;

	if (verdict->count == VALIDITY_REASONS_MAX)
		return;
	reason->kind = kind;
	snprintf(reason->remedy, sizeof(reason->remedy), "%s", remedy);
	va_start(arguments, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is; the analyzer loses it. */
	vsnprintf(reason->figure, sizeof(reason->figure), format, arguments);
	va_end(arguments);
	verdict->count++;
}

static const char *remedy_of_error(const char *kind)
{
	static const struct {
		const char *kind;
		const char *remedy;
	} table[] = {
		{ "refused", "see that the server still listens" },
		{ "idle_lost", "see why the server closes idle connections, or raise its "
			       "keep-alive timeout" },
		{ "connect", "see that the server listens and accepts so many; then try fewer "
			     "--connections" },
		{ "timeout", "lower the load (--connections, --rate), or raise --timeout if the "
			     "server may take longer" },
		{ "status", "see in the server's log why it refuses, and that the URL is right" },
		{ "changed", "leave --same-reply out if replies may differ" },
	};

	for (size_t i = 0; kind && i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(kind, table[i].kind) == 0)
			return table[i].remedy;
	return "see the server's log; --fail-on says which errors may happen";
}

static void judge_errors(const struct validity_facts *facts, struct validity_verdict *verdict)
{
	unsigned long long errors = facts->errors;
	unsigned long long worst = facts->worst_count;

	if (facts->target_died)
		validity_add(verdict, INVALID_ERRORS, "see in the server's log why it ended",
			     "the target died: for 3 s it refused every connection");
	if (errors == 0)
		return;
	if (facts->worst_error)
		validity_add(verdict, INVALID_ERRORS, remedy_of_error(facts->worst_error),
			     "%llu requests failed beside %llu good ones, %llu of them with '%s'",
			     errors, (unsigned long long)facts->requests, worst,
			     facts->worst_error);
	else
		validity_add(verdict, INVALID_ERRORS, remedy_of_error(NULL),
			     "%llu requests failed beside %llu good ones", errors,
			     (unsigned long long)facts->requests);
}

/* Closed loop: by Little's law, where it was not measured. */
static double mean_latency_ns(const struct validity_facts *facts)
{
	if (facts->mean_sent_latency_ns > 0 || facts->open_loop || facts->requests == 0)
		return facts->mean_sent_latency_ns;
	return (double)facts->window_ns * (double)facts->connections * facts->pipeline /
	       (double)facts->requests;
}

static void judge_lag(const struct validity_facts *facts, double lag_ns, uint64_t samples,
		      const char *what, struct validity_verdict *verdict)
{
	double mean_ns = mean_latency_ns(facts);
	char lag[UNITS_TEXT_MAX];
	char mean[UNITS_TEXT_MAX];

	if (samples < LAG_REQUESTS_LEAST || lag_ns <= LAG_LEAST_NS ||
	    lag_ns <= LAG_SHARE_MOST * mean_ns)
		return;
	validity_add(verdict, INVALID_CLIENT,
		     "keep other programs off the generator's processors (--cpus), or spread it "
		     "over more of them with --threads",
		     "one in a hundred %s by %s or more, and the mean latency is %s", what,
		     units_format_duration(lag, lag_ns), units_format_duration(mean, mean_ns));
}

static void judge_client(const struct validity_facts *facts, struct validity_verdict *verdict)
{
	if (facts->busy > BUSY_MOST)
		validity_add(verdict, INVALID_CLIENT,
			     "give it more processors with --threads and --cpus, or ask for less "
			     "load",
			     "the generator's busiest thread used %.0f %% of a processor",
			     100 * facts->busy);
	else if (facts->busy + facts->waiting > WANTED_MOST)
		validity_add(verdict, INVALID_CLIENT,
			     "keep the server and other programs off its processors: choose free "
			     "ones with --cpus",
			     "the generator's busiest thread worked for %.0f %% of the time, and "
			     "for %.0f %% waited while something else ran on its processor",
			     100 * facts->busy, 100 * facts->waiting);
	if (facts->stolen > STOLEN_MOST)
		validity_add(
			verdict, INVALID_CLIENT,
			"repeat the run at another time, or use a machine whose processors are "
			"not shared",
			"other virtual machines took %.1f %% of the generator's processors",
			100 * facts->stolen);
	judge_lag(facts, (double)facts->lag_p99_ns, facts->requests,
		  "replies was taken up late by the generator,", verdict);
	if (facts->open_loop)
		judge_lag(facts, (double)facts->start_lag_p99_ns, facts->scheduled,
			  "requests was sent late by the generator,", verdict);
}

/* The rest of the schedule's lateness than what random arrivals and services bring by themselves.
 */
static bool is_overloaded(const struct validity_facts *facts)
{
	double window_ns = (double)facts->window_ns;
	double least_ns = fmax(BACKLOG_LEAST_NS, BACKLOG_SHARE * window_ns);
	double deviation_ns = facts->rate > 0 ? sqrt(window_ns / facts->rate * 1e9) : 0;
	double end_ns = (double)facts->backlog_end_ns;

	if ((double)facts->backlog_left_ns < end_ns / 2)
		return false;
	return (double)facts->backlog_least_ns > least_ns ||
	       end_ns > fmax(least_ns, BACKLOG_DEVIATIONS * deviation_ns);
}

/*
 * With all connections busy, Little's law cannot tell a slow server from too few connections: the
 * latency of either fills them. More connections can.
 */
static void advise_rate(const struct validity_facts *facts, char remedy[VALIDITY_REMEDY_MAX])
{
	double capacity = (double)facts->connections * facts->pipeline;
	double needed = facts->rate * facts->mean_sent_latency_ns / 1e9;

	if (needed > capacity)
		snprintf(
			remedy, VALIDITY_REMEDY_MAX,
			"raise --connections to at least %.0f, as all %lld were busy; if the "
			"latency rises with them, the server is slower than the rate: lower --rate",
			ceil(CONNECTIONS_SPARE * needed / facts->pipeline),
			(long long)facts->connections);
	else
		snprintf(
			remedy, VALIDITY_REMEDY_MAX,
			"the server is slower than the rate: lower --rate, or give the server more "
			"processors or threads");
}

/* Closed loop: whoever waits for a reply that does not come is in no latency. */
static void judge_little(const struct validity_facts *facts, struct validity_verdict *verdict)
{
	double slots = (double)facts->connections * facts->pipeline;

	if (facts->accounted <= 0 || facts->accounted >= LITTLE_LEAST || facts->errors > 0 ||
	    (double)facts->requests < LITTLE_REPLIES_LEAST * slots)
		return;
	validity_add(verdict, INVALID_SERVER,
		     "see why the server leaves connections without a reply (it may hold fewer "
		     "at a time); --timeout makes errors of them",
		     "replies account for %.0f %% of the time of the %lld connections: the rest "
		     "waited for replies that did not come",
		     100 * facts->accounted, (long long)facts->connections);
}

static void judge_server(const struct validity_facts *facts, struct validity_verdict *verdict)
{
	char remedy[VALIDITY_REMEDY_MAX];
	char end[UNITS_TEXT_MAX];
	char left[UNITS_TEXT_MAX];

	advise_rate(facts, remedy);
	if (facts->open_loop && is_overloaded(facts))
		validity_add(
			verdict, INVALID_SERVER, remedy,
			"sending was %s behind the schedule of %.6g/s at the window's end, and "
			"still %s after it",
			units_format_duration(end, (double)facts->backlog_end_ns), facts->rate,
			units_format_duration(left, (double)facts->backlog_left_ns));
	if (facts->open_loop && facts->unfinished > 1 &&
	    (double)facts->unfinished > UNFINISHED_MOST * (double)facts->scheduled)
		validity_add(verdict, INVALID_SERVER, remedy,
			     "%llu of %llu requests had no answer when the run ended",
			     (unsigned long long)facts->unfinished,
			     (unsigned long long)facts->scheduled);
	judge_little(facts, verdict);
	if (facts->requests == 0 && facts->errors == 0 && verdict->count == 0)
		validity_add(verdict, INVALID_SERVER,
			     "raise --duration to several times what a reply takes",
			     "no reply came in the window");
}

void validity_judge(const struct validity_facts *facts, struct validity_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	judge_errors(facts, verdict);
	judge_client(facts, verdict);
	judge_server(facts, verdict);
	validity_judge_unstable(facts, verdict);
	verdict->verdict = verdict->count > 0 ? verdict->reasons[0].kind : VALID;
}
