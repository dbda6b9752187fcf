/*
 * staged: a request goes through stages, read and parse, work, call, reply, each with a queue and
 * a pool of threads of its own. A thread takes several requests off its queue at once (batching).
 * A controller looks at the queues ten times a second: it adds a thread to a pool for each batch
 * that waits in its queue, and threads that find nothing to do for a second leave. Stages
 * that only compute have at most a thread for each processor; the call stage, which waits, t.
 *
 * Cost per request: up to a context switch for each stage that it goes through, fewer when several
 * requests are in a batch; system calls: recv, send, epoll_wait and epoll_ctl, and the futexes of
 * the queues.
 *
 * Source: Welsh, Culler & Brewer, "SEDA", SOSP 2001. Darcy's objection is what to look for in the
 * counters: each stage is one more hand-over.
 */
#include "servers/arch/arch.h"
#include "servers/crew.h"
#include "common/clock.h"
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

enum stage_name { STAGE_READ, STAGE_WORK, STAGE_CALL, STAGE_REPLY, STAGES };

enum { BATCH = 8 };

static const int64_t control_ns = 100 * NS_PER_MS;
static const int64_t idle_ns = NS_PER_S;

struct staged;

struct stage {
	struct staged *staged;
	struct queue queue;
	int64_t most;    /* threads */
	int64_t threads; /* under staged->lock */
};

struct staged {
	struct shared shared;
	struct stage stages[STAGES];
	struct crew listener;
	pthread_attr_t attributes; /* of the stages' threads */
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a thread has */
	pthread_cond_t over;  /* the controller is to end */
	struct crew controller;
	bool stopping;
};

/* The stage that a step belongs to. What is done on a link stays with the thread that has it. */
static enum stage_name stage_of(const struct shared_line *line, enum conn_step step)
{
	if (line->line.link)
		return STAGE_CALL;
	switch (step) {
	case CONN_READ:
		return STAGE_READ;
	case CONN_WORK:
		return STAGE_WORK;
	case CONN_WRITE:
	case CONN_SHUTDOWN:
		return STAGE_REPLY;
	default:
		return STAGE_CALL;
	}
}

/* To the stage of its next step, or back to waiting between requests. */
static void pass_on(struct staged *staged, struct shared_line *line)
{
	enum conn_step step = shared_step(line);

	if (step == CONN_CLOSE)
		shared_close(line);
	else if (shared_is_between(line, step))
		shared_await(line);
	else
		queue_push(&staged->stages[stage_of(line, step)].queue, &line->item);
}

static void handle(struct stage *stage, struct shared_line *line, struct blocking *blocking)
{
	enum stage_name name = (enum stage_name)(stage - stage->staged->stages);
	enum conn_step step = shared_step(line);

	if (name == STAGE_READ && shared_is_between(line, step)) {
		shared_read(line);
	} else if (name == STAGE_REPLY && step == CONN_WRITE) {
		if (shared_write(line) == SHARED_BLOCKED) {
			shared_await(line);
			return;
		}
	} else {
		while (step != CONN_CLOSE && !shared_is_between(line, step) &&
		       stage_of(line, step) == name) {
			shared_carry_out(line, blocking, step);
			step = shared_step(line);
		}
	}
	pass_on(stage->staged, line);
}

/* How many are taken at once: a thread that waits would keep others from them. */
static int64_t batch_of(const struct stage *stage)
{
	return stage == &stage->staged->stages[STAGE_CALL] ? 1 : BATCH;
}

/* Whether a thread that found nothing to do for a while may leave, and has. */
static bool leave(struct stage *stage, bool always)
{
	struct staged *staged = stage->staged;
	bool leaves;

	pthread_mutex_lock(&staged->lock);
	leaves = always || (stage->threads > 1 && !staged->stopping);
	stage->threads -= leaves;
	if (leaves)
		pthread_cond_signal(&staged->ended);
	pthread_mutex_unlock(&staged->lock);
	return leaves;
}

static bool is_over(struct stage *stage)
{
	bool over;

	pthread_mutex_lock(&stage->queue.lock);
	over = stage->queue.closed;
	pthread_mutex_unlock(&stage->queue.lock);
	return over;
}

static void *run_stage(void *arg)
{
	struct stage *stage = arg;
	struct blocking_own own;
	struct blocking blocking;
	bool over = false;

	prctl(PR_SET_TIMERSLACK, 1);
	shared_thread_init(&stage->staged->shared, &blocking, &own);
	while (!over) {
		struct queue_item *item = queue_pop_some(&stage->queue, batch_of(stage), idle_ns);

		if (!item) {
			over = is_over(stage);
			if (!over && leave(stage, false))
				break;
		}
		while (item) {
			struct queue_item *next = item->next;

			handle(stage, shared_line_of(item), &blocking);
			item = next;
		}
	}
	blocking_end(&blocking);
	if (over)
		leave(stage, true);
	return NULL;
}

