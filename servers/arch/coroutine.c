/*
 * coroutine: a cooperative user-level thread for each connection. Each runs the straight line of
 * blocking.c, on a stack of its own; where that would block, the call switches to the event loop,
 * which switches to whichever coroutine can go on. One kernel thread does it all, so nothing needs
 * a lock.
 *
 * Cost per request: that of `loop`, two switches of stacks, without the kernel, and for a backend
 * call a look at the link; no context switch while there is work. A connection costs its stack:
 * virtual memory for all of it, and the pages that were ever used, two or three.
 *
 * Source: von Behren et al., "Capriccio", SOSP 2003, and "Why events are a bad idea", HotOS 2003,
 * whose server is Knot; Adya et al. 2002, for what cooperation gives.
 */
#include "servers/arch/arch.h"
#include "servers/blocking.h"
#include "servers/fiber.h"
#include "servers/reactor.h"
#include "common/clock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READS_AT_ONCE = 16 };

struct scheduler {
	struct reactor reactor; /* first: what it hands on is the scheduler */
	atomic_bool stopping;
	struct upstream upstream;
	struct conn_buffers buffers;
	struct coroutine *busy;
	struct coroutine *spare;   /* with a stack, and without a connection */
	struct channel **channels; /* by descriptor */
	int channel_count;
};

struct coroutine {
	struct blocking blocking;
	struct scheduler *scheduler;
	struct coroutine *next;
	struct coroutine **at; /* busy: what points at this one */
	struct fiber fiber;
	int fd;              /* of its connection */
	struct event *timer; /* made when first needed */
	bool timed_out;
	int64_t patience_ns; /* of what it waits for; 0: that ends by itself */
	uint32_t since;      /* the tick at which the wait began */
	int waits_fd;        /* what it waits to read from, or -1 */
	int reads;           /* since it last made way for others */
	int works;
};

/* A descriptor that coroutines wait for. */
struct channel {
	struct coroutine *reader; /* that waits to read, or NULL */
	struct coroutine *writer;
	struct event *readable;
	struct event *writable; /* made when first needed */
	bool more;              /* there may be something that was not read yet */
	bool again;             /* the last call was a read: look before waiting, as in evented.c */
	bool ended;             /* the other side has sent its last */
};

/* Switching */

static void resume(struct coroutine *coroutine)
{
	coroutine->reads = coroutine->works = 0;
	fiber_enter(&coroutine->fiber);
}

/* Make way for others, until resumed. Returns whether patience was over before that. */
static bool make_way(struct coroutine *coroutine, int64_t patience_ns)
{
	coroutine->patience_ns = patience_ns;
	coroutine->since = coroutine->scheduler->reactor.tick;
	coroutine->timed_out = false;
	fiber_leave(&coroutine->fiber);
	coroutine->patience_ns = 0;
	return coroutine->timed_out;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;
	struct coroutine *reader = channel->reader;

	(void)fd;
	channel->more = true;
	channel->ended = channel->ended || (what & EV_CLOSED);
	if (reader)
		resume(reader);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;

	(void)fd;
	(void)what;
	if (channel->writer)
		resume(channel->writer);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	resume(arg);
}

/* Calls, on a coroutine's stack */

static struct coroutine *coroutine_of(struct blocking *blocking)
{
	return (struct coroutine *)blocking; /* its first member */
}

/* Let others go on for a turn of the loop, or for so long. */
static void pause_for(struct coroutine *coroutine, int64_t ns, int priority)
{
	if (reactor_start_timer(&coroutine->scheduler->reactor, &coroutine->timer, ns, priority,
				on_timer, coroutine) == 0)
		make_way(coroutine, 0);
}

static void co_sleep(struct blocking *blocking, int64_t ns)
{
	struct coroutine *coroutine = coroutine_of(blocking);

	/* The work before it may have been any amount. */
	coroutine->scheduler->reactor.clock_stale = blocking->server->service.work.ns > 0;
	pause_for(coroutine, ns, REACTOR_FIRST);
}

/* Room for that descriptor in the table. */
static int make_room(struct scheduler *scheduler, int fd)
{
	int count = scheduler->channel_count > 0 ? scheduler->channel_count : 64;
	const size_t pointer = sizeof(void *);
	struct channel **channels;

	if (fd < scheduler->channel_count)
		return 0;
	while (count <= fd)
		count *= 2;
	channels = realloc(scheduler->channels, pointer * (size_t)count);
	if (!channels)
		return -ENOMEM;
	memset(channels + scheduler->channel_count, 0,
	       pointer * (size_t)(count - scheduler->channel_count));
	scheduler->channels = channels;
	scheduler->channel_count = count;
	return 0;
}

static int make_channel(struct scheduler *scheduler, int fd, int priority)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	if (!channel || make_room(scheduler, fd) != 0) {
		free(channel);
		return -ENOMEM;
	}
	channel->readable =
		reactor_event(&scheduler->reactor, priority, fd,
			      EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_readable, channel);
	if (!channel->readable || event_add(channel->readable, NULL) != 0) {
		if (channel->readable)
			event_free(channel->readable);
		free(channel);
		return -ENOMEM;
	}
	scheduler->channels[fd] = channel;
	return 0;
}

