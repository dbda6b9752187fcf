/* The maps' data and tables, and the report's words, of a sweep with known deviations. */
#include "loadgen/report/space_markdown.h"
#include "loadgen/report/space_text.h"
#include "loadgen/report/space_words.h"
#include "loadgen/report/maps.h"
#include "tests/runs.h"
#include "tests/spaces.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct sweep_runs sweep;
static struct summary summary;
static char *text;
static size_t length;

static void find(sweep_share *share)
{
	sweep_full(&sweep, share);
	summary.runs = sweep.count;
	summary.count = verdict_of_runs(sweep.runs, sweep.count, &summary.points);
	cr_assert_eq(findings_of_points(summary.points, summary.count, &summary.findings), 0);
}

static void teardown(void)
{
	free(text);
	findings_free(&summary.findings);
	free(summary.points);
}

TestSuite(maps, .fini = teardown);

static FILE *open_text(void)
{
	FILE *file;

	free(text);
	text = NULL;
	file = open_memstream(&text, &length);
	cr_assert_not_null(file);
	return file;
}

static int64_t data_of(enum maps_kind kind)
{
	FILE *file = open_text();
	int64_t cells = maps_write_data(&summary, kind, file);

	fclose(file);
	return cells;
}

static int64_t tables_of(enum maps_kind kind)
{
	FILE *file = open_text();
	int64_t cells = maps_write_tables(&summary, kind, file);

	fclose(file);
	return cells;
}

static bool is_at(const struct run *run, int64_t cpu_ns, int64_t ratio, int64_t t)
{
	return run->cpu_ns == cpu_ns && run->wall_ns == ratio * cpu_ns && run->threads == t &&
	       strcmp(run->distribution, "constant") == 0;
}

/* Of c = 1 ms: 10 % less at w/c 10 and t 1000, 3.2 % more at w/c 100 and t 10. */
static double deviating(const struct run *run)
{
	if (is_at(run, 1000000, 10, 1000))
		return 0.9;
	return is_at(run, 1000000, 100, 10) ? 1.032 : 1;
}

Test(maps, a_panel_is_one_c_and_kind_of_times_and_a_cell_one_point)
{
	find(deviating);
	cr_expect_eq(data_of(MAPS_RESIDUAL), summary.count);
	cr_expect_not_null(strstr(text, "# side by side: 3\n# t: 1 10 100 1000 10000 loop\n"
					"# w/c: 1 10 100 1000 10000\n"),
			   "%.300s", text);
	cr_expect_not_null(strstr(text, "# panel: pool, c = 100us, constant times\n"
					"# panel: pool, c = 1ms, constant times\n"
					"# panel: pool, c = 10ms, constant times\n"
					"# panel: pool, c = 100us, exponential times\n"),
			   "%.600s", text);
	/* Column and row from 0; percent. */
	cr_expect_not_null(strstr(text, "3 1 -10.0000 value \"−10!\" \"1000\" 10\n"));
	cr_expect_not_null(strstr(text, "1 2 3.2000 value \"+3.2!\" \"10\" 100\n"));
	/* w of 100 s, and one thread: not measured. */
	cr_expect_not_null(strstr(text, "0 4 nan missing \"–\" \"1\" 10000\n"));
}

Test(maps, a_table_says_what_a_panel_shows)
{
	find(deviating);
	cr_expect_eq(tables_of(MAPS_RESIDUAL), summary.count);
	cr_expect_not_null(strstr(text, "**pool, c = 1ms, constant times**\n\n"
					"| w/c ╲ t | 1 | 10 | 100 | 1000 | 10000 | loop |\n"
					"| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
					"| 1 | 0 | 0 | 0 | 0 | 0 | 0 |\n"
					"| 10 | 0 | 0 | 0 | −10! | 0 | 0 |\n"
					"| 100 | 0 | +3.2! | 0 | 0 | 0 | 0 |\n"),
			   "%s", text);
}

Test(maps, over_the_published_model_exponential_times_show_the_soft_knee)
{
	find(NULL);
	tables_of(MAPS_NOMINAL);
	/* docs/model.md: 0.930 at w/c = t = 100. */
	cr_expect_not_null(strstr(text, "**pool, c = 1ms, exponential times**"));
	cr_expect_not_null(strstr(strstr(text, "**pool, c = 1ms, exponential times**"), "| −7.0 |"),
			   "%s", text);
}

Test(maps, the_lead_is_in_percent_up_to_twice_as_much_and_then_in_times)
{
	find(deviating);
	tables_of(MAPS_LEAD);
	cr_expect_not_null(strstr(text, "**pool, c = 1ms, constant times**\n\n"
					"| w/c ╲ t | 1 | 10 | 100 | 1000 | 10000 |\n"
					"| ---: | ---: | ---: | ---: | ---: | ---: |\n"
					"| 1 | 0 | 0 | 0 | 0 | 0 |\n"
					"| 10 | ×10 | 0 | 0 | +11 | 0 |\n"
					"| 100 | ×100 | ×9.7 | 0 | 0 | 0 |\n"),
			   "%s", text);
}

Test(maps, an_invalid_point_has_a_cell_without_a_value)
{
	sweep_full(&sweep, NULL);
	for (int64_t i = 0; i < sweep.count; i++)
		if (is_at(&sweep.runs[i], 1000000, 10, 10))
			sweep.runs[i].error_reset = 1;
	summary.count = verdict_of_runs(sweep.runs, sweep.count, &summary.points);
	cr_assert_eq(findings_of_points(summary.points, summary.count, &summary.findings), 0);
	cr_expect_eq(data_of(MAPS_RESIDUAL), summary.count - 1);
	cr_expect_not_null(strstr(text, "1 1 nan invalid \"inv.\" \"10\" 10\n"));
	data_of(MAPS_LEAD);
	cr_expect_not_null(strstr(text, "1 1 nan invalid \"inv.\" \"10\" 10\n"));
}

