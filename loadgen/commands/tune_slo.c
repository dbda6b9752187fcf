/*
 * The goal of `cwt tune --slo`: a bound on the latency, under requests that come whether or not
 * there is a thread for them (open loop, Poisson). With --rate, the least t that meets it at that
 * rate; without, for some t around the plateau's, the highest rate that does.
 *
 * There are as many connections as threads, or as --connections says: what finds none of them free
 * waits in the generator, and its latency counts from when it was meant to go. So a server's thread
 * limit is where requests queue, as in life.
 */
#include "common/clock.h"
#include "common/options.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/tune.h"
#include "loadgen/engine/search.h"
#include "loadgen/engine/validity.h"
#include "loadgen/model/audit.h"
#include "loadgen/sweep/metering.h"
#include "loadgen/target/machine.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TAIL_REQUESTS = 20, /* so many are to lie above the percentile in a probe */
	TRIES = 3,          /* of a t at the given rate: the majority decides */
	WARM_UP_NS = 500 * NS_PER_MS,
	LESS_MOST = 6,       /* steps down from the least t that was looked at */
	DISTURBED_TRIES = 3, /* of a probe, until nothing else is at work beside it */
};

#define PROBE_MOST_S 60
#define FIRST_TRY    0.7 /* of the closed loop's throughput: where a search begins */

struct prober {
	struct tune_session *session;
	struct metering metering; /* of the server at the t that is looked at */
	struct schedule_plan schedule;
	struct load_result *result;
	int64_t t;
	int status;
};

static bool is_out_of_time(struct tune_session *session)
{
	struct tune *tune = session->tune;

	tune->out_of_time = clock_now_ns() - session->began_ns > tune->budget_ns;
	return tune->out_of_time;
}

/* The server is stopped. Returns 0, or CWT_INVALID with the failure, if it was gone already. */
static int end(struct prober *prober)
{
	struct tune *tune = prober->session->tune;

	drive_stop(&prober->metering.drive);
	if (!prober->metering.drive.died)
		return 0;
	snprintf(tune->failure, sizeof(tune->failure), "t = %lld: %.480s", (long long)prober->t,
		 prober->metering.drive.ended);
	return CWT_INVALID;
}

/* A percentile is not known by fewer requests than lie above it; no longer than a minute. */
static int64_t window_of(const struct tune *tune, double rate)
{
	double quantile = tune->slo.quantile;
	double tail = quantile > 0 && quantile < 1 ? TAIL_REQUESTS / (1 - quantile) / rate : 0;

	return (int64_t)fmax((double)tune->window_ns, fmin(tail, PROBE_MOST_S) * NS_PER_S);
}

static enum validity judge(const struct prober *prober, int64_t window_ns, double rate,
			   double stolen_share)
{
	const struct load_result *result = prober->result;
	struct validity_facts facts = {
		.open_loop = true,
		.rate = rate,
		.window_ns = window_ns,
		.connections = prober->metering.drive.asked->connections,
		.pipeline = 1,
		.requests = result->requests,
		.errors = result->error_count,
		.worst_error = result->error_count > 0 ? "any" : NULL,
		.worst_count = result->error_count,
		.scheduled = result->scheduled,
		.unfinished = result->unfinished,
		.backlog_end_ns = result->backlog_end_ns,
		.backlog_left_ns = result->backlog_left_ns,
		.backlog_least_ns = result->backlog_least_ns,
		.start_lag_p99_ns = histogram_quantile(&result->start_lag, 0.99),
		.mean_sent_latency_ns = histogram_mean(&result->sent_latency),
		.busy = result->busy,
		.waiting = result->waiting,
		.stolen = stolen_share,
		.lag_p99_ns = histogram_quantile(&result->lag, 0.99),
		.target_died = result->target_died,
	};
	struct validity_verdict verdict;

	validity_judge(&facts, &verdict);
	return verdict.verdict;
}

/*
 * Run once at a rate; *stolen is what the hypervisor took of the generator's processors. Returns 0,
 * or -1 with prober->status set.
 */
