#include "servers/crew.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static void *run_member(void *arg)
{
	struct crew_member *member = arg;

	prctl(PR_SET_TIMERSLACK, 1);
	return member->run(member);
}

static int start_members(struct crew *crew, struct shared *shared, int64_t count,
			 const pthread_attr_t *attributes, const struct crew_member *like)
{
	int rc = 0;

	while (rc == 0 && crew->started < count) {
		struct crew_member *member = &crew->members[crew->started];

		member->run = like->run;
		member->context = like->context;
		shared_thread_init(shared, &member->blocking, &member->own);
		rc = pthread_create(&member->thread, attributes, run_member, member);
		if (rc == 0)
			crew->started++;
		else
			blocking_end(&member->blocking);
	}
	return -rc;
}

int crew_start(struct crew *crew, struct shared *shared, int64_t count,
	       void *(*run)(struct crew_member *member), void *context)
{
	struct crew_member like = { .run = run, .context = context };
	pthread_attr_t attributes;
	int rc = -ENOMEM;

	crew->started = 0;
	crew->members = calloc((size_t)count, sizeof(*crew->members));
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)shared->server->stack_bytes);
	if (crew->members)
		rc = start_members(crew, shared, count, &attributes, &like);
	pthread_attr_destroy(&attributes);
	if (rc != 0)
		server_complain_of_threads(crew->started, count, -rc);
	return rc;
}

void crew_join(struct crew *crew)
{
	for (int64_t i = 0; i < crew->started; i++) {
		pthread_join(crew->members[i].thread, NULL);
		blocking_end(&crew->members[i].blocking);
	}
	free(crew->members);
}
