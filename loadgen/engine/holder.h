/*
 * One of the processes that hold a herd's connections: it opens them, has each served, and waits
 * for its parent to close the line.
 */
#pragma once
#include "loadgen/engine/herd.h"
#include <sys/types.h>

enum { HOLDER_REASON_MAX = 96, HOLDER_SPARE_DESCRIPTORS = 16 };

/* A holder's word to its parent: after each batch of connections, and at the end. */
struct holder_word {
	int64_t served;
	int64_t lost; /* at the end */
	int error;    /* -errno: it gives up */
	char reason[HOLDER_REASON_MAX];
};

/*
 * Be such a process, in a child of `parent`: hold `count` connections from `source` (NULL: the
 * kernel's choice). `line` is a SOCK_SEQPACKET socket to the parent; every other descriptor but
 * stdin, stdout and stderr is closed.
 */
_Noreturn void holder_run(const struct herd_config *config, const struct net_address *source,
			  int64_t count, int line, pid_t parent);