static int probe_once(struct prober *prober, double rate, int64_t window_ns, struct run *run,
		      double *stolen)
{
	struct tune_session *session = prober->session;
	struct tune *tune = session->tune;
	struct load_config config = {
		.connections = run->connections,
		.schedule = &prober->schedule,
		.ramp_ns = drive_quick_ramp_ns(run->connections),
		.warmup_ns = WARM_UP_NS + 2 * (int64_t)tune->alone.mean_ns,
		.window_ns = window_ns,
	};
	struct machine_counters before;
	struct machine_counters after;
	int rc;

	snprintf(session->now, sizeof(session->now), "t = %lld at %.6g requests/s",
		 (long long)prober->t, rate);
	prober->schedule.rate = rate;
	prober->schedule.seed++;
	machine_count(&tune->plan.load_cpus, &before);
	rc = metering_run(&prober->metering, &config, run, prober->result);
	machine_count(&tune->plan.load_cpus, &after);
	*stolen = machine_stolen(&before, &after, &tune->plan.load_cpus);
	if (rc == 0) {
		tune->slo_probes++;
		return 0;
	}
	prober->status = rc == -EINTR ? -EINTR : CWT_INVALID;
	if (rc != -EINTR)
		snprintf(tune->failure, sizeof(tune->failure), "t = %lld: %s", (long long)prober->t,
			 strerror(-rc));
	return -1;
}

/*
 * The same until nothing else is at work beside it. Returns 0, or -1 with prober->status or
 * tune->disturbed set.
 */
static int probe_rate(struct prober *prober, double rate, int64_t window_ns,
		      struct search_probe *probe)
{
	struct tune *tune = prober->session->tune;

	for (int i = 0; i < DISTURBED_TRIES; i++) {
		struct run run = *prober->metering.drive.asked;
		double stolen;

		if (probe_once(prober, rate, window_ns, &run, &stolen) != 0)
			return -1;
		if (!tune_is_good(tune, &run, 1U << AUDIT_MACHINE))
			continue;
		*probe = (struct search_probe){
			.throughput = prober->result->throughput,
			.latency_ns = slo_value_ns(&tune->slo, &prober->result->latency),
			.verdict = judge(prober, window_ns, rate, stolen),
		};
		return 0;
	}
	tune->disturbed = true;
	return -1;
}

static int begin(struct prober *prober, struct run *asked, int64_t t)
{
	struct tune *tune = prober->session->tune;
	int rc;

	*asked = tune->asked;
	asked->threads = t;
	asked->connections = tune->connections > 0 ? tune->connections : t;
	prober->t = t;
	prober->metering = (struct metering){
		.drive = { .measure = &prober->session->measure, .asked = asked },
	};
	rc = drive_start(&prober->metering.drive);
	if (rc == 0 || rc == -EINTR)
		return rc;
	snprintf(tune->failure, sizeof(tune->failure), "t = %lld: %.480s", (long long)t,
		 prober->session->measure.why);
	return CWT_INVALID;
}

/* The highest rate at a t */

static int ask(void *context, const struct search_ask *ask, struct search_probe *probe)
{
	struct prober *prober = context;
	int64_t window_ns = window_of(prober->session->tune, ask->at);

	if (is_out_of_time(prober->session))
		return -1;
	return probe_rate(prober, ask->at, window_ns > ask->window_ns ? window_ns : ask->window_ns,
			  probe);
}

static int search_at(struct prober *prober, int64_t t)
{
	struct tune *tune = prober->session->tune;
	struct tune_slo_point *point = &tune->slo_points[tune->slo_count];
	struct search search = { ask, prober, tune->window_ns };
	struct search_rate answer;
	enum search_end how;
	struct run asked;
	int rc = begin(prober, &asked, t);

	if (rc != 0)
		return rc;
	how = search_rate(&search, &tune->slo, FIRST_TRY * curve_value(&tune->curve, (double)t),
			  &answer);
	rc = end(prober);
	if (prober->status != 0 || rc != 0)
		return prober->status != 0 ? prober->status : rc;
	if (answer.probes > 0)
		tune->slo_count++;
	*point = (struct tune_slo_point){ .t = t,
					  .low = answer.low,
					  .high = answer.high,
					  .is_client_limited = answer.is_client_limited,
					  .done = how == SEARCH_DONE };
	return 0;
}

