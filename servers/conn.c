#include "servers/conn_inner.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINGER_MOST = 1 << 20 };

/* Buffers */

void conn_buffers_add(struct conn_buffers *buffers, void *bytes)
{
	*(void **)bytes = buffers->free;
	buffers->free = bytes;
}

void conn_buffers_free(struct conn_buffers *buffers)
{
	while (buffers->free) {
		void *next = *(void **)buffers->free;

		free(buffers->free);
		buffers->free = next;
	}
}

char *conn_buffer_take(struct conn_buffers *buffers)
{
	void *bytes;

	if (buffers->lock)
		pthread_mutex_lock(buffers->lock);
	bytes = buffers->free;
	if (bytes)
		buffers->free = *(void **)bytes;
	if (buffers->lock)
		pthread_mutex_unlock(buffers->lock);
	return bytes ? bytes : malloc(CONN_BUFFER);
}

void conn_buffer_give(struct conn_buffers *buffers, char **buffer)
{
	if (!*buffer)
		return;
	if (buffers->lock)
		pthread_mutex_lock(buffers->lock);
	conn_buffers_add(buffers, *buffer);
	if (buffers->lock)
		pthread_mutex_unlock(buffers->lock);
	*buffer = NULL;
}

bool conn_out_advance(struct conn *conn, size_t moved)
{
	int gone = 0;

	while (gone < conn->out_count && moved >= conn->out[gone].iov_len)
		moved -= conn->out[gone++].iov_len;
	conn->out_count -= gone;
	memmove(conn->out, conn->out + gone, sizeof(conn->out[0]) * (size_t)conn->out_count);
	if (conn->out_count == 0)
		return true;
	conn->out[0].iov_base = (char *)conn->out[0].iov_base + moved;
	conn->out[0].iov_len -= moved;
	return false;
}

static void set_out(struct conn *conn, const char *bytes, size_t length)
{
	conn->out[0] = (struct iovec){ (void *)bytes, length };
	conn->out_count = 1;
}

void conn_consume(struct conn *conn)
{
	conn->in_head = conn->in_parsed;
	if (conn->in_head != conn->in_end)
		return;
	conn->in_head = conn->in_parsed = conn->in_end = 0;
	conn_buffer_give(conn->buffers, &conn->in);
}

/* Reply */

#define HELLO_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n"

struct iovec conn_head_end(const struct conn *conn)
{
	static const char plain[] = "\r\n";
	static const char close[] = "Connection: close\r\n\r\n";
	static const char keep[] = "Connection: keep-alive\r\n\r\n";

	if (!conn->keep)
		return (struct iovec){ (void *)close, sizeof(close) - 1 };
	if (conn->request.parser.http_minor == 0)
		return (struct iovec){ (void *)keep, sizeof(keep) - 1 };
	return (struct iovec){ (void *)plain, sizeof(plain) - 1 };
}

static struct iovec reply_head(struct conn *conn, int status, int64_t content)
{
	static const char hello[] = HELLO_HEAD;
	const char *text = http_status_text(status);
	int length;

	if (status == 200 && content == SERVICE_TEXT_LENGTH)
		return (struct iovec){ (void *)hello, sizeof(hello) - 1 };
	length = snprintf(conn->head, sizeof(conn->head),
			  "HTTP/1.1 %.*s\r\nContent-Type: text/plain\r\nContent-Length: %lld\r\n",
			  (int)strlen(text) - 1, text, (long long)content);
	return (struct iovec){ conn->head, (size_t)length };
}

/* The reply that most requests get, in one piece: that costs the kernel less to send. */
static const char usual_reply[] = HELLO_HEAD "\r\n" SERVICE_TEXT;

static bool is_usual(const struct conn *conn, int status, int64_t content)
{
	return status == 200 && content == SERVICE_TEXT_LENGTH && conn->body_left == 0 &&
	       conn->keep && conn->request.parser.http_minor != 0 && !http_is_head(&conn->request);
}

void conn_reply(struct conn *conn, int status)
{
	const char *text = status == 200 ? SERVICE_TEXT : http_status_text(status);
	int64_t content = (int64_t)strlen(text);

	conn->state = CONN_STATE_REPLY;
	conn->keep = conn->keep && !conn->stopping;
	conn->body_left = 0;
	if (status == 200 && conn->reply_bytes >= 0) {
		content = conn->body_left = conn->reply_bytes;
		text = "";
	}
	if (is_usual(conn, status, content)) {
		set_out(conn, usual_reply, sizeof(usual_reply) - 1);
		return;
	}
	conn->out[0] = reply_head(conn, status, content);
	conn->out[1] = conn_head_end(conn);
	conn->out[2] = (struct iovec){ (void *)text, strlen(text) };
	conn->out_count = 3;
	if (http_is_head(&conn->request)) {
		conn->out_count = 2;
		conn->body_left = 0;
	}
}

