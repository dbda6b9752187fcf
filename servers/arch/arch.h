/* An architecture: who waits for what, and where. One file each in this folder. */
#pragma once
#include "servers/server.h"

/* The options that an architecture has a use for; others are refused. */
enum arch_knobs {
	ARCH_THREADS = 1 << 0,
	ARCH_STACK = 1 << 1,
	ARCH_ACCEPT = 1 << 2,
	ARCH_EVENTS = 1 << 3,
	ARCH_REPLY = 1 << 4,
	ARCH_ACTIVE = 1 << 5,
};

struct arch {
	const char *name;
	const char *summary; /* one line for --help */
	unsigned knobs;      /* of enum arch_knobs */
	unsigned listen;     /* how its socket listens, of enum net_listen_flags */
	bool processes;      /* of its threads, each is a process with descriptors of its own */
	bool cores;          /* without --threads there are as many as processors */
	/* Serve until told to stop. Returns 0, or -errno with a line on stderr that says why. */
	int (*run)(const struct server *server);
};

extern const struct arch arch_process;
extern const struct arch arch_thread;
extern const struct arch arch_pool;
extern const struct arch arch_loop;
extern const struct arch arch_loops;
extern const struct arch arch_handoff;
extern const struct arch arch_followers;
extern const struct arch arch_staged;
extern const struct arch arch_coroutine;
extern const struct arch arch_uring;

/* All of them, ended by NULL. */
extern const struct arch *const arch_list[];
