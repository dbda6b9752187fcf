#include "loadgen/model/model.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* docs/model.md's recursion: exact mean value analysis of t jobs, think time w - c, one processor.
 */
static double mean_value_analysis(int threads, double c, double w)
{
	double waiting = 0;
	double x = 0;

	for (int n = 1; n <= threads; n++) {
		double r = c * (1 + waiting);

		x = n / (w - c + r);
		waiting = x * r;
	}
	return x;
}

/* The same for k processors: load-dependent, so it carries the whole distribution of the queue. */
static double load_dependent_analysis(int threads, double c, double w, int cores)
{
	double p[64] = { 1 };
	double x = 0;

	cr_assert_lt(threads, 64);
	for (int n = 1; n <= threads; n++) {
		double before[64];
		double r = 0;
		double busy = 0;

		memcpy(before, p, sizeof(p));
		for (int j = 1; j <= n; j++)
			r += j * c / fmin(j, cores) * before[j - 1];
		x = n / (w - c + r);
		for (int j = 1; j <= n; j++) {
			p[j] = x * c / fmin(j, cores) * before[j - 1];
			busy += p[j];
		}
		p[0] = 1 - busy;
	}
	return x;
}

static bool is_near(double value, double expected, double share)
{
	return fabs(value - expected) <= share * fabs(expected);
}

Test(model, the_seven_cases_have_the_published_throughputs)
{
	static const struct {
		const char *name;
		double t, c_ms, w_ms, threaded, evented;
	} table[] = {
		{ "proxy", 25, 0.1, 10, 2500, 10000 },
		{ "light app", 25, 2, 2, 500, 500 },
		{ "heavy app", 25, 5, 100, 200, 200 },
		{ "feed fetcher", 25, 2, 250, 100, 500 },
		{ "long poll", 25, 1, 10000, 2.5, 1000 },
		{ "long poll", 250, 1, 10000, 25, 1000 },
		{ "long poll, threads to match", 10000, 1, 10000, 1000, 1000 },
	};

	cr_assert_eq(sizeof(table) / sizeof(table[0]), MODEL_CASES);
	for (int i = 0; i < MODEL_CASES; i++) {
		const struct model_case *row = &model_cases[i];

		cr_expect_str_eq(row->name, table[i].name);
		cr_expect_eq(row->threads, table[i].t, "%s", row->name);
		cr_expect(is_near(row->cpu_s, table[i].c_ms / 1e3, 1e-12), "%s", row->name);
		cr_expect(is_near(row->wall_s, table[i].w_ms / 1e3, 1e-12), "%s", row->name);
		cr_expect(is_near(model_nominal(row->threads, row->cpu_s, row->wall_s, 1),
				  table[i].threaded, 1e-12),
			  "%s", row->name);
		cr_expect(is_near(model_cpu_bound(row->cpu_s, 1), table[i].evented, 1e-12), "%s",
			  row->name);
	}
}

