#include "loadgen/engine/traffic.h"
#include "common/clock.h"
#include "loadgen/engine/window.h"
#include <errno.h>

enum {
	RETRY_NS = 100 * NS_PER_MS, /* closed loop: from a failure to the next try */
	LAUNCHES_AT_ONCE = 64,      /* then it is time to look for replies */
	FULL_QUEUE_NS = NS_PER_MS,  /* to the next try, if the server's queue is full */
};

/* Requests that are under way on it, rather than waiting for it. */
static uint32_t under_way(const struct slot *slot)
{
	return slot->count - slot->unsent;
}

static bool is_full(const struct worker *w, const struct slot *slot)
{
	int64_t most = w->config->requests_per_connection;

	return slot->count >= (uint32_t)w->shared->pipeline || (most > 0 && slot->carried >= most);
}

/* Open loop: slots that can take a request */

static void make_free(struct worker *w, uint32_t index)
{
	if (w->slots[index].is_free || !worker_is_open_loop(w))
		return;
	if (w->free_count == 0)
		w->free_since_ns = w->now_ns;
	w->slots[index].is_free = true;
	w->free[(w->free_first + w->free_count++) % w->count] = index;
}

static uint32_t take_free(struct worker *w)
{
	uint32_t index = w->free[w->free_first];

	w->free_first = (w->free_first + 1) % w->count;
	w->free_count--;
	w->slots[index].is_free = false;
	return index;
}

/* Closed loop: slots that are to go on at some time */

static void resume_at(struct worker *w, uint32_t index, int64_t due_ns)
{
	if (w->slots[index].is_timed)
		return;
	w->slots[index].is_timed = true;
	timers_add(&w->timers, index, due_ns);
}

static int64_t think_ns(struct worker *w)
{
	return w->config->think_exponential ? random_exponential_ns(&w->random, w->config->think_ns)
					    : w->config->think_ns;
}

/* Ends */

static void close_slot(struct worker *w, uint32_t index, enum transport_ending ending)
{
	struct slot *slot = &w->slots[index];

	w->connected -= slot->state == SLOT_OPEN || slot->state == SLOT_ENDING;
	w->transport->close(w->made, index, ending);
	if (slot->count > 0)
		reply_clear(&w->checks[worker_flight(w, index, 0)->request], &slot->reply);
	slot->state = SLOT_CLOSED;
	slot->sending = false;
	slot->count = slot->unsent = 0;
	slot->carried = 0;
}

/* Count an error for each request that it has, close it, and see to it that it is tried again. */
static void fail(struct worker *w, uint32_t index, enum load_error error)
{
	struct slot *slot = &w->slots[index];
	uint32_t count = slot->count > 0 ? slot->count : 1;

	for (uint32_t i = 0; i < slot->count && worker_is_open_loop(w); i++)
		window_lose(w, worker_flight(w, index, i), error);
	w->result->errors[error] += count;
	w->result->error_count += count;
	window_take_errors(w, count);
	close_slot(w, index, TRANSPORT_RESET);
	if (worker_is_open_loop(w))
		make_free(w, index);
	else
		resume_at(w, index, w->now_ns + RETRY_NS);
}

static void fail_connect(struct worker *w, uint32_t index, int error)
{
	w->result->last_error = error;
	if (error == -ECONNREFUSED) {
		w->refused_ns = clock_now_ns();
		if (w->refused_since_ns == 0)
			w->refused_since_ns = w->refused_ns;
	}
	fail(w, index, error == -ECONNREFUSED ? LOAD_ERROR_REFUSED : LOAD_ERROR_CONNECT);
}

/* Requests */

