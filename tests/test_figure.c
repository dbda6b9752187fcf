/* The figures of a run. */
#include "loadgen/sweep/figure.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

enum { PARTS = 64, BUNCH = 16 };

/* A window of 1 s in which bunches come every period, the first after `first`. */
static struct run bunches(double period_s, double first_s)
{
	struct run run = { .window_ns = 1000000000 };
	int counts[PARTS] = { 0 };
	size_t used = 0;

	for (double at = first_s; at < 1; at += period_s)
		counts[(int)(at * PARTS)] += BUNCH;
	for (int i = 0; i < PARTS; i++)
		used += (size_t)snprintf(run.window_requests + used,
					 sizeof(run.window_requests) - used, "%s%d", i ? ";" : "",
					 counts[i]);
	return run;
}

/*
 * The error of m bunches is 4/3 of 1/m^2 at most, and up to 2 % more where they keep step with the
 * parts; that of the plain mean reaches 1/m.
 */
Test(figure, bunches_at_the_edges_of_a_window_hardly_count)
{
	double worst_plain = 0;

	for (double m = 3; m < 30; m += 0.37)
		for (double first = 0; first < 1; first += 0.1) {
			struct run run = bunches(1 / m, first / m);
			double tapered = figure_tapered(&run) / (BUNCH * m) - 1;
			double parts[FIGURE_WINDOWS_MAX];
			double sum = 0;

			cr_assert_eq(figure_windows(&run, parts), PARTS);
			for (int i = 0; i < PARTS; i++)
				sum += parts[i] / PARTS;
			worst_plain = fmax(worst_plain, fabs(sum / (BUNCH * m) - 1) * m);
			cr_expect_lt(fabs(tapered), 4.0 / 3 / (m * m) + 0.022,
				     "%g bunches from %g: %g", m, first, tapered);
		}
	cr_expect_gt(worst_plain, 0.8);
}

Test(figure, without_parts_there_is_no_throughput)
{
	struct run run = { .window_ns = 1000000000 };

	cr_expect_eq(figure_tapered(&run), 0);
}
