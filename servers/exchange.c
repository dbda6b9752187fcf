/*
 * The backend's side of a conn: send the request, receive the response. An app sends its own
 * request and drops what comes back; the proxy sends what the client sent and relays what comes
 * back, as it comes, through two buffers. Half duplex: the response is relayed once the request
 * is out, or once the backend will take no more of it.
 */
#include "servers/conn_inner.h"
#include <errno.h>
#include <string.h>

static bool is_proxy(const struct conn *conn)
{
	return conn->service->kind == SERVICE_PROXY;
}

/* Be done with the backend connection, then go on in `after`. */
static void leave_call(struct conn *conn, bool keep, enum conn_state after)
{
	conn->after = after;
	conn->state = keep ? CONN_STATE_KEEP_CALL : CONN_STATE_DROP_CALL;
	conn->back_parsed = conn->back_end = 0;
	conn_buffer_give(conn->buffers, &conn->back);
}

/* Answer for the backend, or close if part of its response is out already. */
static void fail(struct conn *conn, int status)
{
	if (conn->responded) {
		conn->state = CONN_STATE_CLOSE;
		return;
	}
	conn_refuse(conn, status, conn->request.done);
	leave_call(conn, false, CONN_STATE_REPLY);
}

void exchange_abort(struct conn *conn, int status)
{
	if (status == 0)
		conn->state = CONN_STATE_CLOSE;
	else
		fail(conn, status);
}

static void begin_call(struct conn *conn, bool afresh)
{
	conn->state = CONN_STATE_CALL;
	conn->call_afresh = afresh;
	conn->back_parsed = conn->back_end = 0;
	http_init(&conn->response, HTTP_KIND_RESPONSE);
}

void exchange_start(struct conn *conn)
{
	if (is_proxy(conn) && !conn_parse_body(conn))
		return;
	conn->response.head_reply = is_proxy(conn) && http_is_head(&conn->request);
	conn->call_retried = false;
	conn->sent_all = !is_proxy(conn) || conn->request.done;
	begin_call(conn, false);
}

/* Put what is in hand of the request on its way. */
static void send_request(struct conn *conn)
{
	conn->state = CONN_STATE_SEND;
	conn->out_count = 1;
	if (is_proxy(conn))
		conn->out[0] =
			(struct iovec){ conn->in + conn->in_head, conn->in_parsed - conn->in_head };
	else
		conn->out[0] =
			(struct iovec){ (void *)conn->service->call, conn->service->call_length };
}

void exchange_called(struct conn *conn, ssize_t result)
{
	if (result < 0) {
		fail(conn, result == -ETIMEDOUT ? 504 : 502);
		return;
	}
	conn->call_reused = result == 1;
	conn->call_keep = true;
	send_request(conn);
}

/* A kept-alive connection that broke may have been stale: replace it, once, if that is safe. */
static bool may_retry(const struct conn *conn)
{
	return conn->call_reused && !conn->call_retried && conn->sent_all &&
	       (!is_proxy(conn) || http_is_idempotent(&conn->request));
}

static void lost_backend(struct conn *conn)
{
	if (!may_retry(conn)) {
		fail(conn, 502);
		return;
	}
	begin_call(conn, true);
	conn->call_retried = true;
	leave_call(conn, false, CONN_STATE_CALL);
}

void exchange_sent(struct conn *conn, ssize_t result)
{
	if (result == -ETIMEDOUT) {
		fail(conn, 504);
	} else if (result < 0) {
		/* It takes no more; perhaps it has said why. */
		conn->call_keep = false;
		if (may_retry(conn))
			lost_backend(conn);
		else
			conn->state = CONN_STATE_RECEIVE;
	} else if (conn_out_advance(conn, (size_t)result)) {
		if (!is_proxy(conn) || conn->request.done) {
			conn->state = CONN_STATE_RECEIVE;
		} else {
			conn_consume(conn);
			conn->state = CONN_STATE_BODY;
		}
	}
}

void exchange_body(struct conn *conn)
{
	if (conn_parse_body(conn))
		send_request(conn);
	else
		leave_call(conn, false, CONN_STATE_REPLY);
}

static void finish(struct conn *conn)
{
	bool reusable = conn->call_keep && conn->response.keep_alive && conn->response.done &&
			(!is_proxy(conn) || conn->request.done) &&
			conn->back_parsed == conn->back_end;

	if (is_proxy(conn))
		conn_finish_request(conn);
	else
		conn_reply(conn, conn->response.parser.status_code == 200 ? 200 : 502);
	leave_call(conn, reusable, conn->state);
}

static void relay(struct conn *conn, const char *bytes, size_t length)
{
	conn->out[0] = (struct iovec){ (void *)bytes, length };
	conn->out_count = 1;
	conn->responded = true;
	conn->state = CONN_STATE_RELAY;
}

