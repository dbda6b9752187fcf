/*
 * A second opinion on the load generator: wrk (Will Glozer's, as Debian packages it, 4.1.0), a
 * closed loop of another make, under the same load. It is told what to send, and made to print
 * what it counted, by a script in its own language, Lua.
 *
 * What has to be known of its figures, as read from its source and tried:
 * - A "request" of its is any complete reply, whatever the status; above 399 it is an error too.
 * - After the run it adds latencies that nobody has measured, in the name of coordinated omission
 *   (stats_correct(): for each above twice the mean interval between a connection's requests, more
 *   of them, each one interval less). They are taken out again here; wrk's own print has them.
 * - Latency runs from the first write of a request to the end of its reply. With a connection for
 *   each request it does not hold the time to connect; that of our engine does.
 * - It reads gettimeofday(), to the microsecond, which steps when the clock is set.
 * - The duration starts once all threads were started, and ends when the last has noticed the
 *   end, which each does 10 times a second: the first requests come before it, and it is up to
 *   0.1 s longer than asked.
 * - Its timeout ends no wait: it is what a latency must not reach, or else the reply is an error,
 *   though counted. A request that is never answered is no error at all; what tells is that the
 *   replies per second by their mean latency are fewer than the connections (Little's law). Nor
 *   does it say that it had fewer connections than it should, except as errors.
 * - A server that closes the connection after a good reply, and has not said that it would, has
 *   given that reply and a read error; so has one whose reply ends by that.
 * - It takes an interim reply (1xx), or a second one, for one more reply, without a latency. Then
 *   its figures do not add up, and are refused.
 * - It knows no warm-up; ours is a run before, with connections of its own.
 * - It waits for the body of a reply to HEAD, which has none.
 */
#pragma once
#include "loadgen/engine/histogram.h"
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { WRK_WHY_MAX = 320, WRK_VERSION_MAX = 64, WRK_TIMEOUT_MAX_S = 300 };

enum wrk_error {
	WRK_ERROR_CONNECT,
	WRK_ERROR_READ, /* also: not HTTP, or closed before the reply was complete */
	WRK_ERROR_WRITE,
	WRK_ERROR_STATUS,  /* a reply of status 400 or more */
	WRK_ERROR_TIMEOUT, /* a reply later than the timeout */
	WRK_ERRORS,
};

extern const char *const wrk_error_names[WRK_ERRORS];

/* Times are in nanoseconds, but wrk knows whole seconds only: others are refused. */
struct wrk_config {
	const char *url;     /* http://HOST[:PORT][/...]: whom to connect to */
	const char *request; /* the bytes of one request, which are sent as they are */
	size_t request_length;
	int64_t connections; /* a multiple of the threads: else wrk leaves out the remainder */
	int threads;
	int64_t duration_ns;
	int64_t warmup_ns;       /* or 0 */
	int64_t timeout_ns;      /* at most WRK_TIMEOUT_MAX_S */
	const cpu_set_t *cpus;   /* its processors, or NULL for ours */
	const atomic_bool *stop; /* ends the run early, or NULL */
};

struct wrk_result {
	char version[WRK_VERSION_MAX]; /* as it calls itself, such as "debian/4.1.0-3+b2" */
	uint64_t requests;             /* good replies: of a status below 400, late or not */
	uint64_t replies;              /* all: wrk's "requests" */
	double throughput;             /* good replies per second */
	int64_t duration_ns;           /* by its own clock */
	uint64_t errors[WRK_ERRORS];
	struct histogram latency; /* in ns, of all replies but those later than the timeout */
	double latency_deviation_ns;
	uint64_t invented; /* latencies that wrk had added to these, and its own figures hold */
	int64_t cpu_ns;    /* of its process, from start to end */
};

/*
 * What wrk cannot do, or would do otherwise than asked, as a sentence in `why` (WRK_WHY_MAX is
 * enough). NULL: nothing.
 */
const char *wrk_refusal(const struct wrk_config *config, char *why, size_t size);

/*
 * Run it, after the warm-up, in a process of its own. The caller has seen to the limit of
 * descriptors (load_refusal()). Returns 0, or with a sentence in `why` (WRK_WHY_MAX is enough)
 * -EINVAL (wrk cannot do that), -ENOENT (it is not installed), -ECONNREFUSED, -EADDRNOTAVAIL (no
 * such host), -EPROTO (it printed something else), -ETIMEDOUT (it would not end), -EINTR (stopped),
 * -EIO (it failed otherwise), or what a system call gave. What went wrong with single requests,
 * or that there was no reply at all, is in the result.
 */
int wrk_run(const struct wrk_config *config, struct wrk_result *result, char *why, size_t size);