/* Give the transport what waits. */
static void pump(struct worker *w, uint32_t index)
{
	struct slot *slot = &w->slots[index];

	while (slot->unsent > 0 && !slot->sending && slot->state == SLOT_OPEN) {
		struct flight *flight = worker_flight(w, index, under_way(slot));
		const struct request *request = &w->config->requests->requests[flight->request];
		bool is_last = w->config->close == LOAD_CLOSE_SERVER &&
			       w->config->requests_per_connection > 0 && slot->unsent == 1 &&
			       slot->carried == w->config->requests_per_connection;
		int rc = w->transport->send(w->made, index,
					    is_last ? request->last_bytes : request->bytes,
					    is_last ? request->last_length : request->length);

		if (rc < 0) {
			fail(w, index, LOAD_ERROR_RESET);
			return;
		}
		slot->unsent--;
		slot->sending = rc == TRANSPORT_PENDING;
	}
}

/* A request for the slot: sent at once if it is connected. */
static void put(struct worker *w, uint32_t index, int64_t intended_ns, int64_t sent_ns)
{
	struct slot *slot = &w->slots[index];
	struct flight *flight = worker_flight(w, index, slot->count);

	flight->intended_ns = intended_ns;
	flight->sent_ns = sent_ns;
	flight->request = requests_pick(w->config->requests, &w->random);
	slot->count++;
	slot->unsent++;
	slot->carried++;
	if (worker_is_open_loop(w) && window_counts(w, flight->intended_ns)) {
		w->owed++;
		w->last_sent_ns = sent_ns;
	}
	pump(w, index);
}

/* Closed loop: as many requests as a connection may have. */
static void fill(struct worker *w, uint32_t index)
{
	struct slot *slot = &w->slots[index];

	while (slot->state == SLOT_OPEN && !is_full(w, slot))
		put(w, index, w->now_ns, w->now_ns);
}

static bool is_probe(const struct worker *w, uint32_t index)
{
	return w->config->ramp_ns == LOAD_RAMP_AUTO && w->index == 0 && index == 0 && !w->any_reply;
}

static void on_open(struct worker *w, uint32_t index)
{
	struct slot *slot = &w->slots[index];

	w->result->connects++;
	w->connected++;
	w->refused_since_ns = w->refused_ns = 0;
	slot->state = SLOT_OPEN;
	if (slot->count == 0 && (!worker_is_open_loop(w) || is_probe(w, index)))
		put(w, index, slot->intended_ns, slot->since_ns);
	else
		pump(w, index);
	if (!worker_is_open_loop(w))
		fill(w, index);
	else if (slot->state == SLOT_OPEN && !is_full(w, slot))
		make_free(w, index);
}

void traffic_open(struct worker *w, uint32_t index, int64_t intended_ns)
{
	struct slot *slot = &w->slots[index];
	int rc;

	slot->since_ns = w->now_ns = clock_now_ns();
	slot->intended_ns = intended_ns;
	slot->carried = slot->count;
	slot->state = SLOT_CONNECTING;
	rc = w->transport->open(w->made, index);
	if (rc == -EAGAIN && w->config->address.storage.ss_family == AF_UNIX) {
		slot->state = SLOT_CLOSED; /* the server's queue is full: unix(7) */
		resume_at(w, index, w->now_ns + FULL_QUEUE_NS);
	} else if (rc < 0) {
		fail_connect(w, index, rc);
	} else if (rc == TRANSPORT_DONE) {
		on_open(w, index);
	}
}

void traffic_resume(struct worker *w, uint32_t index, int64_t due_ns)
{
	struct slot *slot = &w->slots[index];

	w->now_ns = clock_now_ns();
	slot->is_timed = false;
	if (slot->state == SLOT_CLOSED)
		traffic_open(w, index, w->config->think_ns > 0 ? due_ns : w->now_ns);
	else if (slot->state == SLOT_OPEN)
		put(w, index, due_ns, w->now_ns);
}