static void free_channel(struct scheduler *scheduler, int fd)
{
	struct channel *channel = fd < scheduler->channel_count ? scheduler->channels[fd] : NULL;

	if (!channel)
		return;
	scheduler->channels[fd] = NULL;
	event_free(channel->readable);
	if (channel->writable)
		event_free(channel->writable);
	free(channel);
}

static void co_forget(struct blocking *blocking, int fd)
{
	free_channel(coroutine_of(blocking)->scheduler, fd);
}

static int co_open(struct blocking *blocking, int fd)
{
	return make_channel(coroutine_of(blocking)->scheduler, fd, REACTOR_THEN);
}

/* Requests that were pipelined take their turn with others. */
static void co_turn(struct blocking *blocking)
{
	struct coroutine *coroutine = coroutine_of(blocking);

	if (coroutine->works > 0)
		pause_for(coroutine, 0, REACTOR_THEN);
	coroutine->works++;
}

static int co_await (struct blocking *blocking, int fd, int64_t patience_ns)
{
	struct coroutine *coroutine = coroutine_of(blocking);
	struct channel *channel = coroutine->scheduler->channels[fd];
	bool late;

	if (channel->more || channel->again)
		return 0;
	channel->reader = coroutine;
	coroutine->waits_fd = fd;
	late = make_way(coroutine, patience_ns);
	coroutine->waits_fd = -1;
	channel->reader = NULL;
	return late ? -ETIMEDOUT : 0;
}

static ssize_t co_read(struct blocking *blocking, int fd, void *bytes, size_t length,
		       int64_t patience_ns)
{
	struct coroutine *coroutine = coroutine_of(blocking);
	struct channel *channel = coroutine->scheduler->channels[fd];
	ssize_t rc;

	do {
		rc = co_await (blocking, fd, patience_ns);
		if (rc != 0)
			return rc;
		rc = net_read(fd, bytes, length);
		channel->again = rc > 0;
		channel->more = channel->ended || rc == (ssize_t)length;
	} while (rc < 0 && errno == EAGAIN);
	rc = rc >= 0 ? rc : -errno;
	/* Bodies without end take their turn, too. */
	if (++coroutine->reads >= READS_AT_ONCE && channel->more)
		pause_for(coroutine, 0, REACTOR_THEN);
	return rc;
}

/* Wait for room to write, or for the end of a connect. */
static int await_writable(struct coroutine *coroutine, int fd, int64_t patience_ns)
{
	struct scheduler *scheduler = coroutine->scheduler;
	struct channel *channel = scheduler->channels[fd];
	bool late;

	if (!channel->writable)
		channel->writable = reactor_event(&scheduler->reactor, REACTOR_FIRST, fd,
						  EV_WRITE | EV_ET, on_writable, channel);
	if (!channel->writable || event_add(channel->writable, NULL) != 0)
		return -ENOMEM;
	channel->writer = coroutine;
	late = make_way(coroutine, patience_ns);
	channel->writer = NULL;
	return late ? -ETIMEDOUT : 0;
}

static ssize_t co_write(struct blocking *blocking, int fd, const struct iovec *vectors, int count,
			int64_t patience_ns)
{
	struct coroutine *coroutine = coroutine_of(blocking);

	coroutine->scheduler->channels[fd]->again = false;
	for (;;) {
		ssize_t rc = net_write(fd, vectors, count);
		int waited;

		if (rc >= 0 || errno != EAGAIN)
			return rc >= 0 ? rc : -errno;
		waited = await_writable(coroutine, fd, patience_ns);
		if (waited != 0)
			return waited;
	}
}

static int co_connect(struct blocking *blocking, struct upstream_link **link)
{
	struct coroutine *coroutine = coroutine_of(blocking);
	int rc = upstream_open(blocking->upstream, 0, link);
	int made;

	if (rc != 0 && rc != -EINPROGRESS)
		return rc;
	made = make_channel(coroutine->scheduler, (*link)->fd, REACTOR_FIRST);
	if (made == 0 && rc == -EINPROGRESS)
		made = await_writable(coroutine, (*link)->fd,
				      blocking->server->backend_patience_ns);
	if (made == 0 && rc == -EINPROGRESS)
		made = net_connect_result((*link)->fd);
	if (made == 0)
		return 0;
	co_forget(blocking, (*link)->fd);
	upstream_close(*link);
	*link = NULL;
	return made;
}

static const struct blocking_calls coroutine_calls = {
	.open = co_open,
	.await = co_await,
	.read = co_read,
	.write = co_write,
	.connect = co_connect,
	.sleep = co_sleep,
	.turn = co_turn,
	.forget = co_forget,
};

/* Coroutines */

