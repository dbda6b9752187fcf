/*
 * uring: one thread that asks for what is to be done, not whether it could be done. Accepting,
 * receiving, sending, waiting are handed to the kernel through a ring in shared memory, and come
 * back through another when they are complete. One system call a turn hands over all that is new
 * and fetches all that is complete, for any number of connections.
 *
 * Cost per request: no context switch while there is work; of system calls its share of a turn's
 * one io_uring_enter(). A connection that waits for a request holds no buffer: the kernel takes
 * one from a pool when bytes come.
 *
 * An operation in flight uses its connection's memory until it completes, so a step ends with its
 * completion and nothing else: when patience is over the operation is cancelled, and awaited.
 *
 * Source: completion ports, in Darcy, "High-performance server architecture"; Axboe, "Efficient IO
 * with io_uring", 2019.
 */
#include "common/clock.h"
#include "servers/arch/arch.h"
#include "servers/conn.h"
#include "servers/ring.h"
#include "servers/upstream.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What ends a request, and who comes new, is looked for at least so often. */
static const int64_t turn_ns = 5 * NS_PER_MS;

/* What completed: in the low bits of user_data, above them the task, or NULL for the loop's own. */
enum operation {
	OP_STEP,        /* the step that the task waits in */
	OP_RECEIVE,     /* what the client sends, whenever it does */
	OP_STEP_CANCEL, /* the cancellations of these two */
	OP_RECEIVE_CANCEL,
	OP_ACCEPT,
	OP_ACCEPT_CANCEL,
	OP_TICK,
	OP_STOP,
};
enum { OPERATION_BITS = 7 };

struct loop {
	const struct server *server;
	struct ring ring;
	struct upstream upstream;
	struct conn_buffers buffers;
	struct task *tasks; /* all that are not closing */
	int64_t task_count; /* with those that are */
	struct task *work_first;
	struct task *work_last;
	int64_t tick_ns;
	struct __kernel_timespec tick_time;
	uint32_t tick; /* coarse time, so that a timeout costs a request nothing */
	int stop_fd;
	bool accepting; /* OP_ACCEPT is in flight */
	bool accept_paused;
	bool stopping;
};

/* One connection, and the step that it waits in. */
struct task {
	struct conn conn;
	struct loop *loop;
	struct task *next;
	struct task **at;       /* what points at this task */
	struct task *work_next; /* who works after this one */
	struct ring_queue held; /* received, and not taken yet */
	struct __kernel_timespec due;
	struct upstream_link *link;
	enum conn_step step; /* CONN_CLOSE: it goes when nothing is in flight any more */
	enum conn_patience patience;
	uint32_t since; /* the tick at which patience began */
	int fd;
	int in_flight; /* operations, cancellations included */
	int end;       /* once `ended`: what receiving came to */
	bool ended;
	bool receiving; /* OP_RECEIVE is in flight */
	bool refusing;  /* so is OP_RECEIVE_CANCEL */
	bool late;      /* the step was cancelled because patience is over */
};

static void advance(struct task *task);
static void resume_accepting(struct loop *loop);

/* Operations */

static uint64_t name_of(const struct task *task, enum operation operation)
{
	return (uintptr_t)task | operation;
}

static struct io_uring_sqe *begin(struct task *task, enum operation operation)
{
	task->in_flight++;
	return ring_sqe(&task->loop->ring, name_of(task, operation));
}

static void begin_send(struct task *task, int fd)
{
	struct conn *conn = &task->conn;
	struct io_uring_sqe *sqe = begin(task, OP_STEP);

	if (conn->out_count == 1) /* costs the kernel less, as in net_write() */
		io_uring_prep_send(sqe, fd, conn->out[0].iov_base, conn->out[0].iov_len,
				   MSG_NOSIGNAL);
	else
		io_uring_prep_writev(sqe, fd, conn->out, (unsigned)conn->out_count, 0);
}

