#include "servers/shared.h"
#include "common/clock.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

/*
 * The kernel's epoll set is what a line passes through from one thread to the next. ThreadSanitizer
 * notes epoll_ctl()'s use of a descriptor only after the call, when the thread that got the event
 * may have closed it: so it does not get to see the call, but is told of its effect.
 */
#ifdef __SANITIZE_THREAD__
#define EPOLL_CTL(...)  ((int)syscall(SYS_epoll_ctl, __VA_ARGS__))
#define HAND_OVER(what) __tsan_release(what)
#define TAKE_OVER(what) __tsan_acquire(what)
#else
#define EPOLL_CTL(...)  epoll_ctl(__VA_ARGS__)
#define HAND_OVER(what) ((void)(what))
#define TAKE_OVER(what) ((void)(what))
#endif

/* Life */

static int watch(struct shared *shared, int operation, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	HAND_OVER(what);
	return EPOLL_CTL(shared->epoll_fd, operation, fd, &event) == 0 ? 0 : -errno;
}

int shared_init(struct shared *shared, const struct server *server)
{
	int rc;

	*shared = (struct shared){ .server = server, .reasons = 1 };
	pthread_mutex_init(&shared->lock, NULL);
	pthread_mutex_init(&shared->buffers_lock, NULL);
	shared->buffers.lock = &shared->buffers_lock;
	shared_thread_init(shared, &shared->blocking, &shared->own);
	shared->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	shared->end_fd = eventfd(0, EFD_CLOEXEC);
	if (shared->epoll_fd < 0 || shared->end_fd < 0)
		return -errno;
	rc = watch(shared, EPOLL_CTL_ADD, shared->end_fd, EPOLLIN, &shared->end_fd);
	if (rc == 0)
		rc = watch(shared, EPOLL_CTL_ADD, server->listen_fd, EPOLLIN | EPOLLONESHOT,
			   &shared->accept_paused);
	return rc;
}

void shared_destroy(struct shared *shared)
{
	close(shared->server->listen_fd);
	if (shared->epoll_fd >= 0)
		close(shared->epoll_fd);
	if (shared->end_fd >= 0)
		close(shared->end_fd);
	conn_buffers_free(&shared->buffers);
	blocking_end(&shared->blocking);
	pthread_mutex_destroy(&shared->lock);
	pthread_mutex_destroy(&shared->buffers_lock);
}

void shared_thread_init(struct shared *shared, struct blocking *blocking, struct blocking_own *own)
{
	blocking_init(blocking, own, shared->server, &shared->stopping);
	blocking->buffers = &shared->buffers;
}

int shared_watch(struct shared *shared, int fd)
{
	return watch(shared, EPOLL_CTL_ADD, fd, EPOLLIN, shared);
}

