/*
 * How a worker's requests reach the server and the replies come back: one table of functions for
 * each way, so that the engine above is the same over readiness (epoll), over completions
 * (io_uring), and over nothing at all (null), which shows what the engine itself costs.
 *
 * Connections are slots, 0 ... count - 1. A transport belongs to one thread. What happens is told
 * to the client's functions, from within wait(), and from there the client may open, send and close
 * on any slot, also the one that it is told about. Nothing is told of a slot after close().
 */
#pragma once
#include "common/net.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transport_client {
	/* The slot is connected (error 0), or could not be (-errno): the client then closes it. */
	void (*connected)(void *context, uint32_t slot, int error);
	/* Bytes of the peer; none: its end (error 0) or -errno. The bytes last until the return. */
	void (*received)(void *context, uint32_t slot, const char *bytes, size_t length, int error);
	/* What send() has left pending is gone. */
	void (*sent)(void *context, uint32_t slot);
	void *context;
};

struct transport_setup {
	uint32_t slots;
	const struct net_address *address;
	const struct net_address *sources; /* local addresses that slots take in turn */
	uint32_t source_count;             /* 0: the kernel's choice */
	uint32_t first_source;             /* of slot 0 */
	struct transport_client client;
};

/* Begin to connect a slot, from the source that is its turn. Returns as net_connect() does. */
int transport_connect(const struct transport_setup *setup, uint32_t slot, bool *connected);

enum transport_progress { TRANSPORT_DONE, TRANSPORT_PENDING };

enum transport_ending {
	TRANSPORT_RESET, /* RST: no port stays in TIME_WAIT */
	TRANSPORT_FIN,   /* in order; who sends it first has the TIME_WAIT */
};

struct transport {
	const char *name;
	/* The caller destroys it. Returns 0 or -errno; `setup` is only read meanwhile. */
	int (*create)(const struct transport_setup *setup, void **made);
	void (*destroy)(void *made);
	/* Connect a closed slot. DONE, PENDING (connected() will tell), or -errno (still closed).
	 */
	int (*open)(void *made, uint32_t slot);
	/*
	 * Send all of the bytes, which stay as they are until they are gone. DONE, PENDING (sent()
	 * will tell; until then no other send on this slot), or -errno.
	 */
	int (*send)(void *made, uint32_t slot, const char *bytes, size_t length);
	void (*close)(void *made, uint32_t slot, enum transport_ending ending);
	/*
	 * Tell what has happened; if nothing has, wait for `timeout_ns` at the most (0: not at
	 * all). Returns how much was told, 0 when time was up, or -errno. *woke_ns is the time at
	 * which it was known, if anything was.
	 */
	int (*wait)(void *made, int64_t timeout_ns, int64_t *woke_ns);
};

extern const struct transport transport_epoll;
extern const struct transport transport_uring;
extern const struct transport transport_null;
