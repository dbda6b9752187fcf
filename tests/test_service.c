/*
 * What a service draws for its requests: that times are exponential with the means asked for,
 * independent of each other, and of the architecture; and constant ones untouched.
 */
#include "servers/service.h"
#include "common/clock.h"
#include "servers/server.h"
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DRAWS = 100000, BINS = 100, CONNECTIONS = 1000 };

/* A right one is refused once in 10,000 seeds, and the seeds are fixed. */
#define CHANCE 1e-4

struct times {
	double works[DRAWS];
	double waits[DRAWS];
};

static struct times times;

static const char head[] = "GET /delay/30ms?dist=exponential HTTP/1.1\r\nHost: h\r\n\r\n";

static struct http_message parsed_head(void)
{
	struct http_message request = { 0 };
	size_t used;

	http_init(&request, HTTP_KIND_REQUEST);
	cr_assert_eq(http_feed(&request, head, sizeof(head) - 1, &used), HTTP_FED_HEAD);
	return request;
}

static struct service_plan plan_one(const struct service *service, struct random *random)
{
	struct http_message request = parsed_head();

	return service_plan(service, &request, head, sizeof(head) - 1, random);
}

/* The times of many requests of one connection. */
static void draw_many(const struct service *service, uint64_t seed)
{
	struct http_message request = parsed_head();
	struct random random = { seed };

	for (int i = 0; i < DRAWS; i++) {
		struct service_plan plan =
			service_plan(service, &request, head, sizeof(head) - 1, &random);

		cr_assert_eq(plan.status, 200);
		times.works[i] = (double)plan.work.ns;
		times.waits[i] = (double)plan.wait_ns;
	}
}

/* Pearson's test over bins that are equally likely for an exponential time of that mean. */
static double fit(const double *values, size_t count, double mean)
{
	double seen[BINS] = { 0 };
	double expected = (double)count / BINS;
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double below = gsl_cdf_exponential_P(values[i], mean);

		seen[below < 1 ? (size_t)(below * BINS) : BINS - 1]++;
	}
	for (size_t i = 0; i < BINS; i++)
		sum += (seen[i] - expected) * (seen[i] - expected) / expected;
	return gsl_cdf_chisq_Q(sum, BINS - 1);
}

/* How likely a correlation at least as large is among `count` independent pairs. */
static double independence(const double *a, const double *b, size_t count)
{
	double z = gsl_stats_correlation(a, 1, b, 1, count) * sqrt((double)count);

	return 2 * gsl_cdf_ugaussian_Q(fabs(z));
}

static struct service exponential(enum service_kind kind, enum service_wait wait,
				  enum work_kind work)
{
	return (struct service){ .kind = kind,
				 .wait = wait,
				 .work = work_make(work, 2 * NS_PER_MS, 0),
				 .wait_ns = 38 * NS_PER_MS,
				 .distribution = SERVICE_EXPONENTIAL };
}

Test(service, work_and_wait_are_exponential_with_the_means_asked_for)
{
	static const enum work_kind kinds[] = { WORK_CLOCK, WORK_OPS };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct service app = exponential(SERVICE_APP, WAIT_TIMER, kinds[i]);

		draw_many(&app, 7 + i);
		cr_expect_gt(fit(times.works, DRAWS, 2.0 * NS_PER_MS), CHANCE);
		cr_expect_gt(fit(times.waits, DRAWS, 38.0 * NS_PER_MS), CHANCE);
		/* The standard error of their mean: 1/sqrt(n). */
		cr_expect_float_eq(gsl_stats_mean(times.works, 1, DRAWS) / (2.0 * NS_PER_MS), 1,
				   4 / sqrt(DRAWS));
		cr_expect_float_eq(gsl_stats_mean(times.waits, 1, DRAWS) / (38.0 * NS_PER_MS), 1,
				   4 / sqrt(DRAWS));
	}
}

Test(service, the_test_of_exponential_times_tells_them_from_others)
{
	struct service app = exponential(SERVICE_APP, WAIT_TIMER, WORK_CLOCK);

	draw_many(&app, 7);
	cr_expect_lt(fit(times.works, DRAWS, 2.1 * NS_PER_MS), CHANCE, "another mean");
	for (int i = 0; i < DRAWS; i++)
		times.works[i] = (times.works[i] + 2.0 * NS_PER_MS) / 2;
	cr_expect_lt(fit(times.works, DRAWS, 2.0 * NS_PER_MS), CHANCE, "less scatter");
}

Test(service, draws_are_independent_of_the_last_and_wait_of_work)
{
	struct service app = exponential(SERVICE_APP, WAIT_TIMER, WORK_CLOCK);

	draw_many(&app, 3);
	cr_expect_gt(independence(times.works, times.waits, DRAWS), CHANCE);
	cr_expect_gt(independence(times.works, times.works + 1, DRAWS - 1), CHANCE);
	cr_expect_gt(independence(times.waits, times.waits + 1, DRAWS - 1), CHANCE);
	cr_expect_lt(independence(times.waits, times.waits, DRAWS), CHANCE);
}

