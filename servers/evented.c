#include "servers/evented.h"
#include "common/clock.h"
#include "servers/conn.h"
#include "servers/upstream.h"
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	/* As many as can be waiting: a turn of a busy loop is long, and who is not accepted
	   starves. */
	ACCEPTS_AT_ONCE = NET_BACKLOG,
	READS_AT_ONCE = 16,
	TICKS_PER_PATIENCE = 16, /* timeouts are kept to one part in so many */
	LATE_WEIGHT = 64,        /* of how many timers late_ns is the mean */
	LATE_MOST_NS = 75 * NS_PER_US,
};

struct loop {
	const struct server *server;
	struct event_base *base;
	struct upstream upstream;
	struct conn_buffers buffers;
	uint64_t random;
	struct event *listener;
	struct event *ticker;
	struct event *stop_events[2];
	struct task *tasks; /* all connections */
	int64_t task_count;
	int64_t tick_ns;
	int64_t late_ns; /* how late the loop wakes up, lately: see aim() */
	uint32_t tick;   /* coarse time, so that a timeout costs a request nothing */
	int priorities;
	bool clock_stale; /* work was done since the loop read the clock */
	bool accept_paused;
	bool stopping;
};

/* One connection, and the step that it waits in. */
struct task {
	struct conn conn;
	struct loop *loop;
	struct task *next;
	struct task **at;       /* what points at this task */
	struct event *readable; /* persistent: no system call between requests */
	struct event *writable; /* made when first needed, like timer */
	struct event *timer;
	struct upstream_link *link;
	enum conn_step step;
	enum conn_patience patience;
	int64_t due_ns; /* when the timer should fire */
	uint32_t since; /* the tick at which patience began */
	int fd;
	bool deferred; /* the loop's next turn goes on with it */
	bool more;     /* the client may have sent what was not read yet */
	bool ended;    /* the client has sent its last */
};

static void advance(struct task *task);

static void destroy(struct task *task)
{
	struct loop *loop = task->loop;

	conn_end(&task->conn);
	event_free(task->readable);
	if (task->writable)
		event_free(task->writable);
	if (task->timer)
		event_free(task->timer);
	if (task->link)
		upstream_close(task->link);
	close(task->fd);
	*task->at = task->next;
	if (task->next)
		task->next->at = task->at;
	free(task);
	loop->task_count--;
	if (loop->stopping && loop->task_count == 0)
		event_base_loopbreak(loop->base);
	if (loop->accept_paused && !loop->stopping) {
		event_add(loop->listener, NULL);
		loop->accept_paused = false;
	}
}

/*
 * Reading. A client's readiness is told once (EV_ET): told again and again, it would cost a loop
 * with thousands of requests before its processor more than their work. So what is not read to
 * its end now is remembered: `more` may be there.
 */

static ssize_t read_into_space(struct conn *conn, int fd, bool *more)
{
	struct iovec space = conn_space(conn);
	ssize_t rc;

	if (space.iov_len == 0)
		return -ENOMEM;
	rc = read(fd, space.iov_base, space.iov_len);
	*more = rc == (ssize_t)space.iov_len;
	return rc >= 0 ? rc : -errno;
}

static void read_client(struct task *task)
{
	ssize_t rc = read_into_space(&task->conn, task->fd, &task->more);

	conn_done(&task->conn, rc);
	/*
	 * The end of input is told together with the last bytes before it; a reset not even as
	 * such. In the middle of a request look again, then; after a whole one, the reply's write
	 * tells.
	 */
	if (task->ended || (rc > 0 && conn_next(&task->conn) == CONN_READ))
		task->more = true;
}

static void on_client_readable(evutil_socket_t fd, short what, void *arg)
{
	struct task *task = arg;

	(void)fd;
	task->ended = task->ended || (what & EV_CLOSED);
	task->more = true;
	if (task->step == CONN_READ && !task->deferred)
		advance(task);
}

static void on_link_readable(evutil_socket_t fd, short what, void *arg)
{
	struct upstream_link *link = arg;
	struct task *task = link->owner;

	(void)what;
	if (!task) { /* closed by the backend while idle */
		upstream_forget(link->upstream, link);
		upstream_close(link);
	} else if (task->step == CONN_CALL_READ) {
		bool more;

		conn_done(&task->conn, read_into_space(&task->conn, fd, &more));
		advance(task);
	} else {
		event_del(link->readable);
	}
}

