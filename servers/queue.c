#include "servers/queue.h"
#include "common/clock.h"
#include <errno.h>
#include <time.h>

void queue_init(struct queue *queue)
{
	pthread_condattr_t attributes;

	*queue = (struct queue){ .first = NULL };
	queue->end = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->filled, &attributes);
	pthread_condattr_destroy(&attributes);
}

void queue_destroy(struct queue *queue)
{
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->lock);
}

/* The signal comes after the lock is free, so that who wakes up does not run into it. */
bool queue_push(struct queue *queue, struct queue_item *item)
{
	bool was_empty;

	item->next = NULL;
	pthread_mutex_lock(&queue->lock);
	was_empty = !queue->first;
	*queue->end = item;
	queue->end = &item->next;
	queue->length++;
	pthread_mutex_unlock(&queue->lock);
	pthread_cond_signal(&queue->filled);
	return was_empty;
}

/* Wait until there is something to take, or nothing to wait for. */
static void await(struct queue *queue, int64_t patience_ns)
{
	struct timespec deadline;
	int rc = 0;

	if (patience_ns > 0)
		deadline = clock_timespec(clock_now_ns() + patience_ns);
	while (!queue->first && !queue->closed && rc != ETIMEDOUT)
		rc = patience_ns > 0
			     ? pthread_cond_timedwait(&queue->filled, &queue->lock, &deadline)
			     : pthread_cond_wait(&queue->filled, &queue->lock);
}

/* Take the first `most` off, which are there or not. */
static struct queue_item *cut(struct queue *queue, int64_t most)
{
	struct queue_item *first = queue->first;
	struct queue_item **end = &queue->first;

	while (*end && most-- > 0) {
		end = &(*end)->next;
		queue->length--;
	}
	queue->first = *end;
	if (first != queue->first)
		*end = NULL;
	if (!queue->first)
		queue->end = &queue->first;
	return first;
}

struct queue_item *queue_pop_some(struct queue *queue, int64_t most, int64_t patience_ns)
{
	struct queue_item *items;

	pthread_mutex_lock(&queue->lock);
	await(queue, patience_ns);
	items = cut(queue, most);
	pthread_mutex_unlock(&queue->lock);
	return items;
}

struct queue_item *queue_pop(struct queue *queue)
{
	return queue_pop_some(queue, 1, 0);
}

struct queue_item *queue_take_all(struct queue *queue)
{
	struct queue_item *items;

	pthread_mutex_lock(&queue->lock);
	items = cut(queue, INT64_MAX);
	pthread_mutex_unlock(&queue->lock);
	return items;
}

int64_t queue_length(struct queue *queue)
{
	int64_t length;

	pthread_mutex_lock(&queue->lock);
	length = queue->length;
	pthread_mutex_unlock(&queue->lock);
	return length;
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_mutex_unlock(&queue->lock);
	pthread_cond_broadcast(&queue->filled);
}
