/*
 * loops: several event loops, each a process with a listening socket of its own on the same port;
 * the kernel deals the connections out among them (SO_REUSEPORT). A loop for each processor uses
 * them all without a lock; more of them hold more connections than one process may.
 *
 * Cost per request: that of `loop`: no context switch while there is work, and recv, send and a
 * share of epoll_wait. Nothing is shared, so nothing passes between the processors but what the
 * kernel does. A connection stays with the loop that it was dealt to, however busy that is.
 *
 * Source: nginx; "one process per core" (Kegel, "The C10K problem"; Zeldovich et al. 2003).
 */
#include "servers/arch/arch.h"
#include "servers/workers.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run(const struct server *server)
{
	int64_t count = server->threads;
	int *listen_fds = calloc((size_t)count, sizeof(*listen_fds));
	struct net_address address = server->listen;
	int64_t opened = 1;
	int rc = listen_fds ? 0 : -ENOMEM;

	if (rc == 0)
		listen_fds[0] = server->listen_fd;
	for (; rc == 0 && opened < count; opened++) {
		listen_fds[opened] = net_listen(&address, NET_NONBLOCKING | NET_SHARED);
		if (listen_fds[opened] < 0) {
			rc = listen_fds[opened--];
			fprintf(stderr, "cwt-server: %lld listening sockets: %s\n",
				(long long)count, strerror(-rc));
		}
	}
	if (rc == 0)
		rc = workers_run("cwt-server", server, listen_fds, count);
	else
		while (listen_fds && opened > 0)
			close(listen_fds[--opened]);
	free(listen_fds);
	return rc;
}

const struct arch arch_loops = {
	.name = "loops",
	.summary = "--threads processes, an event loop each, on one port (SO_REUSEPORT)",
	.knobs = ARCH_THREADS,
	.listen = NET_NONBLOCKING | NET_SHARED,
	.processes = true,
	.cores = true,
	.run = run,
};
