/*
 * Runs the programs under test and talks to them over loopback. Every program started ends with
 * the test that started it, however that ends.
 */
#pragma once
#include "common/net.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROGRAM_WORDS_MAX = 24, PROGRAM_ERRORS_MAX = 2048 };

struct program {
	pid_t pid;
	int output; /* its stdout */
	int errors; /* its stderr, a file in memory */
	struct net_address address;
	int backend_port; /* that it calls, or 0 */
	bool told;        /* to stop */
};

/* Start the program at the path that environment variable `name` holds, with `words` after it. */
void program_start(struct program *program, const char *name, const char *const *words);

/* As program_start(), with that many descriptors at most. */
void program_start_limited(struct program *program, const char *name, const char *const *words,
			   int descriptors);

/* Wait for its "ready HOST:PORT". */
void program_await_ready(struct program *program);

/* Start a server and wait until it is ready. `words` is one text, split at spaces. */
void program_serve(struct program *program, const char *name, const char *words);

/* Wait for it to end. Returns its exit status; -1 when a signal ended it. */
int program_wait(struct program *program);

/* Send it SIGTERM. */
void program_tell(struct program *program);

/* Send it SIGTERM if it hasn't got one, and wait for it to end, with status 0. */
void program_stop(struct program *program);

/* Wait until nobody listens on its port any more: it has taken notice of SIGTERM. */
void program_await_deaf(const struct program *program);

/* What it wrote to stderr so far. */
char *program_errors(const struct program *program, char text[PROGRAM_ERRORS_MAX]);

enum { PROGRAM_CHILDREN_MAX = 64 };

/* Its child processes. Returns how many there are. */
int program_children(const struct program *program, int children[PROGRAM_CHILDREN_MAX]);

/*
 * CPU time of it and its children, those that have ended included, in ns; of these in ticks of
 * 10 ms.
 */
int64_t program_cpu_ns(const struct program *program);

/* Descriptors that it and its children have open, connections to its backend left out: it may keep
 * those. */
int program_descriptors(const struct program *program);

/* Wait until it has at most so many. */
void program_await_descriptors(const struct program *program, int most);

/* What a server under test would call, in the hands of the test: a listening socket. */
int peer_listen(struct net_address *address);

/* The next connection to it. */
int peer_accept(int listening);

/* A connection to the program. */
int client_connect(const struct program *program);

/* Send all of it. False when the other side has closed. */
bool client_send(int fd, const char *bytes, size_t length);

struct text {
	char *bytes; /* ended by 0; freed by the caller */
	size_t length;
};

/* Read to the end, or until a reset, or until `length` bytes are there (0: to the end). */
struct text client_receive(int fd, size_t length);

/* Read until the text so far ends in `end`. */
struct text client_receive_until(int fd, const char *end);

/*
 * Say a client's part of a conversation (conversations.h), in pieces of `step` bytes (0: as large
 * as can be), close the sending side, and read to the end.
 */
struct text client_talk(const struct program *program, const char *script, size_t step);

/* The same with a first piece of `cut` bytes. */
struct text client_talk_cut(const struct program *program, const char *script, size_t cut);