void traffic_launch(struct worker *w)
{
	for (int i = 0; i < LAUNCHES_AT_ONCE && w->next_ns <= w->now_ns && w->free_count > 0; i++) {
		int64_t intended_ns = w->next_ns;
		int64_t free_ns = w->free_since_ns;
		uint32_t index = take_free(w);
		struct slot *slot = &w->slots[index];

		w->next_ns = w->shared->schedule_start_ns + schedule_next(&w->schedule);
		w->now_ns = clock_now_ns();
		if (window_counts(w, intended_ns)) {
			w->result->scheduled++;
			histogram_record(&w->result->start_lag,
					 w->now_ns -
						 (intended_ns > free_ns ? intended_ns : free_ns));
		}
		put(w, index, intended_ns, w->now_ns);
		if (slot->state == SLOT_CLOSED && slot->count > 0)
			traffic_open(w, index, intended_ns);
		if (slot->state == SLOT_OPEN && !is_full(w, slot))
			make_free(w, index);
	}
}

/* Replies */

static void complete(struct worker *w, uint32_t index)
{
	struct slot *slot = &w->slots[index];
	struct flight *flight = worker_flight(w, index, 0);

	window_take_reply(w, flight);
	slot->served = true;
	reply_clear(&w->checks[flight->request], &slot->reply);
	slot->first = (slot->first + 1) % (uint32_t)w->shared->pipeline;
	slot->count--;
}

/* The slot has no request, and its connection has ended well. */
static void after_end(struct worker *w, uint32_t index)
{
	if (worker_is_open_loop(w))
		make_free(w, index);
	else if (w->config->think_ns > 0)
		resume_at(w, index, w->now_ns + think_ns(w));
	else
		traffic_open(w, index, w->now_ns);
}

/* All that it was asked has been answered. */
static void end_well(struct worker *w, uint32_t index)
{
	close_slot(w, index,
		   w->config->close == LOAD_CLOSE_RESET ? TRANSPORT_RESET : TRANSPORT_FIN);
	after_end(w, index);
}

/*
 * The server has closed behind a reply, and said so: what was pipelined behind that was not served,
 * and goes again on a new connection (RFC 9112, 9.3.2). Its latency goes on.
 */
static void send_again(struct worker *w, uint32_t index)
{
	struct slot *slot = &w->slots[index];
	uint32_t count = slot->count;

	slot->count = 0;
	close_slot(w, index, TRANSPORT_FIN);
	slot->count = slot->unsent = count;
	traffic_open(w, index, worker_flight(w, index, 0)->intended_ns);
}

/* After replies: the next requests, or the end that is due. */
static void go_on(struct worker *w, uint32_t index, bool keep_alive)
{
	struct slot *slot = &w->slots[index];
	int64_t most = w->config->requests_per_connection;
	bool is_spent = most > 0 && slot->carried >= most && slot->count == 0;

	if (!keep_alive && slot->count > 0) {
		send_again(w, index);
	} else if (is_spent && w->config->close == LOAD_CLOSE_SERVER) {
		slot->state = SLOT_ENDING;
		slot->since_ns = w->now_ns;
	} else if (is_spent || !keep_alive) {
		end_well(w, index);
	} else if (worker_is_open_loop(w)) {
		if (!is_full(w, slot))
			make_free(w, index);
	} else if (w->config->think_ns > 0) {
		resume_at(w, index, w->now_ns + think_ns(w));
	} else {
		fill(w, index);
	}
	if (worker_is_open_loop(w) && w->next_ns <= w->now_ns)
		traffic_launch(w);
}

static enum load_error error_of(enum reply_outcome outcome)
{
	switch (outcome) {
	case REPLY_CLOSED:
		return LOAD_ERROR_CLOSED;
	case REPLY_SHORT:
		return LOAD_ERROR_SHORT;
	case REPLY_STATUS:
		return LOAD_ERROR_STATUS;
	case REPLY_CHANGED:
		return LOAD_ERROR_CHANGED;
	case REPLY_NO_MEMORY:
		return LOAD_ERROR_RESET;
	default:
		return LOAD_ERROR_MALFORMED;
	}
}

static struct reply_check *check_of(struct worker *w, uint32_t index)
{
	return &w->checks[worker_flight(w, index, 0)->request];
}

