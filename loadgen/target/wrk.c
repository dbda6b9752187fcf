#include "loadgen/target/wrk.h"
#include "common/clock.h"
#include "loadgen/target/capture.h"
#include "loadgen/target/wrk_figures.h"
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* To start and to print, beyond the time asked, on a machine that is busy. */
static const int64_t patience_ns = 60LL * NS_PER_S;

/* A whole number of seconds, as wrk's options have to be. */
static bool is_seconds(int64_t duration_ns, int64_t least_s, int64_t most_s)
{
	return duration_ns % NS_PER_S == 0 && duration_ns / NS_PER_S >= least_s &&
	       duration_ns / NS_PER_S <= most_s;
}

const char *wrk_refusal(const struct wrk_config *config, char *why, size_t size)
{
	static const int64_t any = INT64_MAX / NS_PER_S;

	if (config->threads < 1 || config->connections < config->threads)
		snprintf(why, size, "wrk needs a connection at least for each of its threads");
	else if (config->connections % config->threads != 0)
		snprintf(why, size,
			 "wrk would leave out %" PRId64 " of the %" PRId64
			 " connections: they must be a multiple of its %d threads",
			 config->connections % config->threads, config->connections,
			 config->threads);
	else if (!is_seconds(config->duration_ns, 1, any))
		snprintf(why, size, "wrk runs for whole seconds only, at least 1 (--duration)");
	else if (!is_seconds(config->warmup_ns, 0, any))
		snprintf(why, size, "wrk runs for whole seconds only, to warm up too (--warmup)");
	else if (!is_seconds(config->timeout_ns, 1, WRK_TIMEOUT_MAX_S))
		snprintf(why, size,
			 "wrk's timeout is in whole seconds, and here from 1 to %d (--timeout)",
			 WRK_TIMEOUT_MAX_S);
	else if (config->request_length >= 5 && memcmp(config->request, "HEAD ", 5) == 0)
		snprintf(why, size, "wrk waits for the body of a reply to HEAD, which has none");
	else
		return NULL;
	return why;
}

/* Its script, in memory: it cannot be left behind. Returns the descriptor, or -errno. */
static int make_script(const struct wrk_config *config)
{
	int fd = memfd_create("wrk.lua", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(dup(fd), "w");
	int rc = file ? wrk_figures_script(file, config) : -errno;

	if (file)
		fclose(file);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

/* What stopped it, by the first line of its output: later ones are how to use it. */
static int failure_of(const struct capture *call, char *why, size_t size)
{
	const char *text = call->output;

	if (call->status == CAPTURE_NOT_FOUND) {
		snprintf(why, size, "wrk is not installed: scripts/setup bench does that");
		return -ENOENT;
	}
	if (text[0])
		snprintf(why, size, "wrk: %.*s", (int)strcspn(text, "\n"), text);
	else if (call->status < 0)
		snprintf(why, size, "wrk was ended by signal %d", -call->status);
	else
		snprintf(why, size, "wrk failed with status %d and said nothing", call->status);
	if (strncmp(text, "unable to connect", 17) == 0)
		return -ECONNREFUSED;
	if (strncmp(text, "unable to resolve", 17) == 0)
		return -EADDRNOTAVAIL;
	return -EIO;
}

/* A sentence for what capture_run() returned. */
static int call_failed(int rc, char *why, size_t size)
{
	if (rc == -EINTR)
		snprintf(why, size, "wrk was stopped");
	else if (rc == -ETIMEDOUT)
		snprintf(why, size, "wrk did not end in time");
	else if (rc == -EFBIG)
		snprintf(why, size, "wrk printed far more than figures");
	else
		snprintf(why, size, "wrk could not be run: %s", strerror(-rc));
	return rc == -EFBIG ? -EPROTO : rc;
}

/* One run of so many seconds. Its figures go to `result`. */
static int run_once(const struct wrk_config *config, int script, int64_t duration_ns,
		    struct wrk_result *result, char *why, size_t size)
{
	char connections[32];
	char threads[16];
	char duration[32];
	char timeout[32];
	char path[32];
	struct capture call = {
		.arguments = { "wrk", "-c", connections, "-t", threads, "-d", duration, "--timeout",
			       timeout, "-s", path, "--", config->url },
		.inherited = script,
		.cpus = config->cpus,
		.stop = config->stop,
		.patience_ns = duration_ns + patience_ns,
	};
	int rc;

	snprintf(connections, sizeof(connections), "%" PRId64, config->connections);
	snprintf(threads, sizeof(threads), "%d", config->threads);
	snprintf(duration, sizeof(duration), "%" PRId64 "s", duration_ns / NS_PER_S);
	snprintf(timeout, sizeof(timeout), "%" PRId64 "s", config->timeout_ns / NS_PER_S);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", script);
	rc = capture_run(&call);
	if (rc < 0)
		return call_failed(rc, why, size);
	if (call.status != 0)
		rc = failure_of(&call, why, size);
	else
		rc = wrk_figures_read(call.output, config->connections, result, why, size);
	result->cpu_ns = call.cpu_ns;
	free(call.output);
	return rc;
}

/* It says its version, with how to use it, and calls that a failure. */
static int ask_version(const struct wrk_config *config, char version[WRK_VERSION_MAX], char *why,
		       size_t size)
{
	struct capture call = {
		.arguments = { "wrk", "--version" },
		.inherited = -1,
		.stop = config->stop,
		.patience_ns = patience_ns,
	};
	int rc = capture_run(&call);

	if (rc < 0)
		return call_failed(rc, why, size);
	if (sscanf(call.output, "wrk %63s", version) != 1) {
		rc = failure_of(&call, why, size);
		if (rc == -EIO && call.status >= 0)
			rc = -EPROTO;
	}
	free(call.output);
	return rc;
}

int wrk_run(const struct wrk_config *config, struct wrk_result *result, char *why, size_t size)
{
	char version[WRK_VERSION_MAX] = "";
	int script;
	int rc;

	if (wrk_refusal(config, why, size))
		return -EINVAL;
	rc = ask_version(config, version, why, size);
	if (rc < 0)
		return rc;
	script = make_script(config);
	if (script < 0) {
		snprintf(why, size, "no script for wrk: %s", strerror(-script));
		return script;
	}
	if (config->warmup_ns > 0)
		rc = run_once(config, script, config->warmup_ns, result, why, size);
	if (rc == 0)
		rc = run_once(config, script, config->duration_ns, result, why, size);
	memcpy(result->version, version, sizeof(version));
	close(script);
	return rc;
}
