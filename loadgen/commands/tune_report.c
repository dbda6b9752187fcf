/* What `cwt tune` says: on a screen or in a log, for scripts, for a pull request, for a build
 * server. */
#include "common/units.h"
#include "loadgen/commands/commands.h"
#include "loadgen/commands/tune.h"
#include "loadgen/report/junit.h"
#include "loadgen/sweep/archs.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 40, LINE_MAX_BYTES = 256 };

static const char *const bound_texts[] = {
	[EXPLAIN_THREADS] = "still growing: t/w binds up to the highest t measured",
	[EXPLAIN_CPU] = "the processors (k/c)",
	[EXPLAIN_LOCK] = "one processor's worth of several: a lock in the server, such as an "
			 "interpreter's",
	[EXPLAIN_OTHER] = "neither threads nor processors: what the server waits for",
};

static const char *format_time(char text[UNITS_TEXT_MAX], double seconds)
{
	return units_format_duration(text, seconds * 1e9);
}

static double cpu_alone_s(const struct tune *tune)
{
	return tune->alone.requests > 0
		       ? (double)tune->alone.server_cpu_ns / (double)tune->alone.requests / 1e9
		       : 0;
}

/* The figures of the runs that count at t: their means. */
struct cost {
	double cpu_s;
	double p99_s;
	double pss_bytes;
	double run_delay_s; /* waiting for a processor, of a request */
	double switches;
	size_t runs;
};

static struct cost cost_of(const struct tune *tune, int64_t t)
{
	struct cost cost = { 0 };

	for (size_t i = 0; i < tune->run_count; i++) {
		const struct run *run = &tune->runs[i];
		double requests = (double)run->requests;
		double all = (double)run->all_requests;

		if (run->threads != t || strcmp(run->rejected, "-") != 0)
			continue;
		cost.runs++;
		cost.cpu_s += (double)run->server_cpu_ns / requests / 1e9;
		cost.p99_s += (double)run->p99_ns / 1e9;
		cost.pss_bytes += (double)run->pss_bytes;
		cost.run_delay_s += (double)run->run_delay_ns / all / 1e9;
		cost.switches +=
			(double)(run->voluntary_switches + run->involuntary_switches) / all;
	}
	if (cost.runs == 0)
		return cost;
	cost.cpu_s /= (double)cost.runs;
	cost.p99_s /= (double)cost.runs;
	cost.pss_bytes /= (double)cost.runs;
	cost.run_delay_s /= (double)cost.runs;
	cost.switches /= (double)cost.runs;
	return cost;
}

/* The measured t that is nearest to what is recommended. */
static int64_t nearest(const struct tune *tune, double t)
{
	int64_t best = tune->curve.points[0].t;

	for (size_t i = 1; i < tune->curve.count; i++)
		if (fabs(log((double)tune->curve.points[i].t / t)) < fabs(log((double)best / t)))
			best = tune->curve.points[i].t;
	return best;
}

static const struct recipe *recipe_of(const struct tune *tune)
{
	const struct arch_traits *traits = archs_find(tune->asked.arch);

	return traits ? traits->recipe : NULL;
}

/* t in the server's own words. */
static const char *config_of(const struct tune *tune, int64_t t, char text[LINE_MAX_BYTES])
{
	const struct recipe *recipe = recipe_of(tune);

	if (recipe)
		return recipe_config(recipe, t, text, LINE_MAX_BYTES);
	snprintf(text, LINE_MAX_BYTES, "--threads %lld", (long long)t);
	return text;
}

/* Throughput over t, a bar for each, with a mark where t is to be. */
static void print_plot(FILE *file, const struct tune *tune, const struct tune_result *result)
{
	const struct curve *curve = &tune->curve;
	double top = 0;

	for (size_t i = 0; i < curve->count; i++)
		top = fmax(top, curve->points[i].mean);
	fprintf(file, "%8s  %10s  runs\n", "t", "requests/s");
	for (size_t i = 0; i < curve->count; i++) {
		const struct curve_point *point = &curve->points[i];
		int width = (int)lround(BAR_WIDTH * point->mean / top);
		bool inside = (double)point->t >= result->answer.low &&
			      (double)point->t <= result->answer.high;

		fprintf(file, "%8lld  %10.6g  %4zu  %.*s%s\n", (long long)point->t, point->mean,
			point->count, width, "########################################",
			inside ? "  <" : "");
	}
}

