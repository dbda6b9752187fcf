#include "loadgen/engine/load.h"
#include "common/clock.h"
#include "common/http.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

const char *const load_error_names[LOAD_ERRORS] = {
	"connect", "reset", "closed", "timeout", "status", "malformed", "changed",
};

enum {
	EVENTS_AT_ONCE = 256,
	READ_BYTES = 65536,
	TEMPLATE_BYTES = 16384,
	SPARE_DESCRIPTORS = 16,
	RETRY_NS = 100 * NS_PER_MS,
	PROGRESS_NS = 100 * NS_PER_MS,
	CONNECT_GAP_NS = 50 * NS_PER_US, /* of a ramp: 20,000 connections a second at the most */
	CONNECTS_AT_ONCE = 64,
};

enum connection_state { IDLE, CONNECTING, SENDING, RECEIVING };

struct connection {
	int fd;
	enum connection_state state;
	uint32_t sent;    /* bytes of the request, while SENDING */
	uint32_t matched; /* bytes of the reply, all like the template's */
	bool served;
	int64_t since_ns;             /* send, or connect; IDLE: when to try again */
	struct http_message *message; /* parsing a reply that is not like the template */
};

struct generator {
	const struct load_config *config;
	struct load_result *result;
	int epoll_fd;
	struct connection *connections;
	int64_t opened; /* connections that the ramp has started */
	bool any_reply;
	int last_error; /* of connect() */

	char template[TEMPLATE_BYTES]; /* a good reply: most others are the same bytes */
	uint32_t template_length;
	bool template_keeps;
	int64_t partial; /* connections in the middle of a reply that was like it so far */

	int64_t now_ns;
	int64_t start_ns;
	int64_t ramp_ns; /* LOAD_RAMP_AUTO until the first reply */
	int64_t ramp_start_ns;
	int64_t window_start_ns;
	int64_t window_end_ns;
	int64_t next_scan_ns;
	int64_t next_progress_ns;
	int64_t cpu_start_ns;
	bool in_window;
	char buffer[READ_BYTES];
};

static void set_matched(struct generator *g, struct connection *c, uint32_t matched)
{
	g->partial += (matched > 0) - (c->matched > 0);
	c->matched = matched;
}

static void close_connection(struct generator *g, struct connection *c)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (c->fd >= 0) {
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(c->fd);
	}
	c->fd = -1;
	c->state = IDLE;
	set_matched(g, c, 0);
	free(c->message);
	c->message = NULL;
}

/* Count the error; the connection is started anew at one of the next scans. */
static void fail(struct generator *g, struct connection *c, enum load_error error)
{
	g->result->errors[error]++;
	g->result->error_count++;
	close_connection(g, c);
	c->since_ns = g->now_ns + RETRY_NS;
}

static void fail_errno(struct generator *g, struct connection *c, int error)
{
	if (c->state == CONNECTING) {
		g->last_error = error;
		fail(g, c, LOAD_ERROR_CONNECT);
	} else {
		fail(g, c, LOAD_ERROR_RESET);
	}
}

static void watch(struct generator *g, struct connection *c, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };

	epoll_ctl(g->epoll_fd, operation, c->fd, &event);
}

