#include "loadgen/report/space_json.h"
#include <string.h>

static json_t *fits_json(const struct space *space)
{
	json_t *list = json_array();

	for (int times = 0; times <= SPACE_TIMES; times++) {
		for (int ruler = 0; ruler < SPACE_RULERS; ruler++) {
			const struct space_fit *fit = &space->fits[times][ruler];

			json_array_append_new(
				list,
				json_pack("{s:s, s:s, s:I, s:I, s:f, s:f}", "times",
					  times < SPACE_TIMES ? space_times_names[times] : "all",
					  "ruler", space_ruler_names[ruler], "points",
					  (json_int_t)fit->points, "cells", (json_int_t)fit->cells,
					  "of_points", fit->of_points, "of_space", fit->of_space));
		}
	}
	return list;
}

static json_t *claims_json(const struct space *space)
{
	json_t *list = json_array();

	for (int i = 0; i < SPACE_CLAIMS; i++) {
		const struct space_claim *claim = &space->claims[i];

		json_array_append_new(
			list, json_pack("{s:s, s:f, s:f, s:I, s:b}", "claim", claim->what, "figure",
					claim->figure, "most", claim->most, "points",
					(json_int_t)claim->points, "met", claim->met));
	}
	return list;
}

/* Which point it is, as far as a finding does not say already. */
static json_t *place_json(const struct point *point)
{
	const struct run *run = &point->first;

	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "arch", run->arch, "times",
			 space_times_names[space_times_of(run)], "cpu_ns", (json_int_t)run->cpu_ns,
			 "wall_ns", (json_int_t)run->wall_ns, "threads", (json_int_t)run->threads,
			 "connections", (json_int_t)run->connections);
}

static json_t *spreads_json(const struct space *space)
{
	json_t *list = json_array();

	for (int64_t i = 0; i < space->spread_count; i++) {
		const struct space_spread *spread = &space->spreads[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:f, s:f, s:f, s:o}",
						      "times", space_times_names[spread->times],
						      "region", space_region_names[spread->region],
						      "cpu_ns", (json_int_t)spread->cpu_ns,
						      "points", (json_int_t)spread->points,
						      "median", spread->median, "bias",
						      spread->bias, "worst", spread->worst,
						      "worst_at", place_json(spread->worst_at)));
	}
	return list;
}

static void add_regions(json_t *list, const struct findings *findings, enum cause_of of)
{
	static const char *const names[] = {
		[CAUSE_OF_NOMINAL] = "nominal", [CAUSE_OF_CALIBRATED] = "calibrated"
	};

	for (int64_t i = 0; i < findings->region_counts[of]; i++) {
		const struct region *region = &findings->regions[of][i];
		json_t *object = json_pack(
			"{s:s, s:b, s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "of", names[of],
			"invalid", region->is_invalid, "region", space_region_names[region->place],
			"points", (json_int_t)region->points, "ratio_least", region->ratio_least,
			"ratio_most", region->ratio_most, "population_least", region->n_least,
			"population_most", region->n_most, "median", region->median, "worst",
			region->worst);
		json_t *why = json_pack("{s:s, s:s, s:f, s:o}", "cause",
					cause_names[region->why.cause], "why", region->why.why,
					"explained", region->is_invalid ? 0 : region->why.explained,
					"worst_at", place_json(region->worst_at));

		if (region->why.also != CAUSE_UNEXPLAINED)
			json_object_set_new(why, "also",
					    json_string(cause_names[region->why.also]));
		json_object_update(object, why);
		json_decref(why);
		json_array_append_new(list, object);
	}
}

static json_t *regions_json(const struct findings *findings)
{
	json_t *list = json_array();

	add_regions(list, findings, CAUSE_OF_CALIBRATED);
	add_regions(list, findings, CAUSE_OF_NOMINAL);
	return list;
}

/* t, or null. */
static json_t *threads_json(const struct point *point)
{
	return point ? json_integer(point->first.threads) : json_null();
}

static json_t *peaks_json(const struct findings *findings)
{
	json_t *list = json_array();

	for (int64_t i = 0; i < findings->peak_count; i++) {
		const struct peak *peak = &findings->peaks[i];
		const struct run *run = &peak->first->first;

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:f}", "arch",
				  run->arch, "times", space_times_names[space_times_of(run)],
				  "cpu_ns", (json_int_t)run->cpu_ns, "wall_ns",
				  (json_int_t)run->wall_ns, "points", (json_int_t)peak->points,
				  "t_max", threads_json(peak->fallen ? peak->last_level : NULL),
				  "best", threads_json(peak->best), "fallen",
				  threads_json(peak->fallen), "last", threads_json(peak->last),
				  "loss", peak->loss));
	}
	return list;
}

static json_t *leads_json(const struct findings *findings)
{
	json_t *list = json_array();

	for (int64_t i = 0; i < findings->lead_count; i++) {
		const struct lead *lead = &findings->leads[i];
		const struct run *run = &lead->pool->first;

		json_array_append_new(
			list,
			json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f}", "times",
				  space_times_names[space_times_of(run)], "cpu_ns",
				  (json_int_t)run->cpu_ns, "wall_ns", (json_int_t)run->wall_ns,
				  "threads", (json_int_t)run->threads, "ratio", lead->ratio,
				  "interval", lead->half, "predicted", lead->predicted));
	}
	return list;
}

json_t *space_to_json(const struct findings *findings)
{
	const struct space *space = &findings->space;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "points",
			 (json_int_t)space->points, "judged", (json_int_t)space->judged,
			 "inconclusive", (json_int_t)space->inconclusive, "invalid",
			 (json_int_t)space->invalid, "cells", (json_int_t)space->cells,
			 "judged_cells", (json_int_t)space->judged_cells, "fits", fits_json(space),
			 "claims", claims_json(space), "spreads", spreads_json(space), "regions",
			 regions_json(findings), "t_max", peaks_json(findings), "leads",
			 leads_json(findings));
}