static void print_rules(FILE *file, const struct explanation *explanation)
{
	for (int i = 0; i < EXPLAIN_RULES; i++) {
		const struct explain_rule *rule = &explanation->rules[i];

		fprintf(file, "  %-14s %lld, which would lose %.1f %%\n", rule->name,
			(long long)rule->t, 100 * rule->loss);
	}
}

/* A curve that sags says more than its t does. */
static void print_sag(FILE *file, const struct explain_sag *sag)
{
	if (sag->t == 0)
		return;
	fprintf(file,
		"  sags           %.4g requests/s at t = %lld, where requests at random would have "
		"%.4g:\n"
		"                 threads are in each other's way. If they are in step (convoys), "
		"that\n"
		"                 differs between starts and with time; with all in step t = %lld "
		"does %.4g\n",
		sag->rps, (long long)sag->t, sag->random_rps, (long long)sag->together_t,
		sag->together_rps);
}

/* What was tried for the SLO. */
static void print_slo(FILE *file, const struct tune *tune)
{
	for (size_t i = 0; i < tune->slo_count; i++) {
		const struct tune_slo_point *point = &tune->slo_points[i];

		fprintf(file, "  %-14s t = %lld: ", i == 0 ? tune->slo_text : "",
			(long long)point->t);
		if (tune->rate > 0)
			fprintf(file, "met by %d of %d runs at %.6g requests/s", point->meets,
				point->meets + point->misses, tune->rate);
		else if (isfinite(point->high))
			fprintf(file, "met up to %.6g requests/s, not at %.6g", point->low,
				point->high);
		else
			fprintf(file, "met up to %.6g requests/s", point->low);
		fprintf(file, "%s\n",
			point->is_client_limited ? "; then the generator is the limit" : "");
	}
}

static void print_facts(FILE *file, const struct tune *tune, const struct tune_result *result)
{
	const struct explanation *explanation = &result->explanation;
	int64_t measured = nearest(tune, (double)result->answer.t);
	struct cost cost = cost_of(tune, measured);
	char texts[4][UNITS_TEXT_MAX];
	char line[LINE_MAX_BYTES];

	fprintf(file, "  t              %lld  [%.0f, %.0f]   %s\n", (long long)result->answer.t,
		result->answer.low, result->answer.high, config_of(tune, result->answer.t, line));
	fprintf(file, "  plateau        %.6g requests/s; t reaches %.0f %% of it\n",
		result->answer.plateau, 100 * tune->next.share);
	fprintf(file, "  bound          %s\n", bound_texts[explanation->bound]);
	fprintf(file, "  one more       %+.2g requests/s\n", explanation->gain);
	fprintf(file, "  alone          c %s, w %s; t* = k w/c = %.1f\n",
		format_time(texts[0], cpu_alone_s(tune)),
		format_time(texts[1], tune->alone.mean_ns / 1e9), explanation->t_star);
	fprintf(file,
		"  at t = %-7lld %s of CPU, %s waiting for a processor, %.1f switches a request; "
		"p99 "
		"%s; %s\n",
		(long long)measured, format_time(texts[0], cost.cpu_s),
		format_time(texts[1], cost.run_delay_s), cost.switches,
		format_time(texts[2], cost.p99_s),
		units_format_size(texts[3], (int64_t)cost.pss_bytes / 1024 * 1024));
	if (explanation->has_usl && isfinite(explanation->usl.peak) &&
	    explanation->usl.peak >= result->answer.crossing)
		fprintf(file, "  past it        the most at t = %.0f, %.1f %% less at %lld (USL)\n",
			explanation->usl.peak, 100 * explanation->past_loss,
			(long long)explanation->past_t);
	else
		fprintf(file, "  past it        %.1f %% less at t = %lld, the highest measured\n",
			100 * explanation->past_loss, (long long)explanation->past_t);
	print_sag(file, &explanation->sag);
	print_rules(file, explanation);
	print_slo(file, tune);
}

static void print_runs(FILE *file, const struct tune *tune)
{
	fprintf(file, "  measured       %zu runs in %.0f s%s", tune->run_count,
		(double)tune->took_ns / 1e9, tune->out_of_time ? ", all of the budget" : "");
	if (tune->rejected > 0)
		fprintf(file, "; %zu rejected, the last: %s", tune->rejected, tune->rejection);
	fprintf(file, "\n");
}