/* Writing: at once; an event only when the socket is full. */

static void on_client_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	advance(arg);
}

static void on_link_writable(evutil_socket_t fd, short what, void *arg)
{
	struct upstream_link *link = arg;
	struct task *task = link->owner;

	(void)what;
	if (task->step == CONN_CALL)
		conn_done(&task->conn, net_connect_result(fd));
	advance(task);
}

/*
 * Priorities, where requests mean work: what ends a request, and who comes new, goes before the
 * next request's work (FIRST). Otherwise replies would come in bursts, each as late as all the
 * work that was ready when the loop last looked: seconds, when thousands wait.
 */
enum { FIRST = 0, THEN = 1, PRIORITIES = 2 };
static const int64_t turn_ns = 5 * NS_PER_MS;

/* Make the event if there is none yet, and add it. False when there is no memory. */
static bool await(struct loop *loop, struct event **event, int fd, short what,
		  event_callback_fn callback, void *arg)
{
	if (!*event) {
		*event = event_new(loop->base, fd, what, callback, arg);
		if (*event)
			event_priority_set(*event, FIRST);
	}
	return *event && event_add(*event, NULL) == 0;
}

/* Returns whether the step is done; if not, an event will go on with it. */
static bool try_write(struct task *task, int fd, struct event **writable, short what,
		      event_callback_fn callback, void *arg)
{
	ssize_t rc = writev(fd, task->conn.out, task->conn.out_count);

	if (rc < 0 && errno == EAGAIN && await(task->loop, writable, fd, what, callback, arg))
		return false;
	conn_done(&task->conn, rc >= 0 ? rc : -errno);
	return true;
}

static bool try_call(struct task *task)
{
	struct upstream *upstream = &task->loop->upstream;
	struct upstream_link *link = task->conn.call_afresh ? NULL : upstream_take(upstream);
	int rc = 1;

	if (!link)
		rc = upstream_open(upstream, &link);
	if (link) {
		link->owner = task;
		task->link = link;
	}
	if (rc == -EINPROGRESS && link &&
	    await(task->loop, &link->writable, link->fd, EV_WRITE, on_link_writable, link))
		return false;
	conn_done(&task->conn, rc);
	return true;
}

/*
 * A processor that sleeps takes some 50 us to wake up on a virtual machine: once to see a request,
 * once when its time is up. A backend is to be precise, so it aims early by both, as far as the
 * last timers tell. (An app is not: there it would be unlike the blocking servers.)
 */
static int64_t aim(struct task *task)
{
	int64_t ns = task->conn.wait_ns;

	if (task->loop->server->service.kind != SERVICE_DELAY)
		return ns;
	ns = ns > 2 * task->loop->late_ns ? ns - 2 * task->loop->late_ns : 0;
	task->due_ns = clock_now_ns() + ns;
	return ns;
}

static void learn_lateness(struct task *task)
{
	struct loop *loop = task->loop;
	int64_t late_ns;

	if (loop->server->service.kind != SERVICE_DELAY)
		return;
	late_ns = clock_now_ns() - task->due_ns;
	if (late_ns > LATE_MOST_NS)
		late_ns = LATE_MOST_NS;
	loop->late_ns += (late_ns - loop->late_ns) / LATE_WEIGHT;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct task *task = arg;

	(void)fd;
	(void)what;
	if (!task->deferred) {
		learn_lateness(task);
		conn_done(&task->conn, 0);
	}
	task->deferred = false;
	advance(task);
}

/* Returns whether on_timer() will go on with the task. */
static bool start_timer(struct task *task, int64_t ns, int priority)
{
	struct timeval wait = clock_timeval(ns + NS_PER_US - 1);

	if (!task->timer)
		task->timer = evtimer_new(task->loop->base, on_timer, task);
	if (!task->timer)
		return false;
	event_priority_set(task->timer, task->loop->priorities > priority ? priority : FIRST);
	return evtimer_add(task->timer, &wait) == 0;
}

static bool try_wait(struct task *task)
{
	struct loop *loop = task->loop;

	/* Timers count from the loop's idea of now, which CPU work leaves behind. */
	if (loop->clock_stale)
		event_base_update_cache_time(loop->base);
	loop->clock_stale = false;
	if (start_timer(task, aim(task), FIRST))
		return false;
	conn_done(&task->conn, -ENOMEM);
	return true;
}