/* The lock is held. */
static void drop_reason(struct shared *shared)
{
	uint64_t one = 1;

	if (--shared->reasons == 0 && shared->end_fd >= 0 &&
	    write(shared->end_fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes its first number */
}

static void resume_accepting(struct shared *shared)
{
	if (atomic_exchange(&shared->accept_paused, false))
		watch(shared, EPOLL_CTL_MOD, shared->server->listen_fd, EPOLLIN | EPOLLONESHOT,
		      &shared->accept_paused);
}

/* Lines */

static struct shared_line *open_line(struct shared *shared, int fd)
{
	struct shared_line *line = calloc(1, sizeof(*line));

	if (!line) {
		close(fd);
		return NULL;
	}
	if (line_open(&line->line, &shared->blocking, fd) != 0) {
		free(line);
		return NULL;
	}
	line->shared = shared;
	pthread_mutex_lock(&shared->lock);
	line->next = shared->lines;
	line->at = &shared->lines;
	if (line->next)
		line->next->at = &line->next;
	shared->lines = line;
	shared->reasons++;
	pthread_mutex_unlock(&shared->lock);
	return line;
}

/*
 * The line leaves the epoll set before it is closed. Another thread's epoll_wait() that looks at it
 * holds its file meanwhile (Linux since 6.9); would it be the last to let go, the connection would
 * be closed when that thread comes back from epoll_wait(), which is at the next event.
 */
void shared_close(struct shared_line *line)
{
	struct shared *shared = line->shared;

	if (line->watched)
		EPOLL_CTL(shared->epoll_fd, EPOLL_CTL_DEL, line->line.fd, NULL);
	pthread_mutex_lock(&shared->lock);
	*line->at = line->next;
	if (line->next)
		line->next->at = line->at;
	line_close(&line->line);
	drop_reason(shared);
	pthread_mutex_unlock(&shared->lock);
	free(line);
	resume_accepting(shared);
}

void shared_await(struct shared_line *line)
{
	struct shared *shared = line->shared;
	enum shared_wait wait = SHARED_WAIT_READ;
	uint32_t events = EPOLLIN | EPOLLONESHOT;
	int operation = line->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	int fd = line->line.fd;

	if (conn_is_idle(&line->line.conn)) {
		wait = SHARED_WAIT_REQUEST;
	} else if (conn_next(&line->line.conn) != CONN_READ) {
		wait = SHARED_WAIT_WRITE;
		events = EPOLLOUT | EPOLLONESHOT;
	}
	line->watched = true;
	atomic_store(&line->due_ns, clock_now_ns() + line_patience_ns(&line->line));
	/* Either we see `stopping`, or shared_supervise() sees what the line waits for. */
	atomic_store(&line->wait, wait);
	if (wait == SHARED_WAIT_REQUEST && atomic_load(&shared->stopping))
		shutdown(fd, SHUT_RD);
	if (watch(shared, operation, fd, events, line) != 0)
		shared_close(line);
}

void shared_read(struct shared_line *line)
{
	struct iovec space = conn_space(&line->line.conn);
	ssize_t rc = -ENOMEM;

	if (space.iov_len > 0) {
		rc = recv(line->line.fd, space.iov_base, space.iov_len, MSG_DONTWAIT);
		rc = rc >= 0 ? rc : -errno;
	}
	conn_done(&line->line.conn, rc);
}

enum shared_written shared_write(struct shared_line *line)
{
	struct conn *conn = &line->line.conn;
	struct msghdr message = { .msg_iov = conn->out, .msg_iovlen = (size_t)conn->out_count };
	ssize_t rc = sendmsg(line->line.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	ssize_t length = 0;

	if (rc < 0 && errno == EAGAIN)
		return SHARED_BLOCKED;
	for (int i = 0; i < conn->out_count; i++)
		length += (ssize_t)conn->out[i].iov_len;
	conn_done(conn, rc >= 0 ? rc : -errno);
	return rc >= 0 && rc < length ? SHARED_WRITTEN_SOME : SHARED_WRITTEN;
}

static void heed_stop(struct shared_line *line)
{
	if (atomic_load_explicit(&line->shared->stopping, memory_order_relaxed))
		conn_stop(&line->line.conn);
}

enum conn_step shared_step(struct shared_line *line)
{
	heed_stop(line);
	return conn_next(&line->line.conn);
}

void shared_carry_out(struct shared_line *line, struct blocking *blocking, enum conn_step step)
{
	ssize_t result;

	line->line.blocking = blocking;
	result = line_step(&line->line, step);
	heed_stop(line);
	conn_done(&line->line.conn, result);
	line->line.blocking = &line->shared->blocking;
}

bool shared_is_between(const struct shared_line *line, enum conn_step step)
{
	return step == CONN_READ && !line->line.link;
}

/* Events */

/* Tell the conn, if it was for the client that it waited. */
static void end_patience(struct shared_line *line)
{
	enum conn_step step = conn_next(&line->line.conn);

	if (step == CONN_READ || step == CONN_WRITE)
		conn_done(&line->line.conn, -ETIMEDOUT);
}

enum shared_event shared_next(struct shared *shared, struct shared_line **line)
{
	struct epoll_event event;

	while (epoll_wait(shared->epoll_fd, &event, 1, -1) != 1)
		;
	if (event.data.ptr == &shared->accept_paused) /* stands for the listening socket */
		return SHARED_ACCEPT;
	if (event.data.ptr == &shared->end_fd)
		return SHARED_END;
	if (event.data.ptr == shared)
		return SHARED_OTHER;
	*line = event.data.ptr;
	TAKE_OVER(*line);
	if (atomic_exchange(&(*line)->wait, SHARED_WAIT_NONE) == SHARED_WAIT_LATE)
		end_patience(*line);
	return SHARED_LINE;
}

static void accept_all(struct shared *shared)
{
	for (;;) {
		int fd = accept4(shared->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		struct shared_line *line = fd >= 0 ? open_line(shared, fd) : NULL;

		if (line)
			shared_await(line);
		if (fd >= 0)
			continue;
		if (errno == EAGAIN)
			break;
		switch (server_accept_failed(errno)) {
		case SERVER_ACCEPT_RETRY:
			continue;
		case SERVER_ACCEPT_PAUSE:
			atomic_store(&shared->accept_paused, true);
			return;
		case SERVER_ACCEPT_END:
			return;
		}
	}
	watch(shared, EPOLL_CTL_MOD, shared->server->listen_fd, EPOLLIN | EPOLLONESHOT,
	      &shared->accept_paused);
}

void shared_accept(struct shared *shared)
{
	bool goes_on;

	pthread_mutex_lock(&shared->lock);
	goes_on = shared->reasons > 0;
	shared->reasons += goes_on;
	pthread_mutex_unlock(&shared->lock);
	if (!goes_on)
		return;
	accept_all(shared);
	pthread_mutex_lock(&shared->lock);
	drop_reason(shared);
	pthread_mutex_unlock(&shared->lock);
}

/* The main thread */

static void end_late(struct shared *shared)
{
	int64_t now = clock_now_ns();

	pthread_mutex_lock(&shared->lock);
	for (struct shared_line *line = shared->lines; line; line = line->next) {
		int wait = atomic_load(&line->wait);

		/* Who has sent something waits for us, not we for him. */
		if (wait != SHARED_WAIT_NONE && wait != SHARED_WAIT_LATE &&
		    now >= atomic_load(&line->due_ns) &&
		    (wait == SHARED_WAIT_WRITE || !net_has_input(line->line.fd)) &&
		    atomic_compare_exchange_strong(&line->wait, &wait, SHARED_WAIT_LATE))
			shutdown(line->line.fd, wait == SHARED_WAIT_WRITE ? SHUT_RDWR : SHUT_RD);
	}
	pthread_mutex_unlock(&shared->lock);
}

/* End the waits between requests, now and from now on. */
static void stop(struct shared *shared)
{
	atomic_store(&shared->stopping, true);
	shutdown(shared->server->listen_fd, SHUT_RD);
	pthread_mutex_lock(&shared->lock);
	for (struct shared_line *line = shared->lines; line; line = line->next)
		if (atomic_load(&line->wait) == SHARED_WAIT_REQUEST)
			shutdown(line->line.fd, SHUT_RD);
	drop_reason(shared);
	pthread_mutex_unlock(&shared->lock);
}

void shared_give_up(struct shared *shared)
{
	stop(shared);
}

void shared_supervise(struct shared *shared)
{
	int64_t tick_ns = server_tick_ns(shared->server);
	struct pollfd end = { .fd = shared->end_fd, .events = POLLIN };

	while (!server_await_stop_for(tick_ns)) {
		end_late(shared);
		resume_accepting(shared);
	}
	shared_accept(shared); /* those who are connected already */
	stop(shared);
	while (poll(&end, 1, (int)(tick_ns / NS_PER_MS)) == 0)
		end_late(shared);
}
