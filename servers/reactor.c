#include "servers/reactor.h"
#include "common/clock.h"
#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* As many as can be waiting: a turn of a busy loop is long, and who is not accepted
	   starves. */
	ACCEPTS_AT_ONCE = NET_BACKLOG,
};

static const int64_t turn_ns = 5 * NS_PER_MS;

/* Accepting */

static void pause_accepting(struct reactor *reactor)
{
	event_del(reactor->listener);
	reactor->accept_paused = true;
}

static void resume_accepting(struct reactor *reactor)
{
	if (reactor->accept_paused && !reactor->stopping && event_add(reactor->listener, NULL) == 0)
		reactor->accept_paused = false;
}

static void on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	struct reactor *reactor = arg;
	int64_t most = reactor->server->connections_most;

	(void)what;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd;

		if (most > 0 && reactor->connections >= most) {
			pause_accepting(reactor);
			return;
		}
		fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0 && server_accept_failed(errno) == SERVER_ACCEPT_PAUSE) {
			pause_accepting(reactor);
			return;
		}
		if (fd < 0)
			continue;
		reactor->connections++;
		if (reactor->user->accepted(reactor, fd) != 0) {
			close(fd);
			reactor->connections--;
		}
	}
}

void reactor_gone(struct reactor *reactor)
{
	reactor->connections--;
	if (reactor->stopping && reactor->connections == 0)
		event_base_loopbreak(reactor->base);
	resume_accepting(reactor);
}

/* Time */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct reactor *reactor = arg;

	(void)fd;
	(void)what;
	reactor->tick++;
	reactor->user->ticked(reactor);
	resume_accepting(reactor);
}

bool reactor_is_over(const struct reactor *reactor, uint32_t since, int64_t patience_ns)
{
	return (int64_t)(reactor->tick - since - 1) * reactor->tick_ns >= patience_ns;
}

int reactor_start_timer(struct reactor *reactor, struct event **timer, int64_t ns, int priority,
			event_callback_fn callback, void *arg)
{
	struct timeval wait = clock_timeval(ns + NS_PER_US - 1);

	if (!*timer)
		*timer = evtimer_new(reactor->base, callback, arg);
	if (!*timer)
		return -ENOMEM;
	/* Timers count from the loop's idea of now, which CPU work leaves behind. */
	if (ns > 0 && reactor->clock_stale) {
		event_base_update_cache_time(reactor->base);
		reactor->clock_stale = false;
	}
	event_priority_set(*timer, reactor->priorities > priority ? priority : REACTOR_FIRST);
	return evtimer_add(*timer, &wait) == 0 ? 0 : -ENOMEM;
}

/* Life */

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct reactor *reactor = arg;

	(void)fd;
	(void)what;
	/* A supervisor passes on what it was sent; this process may have been sent it too. */
	if (!reactor->server->supervised)
		server_await_stop(); /* it is here: a second one ends the process */
	on_accept(reactor->server->listen_fd, 0, reactor); /* those who are connected already */
	reactor->stopping = true;
	event_free(reactor->listener);
	reactor->listener = NULL;
	close(reactor->server->listen_fd);
	if (reactor->connections == 0)
		event_base_loopbreak(reactor->base);
	else
		reactor->user->stopped(reactor);
}

/* The one of libevent's methods that is asked for, and what it has to be able to. */
static void choose_method(struct event_config *config, enum server_events events)
{
	struct rlimit limit;

	if (events == SERVER_EVENTS_EPOLL) {
		event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
		return;
	}
	event_config_avoid_method(config, "epoll");
	if (events == SERVER_EVENTS_POLL)
		return;
	event_config_avoid_method(config, "poll");
	/* It can't watch more, so there shall be no more. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > FD_SETSIZE) {
		limit.rlim_cur = FD_SETSIZE;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static struct event_base *make_base(const struct server *server, int priorities)
{
	struct event_config *config = event_config_new();
	struct timeval turn = clock_timeval(turn_ns);
	struct event_base *base;

	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	choose_method(config, server->events);
	/* Costs a system call per turn of the loop, so only where it waits by its own timers. */
	if (server->service.wait == WAIT_TIMER)
		event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	if (priorities > 1)
		event_config_set_max_dispatch_interval(config, &turn, -1, REACTOR_THEN);
	base = event_base_new_with_config(config);
	event_config_free(config);
	if (base)
		event_base_priority_init(base, priorities);
	return base;
}

struct event *reactor_event(struct reactor *reactor, int priority, int fd, short what,
			    event_callback_fn callback, void *arg)
{
	struct event *event = event_new(reactor->base, fd, what, callback, arg);

	if (event)
		event_priority_set(event,
				   reactor->priorities > priority ? priority : REACTOR_FIRST);
	return event;
}

int reactor_begin(struct reactor *reactor, const struct server *server,
		  const struct reactor_user *user)
{
	struct timeval tick = clock_timeval(server_tick_ns(server));

	*reactor = (struct reactor){
		.server = server,
		.user = user,
		.stop_fd = -1,
		.tick_ns = server_tick_ns(server),
		.priorities = server->service.work.ns > 0 ? REACTOR_PRIORITIES : 1,
		.edge = server->events == SERVER_EVENTS_EPOLL,
	};
	prctl(PR_SET_TIMERSLACK, 1);
	reactor->base = make_base(server, reactor->priorities);
	if (!reactor->base)
		return -ENOMEM;
	reactor->listener = reactor_event(reactor, REACTOR_FIRST, server->listen_fd,
					  EV_READ | EV_PERSIST, on_accept, reactor);
	reactor->ticker = reactor_event(reactor, REACTOR_FIRST, -1, EV_PERSIST, on_tick, reactor);
	if (!reactor->listener || !reactor->ticker || event_add(reactor->listener, NULL) != 0 ||
	    event_add(reactor->ticker, &tick) != 0)
		return -ENOMEM;
	reactor->stop_fd = server_stop_fd();
	if (reactor->stop_fd < 0)
		return reactor->stop_fd;
	reactor->stop =
		reactor_event(reactor, REACTOR_FIRST, reactor->stop_fd, EV_READ, on_stop, reactor);
	return reactor->stop && event_add(reactor->stop, NULL) == 0 ? 0 : -ENOMEM;
}

/* Look for events all the time, so that no processor has to be woken up for one. */
static int run_busy(struct event_base *base)
{
	int rc = 0;

	while (rc == 0 && !event_base_got_break(base))
		rc = event_base_loop(base, EVLOOP_NONBLOCK);
	return rc;
}

int reactor_run(struct reactor *reactor)
{
	int rc;

	server_ready(reactor->server);
	rc = reactor->server->busy ? run_busy(reactor->base) : event_base_dispatch(reactor->base);
	return rc < 0 ? -EIO : 0;
}

void reactor_end(struct reactor *reactor)
{
	if (reactor->ticker)
		event_free(reactor->ticker);
	if (reactor->listener)
		event_free(reactor->listener);
	if (reactor->stop)
		event_free(reactor->stop);
	if (reactor->stop_fd >= 0)
		close(reactor->stop_fd);
	if (reactor->base)
		event_base_free(reactor->base);
}
