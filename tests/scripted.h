/*
 * A server that does to its clients what a script says, right or wrong, on loopback, in threads of
 * the test. It notes what it sees: how connections ended, where they came from, what was asked for.
 */
#pragma once
#include "common/net.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum scripted_end {
	SCRIPTED_KEEP,   /* wait for the next request */
	SCRIPTED_CLOSE,  /* close the connection */
	SCRIPTED_RESET,  /* break it */
	SCRIPTED_SILENT, /* keep it, and say nothing more */
};

struct script {
	/*
	 * To each request; '#', in up to 64 KiB, is a digit that changes, and '@' the first
	 * character of the request's path.
	 */
	const char *reply;
	enum scripted_end then;
	size_t step;      /* send in pieces of so many bytes; 0: in one */
	bool cut;         /* send in two pieces, cut at another byte each time */
	int good_replies; /* so many requests of all get scripted_good first */
	int connections;  /* so many are answered, others are left waiting; 0: all */
	int deaf_after;   /* listen no more after so many connections; 0: never */

	const char *address;    /* HOST:PORT; NULL: 127.0.0.1:0 */
	const char *unix_path;  /* or the path of a Unix socket */
	const char *last_reply; /* to a request with "Connection: close"; then it closes first */
	int gather;             /* answer only when so many requests are there; 0 is 1 */
	int64_t delay_ns;       /* before each reply */
	int stall_at;           /* when so many requests have come, answer nothing for ... */
	int64_t stall_ns;
};

extern const char scripted_good[];

enum { SCRIPTED_THREADS_MAX = 4096, SCRIPTED_SOURCES_MAX = 64, SCRIPTED_PATHS = 128 };

struct scripted {
	struct script script;
	struct net_address address;
	int listening;
	pthread_t acceptor;
	pthread_t threads[SCRIPTED_THREADS_MAX];
	atomic_int accepted;
	atomic_int requests;
	atomic_int returned; /* connections with a second request: the first reply was taken */
	atomic_int paths[SCRIPTED_PATHS]; /* requests, by the first character of their path */
	atomic_int resets;                /* connections that the client has broken, */
	atomic_int client_ends;           /* that it has ended in order, */
	atomic_int server_ends;           /* and that the server has ended before it did */
	atomic_int excess; /* requests beyond `gather` that came before these were answered */
	atomic_int sources[SCRIPTED_SOURCES_MAX]; /* last byte of the first clients' IPv4 address */
	_Atomic int64_t stalled_until_ns;
	/* From a reply to the next request on its connection. */
	_Atomic int64_t least_gap_ns; /* INT64_MAX: none */
	_Atomic int64_t gaps_ns;      /* their sum */
	atomic_int gaps;
};

void scripted_start(struct scripted *server, const struct script *script);

/* Its clients must have closed their connections. */
void scripted_stop(struct scripted *server);
