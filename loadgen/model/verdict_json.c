#include "loadgen/model/verdict.h"

json_t *verdict_to_json(const struct point *point)
{
	const struct run *run = &point->first;
	json_t *object = json_pack(
		"{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}",
		"case", run->case_name, "twin", (json_int_t)run->twin, "arch", run->arch, "service",
		run->service, "wait", run->wait, "work", run->work, "distribution",
		run->distribution, "threads", (json_int_t)run->threads, "cores",
		(json_int_t)run->cores, "cpu_ns", (json_int_t)run->cpu_ns, "wall_ns",
		(json_int_t)run->wall_ns, "connections", (json_int_t)run->connections,
		"footprint_bytes", (json_int_t)run->footprint_bytes, "idle", (json_int_t)run->idle,
		"requests_per_connection", (json_int_t)run->requests_per_connection, "predicted",
		run_is_predicted(run));
	json_t *figures = json_pack(
		"{s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:f, s:b, s:s, s:s}",
		"measured_rps", point->measured.mean, "interval_rps", point->measured.half,
		"samples", (json_int_t)point->measured.count, "nominal_rps", point->nominal_rps,
		"calibrated_rps", point->calibrated_rps, "closed_network_rps", point->curve_rps,
		"cpu_cal_ns", point->cpu_cal_s * 1e9, "wall_cal_ns", point->wall_cal_s * 1e9,
		"runs", (json_int_t)point->runs, "valid_runs", (json_int_t)point->valid_runs,
		"load", point->load, "knee", point->knee, "verdict", verdict_names[point->verdict],
		"why", point->why);
	json_t *band = json_pack("{s:f, s:f, s:f, s:f}", "lower_rps", point->lower_rps, "upper_rps",
				 point->upper_rps, "residual", point->residual, "population",
				 point->population);
	json_t *costs = json_pack(
		"{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:b}", "server_cpu_ns_per_request",
		point->server_cpu_s * 1e9, "switches_per_request", point->switches,
		"latency_p99_ns", point->p99_s * 1e9, "rss_bytes", point->rss_bytes, "pss_bytes",
		point->pss_bytes, "available_bytes", point->available_bytes, "client_utilisation",
		point->counts.client_busy, "client_bound", verdict_is_client_bound(point));

	json_object_update(object, figures);
	json_object_update(object, band);
	json_object_update(object, costs);
	json_decref(figures);
	json_decref(band);
	json_decref(costs);
	return object;
}