void tune_print(const struct tune *tune, const struct tune_result *result)
{
	printf("%s: %s\n", tune->asked.arch, result->verdict);
	if (tune->curve.count == 0)
		return;
	print_facts(stdout, tune, result);
	print_runs(stdout, tune);
	printf("\n");
	print_plot(stdout, tune, result);
}

/* Files */

static json_t *points_to_json(const struct tune *tune)
{
	json_t *points = json_array();

	for (size_t i = 0; i < tune->curve.count; i++) {
		const struct curve_point *point = &tune->curve.points[i];
		struct cost cost = cost_of(tune, point->t);

		json_array_append_new(
			points, json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "threads",
					  (json_int_t)point->t, "runs", (json_int_t)point->count,
					  "throughput_rps", point->mean, "cpu_ns_per_request",
					  cost.cpu_s * 1e9, "latency_p99_ns", cost.p99_s * 1e9,
					  "run_delay_ns_per_request", cost.run_delay_s * 1e9,
					  "switches_per_request", cost.switches, "pss_bytes",
					  cost.pss_bytes));
	}
	return points;
}

static json_t *slo_to_json(const struct tune *tune, const struct tune_result *result)
{
	json_t *points = json_array();

	if (!tune->slo_text) {
		json_decref(points);
		return json_null();
	}
	for (size_t i = 0; i < tune->slo_count; i++) {
		const struct tune_slo_point *point = &tune->slo_points[i];
		json_t *high = isfinite(point->high) && point->high > 0 ? json_real(point->high)
									: json_null();

		json_array_append_new(points,
				      json_pack("{s:I, s:f, s:o, s:i, s:i, s:b}", "threads",
						(json_int_t)point->t, "rate_met_rps", point->low,
						"rate_missed_rps", high, "met", point->meets,
						"missed", point->misses, "client_limited",
						point->is_client_limited));
	}
	return json_pack("{s:s, s:f, s:f, s:I, s:o}", "condition", tune->slo_text, "rate_asked_rps",
			 tune->rate, "rate_rps", result->slo.rate, "probes",
			 (json_int_t)tune->slo_probes, "points", points);
}

static json_t *sag_to_json(const struct explain_sag *sag)
{
	if (sag->t == 0)
		return json_null();
	return json_pack("{s:I, s:f, s:f, s:I, s:f}", "threads", (json_int_t)sag->t,
			 "throughput_rps", sag->rps, "random_rps", sag->random_rps,
			 "together_threads", (json_int_t)sag->together_t, "together_rps",
			 sag->together_rps);
}

json_t *tune_to_json(const struct tune *tune, const struct tune_result *result)
{
	const struct explanation *explanation = &result->explanation;
	char config[LINE_MAX_BYTES] = "";
	json_t *rules = json_array();
	json_t *root;

	for (int i = 0; i < EXPLAIN_RULES; i++)
		if (explanation->rules[i].name)
			json_array_append_new(rules,
					      json_pack("{s:s, s:I, s:f}", "name",
							explanation->rules[i].name, "threads",
							(json_int_t)explanation->rules[i].t, "loss",
							explanation->rules[i].loss));
	if (tune->curve.count > 0)
		config_of(tune, result->answer.t, config);
	root = json_pack(
		"{s:i, s:s, s:s, s:i, s:s, s:I, s:[f, f], s:f, s:f, s:s, s:f, s:f, s:f, s:f, s:I, "
		"s:f, s:f, s:o, s:o, s:o, s:I, s:I, s:s, s:f, s:b, s:o}",
		"schema", 1, "target", tune->asked.arch, "verdict", result->verdict, "status",
		result->status, "config", config, "threads", (json_int_t)result->answer.t,
		"interval", result->answer.low, result->answer.high, "plateau_rps",
		result->answer.plateau, "share", tune->next.share, "bound",
		explain_bounds[explanation->bound], "gain_rps", explanation->gain, "cpu_alone_ns",
		cpu_alone_s(tune) * 1e9, "cpu_ns", result->cpu_s * 1e9, "wall_ns",
		tune->alone.mean_ns, "cores", (json_int_t)tune->asked.cores, "t_star",
		explanation->t_star, "past_loss", explanation->past_loss, "sag",
		sag_to_json(&explanation->sag), "rules", rules, "points", points_to_json(tune),
		"runs", (json_int_t)tune->run_count, "rejected", (json_int_t)tune->rejected,
		"shift", result->shift.has_baseline ? shift_causes[result->shift.cause] : "",
		"took_s", (double)tune->took_ns / 1e9, "out_of_time", tune->out_of_time, "slo",
		slo_to_json(tune, result));
	return root ? root : json_object();
}

