/*
 * A server as an architecture sees it: a listening socket, a service, and the limits. Set up
 * before the architecture runs and unchanged after.
 */
#pragma once
#include "common/net.h"
#include "servers/conn.h"
#include "servers/faults.h"
#include "servers/service.h"
#include <stdint.h>

/* Who accepts in `pool`, what `loop` asks the kernel with, who replies in `handoff`. */
enum server_accepts { SERVER_ACCEPTS_OWN, SERVER_ACCEPTS_SHARED };
enum server_events { SERVER_EVENTS_EPOLL, SERVER_EVENTS_POLL, SERVER_EVENTS_SELECT };
enum server_replies { SERVER_REPLIES_WORKER, SERVER_REPLIES_LISTENER };

struct server {
	struct service service;
	struct faults faults; /* on purpose, of evented servers with SERVICE_DELAY */
	struct net_address listen;
	struct net_address upstream;
	int listen_fd;
	enum server_accepts accepts;
	enum server_events events;
	enum server_replies replies;
	bool busy;                   /* on a reactor: never sleep, for the sake of precision */
	bool supervised;             /* by a process that ends it, if need be, by SIGKILL */
	int64_t cores;               /* that it may use */
	int64_t active;              /* threads that may work at once; 0 is no bound */
	int64_t threads;             /* t */
	int64_t stack_bytes;         /* of each thread */
	int64_t client_patience_ns;  /* how long a client may keep a connection waiting */
	int64_t backend_patience_ns; /* how long the backend may */
	int64_t connections_most;    /* a loop accepts no more than this at once; 0 is no bound */
	struct server_seeds *seeds;  /* of the connections; NULL: nothing is drawn */
};

/*
 * Get ready to deal out seeds, one to each connection in the order in which they are accepted, by
 * whichever thread or process: the next one is in memory that all of them share, and is touched
 * once for each connection. Equal `seed`s deal out the same. For the life of the process. Returns 0
 * or -errno.
 */
int server_deal_seeds(struct server *server, uint64_t seed);

/* The seed of the next connection. */
uint64_t server_seed(const struct server *server);

enum { SERVER_LINGER_NS = 1000000000 };

/* How long a step with that patience may take, in ns. */
int64_t server_patience_ns(const struct server *server, enum conn_patience patience);

/*
 * How often to look for whom patience is over, so that it is kept to one part in 16; at least
 * twice in SERVER_LINGER_NS.
 */
int64_t server_tick_ns(const struct server *server);

/* The architecture accepts from now on: print "ready HOST:PORT". */
void server_ready(const struct server *server);

/* Say on stderr, once per process, that descriptors have run out, and which limit that is. */
void server_warn_descriptors(void);

/* Say on stderr, once per process, that only `started` of `wanted` threads could be had, and what
 * limits them. */
void server_complain_of_threads(int64_t started, int64_t wanted, int error);

/* Say on stderr, once per process, that no stack could be had, and what limits them. */
void server_complain_of_stacks(int error);

/* Block SIGTERM and SIGINT in this thread and those it starts from now on. */
void server_block_signals(void);

/* And no longer. */
void server_unblock_signals(void);

/*
 * Block them, and have a descriptor that is readable when one is there, for server_await_stop() to
 * take or, to ignore all that come, for nobody. Returns it, which the caller closes, or -errno.
 */
int server_stop_fd(void);

/* Call `handler` for them. Calls that they interrupt are
 * taken up again where that is possible. */
void server_on_stop_signals(void (*handler)(int));

/* Wait for SIGTERM or SIGINT, which are blocked. After it, a second one ends the process. */
void server_await_stop(void);

/* The same for up to `ns`. Returns whether one came. */
bool server_await_stop_for(int64_t ns);

/* What accept() failing with -error means. */
enum server_accept { SERVER_ACCEPT_RETRY, SERVER_ACCEPT_PAUSE, SERVER_ACCEPT_END };
enum server_accept server_accept_failed(int error);