/* Send a response's head on, as this hop's own, and what has come of the body behind it. */
static void relay_head(struct conn *conn, size_t head_length)
{
	const struct http_message *response = &conn->response;
	size_t start = http_strip_hop_by_hop(conn->back, head_length);
	size_t end = head_length - 1; /* before the empty line */

	if (conn->back[end - 1] == '\r')
		end--;
	conn->keep = conn->keep && conn->request.done && !conn->stopping &&
		     (response->done || !http_ends_with_close(response));
	conn->back[start + 7] = '1'; /* HTTP/1.1, whatever the backend speaks */
	relay(conn, conn->back + start, end - start);
	conn->out[1] = conn_head_end(conn);
	if (conn->out[1].iov_len == 2 && conn->back[end] == '\r') {
		/* As it came: in one piece, which costs the kernel less to send. */
		conn->out[0].iov_len = conn->back_parsed - start;
		return;
	}
	conn->out[2] = (struct iovec){ conn->back + head_length, conn->back_parsed - head_length };
	conn->out_count = 3;
}

/* Feed the rest of the response in hand. False when it is malformed. */
static bool parse_rest(struct conn *conn)
{
	size_t used = 0;

	if (conn->response.done || conn->back_parsed == conn->back_end)
		return true;
	if (http_feed(&conn->response, conn->back + conn->back_parsed,
		      conn->back_end - conn->back_parsed, &used) == HTTP_FED_BAD)
		return false;
	conn->back_parsed += (uint32_t)used;
	return true;
}

static void begin_response(struct conn *conn)
{
	size_t head_length = conn->back_parsed;

	/* The proxy sent the request as the HTTP/1.0 it is: there is no chunked answer to that. */
	if (!parse_rest(conn) || (is_proxy(conn) && conn->request.parser.http_minor == 0 &&
				  http_is_chunked(&conn->response)))
		fail(conn, 502);
	else if (is_proxy(conn))
		relay_head(conn, head_length);
}

/* Drop an interim response; what follows moves to the buffer's start. */
static void skip_interim(struct conn *conn)
{
	conn->back_end -= conn->back_parsed;
	memmove(conn->back, conn->back + conn->back_parsed, conn->back_end);
	conn->back_parsed = 0;
	http_init(&conn->response, HTTP_KIND_RESPONSE);
}

/* Parse a response's head. Returns whether there is more to parse at once. */
static bool parse_response_head(struct conn *conn)
{
	size_t used;
	enum http_progress progress = http_feed(&conn->response, conn->back + conn->back_parsed,
						conn->back_end - conn->back_parsed, &used);

	conn->back_parsed += (uint32_t)used;
	if (progress == HTTP_FED_BAD ||
	    (progress == HTTP_FED_MORE && conn->back_end == CONN_BUFFER)) {
		fail(conn, 502);
	} else if (progress == HTTP_FED_HEAD) {
		unsigned status = conn->response.parser.status_code;

		if (status == 101 || status < 100) {
			fail(conn, 502);
		} else if (status < 200) {
			skip_interim(conn);
			return conn->back_end > 0;
		} else {
			begin_response(conn);
		}
	}
	return false;
}

static void was_received(struct conn *conn)
{
	if (!conn->response.head_done) {
		while (parse_response_head(conn))
			;
	} else if (!parse_rest(conn)) {
		fail(conn, 502);
	} else if (is_proxy(conn)) {
		relay(conn, conn->back, conn->back_parsed);
	}
	if (conn->state != CONN_STATE_RECEIVE || is_proxy(conn) || !conn->response.head_done)
		return;
	if (conn->response.done)
		finish(conn);
	else
		conn->back_parsed = conn->back_end = 0;
}

void exchange_received(struct conn *conn, ssize_t result)
{
	if (result == -EAGAIN) {
		if (conn->back_end == 0)
			conn_buffer_give(conn->buffers, &conn->back);
	} else if (result == -ETIMEDOUT) {
		fail(conn, 504);
	} else if (result == 0 && http_ends_with_close(&conn->response)) {
		conn->response.keep_alive = false;
		conn->response.done = true;
		finish(conn);
	} else if (result <= 0) {
		lost_backend(conn);
	} else {
		conn->back_end += (uint32_t)result;
		conn->call_reused = false; /* it answers, so it wasn't stale */
		was_received(conn);
	}
}

void exchange_relayed(struct conn *conn, ssize_t result)
{
	if (result < 0) {
		conn->state = CONN_STATE_CLOSE;
	} else if (conn_out_advance(conn, (size_t)result)) {
		if (conn->response.done) {
			finish(conn);
		} else {
			conn->back_parsed = conn->back_end = 0;
			conn_buffer_give(conn->buffers, &conn->back);
			conn->state = CONN_STATE_RECEIVE;
		}
	}
}
