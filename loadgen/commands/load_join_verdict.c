#include "loadgen/commands/load_join_parts.h"
#include <stdio.h>
#include <string.h>

static const char remedy_of_overlap[] =
	"start the processes together, with the same --ramp, --warmup and --duration";

static void append(json_t *reasons, enum validity kind, const char *figure, const char *remedy)
{
	json_array_append_new(reasons, json_pack("{s:s, s:s, s:s}", "kind", validity_names[kind],
						 "figure", figure, "remedy", remedy));
}

/* A file's name may be of bytes that are no text. */
static json_t *name_figure(const struct load_joined *one, const char *figure)
{
	json_t *named = json_sprintf("%s: %s", one->name, figure);

	return named ? named : json_sprintf("a report: %s", figure);
}

/* A report's reasons of one kind. */
static void append_all(json_t *reasons, enum validity kind, const struct load_joined *one)
{
	size_t i;
	json_t *reason;

	json_array_foreach(json_object_get(one->report.root, "reasons"), i, reason)
	{
		const char *figure = json_string_value(json_object_get(reason, "figure"));

		if (strcmp(json_string_value(json_object_get(reason, "kind")),
			   validity_names[kind]) == 0)
			json_array_append_new(
				reasons, json_pack("{s:s, s:o, s:O}", "kind", validity_names[kind],
						   "figure", name_figure(one, figure), "remedy",
						   json_object_get(reason, "remedy")));
	}
}

/* The errors of all together: what validity.h thinks of them, and of nothing else. */
static void judge_errors(const struct load_job *job, json_t *reasons)
{
	const struct load_result *result = &job->result;
	struct fail_errors errors =
		fail_on_errors(&job->fail_on, result->errors, result->all_requests);
	struct validity_facts facts = {
		.requests = result->requests,
		.errors = errors.count,
		.worst_error = errors.worst,
		.worst_count = errors.worst_count,
		.stolen = -1,
	};
	struct validity_verdict verdict;

	validity_judge(&facts, &verdict);
	if (verdict.verdict == INVALID_ERRORS)
		append(reasons, INVALID_ERRORS, verdict.reasons[0].figure,
		       verdict.reasons[0].remedy);
}

static void judge_overlap(double overlap, json_t *reasons)
{
	char figure[VALIDITY_FIGURE_MAX];

	if (overlap >= LOAD_JOIN_OVERLAP_LEAST)
		return;
	snprintf(figure, sizeof(figure), "the windows overlap by %.3g %% only", 100 * overlap);
	append(reasons, INVALID_MERGE, figure, remedy_of_overlap);
}

void load_join_verdict(struct load_job *job, const struct load_joined *joined, int count,
		       double overlap)
{
	json_t *reasons = json_array();

	for (int kind = VALID + 1; kind < VALIDITIES; kind++) {
		bool anew = kind == INVALID_ERRORS && job->merged.judges_errors;

		if (anew)
			judge_errors(job, reasons);
		for (int i = 0; i < count && !anew; i++)
			append_all(reasons, (enum validity)kind, &joined[i]);
		if (kind == INVALID_MERGE)
			judge_overlap(overlap, reasons);
		if (job->verdict.verdict == VALID && json_array_size(reasons) > 0)
			job->verdict.verdict = (enum validity)kind;
	}
	job->merged.reasons = reasons;
}
