/*
 * What an io_uring is asked to do for slots, and when: operations are collected, and handed over
 * with the next wait. They are marked with their slot, and with its turn, so that a completion for
 * a connection that is closed is known as such.
 *
 * A request that goes at once, whole, is silent: no completion is made for it, which would only
 * end the wait early. One that finds no room says within the call that hands it over how far it
 * got; until then it is not known whether another may follow it. That is what rounds are for.
 */
#pragma once
#include "loadgen/engine/pool.h"
#include "loadgen/engine/transport.h"

/* In the low bits of a mark. */
enum operation {
	OPERATION_CONNECT,
	OPERATION_RECEIVE,
	OPERATION_SEND,      /* silent, unless it fails or finds no room */
	OPERATION_SEND_REST, /* what is told when it is over */
};

struct slot {
	int fd;
	uint32_t turn;  /* counts closes */
	uint32_t round; /* in which the last of its operations was begun */
	uint32_t send_round;
	bool sending; /* `rest` is under way; a further send waits in `held` */
	bool tells;   /* sent() is owed for `rest` */
	const char *rest;
	size_t rest_length;
	const char *held;
	size_t held_length;
};

struct operations {
	struct transport_setup setup;
	struct io_uring io;
	struct pool pool;
	struct slot *slots;
	uint32_t round;  /* what is begun in one is handed over before the next */
	unsigned looked; /* up to here, completions were looked through for sends */
	int failure;     /* -errno: the ring takes no more */
	struct io_uring_sqe nowhere;
};

uint32_t operations_slot(uint64_t mark);
enum operation operations_kind(uint64_t mark);

/* The slot is still open, and in the turn of the mark. */
bool operations_is_current(const struct operations *u, uint64_t mark);

/* Hand over what was begun. An error is kept in `failure`. */
void operations_submit(struct operations *u);

/* POLLOUT, and POLLERR or POLLHUP if it failed. */
void operations_connect(struct operations *u, uint32_t index);

/* Receive into the pool until the end, an error, or -ENOBUFS. */
void operations_receive(struct operations *u, uint32_t index);

/* Send slot->rest: as room comes, and tell the end. */
void operations_send_rest(struct operations *u, uint32_t index);

/* Send slot->rest: silent if all of it goes at once. */
void operations_send(struct operations *u, uint32_t index);

/*
 * Mark the slots whose silent sends found no room: before anything is told of what has come, as
 * they are not to be followed by another until they are whole.
 */
void operations_look(struct operations *u);