/* Send the request, or the rest of it. c->since_ns is the time at which it was meant to go. */
static void send_request(struct generator *g, struct connection *c)
{
	const struct load_config *config = g->config;
	bool resumed = c->state == SENDING;
	ssize_t rc;

	if (!resumed)
		c->sent = 0;
	rc = send(c->fd, config->request + c->sent, config->request_length - c->sent, MSG_NOSIGNAL);
	if (rc < 0 && errno != EAGAIN) {
		fail_errno(g, c, errno);
		return;
	}
	if (rc > 0)
		c->sent += (uint32_t)rc;
	if (c->sent == config->request_length) {
		if (resumed)
			watch(g, c, EPOLL_CTL_MOD, EPOLLIN);
		c->state = RECEIVING;
		return;
	}
	if (!resumed)
		watch(g, c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
	c->state = SENDING;
}

static void open_connection(struct generator *g, struct connection *c)
{
	bool connected = false;
	int fd = net_connect(&g->config->address, 0, &connected);

	c->state = CONNECTING;
	c->since_ns = g->now_ns;
	if (fd < 0) {
		fail_errno(g, c, -fd);
		return;
	}
	c->fd = fd;
	watch(g, c, EPOLL_CTL_ADD, connected ? EPOLLIN : EPOLLIN | EPOLLOUT);
	if (connected)
		send_request(g, c);
}

static void on_connected(struct generator *g, struct connection *c)
{
	int rc = net_connect_result(c->fd);

	if (rc < 0) {
		fail_errno(g, c, -rc);
		return;
	}
	watch(g, c, EPOLL_CTL_MOD, EPOLLIN);
	c->since_ns = clock_now_ns();
	send_request(g, c);
}

/* The window's part that `at_ns` lies in. */
static int part_of_window(const struct generator *g, int64_t at_ns)
{
	int part = (int)((at_ns - g->window_start_ns) * g->config->windows / g->config->window_ns);

	return part < g->config->windows ? part : g->config->windows - 1;
}

static void complete(struct generator *g, struct connection *c, bool keep)
{
	int64_t now = clock_now_ns();

	g->result->all_requests++;
	g->any_reply = true;
	c->served = true;
	if (g->ramp_ns == LOAD_RAMP_AUTO) {
		g->ramp_ns = now - c->since_ns;
		g->ramp_start_ns = now;
	}
	if (g->in_window) {
		g->result->requests++;
		g->result->window_requests[part_of_window(g, now)]++;
		histogram_record(&g->result->latency, now - c->since_ns);
	}
	free(c->message);
	c->message = NULL;
	set_matched(g, c, 0);
	if (keep) {
		c->since_ns = now;
		send_request(g, c);
	} else {
		close_connection(g, c);
		open_connection(g, c);
	}
}

/* A reply whose framing is right has ended, with `length` bytes of g->buffer if in one piece. */
static void judge(struct generator *g, struct connection *c, size_t length)
{
	struct http_message *message = c->message;
	unsigned status = message->parser.status_code;

	if (status < 200 || status >= 400) {
		fail(g, c, LOAD_ERROR_STATUS);
		return;
	}
	if (g->config->same_reply && g->template_length > 0) {
		fail(g, c, LOAD_ERROR_CHANGED);
		return;
	}
	if (length > 0 && length <= TEMPLATE_BYTES && g->partial == 0) {
		memcpy(g->template, g->buffer, length);
		g->template_length = (uint32_t)length;
		g->template_keeps = message->keep_alive;
	}
	complete(g, c, message->keep_alive);
}

/* Parse `length` bytes; returns false when the connection is done with (an error, or the reply). */
static bool parse_piece(struct generator *g, struct connection *c, const char *bytes, size_t length,
			size_t whole)
{
	struct http_message *message = c->message;
	size_t offset = 0;

	while (!message->done) {
		size_t used = 0;

		if (http_feed(message, bytes + offset, length - offset, &used) == HTTP_FED_BAD) {
			fail(g, c, LOAD_ERROR_MALFORMED);
			return false;
		}
		offset += used;
		if (message->done && message->parser.status_code < 200)
			http_init(message, HTTP_KIND_RESPONSE); /* an interim response */
		else if (!message->done && offset == length)
			return true;
	}
	if (offset < length)
		fail(g, c, LOAD_ERROR_MALFORMED);
	else
		judge(g, c, whole);
	return false;
}

/* A reply that is not the template's bytes, of which c->matched were: parse it. */
static void receive_other(struct generator *g, struct connection *c, size_t length)
{
	uint32_t matched = c->matched;

	if (!c->message) {
		c->message = calloc(1, sizeof(*c->message));
		if (!c->message) {
			fail(g, c, LOAD_ERROR_RESET);
			return;
		}
		c->message->head_reply = g->config->head_request;
		http_init(c->message, HTTP_KIND_RESPONSE);
		set_matched(g, c, 0);
		if (matched > 0 && !parse_piece(g, c, g->template, matched, 0))
			return;
		parse_piece(g, c, g->buffer, length, matched == 0 ? length : 0);
		return;
	}
	parse_piece(g, c, g->buffer, length, 0);
}

static void on_end_of_input(struct generator *g, struct connection *c)
{
	if (c->state == RECEIVING && c->message && http_ends_with_close(c->message)) {
		c->message->keep_alive = false;
		judge(g, c, 0);
	} else {
		fail(g, c, LOAD_ERROR_CLOSED);
	}
}

static void receive(struct generator *g, struct connection *c)
{
	ssize_t rc = read(c->fd, g->buffer, sizeof(g->buffer));
	size_t length = (size_t)rc;

	if (rc < 0) {
		if (errno != EAGAIN)
			fail_errno(g, c, errno);
	} else if (rc == 0) {
		on_end_of_input(g, c);
	} else if (c->state != RECEIVING) {
		fail(g, c, LOAD_ERROR_MALFORMED); /* an answer before the question */
	} else if (!c->message && length <= g->template_length - c->matched &&
		   memcmp(g->template + c->matched, g->buffer, length) == 0) {
		if (c->matched + length == g->template_length)
			complete(g, c, g->template_keeps);
		else
			set_matched(g, c, c->matched + (uint32_t)length);
	} else {
		receive_other(g, c, length);
	}
}

static void handle(struct generator *g, const struct epoll_event *event)
{
	struct connection *c = event->data.ptr;

	if (c->state == CONNECTING)
		on_connected(g, c);
	else if (c->state == SENDING && (event->events & EPOLLOUT))
		send_request(g, c);
	else
		receive(g, c);
}

/* Time */

/* When the ramp opens connection `index`. */
static int64_t open_at(const struct generator *g, int64_t index)
{
	int64_t n = g->config->connections;

	return g->ramp_start_ns + (int64_t)((double)g->ramp_ns * (double)index / (double)n);
}

static void ramp(struct generator *g)
{
	int64_t shortest = g->config->connections * CONNECT_GAP_NS;

	if (g->opened == 0) {
		g->opened = 1;
		open_connection(g, &g->connections[0]);
	}
	if (g->ramp_ns == LOAD_RAMP_AUTO)
		return;
	if (g->ramp_ns < shortest)
		g->ramp_ns = shortest;
	for (int i = 0; i < CONNECTS_AT_ONCE && g->opened < g->config->connections &&
			open_at(g, g->opened) <= g->now_ns;
	     i++)
		open_connection(g, &g->connections[g->opened++]);
	if (g->opened == g->config->connections && g->window_start_ns == INT64_MAX) {
		g->window_start_ns = open_at(g, g->opened) + g->config->warmup_ns;
		if (g->window_start_ns < g->now_ns)
			g->window_start_ns = g->now_ns;
		g->window_end_ns = g->window_start_ns + g->config->window_ns;
	}
}

/* Requests that take too long, and connections whose next try is due. */
static void scan(struct generator *g)
{
	for (int64_t i = 0; i < g->opened; i++) {
		struct connection *c = &g->connections[i];

		if (c->state == IDLE && c->since_ns <= g->now_ns) {
			open_connection(g, c);
		} else if (c->state != IDLE && g->now_ns - c->since_ns > g->config->timeout_ns) {
			fail(g, c, LOAD_ERROR_TIMEOUT);
		}
	}
	g->next_scan_ns = g->now_ns + RETRY_NS;
}

static void report_progress(struct generator *g)
{
	int64_t end = g->window_end_ns;
	struct load_progress progress = {
		.phase = g->window_start_ns == INT64_MAX ? LOAD_RAMP
			 : g->in_window                  ? LOAD_WINDOW
							 : LOAD_WARM_UP,
		.connections = g->opened,
		.requests = g->result->all_requests,
		.errors = g->result->error_count,
	};

	if (end == INT64_MAX)
		end = g->ramp_start_ns + (g->ramp_ns > 0 ? g->ramp_ns : 0) + g->config->warmup_ns +
		      g->config->window_ns;
	progress.left_ns = end > g->now_ns ? end - g->now_ns : 0;
	g->config->on_progress(g->config->context, &progress);
	g->next_progress_ns = g->now_ns + PROGRESS_NS;
}

static void begin_window(struct generator *g)
{
	if (g->config->on_edge)
		g->config->on_edge(g->config->context, LOAD_EDGE_START);
	clock_process_cpu_ns(0, &g->cpu_start_ns);
	g->window_start_ns = clock_now_ns();
	g->window_end_ns = g->window_start_ns + g->config->window_ns;
	g->in_window = true;
}

static void end_window(struct generator *g)
{
	int64_t cpu_ns;

	clock_process_cpu_ns(0, &cpu_ns);
	g->result->window_ns = clock_now_ns() - g->window_start_ns;
	if (g->config->on_edge)
		g->config->on_edge(g->config->context, LOAD_EDGE_END);
	g->result->client_cpu_ns = cpu_ns - g->cpu_start_ns;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What is due now; when there is nothing to do until. */
static int64_t keep_time(struct generator *g)
{
	int64_t next;

	if (g->opened < g->config->connections || g->window_start_ns == INT64_MAX)
		ramp(g);
	if (!g->in_window && g->now_ns >= g->window_start_ns)
		begin_window(g);
	if (g->now_ns >= g->next_scan_ns)
		scan(g);
	if (g->config->on_progress && g->now_ns >= g->next_progress_ns)
		report_progress(g);
	next = least(g->next_scan_ns, g->in_window ? g->window_end_ns : g->window_start_ns);
	if (g->config->on_progress)
		next = least(next, g->next_progress_ns);
	if (g->opened < g->config->connections && g->ramp_ns != LOAD_RAMP_AUTO)
		next = least(next, open_at(g, g->opened));
	return next;
}

/* A target that has never answered, nor will: the error to end with, or 0. */
static int is_hopeless(const struct generator *g)
{
	if (g->any_reply)
		return 0;
	if (g->result->errors[LOAD_ERROR_CONNECT] > 0)
		return -g->last_error;
	if (g->ramp_ns == LOAD_RAMP_AUTO && g->result->error_count > 0)
		return g->result->errors[LOAD_ERROR_TIMEOUT] > 0 ? -ETIMEDOUT : -EPROTO;
	return 0;
}

static bool is_stopped(const struct generator *g)
{
	return g->config->stop && atomic_load_explicit(g->config->stop, memory_order_relaxed);
}

static int loop(struct generator *g)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int rc = 0;

	while (rc == 0) {
		int64_t wake_ns;
		int64_t left;
		struct timespec wait;
		int count;

		g->now_ns = clock_now_ns();
		if (is_stopped(g) || (g->in_window && g->now_ns >= g->window_end_ns))
			break;
		left = keep_time(g) - g->now_ns;
		wait = clock_timespec(left > 0 ? left : 0);
		count = epoll_pwait2(g->epoll_fd, events, EVENTS_AT_ONCE, &wait, NULL);
		if (count < 0 && errno != EINTR)
			return -errno;
		wake_ns = clock_now_ns();
		for (int i = 0; i < count; i++)
			handle(g, &events[i]);
		if (g->in_window && count > 0)
			histogram_record(&g->result->lag, clock_now_ns() - wake_ns);
		rc = is_hopeless(g);
	}
	g->result->interrupted = is_stopped(g);
	return rc;
}

static void summarise(struct generator *g)
{
	struct load_result *result = g->result;

	if (g->in_window) {
		end_window(g);
		result->throughput =
			(double)result->requests * NS_PER_S / (double)result->window_ns;
	}
	result->windows = g->config->windows;
	for (int64_t i = 0; i < g->config->connections; i++)
		result->never_served += !g->connections[i].served;
}

int load_run(const struct load_config *config, struct load_result *result)
{
	struct generator *g = calloc(1, sizeof(*g));
	int rc = -ENOMEM;

	memset(result, 0, sizeof(*result));
	if (!g)
		return -ENOMEM;
	g->config = config;
	g->result = result;
	g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	g->connections = calloc((size_t)config->connections, sizeof(*g->connections));
	if (g->epoll_fd < 0 || !g->connections)
		goto out;
	for (int64_t i = 0; i < config->connections; i++)
		g->connections[i].fd = -1;
	prctl(PR_SET_TIMERSLACK, 1);
	g->start_ns = g->ramp_start_ns = clock_now_ns();
	g->ramp_ns = config->ramp_ns;
	g->window_start_ns = g->window_end_ns = INT64_MAX;
	g->next_scan_ns = g->next_progress_ns = g->start_ns + PROGRESS_NS;
	rc = loop(g);
	summarise(g);
	for (int64_t i = 0; i < config->connections; i++)
		close_connection(g, &g->connections[i]);
out:
	if (g->epoll_fd >= 0)
		close(g->epoll_fd);
	free(g->connections);
	free(g);
	return rc;
}

/* Limits */

static int64_t port_count(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	long first = 0;
	long last = 0;

	if (!file)
		return INT64_MAX;
	if (fscanf(file, "%ld %ld", &first, &last) != 2)
		first = last = 0;
	fclose(file);
	return last > first ? last - first + 1 : INT64_MAX;
}

const char *load_refusal(int64_t connections, char *text, size_t size)
{
	int64_t needed = connections + SPARE_DESCRIPTORS;
	int64_t ports = port_count();
	int64_t hard;

	if (net_need_descriptors(needed, &hard) != 0) {
		snprintf(text, size,
			 "%lld connections need %lld file descriptors, and the hard limit is %lld "
			 "(ulimit -Hn, or LimitNOFILE= of the service)",
			 (long long)connections, (long long)needed, (long long)hard);
		return text;
	}
	if (connections > ports) {
		snprintf(text, size,
			 "%lld connections to one address need as many local ports, and there are "
			 "%lld (sysctl net.ipv4.ip_local_port_range)",
			 (long long)connections, (long long)ports);
		return text;
	}
	return NULL;
}