/* Receive into the conn's own buffer. Returns whether there is one. */
static bool begin_read(struct task *task, int fd)
{
	struct iovec space = conn_space(&task->conn);

	if (space.iov_len == 0)
		return false;
	io_uring_prep_recv(begin(task, OP_STEP), fd, space.iov_base, space.iov_len, 0);
	return true;
}

static void begin_receive(struct task *task)
{
	ring_prepare_receive(begin(task, OP_RECEIVE), task->fd);
	task->receiving = true;
}

static void begin_wait(struct task *task)
{
	struct timespec due = clock_timespec(clock_now_ns() + task->conn.wait_ns);

	task->due = (struct __kernel_timespec){ .tv_sec = due.tv_sec, .tv_nsec = due.tv_nsec };
	io_uring_prep_timeout(begin(task, OP_STEP), &task->due, 0, IORING_TIMEOUT_ABS);
}

static void cancel(struct task *task, enum operation operation, enum operation cancellation)
{
	io_uring_prep_cancel64(begin(task, cancellation), name_of(task, operation), 0);
}

/* Life of a connection */

/* Free the task once nothing is in flight. */
static void release(struct task *task)
{
	struct loop *loop = task->loop;

	if (task->in_flight > 0)
		return;
	close(task->fd);
	free(task);
	loop->task_count--;
	loop->accept_paused = false;
	resume_accepting(loop);
}

/*
 * Receiving goes on while nobody reads, so that a request costs no call for it. It is refused when
 * it has brought more than the conn takes now, and when no more is wanted: before the end, or
 * while the server stops, which then looks itself for what has come.
 */
static bool is_unwelcome(const struct task *task)
{
	return task->step == CONN_CLOSE || (task->held.first && task->step != CONN_READ) ||
	       (task->loop->stopping && conn_is_idle(&task->conn));
}

static void refuse_unwelcome(struct task *task)
{
	if (!task->receiving || task->refusing || !is_unwelcome(task))
		return;
	cancel(task, OP_RECEIVE, OP_RECEIVE_CANCEL);
	task->refusing = true;
}

static void drop_link(struct task *task)
{
	if (task->link)
		upstream_close(task->link);
	task->link = NULL;
}

static void end_task(struct task *task)
{
	conn_end(&task->conn);
	ring_queue_clear(&task->loop->ring, &task->held);
	drop_link(task);
	*task->at = task->next;
	if (task->next)
		task->next->at = task->at;
	refuse_unwelcome(task);
	release(task);
}

static void begin_task(struct loop *loop, int fd)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task) {
		close(fd);
		return;
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
	conn_begin(&task->conn, &loop->server->service, &loop->buffers, server_seed(loop->server));
	if (loop->stopping)
		conn_stop(&task->conn);
	advance(task);
}

/* Links to the backend */

/* Those that stay idle are not taken: close what the backend has closed. */
static void sweep_links(struct upstream *upstream)
{
	struct upstream_link *next;

	for (struct upstream_link *link = upstream->idle; link; link = next) {
		next = link->next;
		if (upstream_is_quiet(link))
			continue;
		upstream_forget(upstream, link);
		upstream_close(link);
	}
}

static bool try_call(struct task *task)
{
	struct upstream *upstream = &task->loop->upstream;
	int rc = 1;

	task->link = task->conn.call_afresh ? NULL : upstream_take_quiet(upstream);
	if (!task->link)
		rc = upstream_open(upstream, 0, &task->link);
	if (rc == -EINPROGRESS) {
		io_uring_prep_poll_add(begin(task, OP_STEP), task->link->fd, POLLOUT);
		return false;
	}
	conn_done(&task->conn, rc);
	return true;
}

static void keep_link(struct task *task)
{
	upstream_keep(&task->loop->upstream, task->link);
	task->link = NULL;
}

/* Steps */

static ssize_t take_held(struct task *task)
{
	struct iovec space = conn_space(&task->conn);

	if (space.iov_len == 0)
		return -ENOMEM;
	return (ssize_t)ring_queue_take(&task->loop->ring, &task->held, space);
}

