#include "loadgen/report/percentiles.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct histogram h;
static struct histogram other;
static char directory[] = "/tmp/cwt-percentiles-XXXXXX";

static void setup(void)
{
	histogram_reset(&h);
	histogram_reset(&other);
	cr_assert_not_null(mkdtemp(directory));
}

static void teardown(void)
{
	static const char *const names[] = { "a.svg", "a.dat" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

TestSuite(percentiles, .init = setup, .fini = teardown, .timeout = 60);

/* The whole file, NUL-terminated; the caller frees. NULL if there is none. */
static char *content(const char *name)
{
	char path[PATH_MAX];
	char *text = calloc(1, 1 << 20);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "re");
	if (!file) {
		free(text);
		return NULL;
	}
	cr_assert_lt(fread(text, 1, 1 << 20, file), 1 << 20);
	fclose(file);
	return text;
}

static int plot(const struct histogram *intended, const struct histogram *sent,
		char why[PERCENTILES_WHY_MAX])
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/a.svg", directory);
	why[0] = '\0';
	return percentiles_plot(path, "GET /it's \"quoted\", 1000 requests/s", intended, sent, why);
}

Test(percentiles, the_data_goes_as_far_as_the_records_know)
{
	static const int64_t counts[] = { 1, 2, 3, 10, 49, 100, 1000, 12345 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		char *text = NULL;
		size_t length;
		FILE *file = open_memstream(&text, &length);
		double count = (double)counts[i];
		double before = -1;
		double percentile = 0;
		double inverse = 0;
		int64_t value = 0;
		int lines = 0;
		int written;
		char *line;

		histogram_reset(&h);
		for (int64_t j = 1; j <= counts[i]; j++)
			histogram_record(&h, j);
		written = percentiles_write(file, "some name", &h);
		fclose(file);
		cr_assert(strncmp(text, "\"some name\"\n#", 13) == 0, "%s", text);
		strtok(text, "\n");
		strtok(NULL, "\n");
		while ((line = strtok(NULL, "\n"))) {
			cr_assert_eq(
				sscanf(line, "%lf %lf %" SCNd64, &percentile, &inverse, &value), 3,
				"%s", line);
			cr_expect_gt(percentile, before, "%s", line);
			cr_expect_float_eq(inverse, 1 / (1 - percentile / 100), inverse * 1e-6);
			cr_expect_leq(fabs((double)value - count * percentile / 100),
				      1 + (double)value / 256, "%s", line);
			before = percentile;
			lines++;
		}
		cr_expect_eq(written, lines);
		cr_expect_float_eq(percentile, 100 * (1 - 1 / count), 1e-9);
		cr_expect_float_eq(inverse, count, 1e-6);
		if (counts[i] > 1 && counts[i] <= 100)
			cr_expect_eq(value, counts[i] - 1); /* the last but one */
		free(text);
	}
}

Test(percentiles, a_histogram_without_a_record_has_no_data)
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	cr_expect_eq(percentiles_write(file, "none", &h), 0);
	fclose(file);
	cr_expect_eq(length, 0);
	free(text);
}

Test(percentiles, the_figure_has_a_curve_for_each_histogram_with_records)
{
	static const struct {
		int64_t intended; /* records; -1: no histogram */
		int64_t sent;
		bool has_intended;
		bool has_sent;
	} table[] = {
		{ -1, 1000, false, true }, { 1000, 1000, true, true }, { 1000, 0, true, false },
		{ 0, 1000, false, true },  { -1, 1, false, true },     { 1, 2, true, true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char why[PERCENTILES_WHY_MAX];
		char *svg;
		char *data;

		histogram_reset(&h);
		histogram_reset(&other);
		for (int64_t j = 0; j < table[i].intended; j++)
			histogram_record(&h, 1000000 + j * 20000);
		for (int64_t j = 0; j < table[i].sent; j++)
			histogram_record(&other, j * 1000);
		cr_assert_eq(plot(table[i].intended < 0 ? NULL : &h, &other, why), 0, "%zu: %s", i,
			     why);
		svg = content("a.svg");
		data = content("a.dat");
		cr_assert_not_null(svg);
		cr_assert_not_null(data);
		cr_expect_not_null(strstr(svg, "</svg>"));
		cr_expect_eq(strstr(svg, "from the intended time") != NULL, table[i].has_intended);
		cr_expect_eq(strstr(svg, "from the send") != NULL, table[i].has_sent);
		cr_expect_eq(strstr(data, "from the intended time") != NULL, table[i].has_intended);
		cr_expect_not_null(strstr(svg, "1000 requests/s"));
		free(svg);
		free(data);
	}
}

Test(percentiles, nothing_to_draw_is_said_and_draws_nothing)
{
	char why[PERCENTILES_WHY_MAX];

	cr_expect_eq(plot(NULL, &other, why), -ENODATA);
	cr_expect_not_null(strstr(why, "no latency was recorded"), "%s", why);
	cr_expect_null(content("a.svg"));
}

Test(percentiles, without_gnuplot_it_says_what_installs_it)
{
	char why[PERCENTILES_WHY_MAX];

	histogram_record(&other, 5);
	setenv("PATH", directory, 1);
	cr_expect_eq(plot(NULL, &other, why), -ENOENT);
	cr_expect_not_null(strstr(why, "gnuplot is missing: scripts/setup installs it"), "%s", why);
}

Test(percentiles, a_place_that_cannot_be_written_is_named)
{
	char why[PERCENTILES_WHY_MAX];

	histogram_record(&other, 5);
	cr_expect_eq(percentiles_plot("/nowhere/a.svg", "", NULL, &other, why), -ENOENT);
	cr_expect_not_null(strstr(why, "/nowhere/a.dat: No such file or directory"), "%s", why);
}
