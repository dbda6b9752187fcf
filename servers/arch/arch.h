/* An architecture: who waits for what, and where. One file each in this folder. */
#pragma once
#include "servers/server.h"

/* The options that an architecture has a use for; others are refused. */
enum arch_knobs {
	ARCH_THREADS = 1 << 0,
	ARCH_STACK = 1 << 1,
};

struct arch {
	const char *name;
	const char *summary; /* one line for --help */
	unsigned knobs;      /* of enum arch_knobs */
	bool nonblocking;    /* the sockets are */
	/* Serve until told to stop. Returns 0, or -errno with a line on stderr that says why. */
	int (*run)(const struct server *server);
};

extern const struct arch arch_pool;
extern const struct arch arch_loop;

/* All of them, ended by NULL. */
extern const struct arch *const arch_list[];