/* A request that has come, but was not received before the server was told to stop. */
static ssize_t read_last(struct task *task)
{
	struct iovec space = conn_space(&task->conn);
	ssize_t rc;

	if (space.iov_len == 0)
		return -ENOMEM;
	rc = recv(task->fd, space.iov_base, space.iov_len, MSG_DONTWAIT);
	return rc > 0 ? rc : 0;
}

/*
 * Has the client broken the connection behind bytes that came? A receive that goes on does not
 * always say so: of resets that came while it took the bytes, one in some thousands was never told
 * (Linux 6.18). Between requests nothing is lost by that, as the reply that is sent then tells.
 */
static bool is_broken(const struct task *task)
{
	char byte;

	return recv(task->fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) < 0 && errno != EAGAIN;
}

/*
 * What was received already is taken. Between requests the pool's buffers are received into, so as
 * to hold none; in the middle of one the conn has a buffer, and what comes goes straight there.
 */
static bool try_read(struct task *task)
{
	struct conn *conn = &task->conn;

	if (task->held.first) {
		conn_done(conn, take_held(task));
	} else if (task->ended) {
		conn_done(conn, task->end);
	} else if (task->receiving) {
		if (conn_is_idle(conn) || !is_broken(task))
			return false;
		conn_done(conn, -ECONNRESET);
	} else if (!conn_is_idle(conn)) {
		if (begin_read(task, task->fd))
			return false;
		conn_done(conn, -ENOMEM);
	} else if (task->loop->stopping) {
		conn_done(conn, read_last(task));
	} else {
		begin_receive(task);
		return false;
	}
	return true;
}

static void queue_work(struct task *task)
{
	struct loop *loop = task->loop;

	task->work_next = NULL;
	if (loop->work_first)
		loop->work_last->work_next = task;
	else
		loop->work_first = task;
	loop->work_last = task;
}

