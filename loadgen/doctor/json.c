/* The answer for programs: docs/doctor.md has its fields. */
#include "common/clock.h"
#include "common/cpus.h"
#include "loadgen/doctor/doctor.h"
#include "loadgen/doctor/series.h"
#include <string.h>

enum { SCHEMA = 1, LIST_MAX = 256 };

static const char *const role_names[FACTS_ROLES] = { "server", "generator" };

static json_t *cpus_json(const cpu_set_t *set)
{
	char list[LIST_MAX];

	return json_string(cpus_format(set, list, sizeof(list)));
}

/* null for what cannot be seen, and for a limit that is none. */
static json_t *number_json(int64_t value)
{
	return value == FACTS_UNKNOWN || value == FACTS_UNLIMITED ? json_null()
								  : json_integer(value);
}

static json_t *share_json(double share)
{
	return share < 0 ? json_null() : json_real(share);
}

static json_t *text_json(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *findings_json(const struct doctor_finding findings[DOCTOR_CHECKS])
{
	json_t *list = json_array();

	for (int i = 0; i < DOCTOR_CHECKS; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:o}", "check",
						      findings[i].check->name, "level",
						      doctor_level_names[findings[i].level],
						      "finding", findings[i].what, "spoils",
						      findings[i].check->spoils, "remedy",
						      text_json(findings[i].remedy)));
	return list;
}

static json_t *processors_json(const struct facts *facts)
{
	const struct facts_processors *processors = &facts->processors;

	return json_pack("{s:o, s:o, s:i, s:o, s:o}", "online", cpus_json(&processors->online),
			 "allowed", cpus_json(&processors->allowed), "cores",
			 CPU_COUNT(&processors->first), "server_siblings",
			 cpus_json(&processors->siblings[FACTS_SERVER]), "generator_siblings",
			 cpus_json(&processors->siblings[FACTS_LOAD]));
}

static json_t *machine_json(const struct facts *facts)
{
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "virtual", facts->machine.is_virtual,
			 "hypervisor", text_json(facts->machine.hypervisor), "clock_source",
			 text_json(facts->machine.clock_source), "governor",
			 text_json(facts->frequency.governor), "boost",
			 number_json(facts->frequency.boost), "idle_exit_us",
			 number_json(facts->frequency.idle_exit_us));
}

/* As [seconds, value] pairs. */
static json_t *series_json(const struct facts_series *series)
{
	json_t *list = json_array();

	for (size_t i = 0; i < series->count; i++)
		json_array_append_new(list,
				      json_pack("[f, f]", series->at_s[i], series->values[i]));
	return list;
}

static json_t *cross_core_json(const struct facts_watch *watch)
{
	const struct states *states = &watch->states;

	return json_pack("{s:i, s:f, s:f, s:f, s:I, s:o}", "states",
			 watch->ping_pong_ns.count == 0 ? 0
			 : states->two                  ? 2
							: 1,
			 "low_ns", states->low, "high_ns", states->high, "high_share",
			 states->high_share, "changes", (json_int_t)states->changes, "samples_ns",
			 series_json(&watch->ping_pong_ns));
}

static json_t *speed_json(const struct facts_watch *watch)
{
	struct series_spread spread = series_spread_by_second(&watch->speed);

	return json_pack("{s:f, s:f, s:f, s:f, s:I, s:b}", "operations_per_ns", spread.median,
			 "p05", spread.low, "p95", spread.high, "spread", spread.half, "count",
			 (json_int_t)spread.count, "by_second", spread.by_second);
}

static json_t *sleep_json(const struct histogram *late_ns)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)late_ns->count, "p50_ns",
			 (json_int_t)histogram_quantile(late_ns, 0.5), "p99_ns",
			 (json_int_t)histogram_quantile(late_ns, 0.99), "max_ns",
			 (json_int_t)(late_ns->count > 0 ? late_ns->most : 0));
}