Test(service, a_drawn_number_of_operations_is_that_of_the_time)
{
	struct service app = exponential(SERVICE_APP, WAIT_NONE, WORK_OPS);
	struct random random = { 5 };

	app.work.footprint = 4096;
	for (int i = 0; i < 100; i++) {
		struct service_plan plan = plan_one(&app, &random);

		cr_expect_eq(plan.work.kind, WORK_OPS);
		cr_expect_eq(plan.work.ops, work_make(WORK_OPS, plan.work.ns, 0).ops);
		cr_expect_eq(plan.work.footprint, 4096);
	}
}

Test(service, a_proxy_draws_its_work_and_a_backend_its_delay)
{
	struct service proxy = exponential(SERVICE_PROXY, WAIT_BACKEND, WORK_CLOCK);
	struct service delay = { .kind = SERVICE_DELAY, .wait = WAIT_TIMER };

	draw_many(&proxy, 11);
	cr_expect_gt(fit(times.works, DRAWS, 2.0 * NS_PER_MS), CHANCE);
	draw_many(&delay, 11);
	cr_expect_gt(fit(times.waits, DRAWS, 30.0 * NS_PER_MS), CHANCE);
	cr_expect_eq(times.works[0], 0);
}

Test(service, what_waits_at_its_backend_draws_no_wait_of_its_own)
{
	struct service app = exponential(SERVICE_APP, WAIT_BACKEND, WORK_CLOCK);
	struct random random = { 1 };

	for (int i = 0; i < 10; i++)
		cr_expect_eq(plan_one(&app, &random).wait_ns, app.wait_ns);
}

Test(service, constant_times_are_as_asked_and_draw_nothing)
{
	struct service app = exponential(SERVICE_APP, WAIT_TIMER, WORK_CLOCK);
	struct random random = { 9 };
	struct service_plan plan;

	app.distribution = SERVICE_CONSTANT;
	plan = plan_one(&app, &random);
	cr_expect_eq(plan.work.kind, app.work.kind);
	cr_expect_eq(plan.work.ns, app.work.ns);
	cr_expect_eq(plan.work.ops, app.work.ops);
	cr_expect_eq(plan.work.footprint, app.work.footprint);
	cr_expect_eq(plan.wait_ns, app.wait_ns);
	cr_expect_eq(random.state, 9);
}

/* Seeds */

Test(service, the_first_requests_of_many_connections_are_exponential_too)
{
	struct service app = exponential(SERVICE_APP, WAIT_TIMER, WORK_CLOCK);
	struct server server = { 0 };

	cr_assert_eq(server_deal_seeds(&server, 1), 0);
	for (int i = 0; i < DRAWS; i++) {
		struct random random = { server_seed(&server) };

		times.works[i] = (double)plan_one(&app, &random).work.ns;
	}
	cr_expect_gt(fit(times.works, DRAWS, 2.0 * NS_PER_MS), CHANCE);
	cr_expect_gt(independence(times.works, times.works + 1, DRAWS - 1), CHANCE);
}

Test(service, equal_seeds_deal_out_the_same_and_others_do_not)
{
	struct server servers[3] = { 0 };

	for (int i = 0; i < 3; i++)
		cr_assert_eq(server_deal_seeds(&servers[i], i == 2 ? 6 : 5), 0);
	for (int i = 0; i < CONNECTIONS; i++) {
		uint64_t seed = server_seed(&servers[0]);

		cr_expect_eq(server_seed(&servers[1]), seed);
		cr_expect_neq(server_seed(&servers[2]), seed);
	}
}

/* As `process` does for each connection, and `loops` at its start. */
Test(service, processes_deal_out_seeds_as_one)
{
	struct server server = { 0 };
	struct server alike = { 0 };
	uint64_t *theirs = mmap(NULL, sizeof(*theirs), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_eq(server_deal_seeds(&server, 5), 0);
	cr_assert_eq(server_deal_seeds(&alike, 5), 0);
	cr_assert_neq(theirs, MAP_FAILED);
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			*theirs = server_seed(&server);
			_exit(0);
		}
		cr_assert_gt(pid, 0);
		cr_assert_eq(waitpid(pid, NULL, 0), pid);
		cr_expect_eq(*theirs, server_seed(&alike), "connection %d", i);
	}
	munmap(theirs, sizeof(*theirs));
}

Test(service, without_anything_to_draw_there_are_no_seeds)
{
	struct server server = { 0 };

	cr_expect_eq(server_seed(&server), 0);
}
