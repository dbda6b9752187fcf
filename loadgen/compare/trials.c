#include "loadgen/compare/trials.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Copies of the values, of which the first are the ones that are drawn. */
struct urn {
	double *values;
	size_t count;
};

static void draw(struct urn *urn, size_t wanted, struct random *random)
{
	for (size_t i = 0; i < wanted; i++) {
		/* Of at most some hundreds: the remainder's bias is below 1e-16. */
		size_t j = i + (size_t)(random_bits(random) % (urn->count - i));
		double value = urn->values[i];

		urn->values[i] = urn->values[j];
		urn->values[j] = value;
	}
}

static int fill(struct urn *urn, const double *values, size_t count)
{
	urn->values = calloc(count + 1, sizeof(*urn->values));
	urn->count = count;
	if (!urn->values)
		return -ENOMEM;
	if (count > 0)
		memcpy(urn->values, values, count * sizeof(*values));
	return 0;
}

bool trials_can_run(const struct trials *trials)
{
	size_t n = trials->repetitions;

	if (n < SAMPLES_LEAST)
		return false;
	return trials->newer ? trials->base_count >= n && trials->newer_count >= n
			     : trials->base_count >= 2 * n;
}

/* One comparison, of a single point. */
static int judge(const struct trials *trials, const double *base, const double *newer,
		 struct trials_result *result)
{
	struct compare_point point = { .has_ratio = true, .has_interval = true };
	size_t n = trials->repetitions;
	int rc = ratio_of_means(base, n, newer, n, &point.ratio);

	if (rc != 0)
		return rc;
	point.ratio.resolution = 2 * trials->resolution;
	point.ratio.log += quantity_worse(trials->settings.quantity) * trials->planted;
	rc = compare_judge(&point, 1, &trials->settings);
	result->verdicts[point.verdict]++;
	result->improved += point.improved;
	result->count++;
	return rc;
}

int trials_run(const struct trials *trials, struct random *random, struct trials_result *result)
{
	struct urn base = { 0 };
	struct urn newer = { 0 };
	size_t n = trials->repetitions;
	int rc = trials_can_run(trials) ? 0 : -EINVAL;

	*result = (struct trials_result){ 0 };
	if (rc == 0)
		rc = fill(&base, trials->base, trials->base_count);
	if (rc == 0 && trials->newer)
		rc = fill(&newer, trials->newer, trials->newer_count);
	for (size_t i = 0; rc == 0 && i < trials->count; i++) {
		draw(&base, trials->newer ? n : 2 * n, random);
		if (trials->newer)
			draw(&newer, n, random);
		rc = judge(trials, base.values, trials->newer ? newer.values : base.values + n,
			   result);
	}
	free(base.values);
	free(newer.values);
	return rc;
}