int tune_write_markdown(const char *path, const struct tune *tune, const struct tune_result *result)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	fprintf(file, "**cwt tune %s**: %s\n\n", tune->asked.arch, result->verdict);
	if (tune->curve.count > 0) {
		fprintf(file, "```\n");
		print_facts(file, tune, result);
		print_runs(file, tune);
		fprintf(file, "\n");
		print_plot(file, tune, result);
		fprintf(file, "```\n");
	}
	return fclose(file) == 0 ? 0 : -errno;
}

int tune_write_junit(const char *path, const struct tune *tune, const struct tune_result *result)
{
	static const enum junit_status statuses[] = {
		[CWT_OK] = JUNIT_PASSED,
		[CWT_BROKEN] = JUNIT_FAILED,
		[CWT_INCONCLUSIVE] = JUNIT_SKIPPED,
		[CWT_INVALID] = JUNIT_ERROR,
	};
	char name[LINE_MAX_BYTES];
	struct junit_case one = {
		.name = name,
		.classname = "cwt.tune",
		.time_s = (double)tune->took_ns / 1e9,
		.status = statuses[result->status],
		.message = result->status == CWT_OK ? NULL : result->verdict,
	};

	if (tune->has_assert)
		snprintf(name, sizeof(name), "%s: t = %lld", tune->asked.arch,
			 (long long)tune->asserted);
	else
		snprintf(name, sizeof(name), "%s", tune->asked.arch);
	return junit_write(path, "cwt tune", &one, 1);
}

/* What the file is about has to be what is tuned. Returns NULL, or what differs. */
static const char *differs(const struct tune *tune, const char *target, double share,
			   const json_t *slo)
{
	const char *condition = json_string_value(json_object_get(slo, "condition"));

	if (strcmp(target, tune->asked.arch) != 0)
		return "it is of another target";
	if (fabs(share - tune->next.share) > 1e-6)
		return "it is of another --share";
	if (strcmp(condition ? condition : "", tune->slo_text ? tune->slo_text : "") != 0)
		return "it is of another --slo";
	return NULL;
}

int tune_read_baseline(const struct tune *tune, struct baseline *baseline, char why[TUNE_TEXT_MAX])
{
	const char *path = tune->baseline;
	const char *target = "";
	const char *wrong = NULL;
	const json_t *slo = NULL;
	double share = 0;
	json_error_t error;
	json_t *root;
	json_int_t t;
	json_int_t cores;
	int rc;

	if (access(path, F_OK) != 0)
		return -errno;
	root = json_load_file(path, 0, &error);
	rc = root ? json_unpack_ex(root, &error, 0,
				   "{s:I, s:[F, F], s:F, s:F, s:I, s:F, s:s, s:F, s?o}", "threads",
				   &t, "interval", &baseline->low, &baseline->high, "cpu_ns",
				   &baseline->cpu_s, "wall_ns", &baseline->wall_s, "cores", &cores,
				   "plateau_rps", &baseline->plateau, "target", &target, "share",
				   &share, "slo", &slo)
		  : -1;
	if (rc == 0)
		wrong = differs(tune, target, share, slo);
	json_decref(root);
	if (rc != 0) {
		snprintf(why, TUNE_TEXT_MAX, "%s:%d: %s: want what cwt tune --save has written",
			 path, error.line, error.text);
		return -EINVAL;
	}
	if (wrong) {
		snprintf(why, TUNE_TEXT_MAX, "%s: %s: save one anew, or take it away", path, wrong);
		return -EINVAL;
	}
	baseline->t = t;
	baseline->cores = (double)cores;
	baseline->cpu_s /= 1e9;
	baseline->wall_s /= 1e9;
	return 0;
}
