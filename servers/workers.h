/* Several processes that serve the same: started together, stopped together. */
#pragma once
#include "servers/server.h"

/*
 * Run an evented server in each of `count` processes: the i-th accepts from listen_fds[i], which
 * may all be one socket. Prints the ready line when all of them accept. On SIGTERM or SIGINT they
 * finish what they have in hand. All the sockets are closed here. Returns 0, or -errno with a line
 * on stderr: also when one of them ended by itself.
 */
int workers_run(const char *program, const struct server *server, const int *listen_fds,
		int64_t count);