/* Around the plateau's t, then further down as long as the least one that was looked at will do. */
static int search_rates(struct prober *prober, const struct curve_answer *plateau)
{
	static const double steps[] = { 1, 0.7, 1.4, 2 };
	enum { STEPS = sizeof(steps) / sizeof(steps[0]) };
	struct tune *tune = prober->session->tune;
	struct tune_slo_answer answer;
	double t;
	int rc = 0;

	for (int i = 0; i < STEPS + LESS_MOST && rc == 0; i++) {
		int64_t whole;

		if (i < STEPS) {
			t = plateau->crossing * steps[i];
		} else {
			tune_slo_conclude(tune, &answer);
			if (answer.t == 0 || answer.known)
				break;
			t = steps[1] * (double)answer.t;
		}
		whole = (int64_t)fmin(fmax(floor(t), (double)tune->next.least),
				      (double)tune->next.most);
		if (tune_slo_find(tune, whole))
			continue;
		if (is_out_of_time(prober->session) || tune->disturbed)
			break;
		rc = search_at(prober, whole);
	}
	return rc;
}

/* The least t at a rate */

/* How often t meets it, of the tries. Returns 0, -EINTR or an exit status. */
static int try_t(struct prober *prober, int64_t t)
{
	struct tune *tune = prober->session->tune;
	struct tune_slo_point *point = &tune->slo_points[tune->slo_count];
	struct run asked;
	int rc = begin(prober, &asked, t);

	if (rc != 0)
		return rc;
	*point = (struct tune_slo_point){ .t = t };
	for (int i = 0;
	     i < TRIES && rc == 0 && 2 * point->meets <= TRIES && 2 * point->misses <= TRIES; i++) {
		struct search_probe probe;

		if (is_out_of_time(prober->session))
			break;
		if (probe_rate(prober, tune->rate, window_of(tune, tune->rate), &probe) != 0) {
			rc = prober->status;
			break;
		}
		if (probe.verdict == INVALID_CLIENT) {
			point->is_client_limited = true;
		} else if (search_meets(&tune->slo, &probe)) {
			point->meets++;
		} else {
			point->misses++;
		}
	}
	point->done = 2 * point->meets > TRIES || 2 * point->misses > TRIES;
	tune->slo_count++;
	if (rc == 0)
		return end(prober);
	end(prober);
	return rc;
}

/* Doubling from where the plateau begins until it is met, then halving what is between. */
static int search_threads(struct prober *prober, const struct curve_answer *plateau)
{
	struct tune *tune = prober->session->tune;
	int64_t low = tune->next.least - 1; /* does not */
	int64_t high = 0;                   /* does */
	int64_t t = (int64_t)fmin(fmax(round(plateau->crossing), (double)tune->next.least),
				  (double)tune->next.most);
	int rc = 0;

	while (t > low && tune->slo_count < TUNE_SLO_MAX && !is_out_of_time(prober->session)) {
		const struct tune_slo_point *point = &tune->slo_points[tune->slo_count];

		rc = try_t(prober, t);
		if (rc != 0 || !point->done)
			break;
		if (point->meets > point->misses)
			high = t;
		else
			low = t;
		if (high == 0)
			t = low < tune->next.most
				    ? (2 * low < tune->next.most ? 2 * low : tune->next.most)
				    : low;
		else
			t = low + 1 < high ? (low + high) / 2 : low;
	}
	return rc;
}

