/* A first-in-first-out queue between threads. Items carry their own link; nothing is allocated. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_item {
	struct queue_item *next;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct queue_item *first;
	struct queue_item **end;
	int64_t length;
	bool closed;
};

void queue_init(struct queue *queue);

/* No one waits in it any more. Items that are still in it are the caller's. */
void queue_destroy(struct queue *queue);

/* Append `item`. Returns whether the queue was empty. */
bool queue_push(struct queue *queue, struct queue_item *item);

/* The first item; waits for one. NULL once the queue is closed and empty. */
struct queue_item *queue_pop(struct queue *queue);

/*
 * Up to `most` items, as a list through `next`, waiting for one for up to `patience_ns` (0: for
 * ever). NULL when that is over, or the queue is closed and empty.
 */
struct queue_item *queue_pop_some(struct queue *queue, int64_t most, int64_t patience_ns);

/* All that is there, as a list through `next`; NULL if nothing is. Does not wait. */
struct queue_item *queue_take_all(struct queue *queue);

int64_t queue_length(struct queue *queue);

/* Nothing more will come: end the waits. */
void queue_close(struct queue *queue);
