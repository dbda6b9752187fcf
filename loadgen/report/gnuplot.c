#include "loadgen/report/gnuplot.h"
#include "loadgen/report/assets.h"
#include "loadgen/report/tool.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>

int gnuplot_run(const char *name, const char *directory, const char *const *arguments, char *why,
		size_t why_size)
{
	char script[PATH_MAX];
	const char *words[4 + GNUPLOT_ARGUMENTS_MAX] = { "gnuplot", "-c", script };
	char file[NAME_MAX];
	size_t count = 3;
	int rc;

	for (; *arguments; arguments++) {
		if (count == 3 + GNUPLOT_ARGUMENTS_MAX) {
			snprintf(why, why_size, "%s.gp is given too many arguments", name);
			return -E2BIG;
		}
		words[count++] = *arguments;
	}
	snprintf(file, sizeof(file), "%s.gp", name);
	rc = assets_find(file, script, why, why_size);
	return rc == 0 ? tool_run(words, directory, why, why_size) : rc;
}
