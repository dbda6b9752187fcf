#include "loadgen/compare/samples.h"
#include "loadgen/model/audit.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const samples_unit_names[] = { "repetitions", "sweeps", "pairs", "pairs of sweeps" };

/* Taking */

static bool was_rejected(const struct run *run)
{
	return run->rejected[0] && strcmp(run->rejected, "-") != 0;
}

/* Whether the run counts; if not, samples->why says why. */
static bool counts(const struct run *run, double value, struct samples *samples)
{
	struct audit_failure failures[AUDITS];

	if (audit_run(run, failures) > 0) {
		snprintf(samples->why, sizeof(samples->why), "%s: %s; %s",
			 audit_names[failures[0].audit], failures[0].why, failures[0].remedy);
		return false;
	}
	if (was_rejected(run)) {
		snprintf(samples->why, sizeof(samples->why),
			 "%s: rejected when it was measured; repeat the run", run->rejected);
		return false;
	}
	if (!isfinite(value) || value <= 0) {
		snprintf(samples->why, sizeof(samples->why),
			 "the figure is not in its row; measure it with this cwt");
		return false;
	}
	return true;
}

static void add(struct samples *samples, const struct run *run, size_t sweep, double value,
		double resolution)
{
	bool first = samples->count == 0 || samples->items[samples->count - 1].sweep != sweep;

	samples->sweeps += first;
	samples->items[samples->count++] = (struct sample){
		.value = value,
		.way_ns = sqrt((double)run->ping_pong_before_ns * (double)run->ping_pong_after_ns),
		.sweep = sweep,
	};
	samples->mean += log(value);
	samples->resolution += resolution;
	samples->client_busy =
		fmax(samples->client_busy, (double)run->client_cpu_ns / (double)run->window_ns);
}

int samples_take(const struct side *side, const struct run *point, enum quantity quantity,
		 struct samples *samples)
{
	int64_t most = 0;

	for (size_t i = 0; i < side->count; i++)
		most += side->sweeps[i].count;
	*samples = (struct samples){ .items = calloc((size_t)most + 1, sizeof(*samples->items)) };
	if (!samples->items)
		return -ENOMEM;
	for (size_t i = 0; i < side->count; i++) {
		for (int64_t j = 0; j < side->sweeps[i].count; j++) {
			const struct run *run = &side->sweeps[i].runs[j];
			double value = quantity_of(run, quantity);

			if (!run_same_point(run, point))
				continue;
			samples->runs++;
			samples->run_ns += run->run_ns;
			if (counts(run, value, samples))
				add(samples, run, i, value, quantity_resolution(run, quantity));
		}
	}
	if (samples->count > 0) {
		samples->mean = exp(samples->mean / (double)samples->count);
		samples->resolution /= (double)samples->count;
	}
	return 0;
}

void samples_free(struct samples *samples)
{
	free(samples->items);
	samples->items = NULL;
	samples->count = 0;
}

/* Independent sides */

/* The geometric mean of each sweep's samples. Returns how many. */
static size_t sweep_means(const struct samples *samples, double *means)
{
	size_t count = 0;

	for (size_t i = 0; i < samples->count;) {
		size_t sweep = samples->items[i].sweep;
		size_t from = i;
		double sum = 0;

		for (; i < samples->count && samples->items[i].sweep == sweep; i++)
			sum += log(samples->items[i].value);
		means[count++] = exp(sum / (double)(i - from));
	}
	return count;
}

static size_t values_of(const struct samples *samples, double *values)
{
	for (size_t i = 0; i < samples->count; i++)
		values[i] = samples->items[i].value;
	return samples->count;
}

static void compare_apart(const struct samples *base, const struct samples *newer, double *a,
			  double *b, struct samples_ratio *result)
{
	bool by_sweep = base->sweeps > 1 || newer->sweeps > 1;

	result->unit = by_sweep ? SAMPLES_SWEEPS : SAMPLES_REPETITIONS;
	result->base_units = by_sweep ? sweep_means(base, a) : values_of(base, a);
	result->new_units = by_sweep ? sweep_means(newer, b) : values_of(newer, b);
	ratio_of_means(a, result->base_units, b, result->new_units, &result->ratio);
	if (!by_sweep && (base->count < SAMPLES_LEAST || newer->count < SAMPLES_LEAST))
		snprintf(result->why, sizeof(result->why),
			 "%zu valid repetitions in BASE, %zu in NEW, and at least %d are needed: "
			 "repetitions = %d in the plan, or several sweeps on a side",
			 base->count, newer->count, SAMPLES_LEAST, SAMPLES_LEAST);
}

