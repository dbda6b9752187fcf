#include "loadgen/tune/curve.h"
#include "common/random.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 1000 };

static const double scatter_least = 0.002;
static const double error_least = 0.05; /* of the crossing: what c drifts by in minutes */

static double mean_of(const double *samples, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += samples[i];
	return sum / (double)count;
}

int curve_add(struct curve *curve, int64_t t, double rps)
{
	struct curve_point *point;
	size_t at = 0;

	while (at < curve->count && curve->points[at].t < t)
		at++;
	point = &curve->points[at];
	if (at == curve->count || point->t != t) {
		if (curve->count == CURVE_POINTS_MAX)
			return -ENOSPC;
		memmove(point + 1, point, (curve->count - at) * sizeof(*point));
		*point = (struct curve_point){ .t = t };
		curve->count++;
	}
	if (point->count == CURVE_SAMPLES_MAX)
		return -ENOSPC;
	point->samples[point->count++] = rps;
	point->mean = mean_of(point->samples, point->count);
	return 0;
}

const struct curve_point *curve_find(const struct curve *curve, int64_t t)
{
	for (size_t i = 0; i < curve->count; i++)
		if (curve->points[i].t == t)
			return &curve->points[i];
	return NULL;
}

double curve_scatter(const struct curve *curve, double least)
{
	double sum = 0;
	size_t freedom = 0;
	double scatter;

	for (size_t i = 0; i < curve->count; i++) {
		const struct curve_point *point = &curve->points[i];

		for (size_t j = 0; j < point->count && point->count > 1; j++)
			sum += pow(point->samples[j] / point->mean - 1, 2);
		freedom += point->count - 1;
	}
	scatter = freedom > 0 ? sqrt(sum / (double)freedom) : 0;
	return fmax(scatter, least);
}

static double highest(const struct curve *curve)
{
	double most = 0;

	for (size_t i = 0; i < curve->count; i++)
		most = fmax(most, curve->points[i].mean);
	return most;
}

double curve_plateau(const struct curve *curve, double scatter)
{
	double edge = highest(curve) * (1 - CURVE_LEVEL_SHARE - scatter);
	double sum = 0;
	double weight = 0;

	for (size_t i = 0; i < curve->count; i++) {
		const struct curve_point *point = &curve->points[i];

		if (point->mean < edge)
			continue;
		sum += (double)point->count * point->mean;
		weight += (double)point->count;
	}
	return weight > 0 ? sum / weight : 0;
}

/* Blocks of points whose means, taken together, do not fall (pool adjacent violators). */
struct block {
	double weight;
	double mean;
	size_t first;
	size_t last;
};

/* Fits the points up to the highest one. Returns how many values are set. */
static size_t fit_rising(const struct curve *curve, double fitted[CURVE_POINTS_MAX])
{
	struct block blocks[CURVE_POINTS_MAX];
	size_t count = 0;
	size_t peak = 0;

	for (size_t i = 1; i < curve->count; i++)
		if (curve->points[i].mean > curve->points[peak].mean)
			peak = i;
	for (size_t i = 0; i < curve->count && i <= peak; i++) {
		blocks[count++] = (struct block){ (double)curve->points[i].count,
						  curve->points[i].mean, i, i };
		while (count > 1 && blocks[count - 2].mean > blocks[count - 1].mean) {
			struct block *into = &blocks[count - 2];
			const struct block *from = &blocks[count - 1];
			double weight = into->weight + from->weight;

			into->mean =
				(into->weight * into->mean + from->weight * from->mean) / weight;
			into->weight = weight;
			into->last = from->last;
			count--;
		}
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = blocks[i].first; j <= blocks[i].last; j++)
			fitted[j] = blocks[i].mean;
	return count > 0 ? peak + 1 : 0;
}

double curve_crossing(const struct curve *curve, double share, double scatter, bool *below)
{
	double target = share * curve_plateau(curve, scatter);
	double fitted[CURVE_POINTS_MAX];
	size_t count = fit_rising(curve, fitted);
	size_t at = 0;
	double low;
	double high;

	*below = false;
	if (count == 0)
		return 0;
	while (at + 1 < count && fitted[at] < target)
		at++;
	high = (double)curve->points[at].t;
	if (at == 0) {
		*below = true;
		return high;
	}
	low = (double)curve->points[at - 1].t;
	if (fitted[at] <= fitted[at - 1])
		return high;
	return exp(log(low) + (log(high) - log(low)) * (target - fitted[at - 1]) /
				      (fitted[at] - fitted[at - 1]));
}

double curve_value(const struct curve *curve, double t)
{
	size_t at = 0;
	const struct curve_point *low;
	const struct curve_point *high;

	if (curve->count == 0)
		return 0;
	while (at < curve->count && (double)curve->points[at].t < t)
		at++;
	if (at == 0 || at == curve->count)
		return curve->points[at == 0 ? 0 : at - 1].mean;
	low = &curve->points[at - 1];
	high = &curve->points[at];
	return low->mean + (high->mean - low->mean) * log(t / (double)low->t) /
				   log((double)high->t / (double)low->t);
}

static int compare_doubles(const void *a, const void *b)
{
	double first = *(const double *)a;
	double second = *(const double *)b;

	return (first > second) - (first < second);
}

/* Whatever is between the points around the crossing is possible, if they are far apart. */
static void cover_bracket(const struct curve *curve, struct curve_answer *answer)
{
	size_t at = 1;
	double low;
	double high;

	while (at < curve->count && (double)curve->points[at].t < answer->crossing)
		at++;
	if (at >= curve->count)
		return;
	low = (double)curve->points[at - 1].t;
	high = (double)curve->points[at].t;
	if (low >= answer->crossing || high - low <= 1 || high / low <= CURVE_BRACKET_MOST)
		return;
	answer->low = fmin(answer->low, low);
	answer->high = fmax(answer->high, high);
}

void curve_widen(struct curve_answer *answer, double share)
{
	answer->low = fmin(answer->low, answer->crossing * (1 - share));
	answer->high = fmax(answer->high, answer->crossing * (1 + share));
}

int curve_answer(const struct curve *curve, double share, uint64_t seed,
		 struct curve_answer *answer)
{
	double scatter = curve_scatter(curve, scatter_least);
	struct random random = { seed };
	struct curve drawn = *curve;
	double crossings[DRAWS];
	bool below;

	*answer = (struct curve_answer){ 0 };
	if (curve->count == 0)
		return -ENODATA;
	answer->plateau = curve_plateau(curve, scatter);
	answer->crossing = curve_crossing(curve, share, scatter, &answer->open);
	for (int i = 0; i < DRAWS; i++) {
		for (size_t j = 0; j < curve->count; j++) {
			const struct curve_point *point = &curve->points[j];
			double error = scatter / sqrt((double)point->count);

			drawn.points[j].mean = point->mean * (1 + error * random_normal(&random));
		}
		crossings[i] = curve_crossing(&drawn, share, scatter, &below);
	}
	qsort(crossings, DRAWS, sizeof(crossings[0]), compare_doubles);
	answer->low = crossings[DRAWS / 40];
	answer->high = crossings[DRAWS - 1 - DRAWS / 40];
	curve_widen(answer, error_least);
	cover_bracket(curve, answer);
	answer->t = (int64_t)ceil(answer->crossing - 1e-9);
	return 0;
}
