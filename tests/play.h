/*
 * Plays a conversation with a conn in memory: a driver without sockets, clocks or threads. Bytes
 * come in whatever pieces the test wants, the backend says what the script says, and each step is
 * checked against what conn promises its drivers.
 */
#pragma once
#include "servers/conn.h"
#include <stdbool.h>
#include <stddef.h>

enum play_end { PLAY_CLOSES, PLAY_IS_SILENT, PLAY_RESETS };

enum { PLAY_LINKS_MAX = 4, PLAY_EXCHANGES_MAX = 4 };

/* A connection to the backend, as scripted. */
struct play_backend {
	int refused;                             /* -errno of the connect, or 0 */
	bool deaf;                               /* writes fail */
	const char *answers[PLAY_EXCHANGES_MAX]; /* one for each request on it */
	enum play_end then;                      /* after the last answer */
};

struct play {
	const struct service *service;
	const char *client;
	size_t client_length; /* 0: client is a string */
	enum play_end client_then;
	uint64_t seed; /* of the conn; 0 is 1 */
	/* PLAY_LINKS_MAX of them, in the order of opening; NULL: the delay service. */
	const struct play_backend *backends;
};

/* How the bytes come and go. */
struct play_pieces {
	size_t client_cut;  /* the client's bytes come in two pieces: the first this long, or 0 */
	size_t backend_cut; /* the same for what the backend says in all */
	size_t read_most;   /* no read gets more, or 0 */
	size_t write_most;  /* no write takes more, or 0 */
	bool shy;           /* every read fails with EAGAIN first */
};

struct play_text {
	char *bytes; /* ended by 0, NULL if there never were any */
	size_t length;
	size_t size;
};

struct play_result {
	struct play_text client;                /* what it got */
	struct play_text links[PLAY_LINKS_MAX]; /* what each backend connection got */
	size_t backend_bytes;                   /* read from the backend in all */
	int link_count;
	int kept;  /* times a backend connection was kept */
	int works; /* CONN_WORK steps */
	int64_t worked_ns;
	int64_t waited_ns;
	int shutdowns;
	int buffers; /* the most that were in use at once */
};

/* Play it to its end. The result is freed by play_free(). */
void play(const struct play *script, const struct play_pieces *pieces, struct play_result *result);

void play_free(struct play_result *result);
