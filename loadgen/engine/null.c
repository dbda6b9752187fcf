/*
 * No transport at all, after fio's engine of that name: each request is answered with a usual reply
 * as soon as it is sent, without the kernel. What is left is what the engine itself costs, and how
 * well it keeps time.
 */
#include "common/clock.h"
#include "loadgen/engine/transport.h"
#include <errno.h>
#include <stdlib.h>

/* Without content, so that it answers HEAD too. */
static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

struct nothing {
	struct transport_setup setup;
	uint32_t *answers; /* that each slot is owed */
	uint32_t *queue;   /* slots, one entry for each request; a ring */
	uint32_t first;
	uint32_t count;
	uint32_t room;
};

enum { REQUESTS_AT_ONCE = 64 }; /* on a slot, at the most */

static void nothing_destroy(void *made)
{
	struct nothing *n = made;

	free(n->answers);
	free(n->queue);
	free(n);
}

static int nothing_create(const struct transport_setup *setup, void **made)
{
	struct nothing *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->setup = *setup;
	n->room = setup->slots * REQUESTS_AT_ONCE;
	n->answers = calloc(setup->slots, sizeof(*n->answers));
	n->queue = calloc(n->room, sizeof(*n->queue));
	if (!n->answers || !n->queue) {
		nothing_destroy(n);
		return -ENOMEM;
	}
	*made = n;
	return 0;
}

static int nothing_open(void *made, uint32_t slot)
{
	struct nothing *n = made;

	n->answers[slot] = 0;
	return TRANSPORT_DONE;
}

static int nothing_send(void *made, uint32_t slot, const char *bytes, size_t length)
{
	struct nothing *n = made;

	(void)bytes;
	(void)length;
	if (n->count == n->room)
		return -ENOBUFS;
	n->queue[(n->first + n->count++) % n->room] = slot;
	n->answers[slot]++;
	return TRANSPORT_DONE;
}

static void nothing_close(void *made, uint32_t slot, enum transport_ending ending)
{
	struct nothing *n = made;

	(void)ending;
	n->answers[slot] = 0;
}

static int nothing_wait(void *made, int64_t timeout_ns, int64_t *woke_ns)
{
	struct nothing *n = made;
	const struct transport_client *client = &n->setup.client;
	uint32_t count = n->count;

	if (count == 0) {
		if (timeout_ns > 0)
			clock_sleep_until(clock_now_ns() + timeout_ns);
		return 0;
	}
	*woke_ns = clock_now_ns();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = n->queue[n->first];

		n->first = (n->first + 1) % n->room;
		n->count--;
		if (n->answers[slot] == 0)
			continue; /* closed meanwhile */
		n->answers[slot]--;
		client->received(client->context, slot, reply, sizeof(reply) - 1, 0);
	}
	return (int)count;
}

const struct transport transport_null = {
	.name = "null",
	.create = nothing_create,
	.destroy = nothing_destroy,
	.open = nothing_open,
	.send = nothing_send,
	.close = nothing_close,
	.wait = nothing_wait,
};