static void drop_link(struct task *task)
{
	if (task->link)
		upstream_close(task->link);
	task->link = NULL;
}

static void keep_link(struct task *task)
{
	upstream_keep(&task->loop->upstream, task->link);
	task->link = NULL;
}

/* Carry out a step that may have to wait. Returns whether it is done. */
static bool carry_out(struct task *task)
{
	struct conn *conn = &task->conn;
	struct upstream_link *link = task->link;

	switch (task->step) {
	case CONN_READ:
		if (!task->more)
			return false;
		read_client(task);
		return true;
	case CONN_WRITE:
		return try_write(task, task->fd, &task->writable, EV_WRITE | EV_ET,
				 on_client_writable, task);
	case CONN_WAIT:
		return try_wait(task);
	case CONN_CALL:
		return try_call(task);
	case CONN_CALL_READ:
		return !await(task->loop, &link->readable, link->fd, EV_READ | EV_PERSIST,
			      on_link_readable, link);
	case CONN_CALL_WRITE:
		return try_write(task, link->fd, &link->writable, EV_WRITE, on_link_writable, link);
	case CONN_WORK:
		work_do(&conn->service->work);
		task->loop->clock_stale = true;
		break;
	case CONN_CALL_KEEP:
		keep_link(task);
		break;
	case CONN_CALL_DROP:
		drop_link(task);
		break;
	case CONN_SHUTDOWN:
		shutdown(task->fd, SHUT_WR);
		break;
	case CONN_CLOSE:
		break;
	}
	conn_done(conn, 0);
	return true;
}

/* Go on until a step has to wait. */
static void advance(struct task *task)
{
	int reads = 0;
	int works = 0;
	enum conn_patience patience;

	for (;;) {
		task->step = conn_next(&task->conn);
		if (task->step == CONN_CLOSE) {
			destroy(task);
			return;
		}
		reads += task->step == CONN_READ;
		works += task->step == CONN_WORK;
		if ((works > 1 || reads > READS_AT_ONCE) && start_timer(task, 0, THEN)) {
			/*
			 * Pipelined requests, and bodies without end, take their turn with other
			 * connections. By a timer, as an event that is made active is called before
			 * the loop looks for others.
			 */
			task->deferred = true;
			task->patience = CONN_PATIENCE_NONE;
			return;
		}
		if (!carry_out(task))
			break;
	}
	patience = conn_patience(&task->conn);
	if (patience != task->patience ||
	    (patience != CONN_PATIENCE_HEAD && patience != CONN_PATIENCE_LINGER))
		task->since = task->loop->tick;
	task->patience = patience;
}

/* Patience */

static int64_t patience_ns(const struct server *server, enum conn_patience patience)
{
	switch (patience) {
	case CONN_PATIENCE_CLIENT:
	case CONN_PATIENCE_HEAD:
		return server->client_patience_ns;
	case CONN_PATIENCE_LINGER:
		return server->client_patience_ns < SERVER_LINGER_NS ? server->client_patience_ns
								     : SERVER_LINGER_NS;
	case CONN_PATIENCE_BACKEND:
		return server->backend_patience_ns;
	case CONN_PATIENCE_NONE:
		break;
	}
	return INT64_MAX;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	struct task *next;

	(void)fd;
	(void)what;
	loop->tick++;
	for (struct task *task = loop->tasks; task; task = next) {
		int64_t age = (int64_t)(loop->tick - task->since - 1) * loop->tick_ns;

		next = task->next;
		if (age < patience_ns(loop->server, task->patience))
			continue;
		conn_done(&task->conn, -ETIMEDOUT);
		advance(task);
	}
	if (loop->accept_paused && !loop->stopping && event_add(loop->listener, NULL) == 0)
		loop->accept_paused = false;
}

/* Accepting */

static void pause_accepting(struct loop *loop)
{
	event_del(loop->listener);
	loop->accept_paused = true;
}

static int accept_task(struct loop *loop, int fd)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return -ENOMEM;
	task->readable = event_new(loop->base, fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST,
				   on_client_readable, task);
	if (!task->readable || event_add(task->readable, NULL) != 0) {
		if (task->readable)
			event_free(task->readable);
		free(task);
		return -ENOMEM;
	}
	net_tune(fd);
	task->loop = loop;
	task->fd = fd;
	task->next = loop->tasks;
	task->at = &loop->tasks;
	if (task->next)
		task->next->at = &task->next;
	loop->tasks = task;
	loop->task_count++;
	conn_begin(&task->conn, &loop->server->service, &loop->buffers, &loop->random);
	advance(task);
	return 0;
}

