/*
 * followers: t equal threads. Whichever waits in the epoll set is the listener; the one that is
 * given an event serves it, to the reply, while the next one listens. The kernel keeps the turns:
 * it wakes one thread for an event. --active K bounds how many do real work at once, with a
 * counting semaphore that a thread gives back while it waits: t can be large, for the waiting,
 * and K the number of processors.
 *
 * Cost per request: one context switch, the one that starts it, and none when there is always
 * something to do; no hand-over. System calls: recv, send, epoll_wait and the epoll_ctl that
 * lets the connection wait again.
 *
 * Source: Darcy, "High-performance server architecture", on avoiding context switches: symmetric
 * threads; Schmidt et al., "Leader/Followers", 2000.
 */
#include "servers/arch/arch.h"
#include "servers/crew.h"
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

struct followers {
	struct shared shared;
	struct crew crew;
	bool bounded;
	sem_t active;
};

static void begin_work(struct followers *followers)
{
	while (followers->bounded && sem_wait(&followers->active) != 0)
		;
}

static void end_work(struct followers *followers)
{
	if (followers->bounded)
		sem_post(&followers->active);
}

/* Carry out a step; one in which the thread may have to wait leaves its place to another. */
static void carry_out(struct followers *followers, struct shared_line *line,
		      struct blocking *blocking, enum conn_step step)
{
	if (step != CONN_WORK)
		end_work(followers);
	shared_carry_out(line, blocking, step);
	if (step != CONN_WORK)
		begin_work(followers);
}

/* From an event to the next wait between requests. */
static void serve(struct followers *followers, struct shared_line *line, struct blocking *blocking)
{
	enum conn_step step = shared_step(line);
	int works = 0;

	if (shared_is_between(line, step)) {
		shared_read(line);
		step = shared_step(line);
	}
	works += step == CONN_WORK;
	while (step != CONN_CLOSE && !shared_is_between(line, step) && works <= 1) {
		if (step == CONN_WRITE && !line->line.link) {
			if (shared_write(line) == SHARED_BLOCKED)
				break;
		} else {
			carry_out(followers, line, blocking, step);
		}
		step = shared_step(line);
		works += step == CONN_WORK;
	}
	/* A second request, that was pipelined, lets others go first; a full socket too. */
	if (step == CONN_CLOSE)
		shared_close(line);
	else
		shared_await(line);
}

static void *follow(struct crew_member *member)
{
	struct followers *followers = member->context;
	struct shared_line *line;
	enum shared_event event;

	while ((event = shared_next(&followers->shared, &line)) != SHARED_END) {
		if (event == SHARED_ACCEPT) {
			shared_accept(&followers->shared);
			continue;
		}
		begin_work(followers);
		serve(followers, line, &member->blocking);
		end_work(followers);
	}
	return NULL;
}

static int run(const struct server *server)
{
	struct followers followers = { .bounded = server->active > 0 };
	int rc = shared_init(&followers.shared, server);

	server_block_signals();
	sem_init(&followers.active, 0, (unsigned)server->active);
	if (rc != 0)
		fprintf(stderr, "cwt-server: no epoll set: %s\n", strerror(-rc));
	else
		rc = crew_start(&followers.crew, &followers.shared, server->threads, follow,
				&followers);
	if (rc == 0) {
		server_ready(server);
		shared_supervise(&followers.shared);
	} else {
		shared_give_up(&followers.shared);
	}
	crew_join(&followers.crew);
	sem_destroy(&followers.active);
	shared_destroy(&followers.shared);
	return rc;
}

const struct arch arch_followers = {
	.name = "followers",
	.summary = "--threads equal threads: whoever gets an event serves it, the next listens",
	.knobs = ARCH_THREADS | ARCH_STACK | ARCH_ACTIVE,
	.listen = NET_NONBLOCKING,
	.run = run,
};