Test(maps, an_inconclusive_point_is_marked_as_one)
{
	sweep_full(&sweep, NULL);
	for (int64_t i = 0; i < sweep.count; i++)
		if (is_at(&sweep.runs[i], 1000000, 10, 10) && sweep.runs[i].repetition == 0)
			sweep.runs[i].error_reset = 1; /* two are left, and three are needed */
	summary.count = verdict_of_runs(sweep.runs, sweep.count, &summary.points);
	cr_assert_eq(findings_of_points(summary.points, summary.count, &summary.findings), 0);
	data_of(MAPS_RESIDUAL);
	cr_expect_not_null(strstr(text, " value \"0?\" \"10\" 10\n"));
}

Test(maps, points_that_are_no_space_make_no_map)
{
	/* Many t, but one w/c; and many w/c, but one t. */
	struct run runs[30];
	FILE *file;

	for (int i = 0; i < 15; i++) {
		int64_t t = i / 3 + 1;

		runs[i] = lawful_run(t, 1000000, 100000000, 10 * (double)t);
	}
	for (int i = 15; i < 30; i++) {
		int64_t wall_ns = (int64_t)(i / 3) * 20000000;

		runs[i] = lawful_run(10, 2000000, wall_ns, 1e10 / (double)wall_ns);
	}
	summary.count = verdict_of_runs(runs, 30, &summary.points);
	cr_assert_eq(findings_of_points(summary.points, summary.count, &summary.findings), 0);
	for (int kind = MAPS_RESIDUAL; kind <= MAPS_LEAD; kind++) {
		cr_expect_eq(data_of((enum maps_kind)kind), 0);
		cr_expect_str_empty(text);
		cr_expect_eq(tables_of((enum maps_kind)kind), 0);
	}
	file = open_text();
	cr_expect_eq(maps_write_peaks(&summary, file), 0);
	fclose(file);
}

Test(maps, the_figure_of_t_max_has_each_line_as_a_share_of_what_the_processors_allow)
{
	FILE *file;

	find(deviating);
	file = open_text();
	cr_expect_gt(maps_write_peaks(&summary, file), 100);
	fclose(file);
	cr_expect_not_null(strstr(text, "# side by side: 3\n# lines: 5\n"), "%.200s", text);
	/* w/c = 10 of c = 1 ms: t_max is 100, as X falls at 1000. */
	cr_expect_not_null(strstr(text, "\"w/c = 10\"\n1 0.1 0 0.1 0\n10 1 0 1 0\n100 1 0 1 1\n"
					"1000 0.9 0 1 0\n10000 1 0 1 0\n"),
			   "%s", text);
}

Test(maps, no_figure_is_written_with_an_exponent)
{
	static const struct {
		double figure;
		const char *times;
		const char *half;
	} table[] = {
		{ 0, "×0", "0" },
		{ 0.834, "×0.834", "0.83" },
		{ 9.926, "×9.93", "9.9" },
		{ 99.4, "×99.4", "99" },
		{ 99.97, "×100", "100" },
		{ 290.4, "×290", "290" },
		{ 9925.3, "×9925", "9925" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char written[WORDS_MAX];

		cr_expect_str_eq(words_times(written, table[i].figure), table[i].times);
		cr_expect_str_eq(words_half(written, table[i].figure), table[i].half);
	}
}

static void expect_words(const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cr_expect_not_null(strstr(text, words[i]), "no '%s' in:\n%s", words[i], text);
}

Test(maps, the_report_has_a_section_for_each_question)
{
	static const char *const words[] = {
		"## How well it fits\n",
		"| constant, outside the knee, c of 1 ms and more: worst distance | 5 % | 10.0 % |",
		"| **not met** |",
		"## Where it fails, and why\n",
		"- pool, constant times, c = 1ms, CPU-bound, w/c 10, t 1000: 1 point, −10.0 %. **",
		"**Cause:** idle processors (the server's processors were busy for 90 % of the",
		"## Maps\n",
		"(figures/residual.svg)",
		"## t_max\n",
		"| pool | constant | 1ms | 10 | **100** | −10.0 % at 1000 |",
		"| pool | constant | 1ms | 100 | not reached up to 10000 |",
		"## The crossover\n",
		"| constant | 1ms | 100 | ×100 ± 0 (model ×100) at t = 1 | ",
	};
	static const bool drawn[FIGURES] = { [FIGURE_RESIDUAL] = true, [FIGURE_LEAD] = true };
	FILE *file;

	find(deviating);
	file = open_text();
	space_write_fit(file, &summary);
	space_write_failures(file, &summary);
	space_write_maps(file, &summary, drawn);
	space_write_peaks(file, &summary, drawn);
	space_write_leads(file, &summary, drawn);
	fclose(file);
	expect_words(words, sizeof(words) / sizeof(words[0]));
	cr_expect_null(strstr(text, "nominal.svg"), "a figure that was not drawn");
}

Test(maps, a_check_tells_effect_sizes_in_a_few_lines)
{
	static const char *const words[] = {
		"points were judged",
		"Within 5 % of what was measured",
		"not met  constant, outside the knee, c of 1 ms and more: worst distance: 10.0 %,",
		"t_max: reached in 1 of ",
		"by 10.0 %, past t = 100 (pool, c = 1ms, w/c 10)",
		"Where the calibrated model fails:\n",
		"Cause: idle processors",
	};
	FILE *file;
	int lines = 0;

	find(deviating);
	file = open_text();
	space_write_text(file, &summary);
	fclose(file);
	expect_words(words, sizeof(words) / sizeof(words[0]));
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	cr_expect_lt(lines, 40);
}
