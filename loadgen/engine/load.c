#include "loadgen/engine/load.h"
#include "common/clock.h"
#include "loadgen/engine/reply.h"
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
	uint32_t sent; /* bytes of the request, while SENDING */
	bool served;
	int64_t since_ns; /* send, or connect; IDLE: when to try again */
	int64_t replies;  /* on this connection */
	struct reply reply;
};

struct generator {
	const struct load_config *config;
	struct load_result *result;
	int epoll_fd;
	struct connection *connections;
	int64_t opened; /* connections that the ramp has started */
	bool any_reply;
	int last_error; /* of connect() */

	struct reply_check check;

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

static void close_connection(struct generator *g, struct connection *c)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (c->fd >= 0) {
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(c->fd);
	}
	c->fd = -1;
	c->state = IDLE;
	reply_clear(&g->check, &c->reply);
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

static void on_connected(struct generator *g, struct connection *c)
{
	g->result->connects++;
	c->replies = 0;
	send_request(g, c);
}

static void open_connection(struct generator *g, struct connection *c)
{
	bool connected = false;
	int fd;

	c->since_ns = clock_now_ns();
	fd = net_connect(&g->config->address, 0, &connected);

	c->state = CONNECTING;
	if (fd < 0) {
		fail_errno(g, c, -fd);
		return;
	}
	c->fd = fd;
	watch(g, c, EPOLL_CTL_ADD, connected ? EPOLLIN : EPOLLIN | EPOLLOUT);
	if (connected)
		on_connected(g, c);
}

static void end_connect(struct generator *g, struct connection *c)
{
	int rc = net_connect_result(c->fd);

	if (rc < 0) {
		fail_errno(g, c, -rc);
		return;
	}
	watch(g, c, EPOLL_CTL_MOD, EPOLLIN);
	on_connected(g, c);
}

/* The window's part that `at_ns` lies in. */
static int part_of_window(const struct generator *g, int64_t at_ns)
{
	int part = (int)((at_ns - g->window_start_ns) * g->config->windows / g->config->window_ns);

	return part < g->config->windows ? part : g->config->windows - 1;
}

static bool may_go_on(const struct generator *g, const struct connection *c)
{
	int64_t most = g->config->requests_per_connection;

	return c->reply.keep_alive && (most == 0 || c->replies < most);
}

static void complete(struct generator *g, struct connection *c)
{
	int64_t now = clock_now_ns();

	g->result->all_requests++;
	g->any_reply = true;
	c->served = true;
	c->replies++;
	if (g->ramp_ns == LOAD_RAMP_AUTO) {
		g->ramp_ns = now - c->since_ns;
		g->ramp_start_ns = now;
	}
	if (g->in_window) {
		g->result->requests++;
		g->result->window_requests[part_of_window(g, now)]++;
		histogram_record(&g->result->latency, now - c->since_ns);
	}
	if (may_go_on(g, c)) {
		reply_clear(&g->check, &c->reply);
		c->since_ns = now;
		send_request(g, c);
	} else {
		close_connection(g, c);
		open_connection(g, c);
	}
}

static void on_outcome(struct generator *g, struct connection *c, enum reply_outcome outcome)
{
	switch (outcome) {
	case REPLY_MORE:
		break;
	case REPLY_GOOD:
		complete(g, c);
		break;
	case REPLY_CLOSED:
		fail(g, c, LOAD_ERROR_CLOSED);
		break;
	case REPLY_STATUS:
		fail(g, c, LOAD_ERROR_STATUS);
		break;
	case REPLY_MALFORMED:
		fail(g, c, LOAD_ERROR_MALFORMED);
		break;
	case REPLY_CHANGED:
		fail(g, c, LOAD_ERROR_CHANGED);
		break;
	case REPLY_NO_MEMORY:
		fail(g, c, LOAD_ERROR_RESET);
		break;
	}
}

static void receive(struct generator *g, struct connection *c)
{
	ssize_t rc = read(c->fd, g->buffer, sizeof(g->buffer));

	if (rc < 0) {
		if (errno != EAGAIN)
			fail_errno(g, c, errno);
	} else if (rc == 0) {
		on_outcome(g, c, reply_end_of_input(&g->check, &c->reply));
	} else if (c->state != RECEIVING) {
		fail(g, c, LOAD_ERROR_MALFORMED); /* an answer before the question */
	} else {
		on_outcome(g, c, reply_feed(&g->check, &c->reply, g->buffer, (size_t)rc));
	}
}

static void handle(struct generator *g, const struct epoll_event *event)
{
	struct connection *c = event->data.ptr;

	if (c->state == CONNECTING)
		end_connect(g, c);
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
		int64_t end_ns = open_at(g, g->opened);

		/* A ramp of thousands may take longer than it was meant to. */
		if (end_ns < g->now_ns)
			end_ns = g->now_ns;
		g->window_start_ns = end_ns + g->config->warmup_ns;
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
	g->check.head_request = config->head_request;
	g->check.same_reply = config->same_reply;
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

const char *load_refusal(int64_t connections, char *text, size_t size)
{
	int64_t needed = connections + SPARE_DESCRIPTORS;
	int64_t ports = net_local_ports();
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
