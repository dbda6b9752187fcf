#include "servers/faulty.h"
#include "common/clock.h"
#include <errno.h>
#include <stdio.h>

static void on_stall(evutil_socket_t fd, short what, void *arg);

/* When the stall ends that is under way or comes next. */
static int64_t stall_end_ns(const struct faulty *faulty, int64_t now_ns)
{
	return faulty->first_ns + faults_stall_end_ns(faulty->faults, now_ns - faulty->first_ns);
}

static void await_stall(struct faulty *faulty)
{
	int64_t now_ns = clock_now_ns();
	int64_t left_ns = stall_end_ns(faulty, now_ns) - faulty->faults->stall_ns - now_ns;

	if (reactor_start_timer(faulty->reactor, &faulty->stall, left_ns > 0 ? left_ns : 0,
				REACTOR_FIRST, on_stall, faulty) != 0)
		fprintf(stderr, "no memory for a timer: there are no stalls from now on\n");
}

/* Block the loop, and with it the process, if it is time: what comes in is left to the kernel. */
static void stall_if_due(struct faulty *faulty)
{
	int64_t now_ns = clock_now_ns();
	int64_t end_ns = stall_end_ns(faulty, now_ns);

	if (now_ns < end_ns - faulty->faults->stall_ns)
		return;
	while (clock_sleep_until(end_ns) == -EINTR)
		;
	faulty->stalled_until_ns = end_ns;
	faulty->reactor->clock_stale = true;
}

static void on_stall(evutil_socket_t fd, short what, void *arg)
{
	struct faulty *faulty = arg;

	(void)fd;
	(void)what;
	stall_if_due(faulty); /* unless an answer has already met it, or the loop was too busy */
	await_stall(faulty);
}

void faulty_begin(struct faulty *faulty, struct reactor *reactor)
{
	const struct faults *faults = &reactor->server->faults;

	*faulty = (struct faulty){ .faults = faults_are_any(faults) ? faults : NULL,
				   .reactor = reactor };
}

int64_t faulty_delay_ns(struct faulty *faulty, int64_t delay_ns)
{
	int64_t now_ns = clock_now_ns();

	if (faulty->first_ns == 0) {
		faulty->first_ns = now_ns;
		if (faulty->faults->stall_ns > 0)
			await_stall(faulty);
	}
	return faults_delay_ns(faulty->faults, delay_ns, now_ns - faulty->first_ns);
}

enum fault faulty_answer(struct faulty *faulty)
{
	/* A loop that was busy when its timer was due still answers nobody in a stall. */
	if (faulty->faults->stall_ns > 0)
		stall_if_due(faulty);
	return faults_answer(faulty->faults, &faulty->count);
}

void faulty_end(struct faulty *faulty)
{
	if (faulty->stall)
		event_free(faulty->stall);
}
