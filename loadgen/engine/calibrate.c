#include "loadgen/engine/calibrate.h"
#include "common/clock.h"
#include "loadgen/engine/load.h"
#include "loadgen/engine/quantile_interval.h"
#include "loadgen/engine/responder.h"
#include <errno.h>
#include <stdlib.h>

enum {
	NULL_SHARE = 5, /* a fifth of the time is for the null transport */
	NULL_CONNECTIONS = 64,
	RATE_LEAST = 1000,
	RATE_USUAL = 2000,
	RATE_MOST = 5000,
	CONNECTIONS = 16,
	DELAY_NS = 500 * NS_PER_US,
	WARM_UP_NS = 20 * NS_PER_MS,
	TIMEOUT_NS = NS_PER_S,
};

static const char bytes[] = "GET / HTTP/1.1\r\nHost: calibration\r\n\r\n";

static double calibration_rate(double rate)
{
	if (rate == 0)
		return RATE_USUAL;
	return rate < RATE_LEAST ? RATE_LEAST : rate > RATE_MOST ? RATE_MOST : rate;
}

static int measure_floor(struct load_config *config, const cpu_set_t *cpus, double rate,
			 struct load_result *result, struct calibration *calibration)
{
	struct schedule_plan plan = { .kind = SCHEDULE_CONSTANT, .rate = calibration_rate(rate) };
	struct responder responder;
	int64_t p50_ns;
	int64_t low_ns;
	int64_t p99_ns;
	int rc = responder_start(&responder, DELAY_NS, cpus);

	if (rc != 0)
		return rc;
	config->transport = &transport_epoll;
	config->address = responder.address;
	config->connections = CONNECTIONS;
	config->schedule = &plan;
	rc = load_run(config, result);
	responder_stop(&responder);
	if (rc == 0 && result->requests == 0)
		rc = -EIO;
	p50_ns = histogram_quantile(&result->sent_latency, 0.5) - DELAY_NS;
	quantile_interval(&result->sent_latency, 0.99, 0.95, &low_ns, &p99_ns);
	p99_ns -= DELAY_NS;
	calibration->floor_p50_ns = p50_ns > 0 ? p50_ns : 0;
	calibration->floor_p99_ns = p99_ns > 0 ? p99_ns : 0;
	calibration->start_lag_p99_ns = histogram_quantile(&result->start_lag, 0.99);
	return rc;
}

static int measure_null(struct load_config *config, struct load_result *result,
			struct calibration *calibration)
{
	int rc;

	config->transport = &transport_null;
	config->connections = NULL_CONNECTIONS;
	config->schedule = NULL;
	rc = load_run(config, result);
	calibration->null_rps = result->throughput;
	return rc;
}

int calibrate(int64_t time_ns, const cpu_set_t *responder_cpus, int64_t spin_ns, double rate,
	      const atomic_bool *stop, struct calibration *calibration)
{
	struct request request = { .bytes = bytes, .length = sizeof(bytes) - 1, .weight = 1 };
	struct request_set requests = { .requests = &request, .count = 1 };
	struct load_result *result = malloc(sizeof(*result));
	struct load_config config = {
		.requests = &requests,
		.spin_ns = spin_ns,
		.warmup_ns = WARM_UP_NS,
		.window_ns = time_ns / NULL_SHARE,
		.timeout_ns = TIMEOUT_NS,
		.stop = stop,
	};
	int rc;

	if (!result)
		return -ENOMEM;
	rc = measure_null(&config, result, calibration);
	config.window_ns = time_ns - time_ns / NULL_SHARE;
	if (rc == 0)
		rc = measure_floor(&config, responder_cpus, rate, result, calibration);
	if (stop && atomic_load(stop))
		rc = -EINTR;
	free(result);
	return rc;
}