void conn_refuse(struct conn *conn, int status, bool keep)
{
	conn->keep = conn->keep && keep;
	conn_reply(conn, status);
}

/* More of a reply whose content is longer than what goes out with its head. */
static void refill_reply(struct conn *conn)
{
	size_t length = conn->body_left < SERVICE_FILL_LENGTH ? (size_t)conn->body_left
							      : SERVICE_FILL_LENGTH;

	set_out(conn, service_fill(), length);
	conn->body_left -= (int64_t)length;
}

static void next_request(struct conn *conn)
{
	conn_consume(conn);
	http_init(&conn->request, HTTP_KIND_REQUEST);
	conn->state = CONN_STATE_HEAD;
	conn->undecided = false;
	conn->responded = false;
	conn->keep = true;
}

void conn_finish_request(struct conn *conn)
{
	/* A close with unread input resets the connection, and the reply may be lost with it. */
	bool unread = !conn->request.done || conn->in_parsed != conn->in_end;

	if (conn->keep && !conn->stopping)
		next_request(conn);
	else
		conn->state = unread ? CONN_STATE_SHUTDOWN : CONN_STATE_CLOSE;
}

/* Request */

static void after_work(struct conn *conn)
{
	if (conn->service->kind == SERVICE_PROXY || conn->service->wait == WAIT_BACKEND)
		exchange_start(conn);
	else if (conn->service->wait == WAIT_TIMER)
		conn->state = CONN_STATE_WAIT;
	else
		conn_reply(conn, 200);
}

/* The memory that work touches is there from the first request on. Returns whether it is. */
static bool have_memory(struct conn *conn)
{
	if (!conn->memory && conn->service->work.footprint > 0)
		conn->memory = calloc(1, (size_t)conn->service->work.footprint);
	return conn->memory || conn->service->work.footprint == 0;
}

static void begin_work(struct conn *conn)
{
	if (conn->service->kind != SERVICE_PROXY)
		conn_consume(conn);
	if (!have_memory(conn)) {
		conn_refuse(conn, 503, false);
		return;
	}
	if (conn->service->work.ns > 0)
		conn->state = CONN_STATE_WORK;
	else
		after_work(conn);
}

bool conn_parse_body(struct conn *conn)
{
	enum http_progress progress;
	size_t used = 0;

	if (conn->request.done || conn->in_parsed == conn->in_end)
		return true;
	progress = http_feed(&conn->request, conn->in + conn->in_parsed,
			     conn->in_end - conn->in_parsed, &used);
	/* First, as what is malformed may lie behind what is too much already. */
	if (conn->request.body_bytes > conn->service->body_most) {
		conn_refuse(conn, 413, false);
		return false;
	}
	if (progress == HTTP_FED_BAD) {
		conn_refuse(conn, http_bad_status(&conn->request, conn->in, conn->in_end), false);
		return false;
	}
	conn->in_parsed += (uint32_t)used;
	return true;
}

static void drop_body(struct conn *conn)
{
	conn->state = CONN_STATE_DROP_BODY;
	if (!conn_parse_body(conn))
		return;
	if (conn->request.done)
		begin_work(conn);
	else
		conn_consume(conn);
}

/* The head, and a 100 if the client waits for one, are dealt with. */
static void after_head(struct conn *conn)
{
	if (conn->service->kind == SERVICE_PROXY)
		begin_work(conn);
	else
		drop_body(conn);
}

static bool is_too_large(const struct conn *conn)
{
	uint64_t length = conn->request.parser.content_length;

	return !conn->request.done && length != UINT64_MAX &&
	       length > (uint64_t)conn->service->body_most;
}

