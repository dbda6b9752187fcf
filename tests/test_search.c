/*
 * The searches' decisions, on servers that are a formula with noise: what they should find is known
 * there. A load is noisy as by a factor that is lognormal with median 1, so that at the answer
 * itself half of the probes hold.
 */
#include "common/random.h"
#include "loadgen/engine/search.h"
#include "tests/programs.h"
#include "tests/scripted.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TestSuite(search, .timeout = 100);

#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

enum { TRIALS = 400, PROBES_FEW = 64, WORDS_MAX = 20, URL_SIZE = 160 };

static const struct slo p99_below_20ms = { .quantile = 0.99, .bound_ns = 20 * NS_PER_MS };

/* A server, and what has been asked of it. */
struct fake {
	struct random random;
	double capacity;    /* requests per second */
	double noise;       /* deviation of the figures' logarithm */
	double stalls;      /* share of the probes whose latency is ten times as long */
	double client;      /* share of the probes at which the generator was the limit, */
	double client_from; /* and the load from which on all are; 0: none */
	double errors_from; /* likewise with errors */
	double think_s;     /* closed loop */
	int stop_after;     /* probes; 0: never */
	bool always;        /* meets any bound */
	bool never;
	int probes;
	int64_t window_ns; /* of the last one */
	double most;
};

static double normal(struct random *random)
{
	return sqrt(2 * random_exponential(random)) * cos(2 * M_PI * random_uniform(random));
}

/* The sojourn time in an M/M/1 queue is exponential with the rate that is left. */
static double p99_ns(const struct fake *fake, double rate)
{
	if (rate >= fake->capacity)
		return 30e9;
	return fmin(log(100) / (fake->capacity - rate) * NS_PER_S, 30e9);
}

static double rate_that_holds(const struct fake *fake, const struct slo *slo)
{
	return fake->capacity - log(100) * NS_PER_S / (double)slo->bound_ns;
}

static int probe_rate(void *context, const struct search_ask *ask, struct search_probe *probe)
{
	struct fake *fake = context;

	fake->probes++;
	fake->window_ns = ask->window_ns;
	cr_expect(ask->at >= 1 && isfinite(ask->at));
	cr_expect_geq(ask->probes_left, 1);
	if (fake->stop_after > 0 && fake->probes > fake->stop_after)
		return -1;
	probe->throughput = fmin(ask->at, fake->capacity);
	probe->latency_ns = p99_ns(fake, ask->at) * exp(fake->noise * normal(&fake->random));
	probe->verdict = ask->at > fake->capacity ? INVALID_SERVER : VALID;
	if (random_uniform(&fake->random) <= fake->stalls)
		probe->latency_ns *= 10;
	if (fake->always)
		*probe = (struct search_probe){ .throughput = ask->at };
	if (fake->never)
		probe->latency_ns = 1e12;
	if (random_uniform(&fake->random) <= fake->client ||
	    (fake->client_from > 0 && ask->at >= fake->client_from))
		probe->verdict = INVALID_CLIENT;
	return 0;
}

static enum search_end find_rate(struct fake *fake, double first, struct search_rate *answer)
{
	struct search search = { probe_rate, fake, NS_PER_S };
	enum search_end end = search_rate(&search, &p99_below_20ms, first, answer);

	cr_expect_leq(fake->probes, SEARCH_PROBES_MAX + 1);
	cr_expect_eq(answer->probes, fake->probes - (end == SEARCH_STOPPED));
	return end;
}

