/* A loop's part in faults on purpose (faults.h): the clock they count from, and the stalls. */
#pragma once
#include "servers/faults.h"
#include "servers/reactor.h"

struct faulty {
	const struct faults *faults; /* NULL: none, and nothing here is to be called */
	struct reactor *reactor;
	struct event *stall; /* made with the first */
	struct faults_count count;
	int64_t first_ns;         /* when the first request came; 0: none has */
	int64_t stalled_until_ns; /* the end of the last stall; 0: there was none */
};

/* For a reactor that lives longer. */
void faulty_begin(struct faulty *faulty, struct reactor *reactor);

/* A request has come that is to wait so long: how long it shall. The first starts the clock. */
int64_t faulty_delay_ns(struct faulty *faulty, int64_t delay_ns);

/* A request is to be answered: what becomes of it. */
enum fault faulty_answer(struct faulty *faulty);

void faulty_end(struct faulty *faulty);
