/*
 * loop: one thread waits for everything at once. An event loop (libevent over epoll) goes on with
 * whichever connection can go on; no connection has a stack, and none blocks another but by the
 * CPU it uses.
 *
 * Cost per request: no context switch while there is work; the wake-up is shared by all events
 * that came with it. System calls: recv, send, and its share of epoll_wait; with a backend call
 * a read and a write more.
 *
 * Source: the evented server of McGranaghan 2010; Kegel, "The C10K problem".
 */
#include "servers/arch/arch.h"
#include "servers/evented.h"
#include <stdio.h>
#include <string.h>

static int run(const struct server *server)
{
	int rc = evented_run(server);

	if (rc != 0)
		fprintf(stderr, "cwt-server: the event loop failed: %s\n", strerror(-rc));
	return rc;
}

const struct arch arch_loop = {
	.name = "loop",
	.summary = "one thread, one event loop: waits for all connections at once",
	.knobs = ARCH_EVENTS,
	.listen = NET_NONBLOCKING,
	.run = run,
};