static void on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	struct loop *loop = arg;
	int64_t most = loop->server->connections_most;

	(void)what;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd;

		if (most > 0 && loop->task_count >= most) {
			pause_accepting(loop);
			return;
		}
		fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0 && server_accept_failed(errno) == SERVER_ACCEPT_PAUSE) {
			pause_accepting(loop);
			return;
		}
		if (fd >= 0 && accept_task(loop, fd) != 0)
			close(fd);
	}
}

/* Life */

static void on_stop(evutil_socket_t number, short what, void *arg)
{
	struct loop *loop = arg;
	struct task *next;

	(void)number;
	(void)what;
	if (loop->stopping)
		return;
	on_accept(loop->server->listen_fd, 0, loop); /* those who are connected already */
	loop->stopping = true;
	event_free(loop->listener);
	loop->listener = NULL;
	close(loop->server->listen_fd);
	for (int i = 0; i < 2; i++)
		event_free(loop->stop_events[i]); /* a second signal ends the process */
	if (loop->task_count == 0)
		event_base_loopbreak(loop->base);
	for (struct task *task = loop->tasks; task; task = next) {
		next = task->next;
		conn_stop(&task->conn);
		if (!conn_is_idle(&task->conn))
			continue;
		read_client(task); /* a request may have come that the loop has not seen yet */
		if (conn_is_idle(&task->conn))
			destroy(task);
		else
			advance(task);
	}
}

static struct event_base *make_base(const struct service *service, int priorities)
{
	struct event_config *config = event_config_new();
	struct timeval turn = clock_timeval(turn_ns);
	struct event_base *base;

	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
	/* Costs a system call per turn of the loop, so only where it waits by its own timers. */
	if (service->wait == WAIT_TIMER)
		event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	if (priorities > 1)
		event_config_set_max_dispatch_interval(config, &turn, -1, THEN);
	base = event_base_new_with_config(config);
	event_config_free(config);
	if (base)
		event_base_priority_init(base, priorities);
	return base;
}

static bool add_events(struct loop *loop)
{
	const int signals[2] = { SIGTERM, SIGINT };
	struct timeval tick = clock_timeval(loop->tick_ns);

	loop->listener = event_new(loop->base, loop->server->listen_fd, EV_READ | EV_PERSIST,
				   on_accept, loop);
	loop->ticker = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
	if (!loop->listener || !loop->ticker)
		return false;
	event_priority_set(loop->listener, FIRST);
	event_priority_set(loop->ticker, FIRST);
	if (event_add(loop->listener, NULL) != 0 || event_add(loop->ticker, &tick) != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		loop->stop_events[i] = evsignal_new(loop->base, signals[i], on_stop, loop);
		if (!loop->stop_events[i] || event_add(loop->stop_events[i], NULL) != 0)
			return false;
	}
	return true;
}

static int64_t choose_tick(const struct server *server)
{
	int64_t shortest = server->client_patience_ns < server->backend_patience_ns
				   ? server->client_patience_ns
				   : server->backend_patience_ns;
	int64_t tick = shortest / TICKS_PER_PATIENCE;

	if (tick > SERVER_LINGER_NS / 2)
		return SERVER_LINGER_NS / 2;
	return tick > NS_PER_MS ? tick : NS_PER_MS;
}

int evented_run(const struct server *server)
{
	struct loop loop = {
		.server = server,
		.upstream = { .address = &server->upstream },
		.random = (uint64_t)clock_now_ns() | 1,
		.tick_ns = choose_tick(server),
	};
	int rc = -ENOMEM;

	prctl(PR_SET_TIMERSLACK, 1);
	loop.priorities = server->service.work.ns > 0 ? PRIORITIES : 1;
	loop.base = make_base(&server->service, loop.priorities);
	if (!loop.base || !add_events(&loop))
		goto out;
	server_ready(server);
	rc = event_base_dispatch(loop.base) < 0 ? -EIO : 0;
out:
	upstream_end(&loop.upstream);
	conn_buffers_free(&loop.buffers);
	if (loop.ticker)
		event_free(loop.ticker);
	if (loop.listener)
		event_free(loop.listener);
	if (loop.base)
		event_base_free(loop.base);
	return rc;
}
