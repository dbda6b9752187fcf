#include "loadgen/engine/holder.h"
#include "common/clock.h"
#include "loadgen/engine/reply.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	AT_ONCE = 256, /* connections that are under way */
	READ_BYTES = 16384,
	GRACE_NS = NS_PER_S, /* after a failure, for replies that are under way */
};

struct holder {
	const struct herd_config *config;
	const struct net_address *source; /* NULL: the kernel's choice */
	int64_t count;
	int64_t opened;
	struct pollfd *held;
	struct reply_check check;
	struct holder_word word;
};

static bool give_up(struct holder *holder, int error, const char *reason)
{
	if (holder->word.error == 0) {
		holder->word.error = error;
		snprintf(holder->word.reason, HOLDER_REASON_MAX, "%s", reason);
	}
	return false;
}

/* The sentence behind "N of M idle connections were served: ". */
static bool give_up_errno(struct holder *holder, int error)
{
	char reason[HOLDER_REASON_MAX];

	if (error != -EAGAIN && error != -ETIMEDOUT)
		return give_up(holder, error, strerror(-error));
	snprintf(reason, sizeof(reason), "no reply in %.3g s (the server holds no more?)",
		 (double)holder->config->timeout_ns / NS_PER_S);
	return give_up(holder, -ETIMEDOUT, reason);
}

/* Open a connection and send the request. */
static bool open_one(struct holder *holder)
{
	const struct herd_config *config = holder->config;
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	ssize_t sent;
	int fd = holder->source ? net_connect_from(holder->source, &config->address,
						   config->timeout_ns, NULL)
				: net_connect(&config->address, config->timeout_ns, NULL);

	if (fd < 0)
		return give_up_errno(holder, fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	holder->held[holder->opened++] = (struct pollfd){ fd, POLLIN | POLLRDHUP, 0 };
	sent = send(fd, config->request, config->request_length, MSG_NOSIGNAL);
	if (sent < 0)
		return give_up_errno(holder, -errno);
	return sent == (ssize_t)config->request_length || give_up_errno(holder, -EAGAIN);
}

static bool judge(struct holder *holder, enum reply_outcome outcome, bool keep_alive)
{
	switch (outcome) {
	case REPLY_GOOD:
		if (!keep_alive)
			return give_up(holder, -EPROTO, "the server closes after each reply");
		holder->word.served++;
		return true;
	case REPLY_CLOSED:
	case REPLY_SHORT:
		return give_up(holder, -ECONNRESET, "the server closed the connection");
	case REPLY_STATUS:
		return give_up(holder, -EPROTO, "the reply's status is neither 2xx nor 3xx");
	case REPLY_NO_MEMORY:
		return give_up_errno(holder, -ENOMEM);
	default:
		return give_up(holder, -EPROTO, "the reply is not HTTP/1.x");
	}
}

/* Read one whole reply. */
static bool read_reply(struct holder *holder, int fd, int64_t deadline)
{
	enum reply_outcome outcome = REPLY_MORE;
	struct reply reply = { 0 };
	bool ok = true;

	while (ok && outcome == REPLY_MORE) {
		struct pollfd waiting = { fd, POLLIN, 0 };
		int64_t left = deadline - clock_now_ns();
		char bytes[READ_BYTES];
		size_t used;
		ssize_t rc = -1;

		errno = EAGAIN;
		if (poll(&waiting, 1, left > 0 ? (int)(left / NS_PER_MS) + 1 : 0) > 0)
			rc = read(fd, bytes, sizeof(bytes));
		if (rc < 0)
			ok = give_up_errno(holder, -errno);
		else if (rc == 0)
			outcome = reply_end_of_input(&holder->check, &reply);
		else
			outcome = reply_feed(&holder->check, &reply, bytes, (size_t)rc, &used);
		if (rc > 0 && outcome == REPLY_GOOD && used < (size_t)rc)
			outcome = REPLY_MALFORMED; /* it was asked for one reply */
	}
	ok = ok && judge(holder, outcome, reply.keep_alive);
	reply_clear(&holder->check, &reply);
	return ok;
}

/*
 * Open some connections, then read their replies. When one fails, those of the others still count
 * that come soon, so that it can be said how many the server holds.
 */
static void serve_batch(struct holder *holder)
{
	int64_t first = holder->opened;
	int64_t deadline;
	bool ok = holder->word.error == 0;

	while (ok && holder->opened < holder->count && holder->opened < first + AT_ONCE)
		ok = open_one(holder);
	deadline = clock_now_ns() + (ok ? holder->config->timeout_ns : GRACE_NS);
	for (int64_t i = first; i < holder->opened; i++) {
		if (read_reply(holder, holder->held[i].fd, deadline) || !ok)
			continue;
		ok = false;
		deadline = clock_now_ns() + GRACE_NS;
	}
}

/* An idle connection has nothing to say: what can be read is its end, or not asked for. */
static int64_t count_lost(struct holder *holder)
{
	int ready = poll(holder->held, (nfds_t)holder->opened, 0);

	return ready > 0 ? ready : 0;
}

/* Close what else was inherited: it may be what somebody waits to see closed. */
static void keep_only(int line)
{
	close_range(STDERR_FILENO + 1, (unsigned)line - 1, 0);
	close_range((unsigned)line + 1, ~0U, 0);
}

static void prepare(struct holder *holder)
{
	int64_t hard;
	int rc;

	holder->held = calloc((size_t)holder->count, sizeof(*holder->held));
	rc = holder->held ? net_need_descriptors(holder->count + HOLDER_SPARE_DESCRIPTORS, &hard)
			  : -ENOMEM;
	if (rc != 0)
		give_up_errno(holder, rc);
}

static void say(struct holder *holder, int line)
{
	send(line, &holder->word, sizeof(holder->word), MSG_NOSIGNAL);
}

void holder_run(const struct herd_config *config, const struct net_address *source, int64_t count,
		int line, pid_t parent)
{
	struct holder holder = { .config = config, .source = source, .count = count };
	char end;

	holder.check.head_request = config->head_request;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN); /* this and the next are the parent's to act on */
	signal(SIGTERM, SIG_IGN);
	if (getppid() != parent)
		_exit(1);
	keep_only(line);
	prepare(&holder);
	do {
		serve_batch(&holder);
		say(&holder, line);
	} while (holder.word.error == 0 && holder.opened < count);
	while (read(line, &end, 1) < 0 && errno == EINTR)
		;
	holder.word.lost = count_lost(&holder);
	say(&holder, line);
	_exit(0);
}