Test(model, the_nominal_throughput_is_the_lower_of_both_bounds_which_cross_at_t_star)
{
	static const struct {
		double t, c, w, k, thread_bound, cpu_bound, t_star;
	} table[] = {
		{ 1, 0.001, 0.001, 1, 1000, 1000, 1 },
		{ 10, 0.001, 0.1, 1, 100, 1000, 100 },
		{ 100, 0.001, 0.1, 1, 1000, 1000, 100 },
		{ 500, 0.001, 0.1, 1, 5000, 1000, 100 },
		{ 500, 0.001, 0.1, 4, 5000, 4000, 400 },
		{ 300, 0.001, 0.1, 4, 3000, 4000, 400 },
		{ 8, 0.5, 2, 2, 4, 4, 8 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double t = table[i].t, c = table[i].c, w = table[i].w, k = table[i].k;

		cr_expect(is_near(model_thread_bound(t, w), table[i].thread_bound, 1e-12));
		cr_expect(is_near(model_cpu_bound(c, k), table[i].cpu_bound, 1e-12));
		cr_expect(is_near(model_t_star(c, w, k), table[i].t_star, 1e-12));
		cr_expect(is_near(model_nominal(t, c, w, k),
				  fmin(table[i].thread_bound, table[i].cpu_bound), 1e-12),
			  "row %zu", i);
	}
}

Test(model, the_throughput_scales_with_the_times)
{
	for (int i = 0; i < MODEL_CASES; i++) {
		const struct model_case *row = &model_cases[i];
		double x = model_nominal(row->threads, row->cpu_s, row->wall_s, 1);
		double curve = model_closed_network(row->threads, row->cpu_s, row->wall_s, 1);

		cr_expect(is_near(model_nominal(row->threads, row->cpu_s / 10, row->wall_s / 10, 1),
				  10 * x, 1e-12));
		cr_expect(is_near(model_closed_network(row->threads, row->cpu_s / 10,
						       row->wall_s / 10, 1),
				  10 * curve, 1e-9),
			  "%s", row->name);
	}
}

Test(model, the_knee_of_the_closed_network_is_as_soft_as_published)
{
	static const struct {
		double ratio, share;
	} table[] = { { 20, 0.866 }, { 100, 0.930 }, { 1000, 0.976 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double w = table[i].ratio * 1e-3;
		double share = model_closed_network(table[i].ratio, 1e-3, w, 1) /
			       model_nominal(table[i].ratio, 1e-3, w, 1);

		cr_expect_float_eq(share, table[i].share, 0.0005, "w/c = %g: %g", table[i].ratio,
				   share);
	}
	cr_expect_float_eq(model_closed_network(25, 5e-3, 100e-3, 1), 192.7, 0.05);
}

Test(model, the_closed_network_is_mean_value_analysis_for_one_processor)
{
	static const int threads[] = { 1, 2, 3, 7, 25, 100, 250, 1000, 3000 };
	static const double ratios[] = { 1.001, 1.5, 2, 5, 20, 100, 125, 1000, 10000 };
	static const double c = 1.7e-3;

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++)
		for (size_t j = 0; j < sizeof(ratios) / sizeof(ratios[0]); j++) {
			double w = c * ratios[j];
			double exact = mean_value_analysis(threads[i], c, w);
			double x = model_closed_network(threads[i], c, w, 1);

			cr_expect(is_near(x, exact, 1e-9), "t = %d, w/c = %g: %.12g, not %.12g",
				  threads[i], ratios[j], x, exact);
		}
}

Test(model, the_closed_network_is_load_dependent_analysis_for_more_processors)
{
	static const double ratios[] = { 1.5, 2, 5, 8, 20 };

	for (int cores = 1; cores <= 8; cores++)
		for (int threads = 1; threads <= 24; threads++)
			for (size_t j = 0; j < sizeof(ratios) / sizeof(ratios[0]); j++) {
				double w = 2e-3 * ratios[j];
				double exact = load_dependent_analysis(threads, 2e-3, w, cores);
				double x = model_closed_network(threads, 2e-3, w, cores);

				/* p(0) is a difference: the recursion itself loses digits. */
				cr_expect(is_near(x, exact, 1e-6),
					  "k = %d, t = %d, w/c = %g: %.12g, not %.12g", cores,
					  threads, ratios[j], x, exact);
			}
}

Test(model, the_closed_network_never_exceeds_the_bounds_and_grows_with_every_thread)
{
	static const double ratios[] = { 1, 1.5, 20, 1000 };

	for (int cores = 1; cores <= 4; cores++)
		for (size_t j = 0; j < sizeof(ratios) / sizeof(ratios[0]); j++) {
			double before = 0;

			for (int t = 1; t <= 2000; t += 1 + t / 8) {
				double w = 1e-3 * ratios[j];
				double x = model_closed_network(t, 1e-3, w, cores);
				double bound = model_nominal(t, 1e-3, w, cores);

				cr_expect_leq(x, bound * (1 + 1e-12), "t = %d, w/c = %g, k = %d", t,
					      ratios[j], cores);
				cr_expect_geq(x, before * (1 - 1e-12), "t = %d, w/c = %g, k = %d",
					      t, ratios[j], cores);
				before = x;
			}
		}
}

Test(model, one_thread_is_exactly_bound_by_its_own_wall_time)
{
	cr_expect(is_near(model_closed_network(1, 2e-3, 250e-3, 1), 4, 1e-12));
	cr_expect(is_near(model_closed_network(1, 2e-3, 250e-3, 8), 4, 1e-12));
}

Test(model, a_hundred_thousand_threads_are_finite_and_right)
{
	static const double ratios[] = { 2, 1000, 100000, 1000000 };

	for (size_t j = 0; j < sizeof(ratios) / sizeof(ratios[0]); j++) {
		double w = 1e-3 * ratios[j];
		double x = model_closed_network(100000, 1e-3, w, 1);

		cr_expect(isfinite(x), "w/c = %g", ratios[j]);
		cr_expect(is_near(x, mean_value_analysis(100000, 1e-3, w), 1e-6), "w/c = %g: %g",
			  ratios[j], x);
	}
}

Test(model, without_think_time_the_processors_are_busy_or_as_many_as_there_are_threads)
{
	static const struct {
		double t, k, x;
	} table[] = {
		{ 1, 1, 500 }, { 25, 1, 500 }, { 1, 4, 500 }, { 3, 4, 1500 }, { 25, 4, 2000 }
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		cr_expect(is_near(model_closed_network(table[i].t, 2e-3, 2e-3, table[i].k),
				  table[i].x, 1e-12),
			  "t = %g, k = %g", table[i].t, table[i].k);
}