static void take_bytes(struct worker *w, uint32_t index, const char *bytes, size_t length)
{
	struct slot *slot = &w->slots[index];
	enum reply_outcome outcome = REPLY_MALFORMED; /* an answer without a question */
	bool keep_alive = true;

	while (length > 0 && slot->state == SLOT_OPEN && under_way(slot) > 0 && keep_alive) {
		size_t used = 0;

		outcome = reply_feed(check_of(w, index), &slot->reply, bytes, length, &used);
		if (outcome == REPLY_MORE)
			return;
		/* More than the replies that are due? Then what came is not what was meant. */
		if (outcome == REPLY_GOOD && used < length && under_way(slot) == 1)
			outcome = REPLY_MALFORMED;
		if (outcome != REPLY_GOOD)
			break;
		if (w->now_ns - worker_flight(w, index, 0)->sent_ns > w->config->timeout_ns) {
			fail(w, index, LOAD_ERROR_TIMEOUT); /* it came, but too late */
			return;
		}
		keep_alive = slot->reply.keep_alive;
		complete(w, index);
		bytes += used;
		length -= used;
		outcome = REPLY_MALFORMED;
	}
	if (length > 0)
		fail(w, index, error_of(outcome));
	else
		go_on(w, index, keep_alive);
}

/* The peer has ended the connection: in order, or with an error. */
static void take_end(struct worker *w, uint32_t index, int error)
{
	struct slot *slot = &w->slots[index];
	enum reply_outcome outcome = REPLY_CLOSED;

	if (slot->count == 0) {
		/* Idle, or waited for: a server may do that. A slot that thinks is opened later. */
		bool was_waited_for = slot->state == SLOT_ENDING;

		close_slot(w, index, TRANSPORT_FIN);
		if (worker_is_open_loop(w) || was_waited_for)
			after_end(w, index);
		return;
	}
	if (error != 0) {
		fail(w, index, error == -ETIMEDOUT ? LOAD_ERROR_TIMEOUT : LOAD_ERROR_RESET);
		return;
	}
	if (under_way(slot) > 0)
		outcome = reply_end_of_input(check_of(w, index), &slot->reply);
	if (outcome != REPLY_GOOD) {
		fail(w, index, error_of(outcome));
		return;
	}
	complete(w, index);
	if (slot->count > 0)
		fail(w, index, LOAD_ERROR_CLOSED);
	else
		end_well(w, index);
}

/* The transport's news */

static void on_connected(void *context, uint32_t index, int error)
{
	struct worker *w = context;

	w->now_ns = clock_now_ns();
	if (error == 0)
		on_open(w, index);
	else
		fail_connect(w, index, error);
}

static void on_received(void *context, uint32_t index, const char *bytes, size_t length, int error)
{
	struct worker *w = context;

	w->now_ns = clock_now_ns();
	if (length > 0)
		take_bytes(w, index, bytes, length);
	else
		take_end(w, index, error);
}

static void on_sent(void *context, uint32_t index)
{
	struct worker *w = context;

	w->now_ns = clock_now_ns();
	w->slots[index].sending = false;
	pump(w, index);
}

struct transport_client traffic_client(struct worker *w)
{
	return (struct transport_client){ on_connected, on_received, on_sent, w };
}

/* Time-outs */

static bool is_late(struct worker *w, uint32_t index)
{
	struct slot *slot = &w->slots[index];
	int64_t since_ns = slot->since_ns;

	if (slot->state == SLOT_CLOSED || (slot->state == SLOT_OPEN && slot->count == 0))
		return false;
	if (slot->state == SLOT_OPEN)
		since_ns = worker_flight(w, index, 0)->sent_ns;
	return w->now_ns - since_ns > w->config->timeout_ns;
}

void traffic_expire(struct worker *w, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		if (is_late(w, i))
			fail(w, i, LOAD_ERROR_TIMEOUT);
}
