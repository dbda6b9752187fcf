/* What is tested end to end: every architecture with every service. */
#pragma once
#include "tests/programs.h"
#include <stdbool.h>
#include <stddef.h>

/* An architecture, with what it needs to hold four connections at once. */
struct arch_row {
	const char *name;
	const char *options;
};

extern const struct arch_row archs[];
extern const size_t arch_count;

struct service_row {
	const char *name;
	const char *options; /* %s is the backend's address */
	bool calls;          /* it has a backend */
};

/* A server, with its backend if it has one. */
struct pair {
	char name[96];
	struct program server;
	struct program backend;
	bool has_backend;
};

/* Start the pair; `options` are the server's. */
void pair_set_up(struct pair *pair, const struct arch_row *arch, const struct service_row *service,
		 const char *options);

/* Stop it: each with status 0. */
void pair_tear_down(struct pair *pair);

/* Call `check` with a pair for every architecture and service. */
void matrix_for_each(const char *options, void (*check)(struct pair *));

/* Call `check` with every architecture and that service. */
void matrix_for_each_arch(const struct service_row *service, void (*check)(struct pair *));

/*
 * Call `check` with a server for every architecture and each service that calls a backend; the
 * test plays that, on the socket `listening`.
 */
void matrix_for_each_caller(const char *options, void (*check)(struct pair *, int listening));

/* Compare, and free the text. */
void matrix_expect(const char *where, const char *what, struct text got, const char *expected);

/* The server answers. */
void matrix_expect_hello(const struct pair *pair, const char *after);
