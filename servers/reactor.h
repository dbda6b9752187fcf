/*
 * A libevent base that accepts connections, keeps a coarse time for their patience, and ends in
 * good order: what all that runs on events has in common. Who uses it embeds it, and is called
 * for each connection, each tick and the end.
 */
#pragma once
#include "servers/server.h"
#include <event2/event.h>

/*
 * Priorities, where requests mean work: what ends a request, and who comes new, goes before the
 * next request's work (FIRST). Otherwise replies would come in bursts, each as late as all the
 * work that was ready when the loop last looked: seconds, when thousands wait.
 */
enum { REACTOR_FIRST = 0, REACTOR_THEN = 1, REACTOR_PRIORITIES = 2 };

struct reactor {
	const struct server *server;
	const struct reactor_user *user;
	struct event_base *base;
	struct event *listener;
	struct event *ticker;
	struct event *stop;
	int stop_fd;
	int64_t connections; /* that are open */
	int64_t tick_ns;
	uint32_t tick; /* coarse time, so that a timeout costs a request nothing */
	int priorities;
	bool edge;        /* readiness is told once (EV_ET), and the end as EV_CLOSED */
	bool clock_stale; /* work was done since the loop read the clock */
	bool accept_paused;
	bool stopping;
};

struct reactor_user {
	/* A connection, non-blocking. Returns 0, or -errno: then it is closed. */
	int (*accepted)(struct reactor *reactor, int fd);
	/* Another tick: look for whom patience is over. */
	void (*ticked)(struct reactor *reactor);
	/* The server is to stop: those between requests are to end now, others after theirs. */
	void (*stopped)(struct reactor *reactor);
};

/* Set up, for server->listen_fd (non-blocking). Returns 0 or -errno; reactor_end() also then. */
int reactor_begin(struct reactor *reactor, const struct server *server,
		  const struct reactor_user *user);

/* Print the ready line and serve until SIGTERM or SIGINT and the last connection's end. */
int reactor_run(struct reactor *reactor);

void reactor_end(struct reactor *reactor);

/* A connection is gone; its descriptor is closed already. */
void reactor_gone(struct reactor *reactor);

/* Whether `patience_ns` has passed since the tick `since`: to one part in 16, never early. */
bool reactor_is_over(const struct reactor *reactor, uint32_t since, int64_t patience_ns);

/* An event with that priority, if there are any. NULL when there is no memory. */
struct event *reactor_event(struct reactor *reactor, int priority, int fd, short what,
			    event_callback_fn callback, void *arg);

/*
 * Have `callback` called after `ns`, not sooner; *timer is made when first needed. Returns 0 or
 * -ENOMEM.
 */
int reactor_start_timer(struct reactor *reactor, struct event **timer, int64_t ns, int priority,
			event_callback_fn callback, void *arg);
