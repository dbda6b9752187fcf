#include "loadgen/target/wrk_figures.h"
#include "common/clock.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MARKER "cwt-wrk: "

const char *const wrk_error_names[WRK_ERRORS] = {
	[WRK_ERROR_CONNECT] = "connect", [WRK_ERROR_READ] = "read",
	[WRK_ERROR_WRITE] = "write",     [WRK_ERROR_STATUS] = "status",
	[WRK_ERROR_TIMEOUT] = "timeout",
};

/* init() takes the place of wrk's own way to write a request, so that ours is sent as it is. */
static const char script_end[] =
	"function init()\n"
	"  wrk.format = function() return request end\n"
	"end\n"
	"function done(summary, latency)\n"
	"  local stats = require('ffi').cast('uint64_t **', latency)[0]\n"
	"  local limit, least, most =\n"
	"    tonumber(stats[1]), tonumber(stats[2]), tonumber(stats[3])\n"
	"  if limit ~= timeout_us + 1 or least ~= latency.min or most ~= latency.max then\n"
	"    print('" MARKER "{}')\n"
	"    return\n"
	"  end\n"
	"  local e = summary.errors\n"
	"  io.write(string.format('" MARKER
	"{\"duration_us\":%.0f,\"replies\":%.0f,\"connect\":%.0f,'\n"
	"    .. '\"read\":%.0f,\"write\":%.0f,\"status\":%.0f,\"timeout\":%.0f,'\n"
	"    .. '\"latency_us\":[', summary.duration, summary.requests, e.connect, e.read,\n"
	"    e.write, e.status, e.timeout))\n"
	"  local comma = ''\n"
	"  for us = least, most do\n"
	"    local count = tonumber(stats[4 + us])\n"
	"    if count > 0 then\n"
	"      io.write(comma, string.format('[%.0f,%.0f]', us, count))\n"
	"      comma = ','\n"
	"    end\n"
	"  end\n"
	"  io.write(']}\\n')\n"
	"end\n";

int wrk_figures_script(FILE *file, const struct wrk_config *config)
{
	fprintf(file, "local timeout_us = %" PRId64 "\nlocal request = \"",
		config->timeout_ns / NS_PER_US);
	for (size_t i = 0; i < config->request_length; i++) {
		unsigned char byte = (unsigned char)config->request[i];

		if (isalnum(byte) || byte == ' ')
			fputc(byte, file);
		else
			fprintf(file, "\\%03u", byte);
	}
	fprintf(file, "\"\n%s", script_end);
	return fflush(file) == 0 && !ferror(file) ? 0 : -EIO;
}

/* Latencies as wrk has them: so many of each microsecond, in ascending order. */
struct latencies {
	size_t count;
	struct {
		int64_t us;
		int64_t with_invented;
		int64_t measured;
	} * of;
};

static bool get_count(const json_t *object, const char *name, int64_t *value)
{
	const json_t *number = json_object_get(object, name);

	*value = json_integer_value(number);
	return json_is_integer(number) && *value >= 0;
}

static bool get_latencies(const json_t *array, struct latencies *latencies)
{
	for (size_t i = 0; i < latencies->count; i++) {
		const json_t *pair = json_array_get(array, i);
		const json_t *us = json_array_get(pair, 0);
		const json_t *count = json_array_get(pair, 1);

		latencies->of[i].us = json_integer_value(us);
		latencies->of[i].with_invented = json_integer_value(count);
		if (json_array_size(pair) != 2 || !json_is_integer(us) || !json_is_integer(count) ||
		    latencies->of[i].us < 0 || latencies->of[i].us > INT64_MAX / NS_PER_US ||
		    latencies->of[i].with_invented <= 0)
			return false;
		if (i > 0 && latencies->of[i].us <= latencies->of[i - 1].us)
			return false;
	}
	return true;
}

/*
 * Where wrk finds n latencies of L > 2e, e the mean interval, it adds n of each L - e, L - 2e, ...
 * that is above e. So what it has in the end of any m > e is what was measured, and all that it
 * has of m + e; the difference is what was measured.
 */
static void undo_correction(struct latencies *latencies, int64_t interval_us)
{
	size_t above = 0;

	for (size_t i = 0; i < latencies->count; i++) {
		int64_t us = latencies->of[i].us;

		latencies->of[i].measured = latencies->of[i].with_invented;
		if (interval_us <= 0 || us <= interval_us)
			continue;
		while (above < latencies->count && latencies->of[above].us - us < interval_us)
			above++;
		if (above < latencies->count && latencies->of[above].us - us == interval_us)
			latencies->of[i].measured -= latencies->of[above].with_invented;
	}
}

