/* The queue between threads: order, batches, waiting, and its end. */
#include "common/clock.h"
#include "servers/queue.h"
#include <criterion/criterion.h>
#include <pthread.h>

enum { ITEMS = 1000, THREADS = 4 };

struct numbered {
	struct queue_item item;
	int number;
};

static int number_of(const struct queue_item *item)
{
	return ((const struct numbered *)item)->number;
}

Test(queue, first_in_is_first_out)
{
	struct numbered items[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
	struct queue queue;

	queue_init(&queue);
	cr_expect(queue_push(&queue, &items[0].item), "it was empty");
	cr_expect_not(queue_push(&queue, &items[1].item));
	cr_expect_not(queue_push(&queue, &items[2].item));
	cr_expect_eq(queue_length(&queue), 3);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(number_of(queue_pop(&queue)), i);
	cr_expect_eq(queue_length(&queue), 0);
	cr_expect(queue_push(&queue, &items[0].item), "it is empty again");
	queue_destroy(&queue);
}

Test(queue, a_batch_has_no_more_than_asked_for_and_ends)
{
	struct numbered items[5] = { { .number = 0 } };
	struct queue queue;
	struct queue_item *batch;

	queue_init(&queue);
	for (int i = 0; i < 5; i++) {
		items[i].number = i;
		queue_push(&queue, &items[i].item);
	}
	batch = queue_pop_some(&queue, 3, 0);
	for (int i = 0; i < 3; i++, batch = batch->next)
		cr_expect_eq(number_of(batch), i);
	cr_expect_null(batch);
	cr_expect_eq(queue_length(&queue), 2);
	batch = queue_take_all(&queue);
	cr_expect_eq(number_of(batch), 3);
	cr_expect_eq(number_of(batch->next), 4);
	cr_expect_null(batch->next->next);
	cr_expect_null(queue_take_all(&queue));
	cr_expect(queue_push(&queue, &items[0].item));
	cr_expect_eq(number_of(queue_pop(&queue)), 0);
	queue_destroy(&queue);
}

Test(queue, patience_ends_and_a_closed_queue_gives_what_it_has)
{
	struct numbered item = { .number = 7 };
	struct queue queue;

	queue_init(&queue);
	cr_expect_null(queue_pop_some(&queue, 1, NS_PER_MS));
	queue_push(&queue, &item.item);
	queue_close(&queue);
	cr_expect_eq(number_of(queue_pop(&queue)), 7);
	cr_expect_null(queue_pop(&queue));
	queue_destroy(&queue);
}

struct consumer {
	pthread_t thread;
	struct queue *queue;
	int64_t count;
	int64_t sum;
};

static void *consume(void *arg)
{
	struct consumer *consumer = arg;
	struct queue_item *item;

	while ((item = queue_pop(consumer->queue))) {
		consumer->count++;
		consumer->sum += number_of(item);
	}
	return NULL;
}

Test(queue, threads_get_each_item_once)
{
	static struct numbered items[ITEMS];
	struct consumer consumers[THREADS] = { { .count = 0 } };
	struct queue queue;
	int64_t count = 0;
	int64_t sum = 0;

	queue_init(&queue);
	for (int i = 0; i < THREADS; i++) {
		consumers[i].queue = &queue;
		pthread_create(&consumers[i].thread, NULL, consume, &consumers[i]);
	}
	for (int i = 0; i < ITEMS; i++) {
		items[i].number = i;
		queue_push(&queue, &items[i].item);
	}
	queue_close(&queue);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(consumers[i].thread, NULL);
		count += consumers[i].count;
		sum += consumers[i].sum;
	}
	cr_expect_eq(count, ITEMS);
	cr_expect_eq(sum, (int64_t)ITEMS * (ITEMS - 1) / 2);
	queue_destroy(&queue);
}