int tune_slo_measure(struct tune_session *session)
{
	struct tune *tune = session->tune;
	struct prober prober = {
		.session = session,
		.schedule = { .kind = SCHEDULE_POISSON, .seed = (uint64_t)tune->seed },
		.result = malloc(sizeof(*prober.result)),
	};
	struct curve_answer plateau;
	int rc;

	if (!prober.result)
		return options_fail(tune_program, "out of memory");
	tune->out_of_time = false;
	if (tune->disturbed || !tune_slo_is_possible(tune)) {
		free(prober.result);
		return 0;
	}
	rc = curve_answer(&tune->curve, tune->next.share, (uint64_t)tune->seed, &plateau);
	if (rc == 0)
		rc = tune->rate > 0 ? search_threads(&prober, &plateau)
				    : search_rates(&prober, &plateau);
	else
		rc = 0; /* nothing was valid, as will be said */
	free(prober.result);
	return rc;
}

/* What it comes to */

bool tune_slo_is_possible(const struct tune *tune)
{
	const struct run *alone = &tune->alone;
	double least_ns = 0;

	if (tune->slo.quantile < 0)
		least_ns = alone->mean_ns;
	else if (tune->slo.quantile >= 0.5)
		least_ns = (double)alone->p50_ns;
	return (double)tune->slo.bound_ns > least_ns;
}

const struct tune_slo_point *tune_slo_find(const struct tune *tune, int64_t t)
{
	for (size_t i = 0; i < tune->slo_count; i++)
		if (tune->slo_points[i].t == t)
			return &tune->slo_points[i];
	return NULL;
}

/*
 * The least t that meets it, from where it was not missed by all to where it was by none. Returns
 * false if none does.
 */
static bool conclude_threads(const struct tune *tune, struct tune_slo_answer *answer)
{
	const struct tune_slo_point *below;

	for (size_t i = 0; i < tune->slo_count; i++) {
		const struct tune_slo_point *point = &tune->slo_points[i];

		if (point->meets > point->misses && (answer->t == 0 || point->t < answer->t))
			answer->t = point->t;
		if (point->meets > 0 && (answer->low == 0 || (double)point->t < answer->low))
			answer->low = (double)point->t;
		if (point->meets > 0 && point->misses == 0 &&
		    (answer->high == 0 || (double)point->t < answer->high))
			answer->high = (double)point->t;
	}
	below = tune_slo_find(tune, answer->t - 1);
	answer->known = answer->t == tune->next.least ||
			(below && below->done && below->misses > below->meets);
	answer->rate = tune->rate;
	answer->low = fmin(answer->low, (double)answer->t);
	answer->high = fmax(answer->high, (double)answer->t);
	return answer->t > 0;
}

/* The least t whose rate comes near to the highest one; and which could, by their intervals. */
static bool conclude_rates(const struct tune *tune, struct tune_slo_answer *answer)
{
	double best_low = 0;
	double best_high = 0;
	bool all_done = true;
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < tune->slo_count; i++) {
		all_done &= tune->slo_points[i].done;
		if (tune->slo_points[i].t < least)
			least = tune->slo_points[i].t;
		best_low = fmax(best_low, tune->slo_points[i].low);
		if (isfinite(tune->slo_points[i].high))
			best_high = fmax(best_high, tune->slo_points[i].high);
	}
	best_high = fmax(best_high, best_low);
	for (size_t i = 0; best_low > 0 && i < tune->slo_count; i++) {
		const struct tune_slo_point *point = &tune->slo_points[i];
		double share = tune->next.share;

		if (point->low >= share * best_low && (answer->t == 0 || point->t < answer->t)) {
			answer->t = point->t;
			answer->rate = point->low;
		}
		if (point->high >= share * best_low &&
		    (answer->low == 0 || (double)point->t < answer->low))
			answer->low = (double)point->t;
		if (point->low >= share * best_high &&
		    (answer->high == 0 || (double)point->t < answer->high))
			answer->high = (double)point->t;
	}
	answer->known = all_done && (answer->t > least || answer->t == tune->next.least);
	answer->low = fmin(answer->low, (double)answer->t);
	answer->high = fmax(answer->high, (double)answer->t);
	return answer->t > 0;
}

bool tune_slo_conclude(const struct tune *tune, struct tune_slo_answer *answer)
{
	*answer = (struct tune_slo_answer){ 0 };
	return tune->rate > 0 ? conclude_threads(tune, answer) : conclude_rates(tune, answer);
}
