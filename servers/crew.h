/* Threads that share connections (shared.h), started and joined together. */
#pragma once
#include "servers/shared.h"

struct crew_member {
	pthread_t thread;
	void *(*run)(struct crew_member *member);
	void *context;            /* the architecture's */
	struct blocking blocking; /* to carry steps out with */
	struct blocking_own own;
};

struct crew {
	struct crew_member *members;
	int64_t started;
};

/*
 * Start `count` threads that call run(member), with the server's stack size. Returns 0, or -errno
 * with a line on stderr; those that were started run in either case, until crew_join().
 */
int crew_start(struct crew *crew, struct shared *shared, int64_t count,
	       void *(*run)(struct crew_member *member), void *context);

/* Wait for the end of each, and free what they had. */
void crew_join(struct crew *crew);
