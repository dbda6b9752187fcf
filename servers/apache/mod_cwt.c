/*
 * The app for Apache: each request spends CWT_WORK_NS of its thread's CPU time, then waits for
 * CWT_WAIT_US, which is a call of the backend CWT_UPSTREAM on a connection that its thread keeps.
 */
#include "common/clock.h"
#include "common/net.h"
#include <errno.h>
#include <httpd.h> /* before its others */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <http_config.h>
#include <http_protocol.h>

enum { REPLY_MAX = 4096, REQUEST_MAX = 128 };

static const char body[] = "hello, world\n";

static int64_t work_ns;
static int64_t wait_us;
static struct net_address upstream;

static __thread int backend = -1;

static void work(void)
{
	int64_t end_ns = clock_thread_cpu_ns() + work_ns;

	while (clock_thread_cpu_ns() < end_ns)
		;
}

/* A reply as short as the backend's: all of it. Returns 0 or -errno. */
static int take_reply(int fd)
{
	char reply[REPLY_MAX];
	size_t length = 0;

	while (length + 1 < sizeof(reply)) {
		ssize_t rc = recv(fd, reply + length, sizeof(reply) - 1 - length, 0);
		const char *head_end;
		const char *field;

		if (rc <= 0)
			return rc < 0 ? -errno : -EPIPE;
		length += (size_t)rc;
		reply[length] = '\0';
		head_end = strstr(reply, "\r\n\r\n");
		field = head_end ? strcasestr(reply, "\r\nContent-Length:") : NULL;
		if (field && length >= (size_t)(head_end + 4 - reply) +
					       (size_t)strtoul(field + 17, NULL, 10))
			return 0;
	}
	return -E2BIG;
}

static int call_once(void)
{
	char request[REQUEST_MAX];
	int length =
		snprintf(request, sizeof(request),
			 "GET /delay/%lldus HTTP/1.1\r\nHost: backend\r\n\r\n", (long long)wait_us);
	int rc;

	if (backend < 0)
		backend = net_connect(&upstream, 3600LL * NS_PER_S, NULL);
	if (backend < 0)
		return backend;
	rc = send(backend, request, (size_t)length, MSG_NOSIGNAL) == length ? take_reply(backend)
									    : -errno;
	if (rc != 0) {
		close(backend);
		backend = -1;
	}
	return rc;
}

/* A kept connection may have been closed meanwhile. */
static int call(void)
{
	bool was_kept = backend >= 0;
	int rc = call_once();

	return rc != 0 && was_kept ? call_once() : rc;
}

static int handle(request_rec *request)
{
	if (!request->handler || strcmp(request->handler, "cwt") != 0)
		return DECLINED;
	if (work_ns > 0)
		work();
	if (wait_us > 0 && call() != 0)
		return HTTP_BAD_GATEWAY;
	ap_set_content_type(request, "text/plain");
	ap_set_content_length(request, sizeof(body) - 1);
	ap_rwrite(body, sizeof(body) - 1, request);
	return OK;
}

static int configure(apr_pool_t *config, apr_pool_t *log, apr_pool_t *temporary, server_rec *server)
{
	const char *work_text = getenv("CWT_WORK_NS");
	const char *wait_text = getenv("CWT_WAIT_US");
	const char *upstream_text = getenv("CWT_UPSTREAM");

	(void)config;
	(void)log;
	(void)temporary;
	(void)server;
	work_ns = work_text ? strtoll(work_text, NULL, 10) : 0;
	wait_us = wait_text ? strtoll(wait_text, NULL, 10) : 0;
	if (wait_us > 0 && (!upstream_text || net_parse(upstream_text, &upstream) != 0)) {
		fprintf(stderr, "mod_cwt: CWT_UPSTREAM is no HOST:PORT\n");
		return HTTP_INTERNAL_SERVER_ERROR;
	}
	return OK;
}

static void register_hooks(apr_pool_t *pool)
{
	(void)pool;
	ap_hook_post_config(configure, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(cwt) = {
	STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, 0,
};
