#include "loadgen/sweep/label.h"
#include "common/units.h"
#include <stdarg.h>
#include <string.h>

static void add(char text[LABEL_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(char text[LABEL_MAX], const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, LABEL_MAX - used, format, arguments);
	va_end(arguments);
}

/* What is usual goes without saying. */
static void add_load(char text[LABEL_MAX], const struct run *point)
{
	char c[UNITS_TEXT_MAX];
	char w[UNITS_TEXT_MAX];

	add(text, " c=%s w=%s", units_format_duration_exact(c, point->cpu_ns),
	    units_format_duration_exact(w, point->wall_ns));
	if (strcmp(point->work, "clock") != 0)
		add(text, " work=%s", point->work);
	if (run_is_exponential(point))
		add(text, " %s", point->distribution);
	if (point->idle > 0)
		add(text, " idle=%lld", (long long)point->idle);
	if (point->footprint_bytes > 0)
		add(text, " footprint=%s", units_format_size(c, point->footprint_bytes));
	if (point->requests_per_connection > 0)
		add(text, " requests/connection=%lld", (long long)point->requests_per_connection);
}

char *label_point(const struct run *point, char text[LABEL_MAX])
{
	text[0] = '\0';
	add(text, "%s: %s", point->case_name, point->arch);
	if (point->threads > 0)
		add(text, " t=%lld", (long long)point->threads);
	add(text, " N=%lld", (long long)point->connections);
	add_load(text, point);
	return text;
}

char *label_load(const struct run *point, char text[LABEL_MAX])
{
	text[0] = '\0';
	add(text, "%s:", point->case_name);
	add_load(text, point);
	return text;
}
