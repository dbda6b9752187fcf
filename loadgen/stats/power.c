#include "loadgen/stats/power.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdbool.h>

/* Nodes of the Gauss-Legendre rule over the quantiles of V and of B. */
enum { NODES = 48, HALVINGS = 60 };

#define EFFECT_MOST 1e3 /* in standard errors */

/* The double integral of power.h, tabulated but for the effect. */
struct table {
	double bar[NODES][NODES]; /* t·√(V/(2n - 2)): what the effect has to pass, in errors */
	double weight[NODES];
};

static bool fill(struct table *table, size_t n, double level)
{
	double each = (double)n - 1;
	double quantile[NODES];
	gsl_integration_glfixed_table *rule = gsl_integration_glfixed_table_alloc(NODES);

	if (!rule)
		return false;
	for (size_t i = 0; i < NODES; i++)
		gsl_integration_glfixed_point(0, 1, i, &quantile[i], &table->weight[i], rule);
	gsl_integration_glfixed_table_free(rule);
	for (size_t i = 0; i < NODES; i++) {
		double part = gsl_cdf_beta_Pinv(quantile[i], each / 2, each / 2);
		double freedom = each / (part * part + (1 - part) * (1 - part));
		double t = gsl_cdf_tdist_Qinv(level, freedom);

		for (size_t j = 0; j < NODES; j++)
			table->bar[i][j] =
				t * sqrt(gsl_cdf_chisq_Pinv(quantile[j], 2 * each) / (2 * each));
	}
	return true;
}

/* The effect in standard errors. */
static double integrate(const struct table *table, double effect)
{
	double sum = 0;

	for (size_t i = 0; i < NODES; i++)
		for (size_t j = 0; j < NODES; j++)
			sum += table->weight[i] * table->weight[j] *
			       gsl_cdf_ugaussian_P(effect - table->bar[i][j]);
	return sum;
}

static bool can_be_told(double scatter, size_t n)
{
	return n >= POWER_VALUES_LEAST && isfinite(scatter) && scatter > 0;
}

double power_of(double effect, double scatter, size_t n, double level)
{
	struct table table;

	if (!can_be_told(scatter, n) || !fill(&table, n, level))
		return NAN;
	return integrate(&table, effect / (scatter * sqrt(2 / (double)n)));
}

double power_least_effect(double power, double scatter, size_t n, double level)
{
	struct table table;
	double low = -EFFECT_MOST;
	double high = EFFECT_MOST;

	if (!can_be_told(scatter, n) || !fill(&table, n, level))
		return NAN;
	for (int i = 0; i < HALVINGS; i++) {
		double middle = (low + high) / 2;

		if (integrate(&table, middle) < power)
			low = middle;
		else
			high = middle;
	}
	return high * scatter * sqrt(2 / (double)n);
}
