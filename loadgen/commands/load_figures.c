/* Figures that follow from a run's result; in a merged report, from those of its runs. */
#include "common/clock.h"
#include "loadgen/commands/load_report.h"
#include "loadgen/engine/quantile_interval.h"

static double share_of_window(const struct load_job *job, double amount)
{
	return job->result.window_ns > 0 ? amount / (double)job->result.window_ns : 0;
}

double load_client_utilisation(const struct load_job *job)
{
	return job->merged.reports > 0 ? job->merged.client_utilisation
				       : share_of_window(job, (double)job->result.client_cpu_ns);
}

double load_client_spin(const struct load_job *job)
{
	return job->merged.reports > 0 ? job->merged.client_spin
				       : share_of_window(job, (double)job->result.spin_ns);
}

double load_scheduled_rps(const struct load_job *job)
{
	return job->merged.reports > 0
		       ? job->merged.scheduled_rps
		       : share_of_window(job, (double)job->result.scheduled) * NS_PER_S;
}

/*
 * A latency from the intended time is the start lag, and the server's own, and how late its reply
 * was taken up. The last is not known, but that it is what calibration saw, and that in a run which
 * is disturbed replies are late as requests are. A sum is above the sum of two quantiles 0.995 in
 * one case of a hundred at the most, however the two hang together.
 */
struct load_lags load_lags(const struct load_job *job)
{
	const struct load_result *result = &job->result;
	int64_t attention_ns = histogram_quantile(&result->lag, 0.995);
	int64_t start_ns = histogram_quantile(&result->start_lag, 0.995);
	struct load_lags lags = {
		.p99_ns = histogram_quantile(&result->lag, 0.99),
		.start_p50_ns = histogram_quantile(&result->start_lag, 0.5),
		.start_p99_ns = histogram_quantile(&result->start_lag, 0.99),
		.start_max_ns = result->start_lag.most,
		.floor_ns = attention_ns > start_ns ? attention_ns : start_ns,
	};

	if (job->merged.reports > 0)
		return job->merged.lags;
	if (job->is_calibrated)
		lags.floor_ns += job->calibration.floor_p99_ns;
	lags.floor_intended_ns = lags.floor_ns + start_ns;
	return lags;
}

double load_client_cpu_ns(const struct load_result *result)
{
	return result->requests > 0 ? (double)result->client_cpu_ns / (double)result->requests : 0;
}

double load_server_cpu_ns(const struct load_job *job)
{
	uint64_t requests = job->result.requests;

	return requests > 0 && job->server.is_complete
		       ? (double)(job->server.end_ns - job->server.start_ns) / (double)requests
		       : 0;
}

bool load_switches(const struct load_job *job, double *voluntary, double *involuntary)
{
	const struct load_metered *server = &job->server;
	double requests = (double)job->result.all_requests;

	if (!server->is_complete || requests == 0 ||
	    !meter_same_tasks(&server->before, &server->after))
		return false;
	*voluntary = (double)(server->after.voluntary - server->before.voluntary) / requests;
	*involuntary = (double)(server->after.involuntary - server->before.involuntary) / requests;
	return true;
}

void load_interval_ns(const struct histogram *h, double quantile, int64_t floor_ns, int64_t *low_ns,
		      int64_t *high_ns)
{
	quantile_interval(h, quantile, 0.95, low_ns, high_ns);
	*low_ns = *low_ns > floor_ns ? *low_ns - floor_ns : 0;
}
