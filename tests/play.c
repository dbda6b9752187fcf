#include "tests/play.h"
#include "tests/conversations.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NO_LINK = -1 };

/* A backend connection: scripted, or a conn of the delay service that is really asked. */
struct link {
	const struct play_backend *script;
	int exchange;
	size_t read; /* of the answer */
	struct conn live;
	struct play_text asked;
	size_t taken;
	struct play_text answer;
	bool closed;
};

struct driver {
	const struct play *script;
	const struct play_pieces *pieces;
	struct play_result *result;
	struct conn conn;
	struct conn_buffers buffers;
	struct conn_buffers live_buffers;
	const char *client_at;
	const char *client_end;
	size_t client_read;
	size_t answered; /* bytes the client had when it last awaited some */
	bool was_shy;
	struct link links[PLAY_LINKS_MAX];
	int link; /* in use */
	int idle; /* kept */
};

static const struct service delay = {
	.kind = SERVICE_DELAY,
	.wait = WAIT_TIMER,
	.body_most = 1 << 30,
};

static void append(struct play_text *text, const void *bytes, size_t length)
{
	if (text->length + length + 1 > text->size) {
		text->size = 2 * (text->length + length + 1);
		text->bytes = realloc(text->bytes, text->size);
		cr_assert_not_null(text->bytes);
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How much a read at `at` gets of `there`, given where the bytes are cut. */
static size_t piece(const struct driver *driver, size_t at, size_t there, size_t cut)
{
	if (driver->pieces->read_most > 0)
		there = smaller(there, driver->pieces->read_most);
	if (cut > at)
		there = smaller(there, cut - at);
	return there;
}

static ssize_t at_end(enum play_end end)
{
	switch (end) {
	case PLAY_IS_SILENT:
		return -ETIMEDOUT;
	case PLAY_RESETS:
		return -ECONNRESET;
	case PLAY_CLOSES:
		break;
	}
	return 0;
}

static ssize_t read_client(struct driver *driver, struct iovec space)
{
	size_t there = (size_t)(driver->client_end - driver->client_at);
	const char *mark;

	if (there > 0 && *driver->client_at == CONVERSATION_AWAIT) {
		cr_assert_gt(driver->result->client.length, driver->answered,
			     "the client waits for an answer, the server for the client");
		driver->answered = driver->result->client.length;
		driver->client_at++;
		there--;
	}
	if (there == 0)
		return at_end(driver->script->client_then);
	there = piece(driver, driver->client_read, smaller(there, space.iov_len),
		      driver->pieces->client_cut);
	mark = memchr(driver->client_at, CONVERSATION_AWAIT, there);
	if (mark)
		there = (size_t)(mark - driver->client_at);
	memcpy(space.iov_base, driver->client_at, there);
	driver->client_at += there;
	driver->client_read += there;
	return (ssize_t)there;
}

/* Let the delay service answer what it was asked. */
static void answer(struct link *link)
{
	enum conn_step step;

	while (!link->closed) {
		struct iovec space;
		ssize_t moved = 0;

		step = conn_next(&link->live);
		if (step == CONN_READ) {
			if (link->taken == link->asked.length)
				return;
			space = conn_space(&link->live);
			moved = (ssize_t)smaller(space.iov_len, link->asked.length - link->taken);
			memcpy(space.iov_base, link->asked.bytes + link->taken, (size_t)moved);
			link->taken += (size_t)moved;
		} else if (step == CONN_WRITE) {
			for (int i = 0; i < link->live.out_count; i++) {
				append(&link->answer, link->live.out[i].iov_base,
				       link->live.out[i].iov_len);
				moved += (ssize_t)link->live.out[i].iov_len;
			}
		} else if (step == CONN_CLOSE) {
			link->closed = true;
			return;
		}
		conn_done(&link->live, moved);
	}
}

static ssize_t read_backend(struct driver *driver, struct iovec space)
{
	struct link *link = &driver->links[driver->link];
	const char *answers = link->answer.bytes;
	size_t length = link->answer.length;
	size_t there;

	if (link->script) {
		answers = link->exchange < PLAY_EXCHANGES_MAX
				  ? link->script->answers[link->exchange]
				  : NULL;
		length = answers ? strlen(answers) : 0;
	}
	there = length - link->read;
	if (there == 0 && link->script)
		return at_end(link->script->then);
	if (there == 0)
		return link->closed ? 0 : -ETIMEDOUT;
	there = piece(driver, driver->result->backend_bytes, smaller(there, space.iov_len),
		      driver->pieces->backend_cut);
	memcpy(space.iov_base, answers + link->read, there);
	link->read += there;
	driver->result->backend_bytes += there;
	return (ssize_t)there;
}

static ssize_t call(struct driver *driver)
{
	struct link *link;

	cr_assert_eq(driver->link, NO_LINK, "a call while another is on");
	if (!driver->conn.call_afresh && driver->idle != NO_LINK) {
		driver->link = driver->idle;
		driver->idle = NO_LINK;
		link = &driver->links[driver->link];
		link->exchange++;
		if (link->script)
			link->read = 0;
		return 1;
	}
	cr_assert_lt(driver->result->link_count, PLAY_LINKS_MAX, "too many calls");
	driver->link = driver->result->link_count++;
	link = &driver->links[driver->link];
	if (driver->script->backends)
		link->script = &driver->script->backends[driver->link];
	else
		conn_begin(&link->live, &delay, &driver->live_buffers, 1);
	if (link->script && link->script->refused) {
		driver->link = NO_LINK;
		return link->script->refused;
	}
	return 0;
}

static ssize_t write_out(struct driver *driver, struct play_text *text)
{
	size_t left = driver->pieces->write_most ? driver->pieces->write_most : SIZE_MAX;
	ssize_t moved = 0;

	cr_assert_gt(driver->conn.out_count, 0);
	for (int i = 0; i < driver->conn.out_count && left > 0; i++) {
		size_t length = smaller(left, driver->conn.out[i].iov_len);

		append(text, driver->conn.out[i].iov_base, length);
		left -= length;
		moved += (ssize_t)length;
	}
	return moved;
}

static ssize_t write_backend(struct driver *driver)
{
	struct link *link = &driver->links[driver->link];
	struct play_text *got = &driver->result->links[driver->link];
	size_t before = got->length;
	ssize_t moved;

	if (link->closed || (link->script && link->script->deaf))
		return -EPIPE;
	moved = write_out(driver, got);
	if (!link->script) {
		append(&link->asked, got->bytes + before, (size_t)moved);
		answer(link);
	}
	return moved;
}

static ssize_t read_some(struct driver *driver, enum conn_step step)
{
	struct iovec space = conn_space(&driver->conn);
	int buffers = (driver->conn.in != NULL) + (driver->conn.back != NULL);

	if (buffers > driver->result->buffers)
		driver->result->buffers = buffers;
	cr_assert_gt(space.iov_len, 0, "a read without room for a byte");
	driver->was_shy = driver->pieces->shy && !driver->was_shy;
	if (driver->was_shy)
		return -EAGAIN;
	return step == CONN_READ ? read_client(driver, space) : read_backend(driver, space);
}

static ssize_t carry_out(struct driver *driver, enum conn_step step)
{
	struct play_result *result = driver->result;

	switch (step) {
	case CONN_READ:
	case CONN_CALL_READ:
		return read_some(driver, step);
	case CONN_WRITE:
		return write_out(driver, &result->client);
	case CONN_WORK:
		result->works++;
		result->worked_ns += driver->conn.work.ns;
		break;
	case CONN_WAIT:
		result->waited_ns += driver->conn.wait_ns;
		break;
	case CONN_CALL:
		return call(driver);
	case CONN_CALL_WRITE:
		return write_backend(driver);
	case CONN_CALL_KEEP:
		cr_assert_neq(driver->link, NO_LINK);
		driver->idle = driver->link;
		driver->link = NO_LINK;
		result->kept++;
		break;
	case CONN_CALL_DROP:
		driver->link = NO_LINK;
		break;
	case CONN_SHUTDOWN:
		result->shutdowns++;
		break;
	case CONN_CLOSE:
		break;
	}
	return 0;
}

static int count_buffers(struct conn_buffers *buffers)
{
	int count = 0;

	for (void **at = buffers->free; at; at = *at)
		count++;
	return count;
}

/* What conn promises between steps. */
static void check_promises(struct driver *driver, enum conn_step step)
{
	const struct conn *conn = &driver->conn;

	cr_assert_eq(conn_next(&driver->conn), step, "asked twice, answered differently");
	if (conn_is_idle(conn) && step == CONN_READ) {
		cr_assert_null(conn->in, "idle, with a buffer");
		cr_assert_null(conn->back, "idle, with a buffer");
		cr_assert_eq(driver->link, NO_LINK, "idle, with a backend connection");
	}
	if (step == CONN_CALL_READ || step == CONN_CALL_WRITE)
		cr_assert_neq(driver->link, NO_LINK, "no backend connection for that");
}

void play(const struct play *script, const struct play_pieces *pieces, struct play_result *result)
{
	struct driver driver = {
		.script = script,
		.pieces = pieces,
		.result = result,
		.client_at = script->client,
		.link = NO_LINK,
		.idle = NO_LINK,
	};
	enum conn_step step;

	*result = (struct play_result){ 0 };
	append(&result->client, "", 0);
	driver.client_end = script->client + (script->client_length ? script->client_length
								    : strlen(script->client));
	conn_begin(&driver.conn, script->service, &driver.buffers, script->seed ? script->seed : 1);
	while ((step = conn_next(&driver.conn)) != CONN_CLOSE) {
		check_promises(&driver, step);
		conn_done(&driver.conn, carry_out(&driver, step));
	}
	conn_end(&driver.conn);
	cr_assert_leq(count_buffers(&driver.buffers), 2, "more than two buffers");
	for (int i = 0; i < PLAY_LINKS_MAX; i++) {
		if (driver.links[i].live.service)
			conn_end(&driver.links[i].live);
		free(driver.links[i].asked.bytes);
		free(driver.links[i].answer.bytes);
	}
	conn_buffers_free(&driver.buffers);
	conn_buffers_free(&driver.live_buffers);
}

void play_free(struct play_result *result)
{
	free(result->client.bytes);
	for (int i = 0; i < PLAY_LINKS_MAX; i++)
		free(result->links[i].bytes);
}