Test(search, the_rate_that_holds_lies_in_the_interval_in_nine_of_ten_searches)
{
	static const struct fake table[] = {
		{ .capacity = 1000 },
		{ .capacity = 1000, .noise = 0.05 },
		{ .capacity = 1000, .noise = 0.15 },
		{ .capacity = 1000, .noise = 0.3 },
		{ .capacity = 500, .noise = 0.15 },
		{ .capacity = 100000, .noise = 0.3 },
		{ .capacity = 1000, .noise = 0.15, .stalls = 0.05 },
		{ .capacity = 1000, .noise = 0.15, .client = 0.15 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double truth = rate_that_holds(&table[i], &p99_below_20ms);
		double width = 0;
		double probes = 0;
		int within = 0;

		for (int trial = 0; trial < TRIALS; trial++) {
			struct fake fake = table[i];
			struct search_rate answer;
			enum search_end end;

			fake.random.state = random_seed(i, (uint64_t)trial);
			/* A closed loop's throughput is no better known than the rest. */
			end = find_rate(&fake,
					fake.capacity * 0.7 * exp(0.2 * normal(&fake.random)),
					&answer);
			cr_expect_eq(end, SEARCH_DONE);
			within += answer.low <= truth && truth <= answer.high;
			width += log(answer.high / answer.low) / TRIALS;
			probes += (double)answer.probes / TRIALS;
		}
		cr_expect_lt(probes, PROBES_FEW, "row %zu: %g", i, probes);
		if (table[i].noise == 0)
			cr_expect_lt(width, 0.03);
		cr_expect_gt(within, TRIALS * 9 / 10, "row %zu: %d of %d", i, within, TRIALS);
	}
}

Test(search, a_search_for_a_rate_ends_and_says_what_is_known_whatever_the_server_does)
{
	/* The truth is 770/s. */
	static const struct {
		struct fake fake;
		double first;
		enum search_end end;
		bool has_low;
		bool has_high;
		bool is_client_limited;
	} table[] = {
		{ { .capacity = 1000 }, 700, SEARCH_DONE, true, true, false },
		{ { .capacity = 1000 }, 1e-9, SEARCH_DONE, true, true, false },
		{ { .capacity = 1000 }, 1e30, SEARCH_DONE, true, true, false },
		{ { .always = true }, 700, SEARCH_DONE, true, false, false },
		{ { .capacity = 1000, .never = true }, 700, SEARCH_DONE, false, true, false },
		{ { .capacity = 1000, .noise = 100 }, 700, SEARCH_DONE, false, true, false },
		{ { .capacity = 1000, .stop_after = 1 }, 700, SEARCH_STOPPED, false, false, false },
		{ { .capacity = 1000, .stop_after = 2 }, 700, SEARCH_STOPPED, true, false, false },
		{ { .capacity = 1000, .stop_after = 2 }, 900, SEARCH_STOPPED, false, true, false },
		{ { .capacity = 1000, .client_from = 500 }, 700, SEARCH_DONE, true, false, true },
		{ { .capacity = 1000, .client_from = 900 }, 950, SEARCH_DONE, true, true, false },
		{ { .capacity = 1000, .client_from = 1 }, 700, SEARCH_DONE, false, false, true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fake fake = table[i].fake;
		struct search_rate answer;
		enum search_end end = find_rate(&fake, table[i].first, &answer);

		/* Where all is noise nothing is said of the answer but that there is one. */
		if (fake.noise > 1)
			continue;
		cr_expect_eq(end, table[i].end, "row %zu: %d", i, end);
		cr_expect_eq(answer.low > 0, table[i].has_low, "row %zu: low %g", i, answer.low);
		cr_expect_eq(isfinite(answer.high), table[i].has_high, "row %zu: high %g", i,
			     answer.high);
		cr_expect_eq(answer.is_client_limited, table[i].is_client_limited, "row %zu", i);
		cr_expect_leq(answer.low, answer.high);
	}
}

Test(search,
     a_generator_that_is_the_limit_for_once_does_not_bound_a_search_but_one_that_stays_it_does)
{
	struct fake fake = { .capacity = 1000, .client_from = 500 };
	struct search_rate answer;

	find_rate(&fake, 100, &answer);
	cr_expect(answer.is_client_limited);
	cr_expect(answer.low > 500 / 1.05 && answer.low < 500, "%g", answer.low);
	fake = (struct fake){ .capacity = 1000, .client = 0.1 };
	find_rate(&fake, 100, &answer);
	cr_expect_not(answer.is_client_limited);
	cr_expect(answer.low <= 770 && answer.high >= 769, "%g...%g", answer.low, answer.high);
}

/* Connections: the exact throughput of a closed M/M/1 queue with think time (mean value analysis,
 * Reiser and Lavenberg, 1980). */
static double closed_throughput(const struct fake *fake, int64_t connections)
{
	double queue = 0;
	double throughput = 0;

	for (int64_t n = 1; n <= connections; n++) {
		double response_s = (1 + queue) / fake->capacity;

		throughput = (double)n / (response_s + fake->think_s);
		queue = throughput * response_s;
	}
	return throughput;
}

static int probe_connections(void *context, const struct search_ask *ask,
			     struct search_probe *probe)
{
	struct fake *fake = context;

	fake->probes++;
	fake->window_ns = ask->window_ns;
	fake->most = fmax(fake->most, ask->at);
	cr_expect_geq(ask->probes_left, 1);
	if (fake->stop_after > 0 && fake->probes > fake->stop_after)
		return -1;
	probe->throughput = closed_throughput(fake, (int64_t)ask->at) *
			    exp(fake->noise * normal(&fake->random));
	if (fake->never)
		probe->throughput = 0;
	if (fake->client_from > 0 && ask->at >= fake->client_from)
		probe->verdict = INVALID_CLIENT;
	if (fake->errors_from > 0 && ask->at >= fake->errors_from)
		probe->verdict = INVALID_ERRORS;
	return 0;
}

static enum search_end find_connections(struct fake *fake, int64_t most,
					struct search_connections *answer)
{
	struct search search = { probe_connections, fake, NS_PER_S };

	return search_connections(&search, 1, most, 1, answer);
}

Test(search, the_connections_that_saturate_lie_in_the_interval_in_nine_of_ten_searches)
{
	static const struct fake table[] = {
		{ .capacity = 1000, .think_s = 0.001 },
		{ .capacity = 1000, .think_s = 0.02 },
		{ .capacity = 1000, .think_s = 0.02, .noise = 0.01 },
		{ .capacity = 1000, .think_s = 0.1, .noise = 0.01 },
		{ .capacity = 1000, .think_s = 0.1, .noise = 0.03 },
		{ .capacity = 1000, .think_s = 0.7, .noise = 0.01 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t truth = 1;
		int within = 0;

		while (closed_throughput(&table[i], truth) < SEARCH_PLATEAU * table[i].capacity)
			truth++;
		for (int trial = 0; trial < TRIALS; trial++) {
			struct fake fake = table[i];
			struct search_connections answer;

			fake.random.state = random_seed(i, (uint64_t)trial);
			cr_expect_eq(find_connections(&fake, 4096, &answer), SEARCH_DONE);
			cr_expect(answer.is_saturated);
			within += answer.low <= truth && truth <= answer.high;
		}
		cr_expect_gt(within, TRIALS * 9 / 10, "row %zu: %d of %d around %lld", i, within,
			     TRIALS, (long long)truth);
	}
}

Test(search, a_search_for_connections_goes_up_to_the_most_that_are_allowed)
{
	static const int64_t most[] = { 1, 2, 3, 5, 24, 33, 63, 64, 65, 100, 4097 };

	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		struct fake fake = { .capacity = 1e9, .think_s = 1 };
		struct search_connections answer;

		cr_expect_eq(find_connections(&fake, most[i], &answer), SEARCH_DONE);
		cr_expect_eq(fake.most, (double)most[i], "%lld: %g", (long long)most[i], fake.most);
		cr_expect_not(answer.is_saturated);
		cr_expect_eq(answer.high, 0);
		cr_expect_eq(answer.flat, 0, "%lld", (long long)most[i]);
		for (int k = 1; k < answer.count; k++)
			cr_expect_gt(answer.points[k].connections,
				     answer.points[k - 1].connections);
	}
}

Test(search, a_search_for_connections_ends_where_requests_fail_and_does_not_call_that_saturated)
{
	static const struct {
		struct fake fake;
		enum search_end end;
		int points;
		bool is_client_limited;
	} table[] = {
		{ { .capacity = 1e9, .think_s = 1, .errors_from = 1 }, SEARCH_ERRORS, 0, false },
		{ { .capacity = 1e9, .think_s = 1, .errors_from = 9 }, SEARCH_ERRORS, 4, false },
		{ { .capacity = 1e9, .think_s = 1, .stop_after = 4 }, SEARCH_STOPPED, 1, false },
		{ { .capacity = 1e9, .think_s = 1, .stop_after = 2 }, SEARCH_STOPPED, 0, false },
		{ { .capacity = 1e9, .think_s = 1, .client_from = 9 }, SEARCH_DONE, 7, true },
		{ { .capacity = 1e9, .think_s = 1, .never = true }, SEARCH_SILENT, 0, false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fake fake = table[i].fake;
		struct search_connections answer;
		enum search_end end = find_connections(&fake, 64, &answer);

		cr_expect_eq(end, table[i].end, "row %zu: %d", i, end);
		cr_expect_eq(answer.count, table[i].points, "row %zu: %d", i, answer.count);
		cr_expect_not(answer.is_saturated);
		cr_expect_eq(answer.high, 0);
		cr_expect_eq(answer.is_client_limited, table[i].is_client_limited, "row %zu", i);
	}
}

Test(search, a_window_holds_twenty_mean_latencies_or_sixty_seconds)
{
	static const struct {
		double think_s; /* all of the latency, nearly */
		double least_s;
		double most_s;
	} table[] = {
		{ 0.01, 1, 1 },
		{ 0.5, 10, 14 },
		{ 100, 60, 60 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fake fake = { .capacity = 1e9, .think_s = table[i].think_s };
		struct search_connections answer;
		double window_s;

		find_connections(&fake, 8, &answer);
		window_s = (double)fake.window_ns / NS_PER_S;
		cr_expect(window_s >= table[i].least_s && window_s <= table[i].most_s,
			  "row %zu: %g s", i, window_s);
	}
}

/* The programs */

static json_t *run_json(const char *const *words, int status)
{
	struct program program;
	char errors[PROGRAM_ERRORS_MAX];
	struct text output;
	json_error_t error;
	json_t *root;
	int rc;

	program_start(&program, "CWT", words);
	output = client_receive(program.output, 0);
	rc = program_wait(&program);
	program_errors(&program, errors);
	cr_expect(status < 0 || rc == status, "%d: '%s'", rc, errors);
	root = json_loads(output.bytes, 0, &error);
	cr_assert_not_null(root, "%s in '%s'; '%s'", error.text, output.bytes, errors);
	free(output.bytes);
	return root;
}

/* The interval's ends are in order, or unknown. */
static void expect_interval(const json_t *root)
{
	const json_t *interval = json_object_get(root, "interval");
	const json_t *low = json_array_get(interval, 0);
	const json_t *high = json_array_get(interval, 1);

	cr_expect_eq(json_array_size(interval), 2);
	cr_expect(json_is_number(low) || json_is_null(low));
	cr_expect(json_is_number(high) || json_is_null(high));
	if (json_is_number(low) && json_is_number(high))
		cr_expect_leq(json_number_value(low), json_number_value(high));
}

/* What a shared machine makes of the verdict is not asserted; the form is the same for all. */
Test(search, both_searches_report_an_interval_and_each_probe_of_a_real_server)
{
	static const char *const searches[][WORDS_MAX] = {
		{ "--search", "saturation", "--connections", "3" },
		{ "--search", "slo=p50<4ms", "--connections", "2", "--arrivals", "poisson",
		  "--spin", "0" },
	};

	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
		const char *words[WORDS_MAX] = { "load",        NULL,       "--json",
						 "--calibrate", "0",        "--duration",
						 "30ms",        "--warmup", "0" };
		struct program backend;
		char text[NET_TEXT_MAX];
		char url[URL_SIZE];
		const json_t *probes;
		json_t *root;

		program_serve(&backend, "CWT_BACKEND", "");
		snprintf(url, sizeof(url), "http://%s/delay/1ms",
			 net_format(&backend.address, text));
		words[1] = url;
		for (int k = 0; searches[i][k]; k++)
			words[9 + k] = searches[i][k];
		root = run_json(words, -1);
		program_stop(&backend);
		expect_interval(root);
		probes = json_object_get(root, "probes");
		cr_expect_gt(json_array_size(probes), 0);
		for (size_t k = 0; k < json_array_size(probes); k++)
			cr_expect(json_is_number(
				json_object_get(json_array_get(probes, k), "latency_ns")));
		json_decref(root);
	}
}

Test(search, a_search_that_is_stopped_says_what_is_known_so_far_in_finite_numbers)
{
	/*
	 * A connection with replies after 1 ms carries 100 requests in the closed loop of 100 ms,
	 * and the first probe asks for 0.7 of that rate and goes on with it for up to 1 s: 870 in
	 * all at the most. A search that has to confirm both of its ends has more than twice as
	 * many.
	 */
	enum { UNDER_WAY = 900 };
	struct scripted server;
	struct program program;
	char text[NET_TEXT_MAX];
	char url[URL_SIZE];
	struct text output;
	json_error_t error;
	json_t *root;

	scripted_start(&server, &(struct script){ scripted_good, .delay_ns = NS_PER_MS });
	snprintf(url, sizeof(url), "http://%s/", net_format(&server.address, text));
	program_start(&program, "CWT",
		      (const char *const[]){ "load", url, "--search", "slo=max<100s", "--json",
					     "--calibrate", "0", "--connections", "1", "--warmup",
					     "0", "--duration", "100ms", NULL });
	while (server.requests < UNDER_WAY)
		nanosleep(&(struct timespec){ .tv_nsec = NS_PER_MS }, NULL);
	kill(program.pid, SIGINT);
	output = client_receive(program.output, 0);
	cr_expect_eq(program_wait(&program), 130);
	scripted_stop(&server);
	root = json_loads(output.bytes, 0, &error);
	cr_assert_not_null(root, "%s in '%s'", error.text, output.bytes);
	cr_expect(json_is_true(json_object_get(root, "interrupted")));
	expect_interval(root);
	json_decref(root);
	free(output.bytes);
}

Test(search, a_limit_of_descriptors_is_refused_before_the_search_and_not_found_by_it)
{
	static const char *const words[] = { "load", "http://127.0.0.1:1/", "--search",
					     "saturation", NULL };
	struct program program;
	char errors[PROGRAM_ERRORS_MAX];

	program_start_limited(&program, "CWT", words, 256);
	cr_expect_eq(program_wait(&program), 2);
	cr_expect_not_null(strstr(program_errors(&program, errors), "ulimit -Hn"), "'%s'", errors);
}

Test(search, options_that_a_search_has_no_use_for_are_refused_and_others_are_not)
{
	static const struct {
		const char *words[WORDS_MAX];
		int status; /* 1: it got so far that nothing listened */
		const char *word;
	} table[] = {
		{ { "slo=p99<20ms", "--arrivals", "poisson" }, 1, "refused" },
		{ { "slo=p99<20ms", "--spin", "0" }, 1, "refused" },
		{ { "slo=p99<20ms", "--think", "1ms" }, 2, "--think" },
		{ { "slo=p99<20ms", "--engine", "wrk" }, 2, "--engine wrk" },
		{ { "saturation", "--think", "1ms", "--spin", "0" }, 1, "refused" },
		{ { "saturation", "--spin", "0" }, 2, "--think" },
		{ { "saturation", "--arrivals", "poisson" }, 2, "--arrivals" },
		{ { "saturation", "--engine", "wrk" }, 2, "--engine wrk" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *words[WORDS_MAX] = { "load", "http://127.0.0.1:1/", "--calibrate", "0",
						 "--search" };
		struct program program;
		char errors[PROGRAM_ERRORS_MAX];
		int status;

		/* wrk has no --calibrate either. */
		if (table[i].words[1] && strcmp(table[i].words[1], "--engine") == 0)
			words[2] = "--duration", words[3] = "1s";
		for (int k = 0; table[i].words[k]; k++)
			words[5 + k] = table[i].words[k];
		program_start(&program, "CWT", words);
		status = program_wait(&program);
		program_errors(&program, errors);
		cr_expect_eq(status, table[i].status, "row %zu: %d", i, status);
		cr_expect_not_null(strstr(errors, table[i].word), "row %zu: '%s'", i, errors);
	}
}