static void begin_request(struct conn *conn)
{
	char *head = conn->in + conn->in_head;
	size_t length = conn->in_parsed - conn->in_head;
	struct service_plan plan;
	bool expects;
	int status = http_check_request(&conn->request, head, length, &expects);

	conn->keep = conn->request.keep_alive;
	conn->reply_bytes = -1;
	if (status == 0 && is_too_large(conn))
		status = 413;
	if (status != 0) {
		conn_refuse(conn, status, false);
		return;
	}
	plan = service_plan(conn->service, &conn->request, head, length, &conn->random);
	if (plan.status != 200) {
		conn_refuse(conn, plan.status, conn->request.done);
		return;
	}
	conn->work = plan.work;
	conn->wait_ns = plan.wait_ns;
	conn->reply_bytes = plan.body_bytes;
	if (conn->service->kind == SERVICE_PROXY)
		conn->in_head += (uint32_t)http_strip_hop_by_hop(head, length);
	if (expects && !conn->request.done && conn->in_parsed == conn->in_end) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

		set_out(conn, go_on, sizeof(go_on) - 1);
		conn->state = CONN_STATE_CONTINUE;
	} else {
		after_head(conn);
	}
}

static void refuse_bad_head(struct conn *conn)
{
	int status = http_bad_status(&conn->request, conn->in + conn->in_head,
				     conn->in_end - conn->in_head);

	conn->undecided = status == 0;
	conn->reply_bytes = -1;
	if (status != 0)
		conn_refuse(conn, status, false);
}

/* Parse what is in hand of a head. */
static void parse_head(struct conn *conn)
{
	size_t used;

	if (conn->undecided) {
		refuse_bad_head(conn);
		return;
	}
	switch (http_feed(&conn->request, conn->in + conn->in_parsed,
			  conn->in_end - conn->in_parsed, &used)) {
	case HTTP_FED_BAD:
		refuse_bad_head(conn);
		break;
	case HTTP_FED_HEAD:
		conn->in_parsed += (uint32_t)used;
		begin_request(conn);
		break;
	case HTTP_FED_MORE:
	case HTTP_FED_DONE:
		conn->in_parsed += (uint32_t)used;
		break;
	}
}

/* Steps */

static bool has_unparsed(const struct conn *conn)
{
	return conn->in_parsed != conn->in_end && !conn->undecided;
}

enum conn_step conn_next(struct conn *conn)
{
	/* What was pipelined is in hand already. */
	while (conn->state == CONN_STATE_HEAD && has_unparsed(conn))
		parse_head(conn);
	switch (conn->state) {
	case CONN_STATE_HEAD:
	case CONN_STATE_DROP_BODY:
	case CONN_STATE_BODY:
	case CONN_STATE_LINGER:
		return CONN_READ;
	case CONN_STATE_CONTINUE:
	case CONN_STATE_RELAY:
	case CONN_STATE_REPLY:
		return CONN_WRITE;
	case CONN_STATE_WORK:
		return CONN_WORK;
	case CONN_STATE_WAIT:
		return CONN_WAIT;
	case CONN_STATE_CALL:
		return CONN_CALL;
	case CONN_STATE_SEND:
		return CONN_CALL_WRITE;
	case CONN_STATE_RECEIVE:
		return CONN_CALL_READ;
	case CONN_STATE_KEEP_CALL:
		return CONN_CALL_KEEP;
	case CONN_STATE_DROP_CALL:
		return CONN_CALL_DROP;
	case CONN_STATE_SHUTDOWN:
		return CONN_SHUTDOWN;
	case CONN_STATE_CLOSE:
		break;
	}
	return CONN_CLOSE;
}

/* The client's input ended, failed or took too long. */
static void lost_client(struct conn *conn, ssize_t result)
{
	bool late = result == -ETIMEDOUT;

	switch (conn->state) {
	case CONN_STATE_HEAD:
		conn->reply_bytes = -1;
		if (late && conn->in_end != conn->in_head)
			conn_refuse(conn, 408, false);
		else
			conn->state = CONN_STATE_CLOSE;
		break;
	case CONN_STATE_DROP_BODY:
		if (late)
			conn_refuse(conn, 408, false);
		else
			conn->state = CONN_STATE_CLOSE;
		break;
	case CONN_STATE_BODY:
		exchange_abort(conn, late ? 408 : 0);
		break;
	default:
		conn->state = CONN_STATE_CLOSE;
		break;
	}
}

static void was_read(struct conn *conn, ssize_t result)
{
	if (result == -EAGAIN) {
		if (conn->in_head == conn->in_end)
			conn_buffer_give(conn->buffers, &conn->in);
		return;
	}
	if (result <= 0) {
		lost_client(conn, result);
		return;
	}
	conn->in_end += (uint32_t)result;
	switch (conn->state) {
	case CONN_STATE_HEAD:
		parse_head(conn);
		break;
	case CONN_STATE_DROP_BODY:
		drop_body(conn);
		break;
	case CONN_STATE_BODY:
		exchange_body(conn);
		break;
	default: /* LINGER */
		conn->lingered += result;
		conn->in_parsed = conn->in_end;
		conn_consume(conn);
		if (conn->lingered > LINGER_MOST)
			conn->state = CONN_STATE_CLOSE;
		break;
	}
}

