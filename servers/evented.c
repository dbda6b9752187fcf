#include "servers/evented.h"
#include "common/clock.h"
#include "servers/conn.h"
#include "servers/faulty.h"
#include "servers/reactor.h"
#include "servers/upstream.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	READS_AT_ONCE = 16,
	LATE_WEIGHT = 64, /* of how many timers late_ns is the mean */
	LATE_MOST_NS = 75 * NS_PER_US,
};

struct loop {
	struct reactor reactor; /* first: what it hands on is the loop */
	struct upstream upstream;
	struct conn_buffers buffers;
	struct faulty faulty;
	struct task *tasks; /* all connections */
	int64_t late_ns;    /* how late the loop wakes up, lately: see aim() */
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
	reactor_gone(&loop->reactor);
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
	rc = net_read(fd, space.iov_base, space.iov_len);
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
	else if (!task->loop->reactor.edge)
		event_del(task->readable); /* or it would be told again and again */
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

/* Make the event if there is none yet, and add it. False when there is no memory. */
static bool await(struct loop *loop, struct event **event, int fd, short what,
		  event_callback_fn callback, void *arg)
{
	if (!*event)
		*event = reactor_event(&loop->reactor, REACTOR_FIRST, fd, what, callback, arg);
	return *event && event_add(*event, NULL) == 0;
}

/* Returns whether the step is done; if not, an event will go on with it. */
static bool try_write(struct task *task, int fd, struct event **writable, short what,
		      event_callback_fn callback, void *arg)
{
	ssize_t rc = net_write(fd, task->conn.out, task->conn.out_count);

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
		rc = upstream_open(upstream, 0, &link);
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

	if (task->loop->reactor.server->service.kind != SERVICE_DELAY)
		return ns;
	ns = ns > 2 * task->loop->late_ns ? ns - 2 * task->loop->late_ns : 0;
	task->due_ns = clock_now_ns() + ns;
	return ns;
}

static void learn_lateness(struct task *task)
{
	struct loop *loop = task->loop;
	int64_t late_ns;

	if (loop->reactor.server->service.kind != SERVICE_DELAY)
		return;
	/* What came due in a stall tells nothing of how the processor wakes up. */
	if (task->due_ns < loop->faulty.stalled_until_ns)
		return;
	late_ns = clock_now_ns() - task->due_ns;
	if (late_ns > LATE_MOST_NS)
		late_ns = LATE_MOST_NS;
	loop->late_ns += (late_ns - loop->late_ns) / LATE_WEIGHT;
}

/* The time of the answer has come. Returns whether there is one. */
static bool end_wait(struct task *task)
{
	struct faulty *faulty = &task->loop->faulty;
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	enum fault fault = faulty->faults ? faulty_answer(faulty) : FAULT_NONE;

	if (fault == FAULT_RESET) {
		setsockopt(task->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		destroy(task);
		return false;
	}
	conn_done(&task->conn, fault == FAULT_STATUS ? -EIO : 0);
	return true;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct task *task = arg;

	(void)fd;
	(void)what;
	if (!task->deferred) {
		learn_lateness(task);
		if (!end_wait(task))
			return;
	}
	task->deferred = false;
	advance(task);
}

/* Returns whether on_timer() will go on with the task. */
static bool start_timer(struct task *task, int64_t ns, int priority)
{
	return reactor_start_timer(&task->loop->reactor, &task->timer, ns, priority, on_timer,
				   task) == 0;
}

static bool try_wait(struct task *task)
{
	struct faulty *faulty = &task->loop->faulty;

	if (faulty->faults)
		task->conn.wait_ns = faulty_delay_ns(faulty, task->conn.wait_ns);
	if (start_timer(task, aim(task), REACTOR_FIRST))
		return false;
	conn_done(&task->conn, -ENOMEM);
	return true;
}

/* Returns whether there is something to read; if not, an event will tell. */
static bool try_read(struct task *task)
{
	if (!task->more) {
		if (!task->loop->reactor.edge)
			event_add(task->readable,
				  NULL); /* on_client_readable() may have taken it out */
		return false;
	}
	read_client(task);
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
		return try_read(task);
	case CONN_WRITE:
		return try_write(task, task->fd, &task->writable,
				 task->loop->reactor.edge ? EV_WRITE | EV_ET : EV_WRITE,
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
		work_do(&conn->work, conn->memory);
		task->loop->reactor.clock_stale = true;
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
		if ((works > 1 || reads > READS_AT_ONCE) && start_timer(task, 0, REACTOR_THEN)) {
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
		task->since = task->loop->reactor.tick;
	task->patience = patience;
}

/* Patience */

static void on_ticked(struct reactor *reactor)
{
	struct loop *loop = (struct loop *)reactor;
	struct task *next;

	for (struct task *task = loop->tasks; task; task = next) {
		next = task->next;
		if (!reactor_is_over(reactor, task->since,
				     server_patience_ns(reactor->server, task->patience)))
			continue;
		/* Who has sent something waits for us, not we for him. */
		if ((task->step == CONN_READ && net_has_input(task->fd)) ||
		    (task->step == CONN_CALL_READ && net_has_input(task->link->fd)))
			continue;
		conn_done(&task->conn, -ETIMEDOUT);
		advance(task);
	}
}

/* Life */

static int on_accepted(struct reactor *reactor, int fd)
{
	struct loop *loop = (struct loop *)reactor;
	short what = EV_READ | EV_PERSIST | (reactor->edge ? EV_CLOSED | EV_ET : 0);
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return -ENOMEM;
	task->readable = reactor_event(reactor, REACTOR_THEN, fd, what, on_client_readable, task);
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
	conn_begin(&task->conn, &reactor->server->service, &loop->buffers,
		   server_seed(reactor->server));
	advance(task);
	return 0;
}

static void on_stopped(struct reactor *reactor)
{
	struct loop *loop = (struct loop *)reactor;
	struct task *next;

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

int evented_run(const struct server *server)
{
	static const struct reactor_user user = { on_accepted, on_ticked, on_stopped };
	struct loop loop = {
		.upstream = { .address = &server->upstream },
	};
	int rc = reactor_begin(&loop.reactor, server, &user);

	faulty_begin(&loop.faulty, &loop.reactor);
	if (rc == 0)
		rc = reactor_run(&loop.reactor);
	faulty_end(&loop.faulty);
	upstream_end(&loop.upstream);
	conn_buffers_free(&loop.buffers);
	reactor_end(&loop.reactor);
	return rc;
}
