/*
 * A herd of idle connections beside the active ones: each is served one request, and then stays
 * open and silent until the end. Child processes hold them, as many as the limit of descriptors
 * makes necessary; they sleep meanwhile.
 *
 * A target in 127.0.0.0/8 is connected to from 127.0.0.2, .3, ..., one address a child: so neither
 * do its ports end at one address's 28,000, nor does the herd take those of the active connections.
 */
#pragma once
#include "common/net.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HERD_CHILDREN_MAX = 128, HERD_WHY_MAX = 256 };

struct herd_config {
	struct net_address address;
	const char *request; /* the bytes of one request */
	size_t request_length;
	bool head_request;  /* it is HEAD: replies have no body */
	int64_t count;      /* of connections; 0: none, which is fine */
	int64_t timeout_ns; /* for a connection, and for a reply */
	/* Some ten times a second once it has taken 2 s, or NULL. */
	void (*on_progress)(void *context, int64_t served);
	void *context;
	const atomic_bool *stop; /* ends herd_start() early, or NULL */
};

struct herd_child {
	pid_t pid;
	int line; /* to hear from it; closed to end it */
	int64_t served;
};

/* All zero is a herd of none. */
struct herd {
	int children;
	struct herd_child child[HERD_CHILDREN_MAX];
};

/*
 * Open the connections and have each served (a good reply, as in load.h). Blocks until all are.
 * Returns 0, or -errno with a sentence in `why` (HERD_WHY_MAX is enough), and no child is left
 * then; -EINTR when it was stopped.
 */
int herd_start(struct herd *herd, const struct herd_config *config, char *why, size_t size);

/*
 * Close all connections, with a reset. Returns how many had been lost while idle: closed by the
 * server, or sent something that nobody had asked for.
 */
int64_t herd_end(struct herd *herd);