static void was_written(struct conn *conn, ssize_t result)
{
	if (result < 0) {
		conn->state = CONN_STATE_CLOSE;
	} else if (conn_out_advance(conn, (size_t)result)) {
		if (conn->state == CONN_STATE_CONTINUE)
			after_head(conn);
		else if (conn->body_left > 0)
			refill_reply(conn);
		else
			conn_finish_request(conn);
	}
}

void conn_done(struct conn *conn, ssize_t result)
{
	switch (conn->state) {
	case CONN_STATE_HEAD:
	case CONN_STATE_DROP_BODY:
	case CONN_STATE_BODY:
	case CONN_STATE_LINGER:
		was_read(conn, result);
		break;
	case CONN_STATE_CONTINUE:
	case CONN_STATE_REPLY:
		was_written(conn, result);
		break;
	case CONN_STATE_WORK:
		after_work(conn);
		break;
	case CONN_STATE_WAIT:
		conn_reply(conn, result < 0 ? 503 : 200);
		break;
	case CONN_STATE_CALL:
		exchange_called(conn, result);
		break;
	case CONN_STATE_SEND:
		exchange_sent(conn, result);
		break;
	case CONN_STATE_RECEIVE:
		exchange_received(conn, result);
		break;
	case CONN_STATE_RELAY:
		exchange_relayed(conn, result);
		break;
	case CONN_STATE_KEEP_CALL:
	case CONN_STATE_DROP_CALL:
		conn->state = conn->after;
		break;
	case CONN_STATE_SHUTDOWN:
		conn->in_parsed = conn->in_end;
		conn_consume(conn);
		conn->state = CONN_STATE_LINGER;
		break;
	case CONN_STATE_CLOSE:
		break;
	}
}

struct iovec conn_space(struct conn *conn)
{
	if (conn->state == CONN_STATE_RECEIVE) {
		if (!conn->back)
			conn->back = conn_buffer_take(conn->buffers);
		if (!conn->back)
			return (struct iovec){ 0 };
		return (struct iovec){ conn->back + conn->back_end, CONN_BUFFER - conn->back_end };
	}
	if (!conn->in)
		conn->in = conn_buffer_take(conn->buffers);
	if (!conn->in)
		return (struct iovec){ 0 };
	if (conn->in_head > 0) {
		memmove(conn->in, conn->in + conn->in_head, conn->in_end - conn->in_head);
		conn->in_parsed -= conn->in_head;
		conn->in_end -= conn->in_head;
		conn->in_head = 0;
	}
	return (struct iovec){ conn->in + conn->in_end, CONN_BUFFER - conn->in_end };
}

enum conn_patience conn_patience(const struct conn *conn)
{
	switch (conn->state) {
	case CONN_STATE_HEAD:
		return conn->in_end != conn->in_head ? CONN_PATIENCE_HEAD : CONN_PATIENCE_CLIENT;
	case CONN_STATE_DROP_BODY:
	case CONN_STATE_BODY:
	case CONN_STATE_CONTINUE:
	case CONN_STATE_RELAY:
	case CONN_STATE_REPLY:
		return CONN_PATIENCE_CLIENT;
	case CONN_STATE_LINGER:
		return CONN_PATIENCE_LINGER;
	case CONN_STATE_CALL:
	case CONN_STATE_SEND:
	case CONN_STATE_RECEIVE:
		return CONN_PATIENCE_BACKEND;
	default:
		return CONN_PATIENCE_NONE;
	}
}

/* Life */

void conn_begin(struct conn *conn, const struct service *service, struct conn_buffers *buffers,
		uint64_t seed)
{
	*conn = (struct conn){ .service = service, .buffers = buffers, .random = { seed } };
	next_request(conn);
}

bool conn_is_idle(const struct conn *conn)
{
	return conn->state == CONN_STATE_HEAD && conn->in_head == conn->in_end;
}

void conn_stop(struct conn *conn)
{
	conn->stopping = true;
}

void conn_end(struct conn *conn)
{
	conn_buffer_give(conn->buffers, &conn->in);
	conn_buffer_give(conn->buffers, &conn->back);
	free(conn->memory);
	conn->memory = NULL;
	conn->state = CONN_STATE_CLOSE;
}
