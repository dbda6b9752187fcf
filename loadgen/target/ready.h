/* When a server is ready: it answers on its port. */
#pragma once
#include "common/net.h"
#include "loadgen/target/process.h"
#include <stdatomic.h>
#include <stdint.h>

enum { READY_WHY_MAX = 512 };

/*
 * Ask for `path` again and again until the answer is 2xx or 3xx, for at most `patience_ns`, while
 * the process lives and `stop` (may be NULL) is not set. Returns 0, or with a sentence in `why`
 * -EPIPE (it has ended), -ETIMEDOUT (it does not answer there; where else it and its children
 * listen is said), -EPROTO (it answers with something else) or -EINTR.
 */
int ready_await(const struct process *process, const struct net_address *address, const char *path,
		int64_t patience_ns, const atomic_bool *stop, char why[READY_WHY_MAX]);

/*
 * Wait until it has `count` processes, itself included, that use next to no CPU: all have started.
 * Returns and `why` as ready_await().
 */
int ready_await_processes(const struct process *process, int64_t count, int64_t patience_ns,
			  const atomic_bool *stop, char why[READY_WHY_MAX]);
