/*
 * A server as an architecture sees it: a listening socket, a service, and the limits. Set up
 * before the architecture runs and unchanged after.
 */
#pragma once
#include "common/net.h"
#include "servers/service.h"
#include <stdint.h>

struct server {
	struct service service;
	struct net_address listen;
	struct net_address upstream;
	int listen_fd;
	int64_t threads;             /* t */
	int64_t stack_bytes;         /* of each thread */
	int64_t client_patience_ns;  /* how long a client may keep a connection waiting */
	int64_t backend_patience_ns; /* how long the backend may */
	int64_t connections_most;    /* a loop accepts no more than this at once; 0 is no bound */
};

enum { SERVER_LINGER_NS = 1000000000 };

/* The architecture accepts from now on: print "ready HOST:PORT". */
void server_ready(const struct server *server);

/* Say on stderr, once per process, that descriptors have run out, and which limit that is. */
void server_warn_descriptors(void);

/* Block SIGTERM and SIGINT in this thread and those it starts from now on. */
void server_block_signals(void);

/* Wait for SIGTERM or SIGINT, which are blocked. After it, a second one ends the process. */
void server_await_stop(void);

/* What accept() failing with -error means. */
enum server_accept { SERVER_ACCEPT_RETRY, SERVER_ACCEPT_PAUSE, SERVER_ACCEPT_END };
enum server_accept server_accept_failed(int error);
