/*
 * A server whose delay is known, in a child process: it answers every request a fixed time after it
 * has come. It sleeps until a request comes, as servers do, and spins before an answer is due, so
 * that the answer is to the point. What a client sees beyond the delay is then the way there and
 * back, and the client's own doing.
 */
#pragma once
#include "common/net.h"
#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

enum { RESPONDER_CONNECTIONS_MAX = 64 };

struct responder {
	pid_t pid;
	struct net_address address;
};

/*
 * Start it, on these processors (NULL: any), for up to RESPONDER_CONNECTIONS_MAX connections with
 * one request under way on each. It ends with its parent. Returns 0 or -errno.
 */
int responder_start(struct responder *responder, int64_t delay_ns, const cpu_set_t *cpus);

void responder_stop(struct responder *responder);