/* Carry out a step that may have to wait. Returns whether it is done. */
static bool carry_out(struct task *task)
{
	switch (task->step) {
	case CONN_READ:
		return try_read(task);
	case CONN_WRITE:
		begin_send(task, task->fd);
		return false;
	case CONN_WORK:
		queue_work(task);
		return false;
	case CONN_WAIT:
		begin_wait(task);
		return false;
	case CONN_CALL:
		return try_call(task);
	case CONN_CALL_READ:
		if (begin_read(task, task->link->fd))
			return false;
		conn_done(&task->conn, -ENOMEM);
		return true;
	case CONN_CALL_WRITE:
		begin_send(task, task->link->fd);
		return false;
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
	conn_done(&task->conn, 0);
	return true;
}

/* Go on until a step has to wait. */
static void advance(struct task *task)
{
	enum conn_patience patience;

	do {
		task->step = conn_next(&task->conn);
		if (task->step == CONN_CLOSE) {
			end_task(task);
			return;
		}
	} while (carry_out(task));
	patience = conn_patience(&task->conn);
	if (patience != task->patience ||
	    (patience != CONN_PATIENCE_HEAD && patience != CONN_PATIENCE_LINGER))
		task->since = task->loop->tick;
	task->patience = patience;
}

/*
 * Work is done in the order in which it came, a turn of it at a time: what ends a request, and who
 * comes new, goes before the next request's work. Otherwise replies would come in bursts, each as
 * late as all the work that was there when the loop last looked.
 */
static void work_a_turn(struct loop *loop)
{
	int64_t end_ns = clock_now_ns() + turn_ns;

	do {
		struct task *task = loop->work_first;

		loop->work_first = task->work_next;
		work_do(&task->conn.work, task->conn.memory);
		conn_done(&task->conn, 0);
		advance(task);
	} while (loop->work_first && clock_now_ns() < end_ns);
}

/* Completions of a task's operations */

static ssize_t step_result(const struct task *task, int result)
{
	if (result == -ECANCELED) /* if not late, the server stops, and looks itself */
		return task->late ? -ETIMEDOUT : -EAGAIN;
	switch (task->step) {
	case CONN_WAIT: /* -ETIME: it is over */
		return 0;
	case CONN_CALL:
		return net_connect_result(task->link->fd);
	default:
		return result;
	}
}

static void on_step(struct task *task, int result)
{
	conn_done(&task->conn, step_result(task, result));
	task->late = false;
	advance(task);
}

static void on_receive(struct task *task, int result, unsigned flags)
{
	task->receiving = flags & IORING_CQE_F_MORE;
	ring_queue_push(&task->loop->ring, &task->held, result, flags);
	if (result <= 0 && result != -ENOBUFS && result != -ECANCELED) {
		task->ended = true;
		task->end = result;
	}
	if (task->step == CONN_CLOSE) {
		ring_queue_clear(&task->loop->ring, &task->held);
		release(task);
	} else if (task->step != CONN_READ) {
		refuse_unwelcome(task);
	} else if (result != -ENOBUFS || task->loop->stopping || !begin_read(task, task->fd)) {
		advance(task);
	} /* else the pool is empty: this one waits with a buffer of its own, as in a request */
}

static void on_receive_cancel(struct task *task, int result)
{
	(void)result;
	task->refusing = false;
	refuse_unwelcome(task); /* it was just at work, and may still be, or has begun anew */
	if (task->step == CONN_CLOSE)
		release(task);
}

/* Patience */

static void run_out_of_patience(struct task *task)
{
	if (task->step == CONN_READ && task->receiving) { /* which uses no memory of the conn */
		conn_done(&task->conn, -ETIMEDOUT);
		advance(task);
	} else {
		task->late = true;
		cancel(task, OP_STEP, OP_STEP_CANCEL);
	}
}

static void begin_tick(struct loop *loop)
{
	struct timespec time = clock_timespec(loop->tick_ns);

	loop->tick_time =
		(struct __kernel_timespec){ .tv_sec = time.tv_sec, .tv_nsec = time.tv_nsec };
	io_uring_prep_timeout(ring_sqe(&loop->ring, OP_TICK), &loop->tick_time, 0, 0);
}

static void on_tick(struct loop *loop)
{
	struct task *next;

	begin_tick(loop);
	loop->tick++;
	for (struct task *task = loop->tasks; task; task = next) {
		int64_t age = (int64_t)(loop->tick - task->since - 1) * loop->tick_ns;

		next = task->next;
		if (age >= server_patience_ns(loop->server, task->patience))
			run_out_of_patience(task);
	}
	sweep_links(&loop->upstream);
	loop->accept_paused = false;
	resume_accepting(loop);
}

/* Accepting */

static void resume_accepting(struct loop *loop)
{
	int64_t most = loop->server->connections_most;
	struct io_uring_sqe *sqe;

	if (loop->accepting || loop->accept_paused || loop->stopping ||
	    (most > 0 && loop->task_count >= most))
		return;
	sqe = ring_sqe(&loop->ring, OP_ACCEPT);
	io_uring_prep_accept(sqe, loop->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (most == 0) /* else one by one, so as to take no more than that */
		sqe->ioprio |= IORING_ACCEPT_MULTISHOT;
	loop->accepting = true;
}

/* Serve who is connected already, then nobody else. */
static void stop_accepting(struct loop *loop)
{
	int fd;

	while ((fd = accept4(loop->server->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		begin_task(loop, fd);
	close(loop->server->listen_fd);
}

static void on_accept(struct loop *loop, int result, unsigned flags)
{
	loop->accepting = flags & IORING_CQE_F_MORE;
	if (result >= 0)
		begin_task(loop, result);
	else if (server_accept_failed(-result) != SERVER_ACCEPT_RETRY)
		loop->accept_paused = true;
	if (loop->stopping && !loop->accepting)
		stop_accepting(loop);
	else
		resume_accepting(loop);
}

static void cancel_accept(struct loop *loop)
{
	io_uring_prep_cancel64(ring_sqe(&loop->ring, OP_ACCEPT_CANCEL), OP_ACCEPT, 0);
}

/* Life */

static void on_stop(struct loop *loop)
{
	server_await_stop(); /* it is here: this takes it, and a second one ends the process */
	loop->stopping = true;
	for (struct task *task = loop->tasks; task; task = task->next) {
		conn_stop(&task->conn);
		if (!conn_is_idle(&task->conn))
			continue;
		if (task->receiving)
			refuse_unwelcome(task);
		else
			cancel(task, OP_STEP, OP_STEP_CANCEL);
	}
	if (loop->accepting)
		cancel_accept(loop);
	else
		stop_accepting(loop);
}

static void on_task_completion(struct task *task, enum operation operation, int result,
			       unsigned flags)
{
	if (!(flags & IORING_CQE_F_MORE))
		task->in_flight--;
	switch (operation) {
	case OP_STEP:
		on_step(task, result);
		break;
	case OP_RECEIVE:
		on_receive(task, result, flags);
		break;
	case OP_RECEIVE_CANCEL:
		on_receive_cancel(task, result);
		break;
	default: /* OP_STEP_CANCEL: the step itself tells, or the next tick sees that it goes on */
		if (task->step == CONN_CLOSE)
			release(task);
		break;
	}
}

static void on_completion(struct loop *loop, const struct io_uring_cqe *cqe)
{
	char *name = io_uring_cqe_get_data(cqe);
	enum operation operation = (enum operation)((uintptr_t)name & OPERATION_BITS);

	switch (operation) {
	case OP_ACCEPT:
		on_accept(loop, cqe->res, cqe->flags);
		break;
	case OP_ACCEPT_CANCEL:
		if (cqe->res < 0 && loop->accepting) /* it was just at work */
			cancel_accept(loop);
		break;
	case OP_TICK:
		on_tick(loop);
		break;
	case OP_STOP:
		on_stop(loop);
		break;
	default:
		on_task_completion((struct task *)(name - operation), operation, cqe->res,
				   cqe->flags);
		break;
	}
}

static void drain(struct loop *loop)
{
	struct io_uring *io = &loop->ring.io;
	struct io_uring_cqe *cqe;
	unsigned count = 0;
	unsigned head;

	io_uring_for_each_cqe(io, head, cqe)
	{
		on_completion(loop, cqe);
		count++;
	}
	io_uring_cq_advance(io, count);
}

static int serve(struct loop *loop)
{
	struct io_uring *io = &loop->ring.io;

	while (!loop->stopping || loop->accepting || loop->task_count > 0) {
		int rc = loop->work_first ? io_uring_submit_and_get_events(io)
					  : io_uring_submit_and_wait(io, 1);

		if (rc < 0 && rc != -EINTR && rc != -EAGAIN && rc != -EBUSY)
			return rc;
		drain(loop);
		if (loop->work_first) {
			io_uring_submit(io); /* before the work */
			work_a_turn(loop);
		}
	}
	return 0;
}

static int run(const struct server *server)
{
	struct loop loop = {
		.server = server,
		.upstream = { .address = &server->upstream },
		.tick_ns = server_tick_ns(server),
	};
	int rc = ring_open(&loop.ring);

	if (rc != 0)
		return rc;
	loop.stop_fd = rc = server_stop_fd();
	if (rc < 0)
		goto close_ring;
	io_uring_prep_poll_add(ring_sqe(&loop.ring, OP_STOP), loop.stop_fd, POLLIN);
	begin_tick(&loop);
	resume_accepting(&loop);
	server_ready(server);
	rc = serve(&loop);
	close(loop.stop_fd);
close_ring:
	if (rc < 0)
		fprintf(stderr, "cwt-server: the ring failed: %s\n", strerror(-rc));
	upstream_end(&loop.upstream);
	ring_close(&loop.ring);
	conn_buffers_free(&loop.buffers);
	return rc;
}

const struct arch arch_uring = {
	.name = "uring",
	.summary =
		"one thread, one io_uring: hands operations over, and is told when they are done",
	.listen = NET_NONBLOCKING,
	.run = run,
};
