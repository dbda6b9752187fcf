/* When a server is ready: it answers on its port. */
#pragma once
#include "common/net.h"
#include "loadgen/target/process.h"
#include <stdint.h>

enum { READY_WHY_MAX = 512 };

/*
 * Ask for `path` again and again until the answer is 2xx or 3xx, for at most `patience_ns`, while
 * process `pid` lives. Returns 0, or with a sentence in `why` -EPIPE (it has ended), -ETIMEDOUT (it
 * does not answer there; where else it and its children listen is said) or -EPROTO (it answers with
 * something else).
 */
int ready_await(const struct process *process, const struct net_address *address, const char *path,
		int64_t patience_ns, char why[READY_WHY_MAX]);
