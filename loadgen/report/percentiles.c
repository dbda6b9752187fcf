#include "loadgen/report/percentiles.h"
#include "loadgen/report/gnuplot.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A line is no coarser than this to the eye, and 90 %, 99 %... are among its points. */
enum { POINTS_PER_DECADE = 40 };

static bool write_point(FILE *file, const struct histogram *histogram, double inverse)
{
	double fraction = 1 - 1 / inverse;

	return fprintf(file, "%.15g %.10g %lld\n", 100 * fraction, inverse,
		       (long long)histogram_quantile(histogram, fraction)) > 0;
}

int percentiles_write(FILE *file, const char *name, const struct histogram *histogram)
{
	double last = (double)histogram->count;
	int lines = 0;

	if (histogram->count == 0)
		return 0;
	if (fprintf(file, "\"%s\"\n# percentile  1/(1-q)  latency in ns\n", name) < 0)
		return -EIO;
	for (int i = 0;; i++) {
		double inverse = fmin(pow(10, (double)i / POINTS_PER_DECADE), last);

		if (!write_point(file, histogram, inverse))
			return -EIO;
		lines++;
		if (inverse >= last)
			break;
	}
	return lines;
}

int percentiles_data_path(const char *svg_path, char path[PATH_MAX])
{
	size_t length = strlen(svg_path);

	if (length >= 4 && strcmp(svg_path + length - 4, ".svg") == 0)
		length -= 4;
	if (snprintf(path, PATH_MAX, "%.*s.dat", (int)length, svg_path) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

static int write_data(const char *path, const struct histogram *intended,
		      const struct histogram *sent)
{
	FILE *file = fopen(path, "we");
	int rc = 0;

	if (!file)
		return -errno;
	if (intended)
		rc = percentiles_write(file, "from the intended time", intended);
	if (rc > 0 && sent->count > 0 && fputs("\n\n", file) == EOF)
		rc = -EIO;
	if (rc >= 0)
		rc = percentiles_write(file, "from the send", sent);
	if (fclose(file) != 0)
		rc = -EIO;
	return rc < 0 ? rc : 0;
}

int percentiles_plot(const char *svg_path, const char *title, const struct histogram *intended,
		     const struct histogram *sent, char why[PERCENTILES_WHY_MAX])
{
	char path[PATH_MAX];
	const char *const arguments[] = { path, svg_path, title, NULL };
	int rc;

	if (sent->count == 0 && (!intended || intended->count == 0)) {
		snprintf(why, PERCENTILES_WHY_MAX,
			 "%s: no latency was recorded, so there is nothing to draw", svg_path);
		return -ENODATA;
	}
	rc = percentiles_data_path(svg_path, path);
	if (rc == 0)
		rc = write_data(path, intended, sent);
	if (rc != 0) {
		snprintf(why, PERCENTILES_WHY_MAX, "%s: %s", rc == -ENAMETOOLONG ? svg_path : path,
			 strerror(-rc));
		return rc;
	}
	return gnuplot_run("percentiles", NULL, arguments, why, PERCENTILES_WHY_MAX);
}