/* What runs on a coroutine's stack: one connection after the other. */
static void live(void *context)
{
	struct coroutine *coroutine = context;
	struct scheduler *scheduler = coroutine->scheduler;

	for (;;) {
		blocking_serve(&coroutine->blocking, coroutine->fd);
		*coroutine->at = coroutine->next;
		if (coroutine->next)
			coroutine->next->at = coroutine->at;
		coroutine->next = scheduler->spare;
		scheduler->spare = coroutine;
		reactor_gone(&scheduler->reactor);
		fiber_leave(&coroutine->fiber);
	}
}

static struct coroutine *make_coroutine(struct scheduler *scheduler)
{
	const struct server *server = scheduler->reactor.server;
	struct coroutine *coroutine = calloc(1, sizeof(*coroutine));
	struct blocking_own unused;
	int rc;

	if (!coroutine)
		return NULL;
	coroutine->scheduler = scheduler;
	blocking_init(&coroutine->blocking, &unused, server, &scheduler->stopping);
	coroutine->blocking.calls = &coroutine_calls;
	coroutine->blocking.upstream = &scheduler->upstream;
	coroutine->blocking.buffers = &scheduler->buffers;
	rc = fiber_create(&coroutine->fiber, (size_t)server->stack_bytes, live, coroutine);
	if (rc == 0)
		return coroutine;
	server_complain_of_stacks(-rc);
	free(coroutine);
	return NULL;
}

static int on_accepted(struct reactor *reactor, int fd)
{
	struct scheduler *scheduler = (struct scheduler *)reactor;
	struct coroutine *coroutine = scheduler->spare;

	if (coroutine)
		scheduler->spare = coroutine->next;
	else
		coroutine = make_coroutine(scheduler);
	if (!coroutine)
		return -ENOMEM;
	coroutine->fd = fd;
	coroutine->waits_fd = -1;
	coroutine->next = scheduler->busy;
	coroutine->at = &scheduler->busy;
	if (coroutine->next)
		coroutine->next->at = &coroutine->next;
	scheduler->busy = coroutine;
	resume(coroutine);
	return 0;
}

static void end_link(struct scheduler *scheduler, struct upstream_link *link)
{
	free_channel(scheduler, link->fd);
	upstream_close(link);
}

/* Close the idle links that the backend has closed. */
static void sweep_links(struct scheduler *scheduler)
{
	struct upstream_link *next;

	for (struct upstream_link *link = scheduler->upstream.idle; link; link = next) {
		next = link->next;
		if (!scheduler->channels[link->fd]->more)
			continue;
		upstream_forget(&scheduler->upstream, link);
		end_link(scheduler, link);
	}
}

static void on_ticked(struct reactor *reactor)
{
	struct scheduler *scheduler = (struct scheduler *)reactor;
	struct coroutine *next;

	for (struct coroutine *coroutine = scheduler->busy; coroutine; coroutine = next) {
		next = coroutine->next;
		if (coroutine->patience_ns == 0 ||
		    !reactor_is_over(reactor, coroutine->since, coroutine->patience_ns))
			continue;
		/* Who has sent something waits for us, not we for him. */
		if (coroutine->waits_fd >= 0 && net_has_input(coroutine->waits_fd))
			continue;
		coroutine->timed_out = true;
		resume(coroutine);
	}
	sweep_links(scheduler);
}

static void on_stopped(struct reactor *reactor)
{
	struct scheduler *scheduler = (struct scheduler *)reactor;

	atomic_store(&scheduler->stopping, true);
	for (struct coroutine *coroutine = scheduler->busy; coroutine; coroutine = coroutine->next)
		blocking_wake(&coroutine->blocking);
}

static void end_links(struct scheduler *scheduler)
{
	struct upstream_link *link;

	while ((link = upstream_take(&scheduler->upstream)))
		end_link(scheduler, link);
}

static void end_coroutines(struct scheduler *scheduler)
{
	while (scheduler->spare) {
		struct coroutine *coroutine = scheduler->spare;

		scheduler->spare = coroutine->next;
		if (coroutine->timer)
			event_free(coroutine->timer);
		fiber_destroy(&coroutine->fiber);
		pthread_mutex_destroy(&coroutine->blocking.lock);
		free(coroutine);
	}
}

static int run(const struct server *server)
{
	static const struct reactor_user user = { on_accepted, on_ticked, on_stopped };
	struct scheduler scheduler = { .upstream = { .address = &server->upstream } };
	int rc = reactor_begin(&scheduler.reactor, server, &user);

	if (rc == 0)
		rc = reactor_run(&scheduler.reactor);
	if (rc != 0)
		fprintf(stderr, "cwt-server: the event loop failed: %s\n", strerror(-rc));
	end_coroutines(&scheduler);
	end_links(&scheduler);
	conn_buffers_free(&scheduler.buffers);
	reactor_end(&scheduler.reactor);
	free(scheduler.channels);
	return rc;
}

const struct arch arch_coroutine = {
	.name = "coroutine",
	.summary = "a user-level thread for each connection, switched by one event loop",
	.knobs = ARCH_STACK,
	.listen = NET_NONBLOCKING,
	.run = run,
};
