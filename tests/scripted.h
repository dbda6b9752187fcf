/*
 * A server that does to its clients what a script says, right or wrong, on a loopback port of its
 * own, in threads of the test.
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
	const char *reply; /* to each request; '#' stands for a digit that changes */
	enum scripted_end then;
	size_t step;      /* send in pieces of so many bytes; 0: in one */
	bool cut;         /* send in two pieces, cut at another byte each time */
	int good_replies; /* so many requests of all get scripted_good first */
	int connections;  /* so many are answered, others are left waiting; 0: all */
	int deaf_after;   /* listen no more after so many connections; 0: never */
};

extern const char scripted_good[];

enum { SCRIPTED_THREADS_MAX = 4096 };

struct scripted {
	struct script script;
	struct net_address address;
	int listening;
	pthread_t acceptor;
	pthread_t threads[SCRIPTED_THREADS_MAX];
	atomic_int accepted;
	atomic_int requests;
};

void scripted_start(struct scripted *server, const struct script *script);

/* Its clients must have closed their connections. */
void scripted_stop(struct scripted *server);
