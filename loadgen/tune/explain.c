#include "loadgen/tune/explain.h"
#include "loadgen/model/model.h"
#include <errno.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_multifit.h>
#include <math.h>

const char *const explain_bounds[] = {
	[EXPLAIN_THREADS] = "threads",
	[EXPLAIN_CPU] = "cpu",
	[EXPLAIN_LOCK] = "lock",
	[EXPLAIN_OTHER] = "other",
};

const char *const shift_causes[] = {
	[SHIFT_NONE] = "none",   [SHIFT_CPU] = "c",           [SHIFT_WALL] = "w",
	[SHIFT_CORES] = "cores", [SHIFT_UNKNOWN] = "unknown",
};

static const double busy_least = 0.93;       /* of a processor that is taken for busy */
static const double plateau_from_most = 0.6; /* of the highest t measured */
static const double sag_least = 0.03;        /* of X that is missing */
static const double sag_from = 0.5;          /* of the crossing: what matters to it */

/* USL */

static size_t first_of(const struct curve *curve, double from)
{
	size_t first = 0;

	while (first < curve->count && (double)curve->points[first].t < from)
		first++;
	return first;
}

/* t/X over t by a line, which is the law without coherence. */
static void fit_line(const double *t, const double *y, size_t count, double law[3])
{
	double covariances[3];
	double squares;

	gsl_fit_linear(t, 1, y, 1, count, &law[0], &law[1], &covariances[0], &covariances[1],
		       &covariances[2], &squares);
	law[2] = 0;
}

static int fit_square(const double *t, const double *y, size_t count, double law[3])
{
	gsl_matrix *terms = gsl_matrix_alloc(count, 3);
	gsl_matrix *covariances = gsl_matrix_alloc(3, 3);
	gsl_vector_const_view values = gsl_vector_const_view_array(y, count);
	gsl_vector_view fitted = gsl_vector_view_array(law, 3);
	gsl_multifit_linear_workspace *space = gsl_multifit_linear_alloc(count, 3);
	double squares;
	int rc = terms && covariances && space ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		gsl_matrix_set(terms, i, 0, 1);
		gsl_matrix_set(terms, i, 1, t[i]);
		gsl_matrix_set(terms, i, 2, t[i] * t[i]);
	}
	if (rc == 0 && gsl_multifit_linear(terms, &values.vector, &fitted.vector, covariances,
					   &squares, space) != 0)
		rc = -EINVAL;
	gsl_matrix_free(terms);
	gsl_matrix_free(covariances);
	gsl_multifit_linear_free(space);
	return rc;
}

int usl_fit(const struct curve *curve, double from, struct usl *usl)
{
	size_t first = first_of(curve, from);
	size_t count = curve->count - first;
	double t[CURVE_POINTS_MAX];
	double y[CURVE_POINTS_MAX];
	double law[3];
	int rc;

	*usl = (struct usl){ .peak = INFINITY };
	if (count < 3)
		return -ENODATA;
	for (size_t i = 0; i < count; i++) {
		t[i] = (double)curve->points[first + i].t;
		y[i] = t[i] / curve->points[first + i].mean;
	}
	rc = fit_square(t, y, count, law);
	if (rc != 0)
		return rc;
	if (law[2] < 0)
		fit_line(t, y, count, law);
	usl->rate = 1 / (law[0] + law[1] + law[2]);
	usl->coherence = law[2] * usl->rate;
	usl->contention = law[1] * usl->rate + usl->coherence;
	if (usl->coherence > 0)
		usl->peak = sqrt(fmax(0, 1 - usl->contention) / usl->coherence);
	return 0;
}

/* Bounds and rules */

static enum explain_bound bound_of(const struct curve *curve, const struct curve_answer *answer,
				   const struct explain_input *input)
{
	double top = (double)curve->points[curve->count - 1].t;

	/* A plateau goes on for a while: up to one point alone there is growth. */
	if (answer->crossing > plateau_from_most * top && input->busy < busy_least * input->cores)
		return EXPLAIN_THREADS;
	if (input->busy >= busy_least * input->cores)
		return EXPLAIN_CPU;
	if (input->cores > 1 && input->busy >= busy_least && input->busy <= 1 + (1 - busy_least))
		return EXPLAIN_LOCK;
	return EXPLAIN_OTHER;
}