static json_t *clocks_json(const struct facts_watch *watch)
{
	return json_pack(
		"{s:I, s:f, s:f, s:o}", "resolution_ns", (json_int_t)watch->resolution_ns,
		"read_ns", watch->clock_ns, "read_cpu_ns", watch->cpu_clock_ns, "cpu_accounting",
		watch->ticks == FACTS_UNKNOWN ? json_null()
					      : json_string(watch->ticks > 0 ? "ticks" : "exact"));
}

static json_t *busiest_json(const struct facts_load *load)
{
	json_t *list = json_array();

	for (int i = 0; i < FACTS_BUSIEST && load->busiest[i].pid > 0; i++)
		json_array_append_new(
			list, json_pack("{s:i, s:s%, s:f}", "pid", load->busiest[i].pid, "name",
					load->busiest[i].name, strlen(load->busiest[i].name),
					"share", load->busiest[i].share));
	return list;
}

static json_t *role_json(const struct facts *facts, int role)
{
	const struct facts_load *load = &facts->load;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "steal", share_json(load->steal[role]),
			 "others", share_json(load->others[role]), "interrupts_per_s",
			 share_json(load->interrupts[role]), "busiest_interrupt",
			 text_json(load->irq_name[role]), "sleep_late",
			 sleep_json(&facts->watch.late_ns[role]));
}

static json_t *group_json(const struct facts_group_limit *group)
{
	return json_pack("{s:o, s:o}", "limit", number_json(group->limit), "used",
			 number_json(group->used));
}

static json_t *limits_json(const struct facts *facts)
{
	const struct facts_limits *limits = &facts->limits;
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{ "descriptors", limits->descriptors },
		{ "user_processes", limits->is_root ? FACTS_UNLIMITED : limits->user_processes },
		{ "threads_max", limits->threads_max },
		{ "pid_max", limits->pid_max },
		{ "tasks", limits->tasks },
		{ "max_map_count", limits->max_map_count },
		{ "somaxconn", limits->somaxconn },
		{ "ports", limits->ports },
		{ "tcp_tw_reuse", limits->tw_reuse },
		{ "perf_event_paranoid", limits->perf_paranoid },
		{ "io_uring_disabled", limits->uring_disabled },
		{ "available_bytes", limits->available_bytes },
		{ "swap_used_bytes", limits->swap_used_bytes },
		{ "swapped_pages", facts->load.swapped_pages },
		{ "throttled", facts->load.throttled },
	};
	json_t *object = json_pack(
		"{s:o, s:o, s:o, s:o, s:b}", "group_pids", group_json(&limits->group_pids),
		"group_memory", group_json(&limits->group_memory), "group_cpu",
		group_json(&limits->group_cpu), "transparent_hugepages",
		text_json(limits->hugepages), "io_uring", !limits->uring_refused);

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_set_new(object, numbers[i].name, number_json(numbers[i].value));
	return object;
}

json_t *doctor_json(const struct facts *facts, const struct doctor_finding findings[DOCTOR_CHECKS])
{
	json_t *root = json_pack("{s:i, s:s, s:b, s:I, s:I, s:o, s:o, s:o}", "schema", SCHEMA,
				 "verdict", doctor_verdict(doctor_worst(findings)), "interrupted",
				 facts->watch.interrupted, "duration_ns",
				 (json_int_t)facts->watch.asked_ns, "watched_ns",
				 (json_int_t)facts->watch.ns, "server_cpus",
				 cpus_json(&facts->processors.chosen[FACTS_SERVER]), "load_cpus",
				 cpus_json(&facts->processors.chosen[FACTS_LOAD]), "findings",
				 findings_json(findings));

	json_object_set_new(root, "processors", processors_json(facts));
	json_object_set_new(root, "machine", machine_json(facts));
	json_object_set_new(root, "cross_core", cross_core_json(&facts->watch));
	json_object_set_new(root, "speed", speed_json(&facts->watch));
	json_object_set_new(root, "clocks", clocks_json(&facts->watch));
	for (int role = 0; role < FACTS_ROLES; role++)
		json_object_set_new(root, role_names[role], role_json(facts, role));
	json_object_set_new(root, "busiest", busiest_json(&facts->load));
	json_object_set_new(root, "limits", limits_json(facts));
	return root;
}
