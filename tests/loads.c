#include "tests/loads.h"
#include "common/clock.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

const struct transport *const loads_transports[] = { &transport_epoll, &transport_uring };
const int loads_transport_count = 2;

struct request_set loads_requests(const char *method, const char *const *paths,
				  const double *weights, int count)
{
	struct requests_target targets[LOADS_TARGETS_MAX];
	struct requests_config config = {
		.method = method,
		.targets = targets,
		.target_count = count,
		.host = "x",
		.with_last = true,
	};
	struct request_set set;
	char why[REQUESTS_WHY_MAX] = "";

	cr_assert_leq(count, LOADS_TARGETS_MAX);
	for (int i = 0; i < count; i++)
		targets[i] = (struct requests_target){ paths ? paths[i] : "/",
						       weights ? weights[i] : 1 };
	cr_assert_eq(requests_make(&set, &config, why, sizeof(why)), 0, "%s", why);
	return set;
}

struct load_config loads_config(struct loads *loads, const struct request_set *requests)
{
	return (struct load_config){
		.address = loads->server.address,
		.requests = requests,
		.connections = 1,
		.ramp_ns = 0,
		.window_ns = 150 * NS_PER_MS,
		.parts = loads->parts,
		.part_count = LOADS_PARTS,
		.timeout_ns = 30LL * NS_PER_S,
	};
}

int loads_run(struct loads *loads, const struct load_config *config)
{
	int rc = load_run(config, &loads->result);

	scripted_stop(&loads->server);
	return rc;
}

struct goal {
	const struct scripted *server;
	int accepted;
	int requests;
	int returned;
	/* That the generator has seen. */
	uint64_t replies;
	uint64_t errors;
	atomic_bool is_met;
};

static void look_at_goal(void *context, const struct load_progress *progress)
{
	struct goal *goal = context;

	if (goal->server->accepted >= goal->accepted && goal->server->requests >= goal->requests &&
	    goal->server->returned >= goal->returned && progress->requests >= goal->replies &&
	    progress->errors >= goal->errors)
		atomic_store(&goal->is_met, true);
}

static int run_until(struct loads *loads, struct load_config *config, struct goal *goal)
{
	goal->server = &loads->server;
	config->window_ns = 3600LL * NS_PER_S;
	config->on_progress = look_at_goal;
	config->context = goal;
	config->stop = &goal->is_met;
	return loads_run(loads, config);
}

int loads_run_until(struct loads *loads, struct load_config *config, int accepted, int requests)
{
	return run_until(loads, config,
			 &(struct goal){ .accepted = accepted, .requests = requests });
}

int loads_run_until_returned(struct loads *loads, struct load_config *config, int connections)
{
	return run_until(loads, config, &(struct goal){ .returned = connections });
}

int loads_run_until_seen(struct loads *loads, struct load_config *config, uint64_t replies,
			 uint64_t errors)
{
	return run_until(loads, config, &(struct goal){ .replies = replies, .errors = errors });
}

bool loads_is_missing(int rc)
{
	return rc == -ENOSYS || rc == -EPERM;
}

void loads_expect_errors(const struct loads *loads, enum load_error kind, const char *name)
{
	const struct load_result *result = &loads->result;
	uint64_t sum = 0;

	for (int i = 0; i < LOAD_ERRORS; i++) {
		sum += result->errors[i];
		cr_expect_eq(result->errors[i] > 0, i == (int)kind, "%s: %llu of %s", name,
			     (unsigned long long)result->errors[i], load_error_names[i]);
	}
	cr_expect_eq(result->error_count, sum, "%s", name);
}

void loads_expect_balance(const struct loads *loads, const char *name)
{
	const struct load_result *result = &loads->result;

	cr_expect_eq(result->scheduled, result->requests + result->unfinished + result->failed,
		     "%s: %llu scheduled, %llu requests, %llu unfinished, %llu failed", name,
		     (unsigned long long)result->scheduled, (unsigned long long)result->requests,
		     (unsigned long long)result->unfinished, (unsigned long long)result->failed);
	/* Of what goes on in the drain, errors count too. */
	cr_expect_leq(result->failed, result->error_count, "%s", name);
	/* Of the failed ones, those that timed out have a latency. */
	cr_expect_geq(result->latency.count, result->requests + result->unfinished, "%s", name);
	cr_expect_leq(result->latency.count,
		      result->requests + result->unfinished + result->errors[LOAD_ERROR_TIMEOUT],
		      "%s", name);
}