/* Pairs */

#define SAME_STATE 2.0 /* states differ threefold, noise within one far less */

static int by_sweep_and_way(const void *a, const void *b)
{
	const struct sample *x = a;
	const struct sample *y = b;

	if (x->sweep != y->sweep)
		return x->sweep < y->sweep ? -1 : 1;
	return (x->way_ns > y->way_ns) - (x->way_ns < y->way_ns);
}

/* One sweep's samples, by rising way. */
struct part {
	const struct sample *at;
	const struct sample *end;
};

static struct part part_of(const struct samples *samples, size_t sweep)
{
	struct part part = { samples->items, samples->items + samples->count };

	while (part.at < part.end && part.at->sweep != sweep)
		part.at++;
	for (const struct sample *end = part.at; end < part.end; end++)
		if (end->sweep != sweep)
			part.end = end;
	return part;
}

/*
 * As many pairs of the same state as can be: the least that is left on either side goes with the
 * least of the other, or with none. Returns their number.
 */
static size_t match(struct part base, struct part newer, double *a, double *b)
{
	size_t pairs = 0;

	while (base.at < base.end && newer.at < newer.end) {
		double less = fmin(base.at->way_ns, newer.at->way_ns);
		double more = fmax(base.at->way_ns, newer.at->way_ns);

		if (more <= SAME_STATE * less) {
			a[pairs] = base.at++->value;
			b[pairs++] = newer.at++->value;
		} else if (base.at->way_ns < newer.at->way_ns) {
			base.at++;
		} else {
			newer.at++;
		}
	}
	return pairs;
}

static double mean_log(const double *values, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += log(values[i]);
	return sum / (double)count;
}

static size_t last_sweep(const struct samples *samples)
{
	return samples->items[samples->count - 1].sweep;
}

/* Each two sweeps of the same place give one pair: of the means over their pairs. */
static size_t match_sweeps(const struct samples *base, const struct samples *newer, double *a,
			   double *b)
{
	size_t units = 0;

	for (size_t i = 0; i <= last_sweep(base) && i <= last_sweep(newer); i++) {
		/* Behind the units so far, of which there are no more than samples before. */
		size_t pairs = match(part_of(base, i), part_of(newer, i), a + units, b + units);

		if (pairs == 0)
			continue;
		a[units] = exp(mean_log(a + units, pairs));
		b[units] = exp(mean_log(b + units, pairs));
		units++;
	}
	return units;
}

static void compare_paired(const struct samples *base, const struct samples *newer, double *a,
			   double *b, struct samples_ratio *result)
{
	bool by_sweep = last_sweep(base) > 0 || last_sweep(newer) > 0;
	size_t least = by_sweep ? 2 : SAMPLES_LEAST;
	size_t units;

	qsort(base->items, base->count, sizeof(*base->items), by_sweep_and_way);
	qsort(newer->items, newer->count, sizeof(*newer->items), by_sweep_and_way);
	units = by_sweep ? match_sweeps(base, newer, a, b)
			 : match(part_of(base, 0), part_of(newer, 0), a, b);
	result->unit = by_sweep ? SAMPLES_SWEEP_PAIRS : SAMPLES_PAIRS;
	result->base_units = result->new_units = units;
	ratio_of_pairs(a, b, units, &result->ratio);
	if (units < least || base->sweeps != newer->sweeps)
		snprintf(
			result->why, sizeof(result->why),
			"%zu %s were measured in the same state of the machine, by the way between "
			"its cores, and at least %zu are needed: %s",
			units, samples_unit_names[result->unit], least,
			by_sweep ? "as many sweeps on one side as on the other"
				 : "more repetitions, measured alternately");
}

int samples_compare(const struct samples *base, const struct samples *newer, bool paired,
		    struct samples_ratio *result)
{
	double *a = calloc(base->count + newer->count + 1, sizeof(*a));
	double *b = calloc(base->count + newer->count + 1, sizeof(*b));
	int rc = a && b ? 0 : -ENOMEM;

	*result = (struct samples_ratio){ .unit = SAMPLES_REPETITIONS };
	if (rc == 0 && paired)
		compare_paired(base, newer, a, b, result);
	else if (rc == 0)
		compare_apart(base, newer, a, b, result);
	result->ratio.resolution = base->resolution + newer->resolution;
	free(a);
	free(b);
	return rc;
}