/* Every reply in time has one latency, so that a wrk that counts otherwise would be noticed. */
static bool add_up(const struct latencies *latencies, uint64_t expected)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < latencies->count; i++) {
		if (latencies->of[i].measured < 0 ||
		    (uint64_t)latencies->of[i].measured > expected - sum)
			return false;
		sum += (uint64_t)latencies->of[i].measured;
	}
	return sum == expected;
}

static void record(const struct latencies *latencies, struct wrk_result *result)
{
	double squares = 0;
	double mean;

	for (size_t i = 0; i < latencies->count; i++) {
		result->invented += (uint64_t)latencies->of[i].with_invented -
				    (uint64_t)latencies->of[i].measured;
		for (int64_t n = 0; n < latencies->of[i].measured; n++)
			histogram_record(&result->latency, latencies->of[i].us * NS_PER_US);
	}
	mean = histogram_mean(&result->latency);
	for (size_t i = 0; i < latencies->count; i++) {
		double from_mean = (double)(latencies->of[i].us * NS_PER_US) - mean;

		squares += (double)latencies->of[i].measured * from_mean * from_mean;
	}
	if (result->latency.count > 1)
		result->latency_deviation_ns = sqrt(squares / (double)(result->latency.count - 1));
}

static int read_figures(const json_t *figures, int64_t connections, struct wrk_result *result)
{
	const json_t *array = json_object_get(figures, "latency_us");
	struct latencies latencies = { .count = json_array_size(array) };
	int64_t duration_us;
	int64_t replies;
	int64_t errors[WRK_ERRORS];
	int64_t on_each;
	int rc = -EPROTO;

	if (!json_is_array(array) || !get_count(figures, "duration_us", &duration_us) ||
	    duration_us == 0 || duration_us > INT64_MAX / NS_PER_US ||
	    !get_count(figures, "replies", &replies))
		return -EPROTO;
	for (int i = 0; i < WRK_ERRORS; i++)
		if (!get_count(figures, wrk_error_names[i], &errors[i]))
			return -EPROTO;
	if (errors[WRK_ERROR_STATUS] > replies || errors[WRK_ERROR_TIMEOUT] > replies)
		return -EPROTO;
	latencies.of = calloc(latencies.count + 1, sizeof(*latencies.of));
	if (!latencies.of)
		return -ENOMEM;
	on_each = replies / connections;
	if (!get_latencies(array, &latencies))
		goto out;
	undo_correction(&latencies, on_each > 0 ? duration_us / on_each : 0);
	if (!add_up(&latencies, (uint64_t)(replies - errors[WRK_ERROR_TIMEOUT])))
		goto out;
	record(&latencies, result);
	result->duration_ns = duration_us * NS_PER_US;
	result->replies = (uint64_t)replies;
	result->requests = (uint64_t)(replies - errors[WRK_ERROR_STATUS]);
	result->throughput = (double)result->requests * NS_PER_S / (double)result->duration_ns;
	for (int i = 0; i < WRK_ERRORS; i++)
		result->errors[i] = (uint64_t)errors[i];
	rc = 0;
out:
	free(latencies.of);
	return rc;
}

/* The rest of the line that begins with the marker, or NULL. */
static const char *find_figures(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, MARKER, strlen(MARKER)) == 0)
			return line + strlen(MARKER);
	}
	return NULL;
}

int wrk_figures_read(const char *text, int64_t connections, struct wrk_result *result, char *why,
		     size_t size)
{
	const char *line = find_figures(text);
	json_t *figures;
	int rc;

	memset(result, 0, sizeof(*result));
	if (!line) {
		if (!text[0])
			text = "nothing";
		snprintf(why, size, "wrk printed no figures, but: %.*s", (int)strcspn(text, "\n"),
			 text);
		return -EPROTO;
	}
	figures = json_loadb(line, strcspn(line, "\n"), 0, NULL);
	if (json_is_object(figures) && json_object_size(figures) == 0) {
		snprintf(why, size, "this wrk keeps its figures otherwise than wrk 4.1.0");
		rc = -EPROTO;
	} else {
		rc = figures ? read_figures(figures, connections, result) : -EPROTO;
		if (rc == -EPROTO)
			snprintf(why, size,
				 "wrk's figures do not add up: damaged, or more than one reply to "
				 "a request");
		else if (rc < 0)
			snprintf(why, size, "no memory for wrk's figures");
	}
	json_decref(figures);
	return rc;
}