static struct explain_rule rule_of(const char *name, double t, const struct curve *curve,
				   double plateau)
{
	struct explain_rule rule = { .name = name, .t = (int64_t)llround(fmax(1, t)) };
	const struct curve_point *bottom = &curve->points[0];
	double x = curve_value(curve, (double)rule.t);

	if (rule.t < bottom->t) /* each thread did its part there */
		x = bottom->mean * (double)rule.t / (double)bottom->t;
	rule.loss = fmax(0, 1 - x / plateau);
	return rule;
}

/* The highest t that is at the plateau. */
static const struct curve_point *plateau_end(const struct curve *curve, double plateau)
{
	const struct curve_point *end = &curve->points[curve->count - 1];

	while (end > curve->points && end->mean < (1 - CURVE_LEVEL_SHARE) * plateau)
		end--;
	return end;
}

struct explain_sag explain_sag(const struct curve *curve, const struct curve_answer *answer,
			       double wall_s)
{
	const struct curve_point *top = plateau_end(curve, answer->plateau);
	double station_s = 1 / answer->plateau;
	double t = (double)answer->t;
	double missing = sag_least + curve_scatter(curve, 0);
	struct explain_sag sag = { 0 };

	if (wall_s <= station_s)
		return sag;
	for (const struct curve_point *point = curve->points; point < top; point++) {
		double random = model_closed_network((double)point->t, station_s, wall_s, 1);
		double lost = 1 - point->mean / random;

		if ((double)point->t < sag_from * answer->crossing || lost <= missing)
			continue;
		missing = lost;
		sag = (struct explain_sag){
			.t = point->t,
			.rps = point->mean,
			.random_rps = random,
			.together_t = answer->t,
			.together_rps = t / (wall_s + (t - 1) * station_s),
		};
	}
	return sag;
}

void explain(const struct curve *curve, const struct curve_answer *answer,
	     const struct explain_input *input, struct explanation *explanation)
{
	const struct curve_point *top = &curve->points[curve->count - 1];
	double cpu_s = input->cpu_s > 0 ? input->cpu_s : input->cpu_alone_s;
	double wait_s = fmax(0, input->wall_s - cpu_s);
	double k = input->cores;

	*explanation = (struct explanation){
		.t_star = k * input->wall_s / input->cpu_alone_s,
		.bound = bound_of(curve, answer, input),
		.gain = curve_value(curve, (double)answer->t + 1) -
			curve_value(curve, (double)answer->t),
		.sag = explain_sag(curve, answer, input->wall_s),
		.past_t = top->t,
		.past_loss = fmax(0, 1 - top->mean / answer->plateau),
		.rules = {
			rule_of("2k+1", 2 * k + 1, curve, answer->plateau),
			rule_of("k(1+wait/cpu)", k * (1 + wait_s / cpu_s), curve, answer->plateau),
		},
	};
	explanation->has_usl = usl_fit(curve, answer->crossing, &explanation->usl) == 0;
}

/* Shifts */

static double ratio(double now, double then)
{
	return now > 0 && then > 0 ? now / then : 0;
}

struct shift explain_shift(const struct baseline *then, const struct baseline *now, double least)
{
	struct shift shift = {
		.has_baseline = true,
		.cpu = ratio(now->cpu_s, then->cpu_s),
		.wall = ratio(now->wall_s, then->wall_s),
		.cores = ratio(now->cores, then->cores),
		.t = ratio(now->low + now->high, then->low + then->high),
	};
	const double terms[][2] = {
		{ SHIFT_CPU, shift.cpu > 0 ? -log(shift.cpu) : 0 },
		{ SHIFT_WALL, shift.wall > 0 ? log(shift.wall) : 0 },
		{ SHIFT_CORES, shift.cores > 0 ? log(shift.cores) : 0 },
	};
	double direction = shift.t >= 1 ? 1 : -1;
	double most = log(1 + least);

	if (shift.t == 0 || fabs(log(shift.t)) <= log(1 + least))
		return shift;
	shift.cause = SHIFT_UNKNOWN;
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		if (direction * terms[i][1] <= most)
			continue;
		most = direction * terms[i][1];
		shift.cause = (enum shift_cause)terms[i][0];
	}
	return shift;
}
