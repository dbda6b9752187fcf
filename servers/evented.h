/*
 * Drives conns on a libevent base: each step that would block becomes an event, and the function
 * returns. One thread, any number of connections.
 */
#pragma once
#include "servers/server.h"

/*
 * Serve server->listen_fd (non-blocking) on the calling thread until SIGTERM or SIGINT, then
 * finish what is in hand. Returns 0, or -errno if the loop could not be set up.
 */
int evented_run(const struct server *server);
