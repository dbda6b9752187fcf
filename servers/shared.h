/*
 * Connections that pass from thread to thread. Between requests they belong to no thread: they
 * wait in one epoll set, each for one event (EPOLLONESHOT), and whoever is told of it has the
 * connection in hand until it lets it wait again. The steps of a request are those of blocking.c;
 * only the reading between requests does not block.
 *
 * Timeouts and the end come the same way: the socket is shut down for reading, so that its event
 * comes, and who has it then sees why.
 */
#pragma once
#include "servers/blocking.h"
#include "servers/queue.h"

struct shared {
	const struct server *server;
	atomic_bool stopping;
	int epoll_fd;
	int end_fd; /* an eventfd in the epoll set: all is over */
	struct conn_buffers buffers;
	struct blocking blocking; /* of lines that no thread has in hand */
	struct blocking_own own;
	atomic_bool accept_paused;
	pthread_mutex_t buffers_lock;
	pthread_mutex_t lock; /* of what follows, and of closing a descriptor that is in the list */
	struct shared_line *lines;
	int64_t reasons; /* to go on: each line, each accepting, and that nobody said stop */
};

/* What a line waits for. */
enum shared_wait {
	SHARED_WAIT_NONE,    /* a thread has it in hand */
	SHARED_WAIT_REQUEST, /* it is between requests */
	SHARED_WAIT_READ,
	SHARED_WAIT_WRITE,
	SHARED_WAIT_LATE, /* its patience is over */
};

/* A connection. */
struct shared_line {
	struct queue_item item; /* for the architecture's queues */
	struct line line;
	struct shared *shared;
	struct shared_line *next;
	struct shared_line **at; /* what points at this line */
	atomic_int wait;         /* of enum shared_wait */
	_Atomic int64_t due_ns;  /* waiting: when its patience is over */
	bool watched;            /* it is in the epoll set */
};

static inline struct shared_line *shared_line_of(struct queue_item *item)
{
	return (struct shared_line *)item;
}

/* What an event is about. */
enum shared_event { SHARED_LINE, SHARED_ACCEPT, SHARED_OTHER, SHARED_END };

/* Get ready to serve. Returns 0 or -errno; shared_destroy() also after a failure. */
int shared_init(struct shared *shared, const struct server *server);

void shared_destroy(struct shared *shared);

/* For a thread that serves with `own` links to the backend; ended by blocking_end(). */
void shared_thread_init(struct shared *shared, struct blocking *blocking, struct blocking_own *own);

/* Have the epoll set also tell of `fd`: as SHARED_OTHER. Returns 0 or -errno. */
int shared_watch(struct shared *shared, int fd);

/*
 * Wait for one event. SHARED_LINE: *line is the caller's. SHARED_ACCEPT: the caller is to call
 * shared_accept(). SHARED_END: there will be no more.
 */
enum shared_event shared_next(struct shared *shared, struct shared_line **line);

/* Accept those who are connecting, and let each wait for its first request. */
void shared_accept(struct shared *shared);

/*
 * The line's step is CONN_READ, or a CONN_WRITE that would block: let it wait for the client. Any
 * other step: its turn comes after that of those who are ready now. It is no longer the caller's.
 */
void shared_await(struct shared_line *line);

/* The line's step is CONN_READ: read what is there, without blocking, and tell the conn. */
void shared_read(struct shared_line *line);

/* How far a write came: nothing could be written, some of it was, or all, and the conn went on. */
enum shared_written { SHARED_BLOCKED, SHARED_WRITTEN_SOME, SHARED_WRITTEN };

/* The line's step is CONN_WRITE: write what can be written without blocking. */
enum shared_written shared_write(struct shared_line *line);

/* The next step; the server's end is taken into account. */
enum conn_step shared_step(struct shared_line *line);

/*
 * Carry out a step on the thread of `blocking`, which waits for what there is to wait for. All
 * steps between a CONN_CALL and its end need the same thread, as its link is the thread's.
 */
void shared_carry_out(struct shared_line *line, struct blocking *blocking, enum conn_step step);

/* The step is one between requests, for which no thread need wait: shared_await() does. */
bool shared_is_between(const struct shared_line *line, enum conn_step step);

/* Close the connection and free it. */
void shared_close(struct shared_line *line);

/*
 * On the main thread, its stop signals blocked: keep the time of those that wait, until a signal
 * comes; then end all waits that are between requests. Returns when the last connection is closed,
 * and threads get SHARED_END.
 */
void shared_supervise(struct shared *shared);

/* Instead of that, when not all could be started: threads get SHARED_END. */
void shared_give_up(struct shared *shared);