/* Add threads; the lock is held. Returns 0 or -errno. */
static int add_threads(struct stage *stage, int64_t count)
{
	int rc = 0;

	while (rc == 0 && count-- > 0 && stage->threads < stage->most) {
		pthread_t thread;

		rc = pthread_create(&thread, &stage->staged->attributes, run_stage, stage);
		stage->threads += rc == 0;
	}
	if (rc != 0)
		server_complain_of_threads(stage->threads, stage->most, rc);
	return -rc;
}

/* As many as would leave each a batch, but at most twice as many as there are. */
static void resize(struct stage *stage)
{
	int64_t wanted = queue_length(&stage->queue) / batch_of(stage);

	if (wanted > stage->threads)
		wanted = stage->threads;
	add_threads(stage, wanted);
}

static void *control(struct crew_member *member)
{
	struct staged *staged = member->context;

	pthread_mutex_lock(&staged->lock);
	while (!staged->stopping) {
		struct timespec next = clock_timespec(clock_now_ns() + control_ns);

		pthread_cond_timedwait(&staged->over, &staged->lock, &next);
		for (int i = 0; i < STAGES && !staged->stopping; i++)
			resize(&staged->stages[i]);
	}
	pthread_mutex_unlock(&staged->lock);
	return NULL;
}

/* What tells of events: it reads nothing itself. */
static void *listen_to_all(struct crew_member *member)
{
	struct staged *staged = member->context;
	struct shared_line *line;
	enum shared_event event;

	while ((event = shared_next(&staged->shared, &line)) != SHARED_END) {
		if (event == SHARED_ACCEPT)
			shared_accept(&staged->shared);
		else if (shared_is_between(line, shared_step(line)))
			queue_push(&staged->stages[STAGE_READ].queue, &line->item);
		else
			pass_on(staged, line);
	}
	return NULL;
}

static int start(struct staged *staged, const struct server *server)
{
	int rc = shared_init(&staged->shared, server);

	if (rc != 0) {
		fprintf(stderr, "cwt-server: no epoll set: %s\n", strerror(-rc));
		return rc;
	}
	pthread_mutex_lock(&staged->lock);
	for (int i = 0; i < STAGES && rc == 0; i++) {
		struct stage *stage = &staged->stages[i];

		stage->most = i == STAGE_CALL ? server->threads : server->cores;
		rc = add_threads(stage, 1);
	}
	pthread_mutex_unlock(&staged->lock);
	if (rc != 0)
		return rc;
	return crew_start(&staged->listener, &staged->shared, 1, listen_to_all, staged);
}

static void stop_stages(struct staged *staged)
{
	for (int i = 0; i < STAGES; i++)
		queue_close(&staged->stages[i].queue);
	pthread_mutex_lock(&staged->lock);
	for (int i = 0; i < STAGES; i++)
		while (staged->stages[i].threads > 0)
			pthread_cond_wait(&staged->ended, &staged->lock);
	pthread_mutex_unlock(&staged->lock);
}

/* Serve until told to stop. */
static int supervise(struct staged *staged, const struct server *server)
{
	int rc = crew_start(&staged->controller, &staged->shared, 1, control, staged);

	if (rc == 0) {
		server_ready(server);
		shared_supervise(&staged->shared);
	} else {
		shared_give_up(&staged->shared);
	}
	crew_join(&staged->listener);
	pthread_mutex_lock(&staged->lock);
	staged->stopping = true;
	pthread_cond_signal(&staged->over);
	pthread_mutex_unlock(&staged->lock);
	crew_join(&staged->controller);
	return rc;
}

static void init(struct staged *staged, const struct server *server)
{
	pthread_condattr_t clock;

	for (int i = 0; i < STAGES; i++) {
		staged->stages[i].staged = staged;
		queue_init(&staged->stages[i].queue);
	}
	pthread_mutex_init(&staged->lock, NULL);
	pthread_cond_init(&staged->ended, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&staged->over, &clock);
	pthread_condattr_destroy(&clock);
	pthread_attr_init(&staged->attributes);
	pthread_attr_setstacksize(&staged->attributes, (size_t)server->stack_bytes);
	pthread_attr_setdetachstate(&staged->attributes, PTHREAD_CREATE_DETACHED);
}

static void destroy(struct staged *staged)
{
	for (int i = 0; i < STAGES; i++)
		queue_destroy(&staged->stages[i].queue);
	pthread_attr_destroy(&staged->attributes);
	pthread_cond_destroy(&staged->over);
	pthread_cond_destroy(&staged->ended);
	pthread_mutex_destroy(&staged->lock);
	shared_destroy(&staged->shared);
}

static int run(const struct server *server)
{
	struct staged staged = { .stopping = false };
	int rc;

	server_block_signals();
	init(&staged, server);
	rc = start(&staged, server);
	if (rc == 0) {
		rc = supervise(&staged, server);
	} else {
		shared_give_up(&staged.shared);
		crew_join(&staged.listener);
	}
	stop_stages(&staged);
	destroy(&staged);
	return rc;
}

const struct arch arch_staged = {
	.name = "staged",
	.summary = "stages with a queue and a pool each, resized by load; --threads that may wait",
	.knobs = ARCH_THREADS | ARCH_STACK,
	.listen = NET_NONBLOCKING,
	.run = run,
};
