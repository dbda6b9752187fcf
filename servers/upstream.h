/*
 * Connections to the backend, kept alive between calls, for one thread of control: the one used
 * last is used next. Blocking servers hold at most one; a loop holds as many as it ever needed
 * at once.
 */
#pragma once
#include "common/net.h"
#include <stdbool.h>
#include <stdint.h>

struct event;

struct upstream;

struct upstream_link {
	struct upstream *upstream;
	int fd;
	struct event *readable; /* evented servers: the events on fd, or NULL */
	struct event *writable;
	void *owner; /* whose call this link carries, or NULL when it is idle */
	struct upstream_link *next;
};

struct upstream {
	const struct net_address *address;
	struct upstream_link *idle;
};

/* An idle link, now the caller's; NULL if there is none. */
struct upstream_link *upstream_take(struct upstream *upstream);

/* Nothing has come on an idle link: neither its end, nor bytes that answer no request. */
bool upstream_is_quiet(const struct upstream_link *link);

/* An idle link that is quiet, now the caller's; those before it are closed. NULL if there is none.
 */
struct upstream_link *upstream_take_quiet(struct upstream *upstream);

/*
 * A new link in *link: the caller's. Its calls may block for `patience_ns`; 0: it is non-blocking.
 * Returns 0, -EINPROGRESS (non-blocking: writable once the connect has ended) or -errno.
 */
int upstream_open(struct upstream *upstream, int64_t patience_ns, struct upstream_link **link);

/* Keep the link for the next call. */
void upstream_keep(struct upstream *upstream, struct upstream_link *link);

/* Take an idle link that turned out broken out of those kept. */
void upstream_forget(struct upstream *upstream, struct upstream_link *link);

/* Close the link and free it with its events. */
void upstream_close(struct upstream_link *link);

/* Close the idle links. */
void upstream_end(struct upstream *upstream);
