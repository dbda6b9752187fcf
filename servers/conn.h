/*
 * One client connection as a pure state machine: fed bytes, asked for its next step. It never
 * touches a descriptor, a clock or a thread; the driver carries each step out and says how it
 * went. Drivers are blocking.c, evented.c and arch/uring.c, so that all servers hold the same
 * conversation byte for byte.
 *
 *              ┌────────────────────────────── keep-alive ◀─────────────────────────────┐
 *   app:    head ─▶ [100] ─▶ drop body ─▶ work ─▶ wait, or call ─▶ send ─▶ receive ─▶ reply
 *   proxy:  head ─▶ [100] ─▶ work ─▶ call ─▶ send ◀─▶ body ─▶ receive ◀─▶ relay ─▶ (next head)
 *
 * Memory: one buffer for what the client sends and one for what the backend sends, taken from a
 * pool when there are bytes and given back when there are none, so an idle connection holds none.
 * Bodies of any length are relayed through them.
 */
#pragma once
#include "common/http.h"
#include "servers/service.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum conn_step {
	CONN_READ,       /* bytes from the client into conn_space() */
	CONN_WRITE,      /* `out` to the client */
	CONN_WORK,       /* spend `work`, in `memory` */
	CONN_WAIT,       /* let wait_ns pass without CPU */
	CONN_CALL,       /* have a connection to the backend; a new one if call_afresh */
	CONN_CALL_READ,  /* bytes from the backend into conn_space() */
	CONN_CALL_WRITE, /* `out` to the backend */
	CONN_CALL_KEEP,  /* the backend connection is free for the next call */
	CONN_CALL_DROP,  /* close the backend connection */
	CONN_SHUTDOWN,   /* tell the client that no more will come; it is still read */
	CONN_CLOSE,      /* close both; conn_end(), and the conn is done */
};

/* Which patience bounds the step at hand (the driver knows the times). */
enum conn_patience {
	CONN_PATIENCE_CLIENT,  /* since the client last made progress */
	CONN_PATIENCE_HEAD,    /* since the first byte of the head: a drip does not renew it */
	CONN_PATIENCE_LINGER,  /* short, and not renewed: only the close is awaited */
	CONN_PATIENCE_BACKEND, /* since the backend last made progress */
	CONN_PATIENCE_NONE,    /* the step ends by itself */
};

enum { CONN_BUFFER = 16384 };

/* Buffers of CONN_BUFFER bytes, for one thread of control, or for several with a lock. */
struct conn_buffers {
	void *free;            /* a list through the buffers' first words */
	pthread_mutex_t *lock; /* or NULL */
};

/* Give `bytes` (CONN_BUFFER of them, aligned for a pointer) to the pool. */
void conn_buffers_add(struct conn_buffers *buffers, void *bytes);

/* Free the buffers that the pool allocated itself; none may be in use. */
void conn_buffers_free(struct conn_buffers *buffers);

enum conn_state {
	CONN_STATE_HEAD,
	CONN_STATE_CONTINUE,
	CONN_STATE_DROP_BODY,
	CONN_STATE_WORK,
	CONN_STATE_WAIT,
	CONN_STATE_CALL,
	CONN_STATE_SEND,
	CONN_STATE_BODY,
	CONN_STATE_RECEIVE,
	CONN_STATE_RELAY,
	CONN_STATE_KEEP_CALL,
	CONN_STATE_DROP_CALL,
	CONN_STATE_REPLY,
	CONN_STATE_SHUTDOWN,
	CONN_STATE_LINGER,
	CONN_STATE_CLOSE,
};

struct conn {
	/* For the driver: what the step at hand works on. */
	struct iovec out[3];
	int out_count;
	struct work work;
	int64_t wait_ns;
	bool call_afresh;

	/* The conn's own. */
	enum conn_state state;
	enum conn_state after; /* once the backend connection is kept or dropped */
	const struct service *service;
	struct conn_buffers *buffers;
	struct random random; /* its own, so that no thread that serves it shares a cache line */

	struct http_message request;
	char *in;         /* from the client: [head, end) is this request's and the next ones' */
	uint32_t in_head; /* where the request starts, as sent on (the proxy rewrites it) */
	uint32_t in_parsed;
	uint32_t in_end;
	bool undecided;      /* a method that may still turn out to be no token */
	bool keep;           /* the client connection outlives this request */
	bool stopping;       /* the server does */
	bool responded;      /* bytes of the response are out: no status can be sent any more */
	int64_t reply_bytes; /* of its content; -1: the service's text */
	int64_t body_left;   /* of the reply, beyond `out` */
	int64_t lingered;    /* bytes dropped after the reply */

	struct http_message response;
	char *back; /* from the backend: [0, back_end) */
	uint32_t back_parsed;
	uint32_t back_end;
	bool call_reused; /* it carried an exchange before, and hasn't answered in this one */
	bool call_retried;
	bool call_keep; /* it can carry another */
	bool sent_all;  /* the whole request went out at once: it is still in hand */
	char head[128]; /* of a reply with a length of its own */

	char *memory; /* that its work touches; its own, as a session's data would be */
};

/* `seed` is that of the connection's exponential times: each needs another (server_seed()). */
void conn_begin(struct conn *conn, const struct service *service, struct conn_buffers *buffers,
		uint64_t seed);

/* What to do next. The same answer until conn_done() is told. */
enum conn_step conn_next(struct conn *conn);

/*
 * How the step went: bytes moved by a read or write, 0 for the end of input, 0 or 1 for a new or
 * a kept-alive backend connection, 0 for the rest, -errno for a failure. -EAGAIN after a read: it
 * was not ready after all. -ETIMEDOUT: patience is over. A wait that fails makes the reply a 503.
 */
void conn_done(struct conn *conn, ssize_t result);

/* Where the bytes of a CONN_READ or CONN_CALL_READ go; length 0 when there is no memory. */
struct iovec conn_space(struct conn *conn);

enum conn_patience conn_patience(const struct conn *conn);

/* Nothing was read of a request that isn't answered. */
bool conn_is_idle(const struct conn *conn);

/* The server ends: the request in hand is the connection's last. */
void conn_stop(struct conn *conn);

/* Give back what it holds. */
void conn_end(struct conn *conn);
