#include "tests/runs.h"

struct run lawful_run(int64_t threads, int64_t cpu_ns, int64_t wall_ns, double x)
{
	static const int64_t window_ns = 10LL * 1000000000;
	int64_t requests = (int64_t)(x * 10 + 0.5);
	struct run run = {
		.schema = RUN_SCHEMA,
		.case_name = "a case",
		.twin = 1,
		.service = "app",
		.wait = "timer",
		.work = "clock",
		.arch = "pool",
		.threads = threads,
		.cores = 1,
		.cpu_ns = cpu_ns,
		.wall_ns = wall_ns,
		.connections = threads,
		.distribution = "constant",
		.overhead_ref_ns = 10000,
		.overhead_ns = 10000,
		.work_ns = cpu_ns - 10000,
		.wall_cal_ns = wall_ns,
		.cpu_alone_ns = cpu_ns,
		.window_ns = window_ns,
		.requests = requests,
		.throughput_rps = x,
		.mean_ns = (double)threads / x * 1e9,
		.p99_ns = (int64_t)((double)threads / x * 1e9),
		.all_requests = requests,
		.client_cpu_ns = window_ns / 10,
		.client_lag_p99_ns = 50000,
		.server_cpu_ns = (int64_t)(x * (double)cpu_ns * 10),
		.run_ns = window_ns,
		.ping_pong_before_ns = 60,
		.ping_pong_after_ns = 65,
		.rejected = "-",
	};

	snprintf(run.window_requests, sizeof(run.window_requests), "%lld;%lld;%lld;%lld",
		 (long long)(requests / 4), (long long)(requests / 4), (long long)(requests / 4),
		 (long long)(requests - 3 * (requests / 4)));
	return run;
}
