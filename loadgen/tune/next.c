#include "loadgen/tune/next.h"
#include <math.h>

static const double growth_least = 1.03; /* of X when t doubles: then the plateau is not reached */
static const double anchors[] = { 0.5, 1, 2, 4 };

static int64_t within(const struct next_settings *settings, double t)
{
	if (t <= (double)settings->least)
		return settings->least;
	if (t >= (double)settings->most)
		return settings->most;
	return (int64_t)llround(t);
}

/* An anchor that is not measured, from the middle outwards; 0 if all are. */
static int64_t next_anchor(const struct curve *curve, const struct next_settings *settings)
{
	double guess = settings->guess > 0 ? settings->guess : (double)settings->least;

	for (size_t i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++) {
		int64_t t = within(settings, guess * anchors[i]);

		if (!curve_find(curve, t))
			return t;
	}
	return 0;
}

/* Twice the highest t, while X has grown up to it; 0 if it has not, or that is the most. */
static int64_t next_above(const struct curve *curve, const struct next_settings *settings)
{
	const struct curve_point *top = &curve->points[curve->count - 1];

	if (top->t >= settings->most)
		return 0;
	if (curve->count > 1 && top->mean < curve_value(curve, (double)top->t / 2) * growth_least)
		return 0;
	return within(settings, 2 * (double)top->t);
}

/* Half of the lowest t, while that is at the plateau already; 0 if it is not, or is the least. */
static int64_t next_under(const struct curve *curve, const struct next_settings *settings,
			  const struct curve_answer *answer)
{
	const struct curve_point *bottom = &curve->points[0];

	if (!answer->open || bottom->t <= settings->least)
		return 0;
	return within(settings, (double)bottom->t / 2);
}

/* The points on both sides of the crossing: indices, of which *low may be that of *high. */
static void enclose(const struct curve *curve, double crossing, size_t *low, size_t *high)
{
	*high = 0;
	while (*high + 1 < curve->count && (double)curve->points[*high].t < crossing)
		(*high)++;
	*low = *high > 0 ? *high - 1 : 0;
}

static int64_t next_between(const struct curve *curve, const struct curve_answer *answer)
{
	size_t low;
	size_t high;
	double from;
	double to;
	int64_t middle;

	enclose(curve, answer->crossing, &low, &high);
	from = (double)curve->points[low].t;
	to = (double)curve->points[high].t;
	middle = (int64_t)llround(sqrt(from * to));
	if (to / from <= CURVE_BRACKET_MOST || curve_find(curve, middle))
		return 0;
	return middle;
}

/* Of the points that matter, the one with the fewest runs. */
static const struct curve_point *least_known(const struct curve *curve,
					     const struct curve_answer *answer)
{
	const struct curve_point *least = NULL;
	size_t low;
	size_t high;

	enclose(curve, answer->crossing, &low, &high);
	for (size_t i = low; i < curve->count; i++) {
		const struct curve_point *point = &curve->points[i];

		if (i > high && point->mean < answer->plateau)
			continue;
		if (!least || point->count < least->count)
			least = point;
	}
	return least;
}

int64_t next_t(const struct curve *curve, const struct next_settings *settings, uint64_t seed)
{
	int64_t t = next_anchor(curve, settings);
	struct curve_answer answer;
	const struct curve_point *least;
	double half;

	if (t == 0)
		t = next_above(curve, settings);
	if (t != 0)
		return t;
	curve_answer(curve, settings->share, seed, &answer);
	t = next_under(curve, settings, &answer);
	if (t == 0)
		t = next_between(curve, &answer);
	if (t != 0)
		return t;
	least = least_known(curve, &answer);
	half = (answer.high - answer.low) / 2;
	if (least->count >= CURVE_SAMPLES_MAX)
		return 0;
	if (least->count >= settings->runs && (half <= settings->precision * answer.crossing ||
					       ceil(answer.low) == ceil(answer.high)))
		return 0;
	return least->t;
}
