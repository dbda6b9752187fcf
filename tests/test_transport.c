#include "loadgen/engine/transport.h"
#include "common/clock.h"
#include "tests/scripted.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SLOTS_MAX = 2000, MIB = 1 << 20, LONG_BYTES = 10 * MIB, PART_BYTES = 64 << 10 };

static const struct transport *const transports[] = { &transport_epoll, &transport_uring };
static const int64_t patience_ns = 60LL * NS_PER_S;
static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/* What a slot was told since it was opened. */
struct told {
	bool open;
	int connected; /* times, as those that follow */
	int connect_error;
	int ended;
	int end_error;
	int sent;
	size_t received;
};

static struct scripted server;
static struct told told[SLOTS_MAX];
static const struct transport *transport;
static void *made;
static const char *expected; /* bytes of each reply, or NULL: any */
static size_t expected_length;
static void (*on_open)(uint32_t slot);
static void (*on_bytes)(uint32_t slot);

TestSuite(transport, .timeout = 120);

static struct told *told_of(uint32_t slot)
{
	cr_assert(told[slot].open, "%s: slot %u is told of when it is closed", transport->name,
		  slot);
	return &told[slot];
}

static void on_connected(void *context, uint32_t slot, int error)
{
	struct told *t = told_of(slot);

	(void)context;
	t->connected++;
	t->connect_error = error;
	if (on_open)
		on_open(slot);
}

static void on_received(void *context, uint32_t slot, const char *bytes, size_t length, int error)
{
	struct told *t = told_of(slot);

	(void)context;
	if (length == 0) {
		t->ended++;
		t->end_error = error;
		return;
	}
	for (size_t i = 0; expected && i < length; i++)
		cr_assert_eq(bytes[i], expected[(t->received + i) % expected_length],
			     "%s: slot %u, byte %zu", transport->name, slot, t->received + i);
	t->received += length;
	if (on_bytes)
		on_bytes(slot);
}

static void on_sent(void *context, uint32_t slot)
{
	(void)context;
	told_of(slot)->sent++;
}

/* False where this kernel has no such transport. */
static bool create(const struct transport *which, const struct net_address *address, uint32_t slots)
{
	struct transport_setup setup = { .slots = slots,
					 .address = address,
					 .client = { on_connected, on_received, on_sent, NULL } };
	int rc;

	transport = which;
	expected = NULL;
	on_open = NULL;
	on_bytes = NULL;
	memset(told, 0, sizeof(told));
	rc = which->create(&setup, &made);
	cr_assert(rc == 0 || rc == -ENOSYS || rc == -EPERM, "%s: %d", which->name, rc);
	return rc == 0;
}

static void wait_some(int64_t end_ns)
{
	int64_t woke_ns = 0;
	int rc = transport->wait(made, end_ns - clock_now_ns(), &woke_ns);

	cr_assert_geq(rc, 0, "%s: %d", transport->name, rc);
	cr_assert(rc == 0 || (woke_ns > 0 && woke_ns <= clock_now_ns()));
	cr_assert_lt(clock_now_ns(), end_ns, "%s: not told in time", transport->name);
}

#define WAIT_FOR(condition)                                                                        \
	for (int64_t end_ns_ = clock_now_ns() + patience_ns; !(condition);)                        \
	wait_some(end_ns_)

static void open_slot(uint32_t slot)
{
	int rc;

	told[slot] = (struct told){ .open = true };
	rc = transport->open(made, slot);
	cr_assert_geq(rc, 0, "%s: %d", transport->name, rc);
	if (rc == TRANSPORT_DONE)
		on_connected(NULL, slot, 0);
}

static void connect_slot(uint32_t slot)
{
	open_slot(slot);
	WAIT_FOR(told[slot].connected);
	cr_assert_eq(told[slot].connected, 1);
	cr_assert_eq(told[slot].connect_error, 0);
}

static void close_slot(uint32_t slot, enum transport_ending ending)
{
	transport->close(made, slot, ending);
	told[slot].open = false;
}

static void ask(uint32_t slot)
{
	cr_assert_eq(transport->send(made, slot, get, sizeof(get) - 1), TRANSPORT_DONE);
}

static void end_all(uint32_t slots)
{
	for (uint32_t i = 0; i < slots; i++)
		close_slot(i, TRANSPORT_RESET);
	transport->destroy(made);
}

static char *long_reply(size_t length)
{
	char *reply = malloc(length + 1);

	for (size_t i = 0; i < length; i++)
		reply[i] = (char)('a' + (i + i / 26 + i / 4096) % 26);
	reply[length] = '\0';
	return reply;
}

static bool all_have(uint32_t slots, size_t bytes)
{
	for (uint32_t i = 0; i < slots; i++)
		if (told[i].received < bytes)
			return false;
	return true;
}

static void converse(uint32_t slots, int times)
{
	expected = server.script.reply;
	expected_length = strlen(expected);
	for (uint32_t i = 0; i < slots; i++)
		open_slot(i);
	for (uint32_t i = 0; i < slots; i++)
		WAIT_FOR(told[i].connected);
	for (int n = 1; n <= times; n++) {
		for (uint32_t i = 0; i < slots; i++)
			ask(i);
		WAIT_FOR(all_have(slots, (size_t)n * expected_length));
	}
	for (uint32_t i = 0; i < slots; i++) {
		cr_expect_eq(told[i].received, (size_t)times * expected_length);
		cr_expect_eq(told[i].ended, 0);
		cr_expect_eq(told[i].sent, 0);
	}
}

Test(transport, each_request_has_its_reply_however_it_comes)
{
	char *mebibyte = long_reply(MIB);
	const struct {
		struct script script;
		uint32_t slots;
		int times;
	} table[] = {
		{ { scripted_good }, 1, 50 },
		{ { scripted_good }, 64, 50 },
		{ { scripted_good, .step = 7 }, 8, 5 },
		{ { scripted_good, .cut = true }, 8, 40 },
		{ { mebibyte }, 1, 10 },
		{ { mebibyte }, 64, 2 },
		{ { mebibyte, .step = 100000 }, 8, 1 },
	};

	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		scripted_start(&server, &table[i / 2].script);
		if (create(transports[i % 2], &server.address, table[i / 2].slots)) {
			converse(table[i / 2].slots, table[i / 2].times);
			end_all(table[i / 2].slots);
		}
		scripted_stop(&server);
	}
	free(mebibyte);
}

Test(transport, thousands_of_slots_are_served_side_by_side)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (size_t i = 0; i < 2; i++) {
		scripted_start(&server, &(struct script){ scripted_good });
		if (create(transports[i], &server.address, SLOTS_MAX)) {
			converse(SLOTS_MAX, 3);
			end_all(SLOTS_MAX);
		}
		scripted_stop(&server);
	}
}

Test(transport, who_refuses_is_told_at_once_or_when_it_is_known)
{
	struct net_address address;
	int rc;

	cr_assert_eq(net_parse("127.0.0.1:0", &address), 0);
	close(net_listen(&address, 0));
	for (size_t i = 0; i < 2; i++) {
		if (!create(transports[i], &address, 1))
			continue;
		told[0].open = true;
		rc = transport->open(made, 0);
		if (rc == TRANSPORT_PENDING) {
			WAIT_FOR(told[0].connected);
			rc = told[0].connect_error;
		}
		cr_expect_eq(rc, -ECONNREFUSED, "%s: %d", transport->name, rc);
		end_all(1);
	}
}

Test(transport, the_peers_end_is_told_after_its_bytes_and_told_from_a_break)
{
	static const struct {
		struct script script;
		int error;
	} table[] = {
		{ { scripted_good, SCRIPTED_CLOSE }, 0 },
		{ { scripted_good, SCRIPTED_RESET }, -ECONNRESET },
	};

	for (size_t i = 0; i < 4; i++) {
		scripted_start(&server, &table[i / 2].script);
		if (create(transports[i % 2], &server.address, 1)) {
			connect_slot(0);
			ask(0);
			WAIT_FOR(told[0].ended);
			cr_expect_eq(told[0].end_error, table[i / 2].error, "%s: %d",
				     transport->name, told[0].end_error);
			if (table[i / 2].error == 0)
				cr_expect_eq(told[0].received, strlen(scripted_good));
			end_all(1);
		}
		scripted_stop(&server);
	}
}

static enum transport_ending ending;
static int reopened;

static void close_and_open(uint32_t slot)
{
	if (reopened == 100)
		return;
	reopened++;
	close_slot(slot, ending);
	open_slot(slot);
}

/* The bytes of a connection of before would not be those that the reply begins with. */
Test(transport, a_slot_may_be_opened_anew_in_the_middle_of_a_reply)
{
	char *mebibyte = long_reply(MIB);

	for (size_t i = 0; i < 4; i++) {
		scripted_start(&server, &(struct script){ mebibyte, .cut = true });
		if (create(transports[i % 2], &server.address, 4)) {
			ending = i / 2 ? TRANSPORT_FIN : TRANSPORT_RESET;
			reopened = 0;
			on_open = ask;
			on_bytes = close_and_open;
			expected = mebibyte;
			expected_length = MIB;
			for (uint32_t slot = 0; slot < 4; slot++)
				open_slot(slot);
			WAIT_FOR(reopened == 100 && all_have(4, MIB));
			end_all(4);
		}
		scripted_stop(&server);
	}
	free(mebibyte);
}

/* A server that the test itself is, with room for little. */
static struct net_address listen_narrowly(int *listening)
{
	struct net_address address;
	int bytes = 32 << 10;

	cr_assert_eq(net_parse("127.0.0.1:0", &address), 0);
	*listening = net_listen(&address, 0);
	cr_assert_geq(*listening, 0);
	setsockopt(*listening, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return address;
}

static int connect_and_accept(int listening)
{
	int fd;

	connect_slot(0);
	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	cr_assert_geq(fd, 0);
	return fd;
}

/* What is sent goes before it, though nobody waits. */
Test(transport, the_peer_sees_at_once_how_a_slot_is_closed)
{
	for (size_t i = 0; i < 4; i++) {
		char bytes[sizeof(get)];
		int listening;
		int fd;
		struct net_address address = listen_narrowly(&listening);

		if (create(transports[i % 2], &address, 1)) {
			fd = connect_and_accept(listening);
			if (i / 2 == 0) {
				close_slot(0, TRANSPORT_RESET);
				cr_expect_eq(recv(fd, bytes, 1, 0), -1);
				cr_expect_eq(errno, ECONNRESET);
			} else {
				ask(0);
				close_slot(0, TRANSPORT_FIN);
				cr_expect_eq(recv(fd, bytes, sizeof(get) - 1, MSG_WAITALL),
					     sizeof(get) - 1);
				cr_expect_eq(recv(fd, bytes, 1, 0), 0);
			}
			close(fd);
			end_all(1);
		}
		close(listening);
	}
}

struct reader {
	pthread_t thread;
	int fd;
	const char *bytes;
	size_t length;
	size_t same; /* of what came, up to the first that is not */
};

static void take(struct reader *reader)
{
	static char space[PART_BYTES];
	ssize_t rc;

	while (reader->same < reader->length &&
	       (rc = recv(reader->fd, space, sizeof(space), 0)) > 0)
		for (ssize_t i = 0; i < rc; i++)
			if (space[i] != reader->bytes[reader->same])
				return;
			else
				reader->same++;
}

/* Read as much as there is to come, if it is right, and then end the connection. */
static void *read_all(void *context)
{
	struct reader *reader = context;

	take(reader);
	shutdown(reader->fd, SHUT_WR);
	return NULL;
}

static void begin_reading(struct reader *reader)
{
	cr_assert_eq(pthread_create(&reader->thread, NULL, read_all, reader), 0);
}

static void expect_all_read(struct reader *reader)
{
	WAIT_FOR(told[0].ended);
	cr_expect_eq(told[0].end_error, 0);
	pthread_join(reader->thread, NULL);
	cr_expect_eq(reader->same, reader->length, "%s: %zu", transport->name, reader->same);
}

Test(transport, what_finds_no_room_is_pending_until_it_is_gone)
{
	char *bytes = long_reply(LONG_BYTES);

	for (size_t i = 0; i < 2; i++) {
		struct reader reader = { .bytes = bytes, .length = LONG_BYTES };
		int listening;
		struct net_address address = listen_narrowly(&listening);
		int64_t woke_ns;

		if (create(transports[i], &address, 1)) {
			reader.fd = connect_and_accept(listening);
			cr_expect_eq(transport->send(made, 0, bytes, LONG_BYTES),
				     TRANSPORT_PENDING);
			for (int n = 0; n < 10; n++)
				transport->wait(made, 0, &woke_ns);
			cr_expect_eq(told[0].sent, 0);
			begin_reading(&reader);
			WAIT_FOR(told[0].sent);
			expect_all_read(&reader);
			cr_expect_eq(told[0].sent, 1);
			close(reader.fd);
			end_all(1);
		}
		close(listening);
	}
	free(bytes);
}

/*
 * Send the bytes in parts, each as soon as it may be. With `waits`, what happens is looked for
 * before each of them, as one does who sends because a reply has come. The reader starts once a
 * part is pending.
 */
static void send_in_parts(struct reader *reader, size_t part, bool waits)
{
	bool is_reading = false;
	int64_t woke_ns;

	for (size_t at = 0; at < LONG_BYTES; at += part) {
		int sent = told[0].sent;
		int rc = transport->send(made, 0, reader->bytes + at,
					 part < LONG_BYTES - at ? part : LONG_BYTES - at);

		cr_assert_geq(rc, 0);
		if (rc == TRANSPORT_PENDING && !is_reading) {
			is_reading = true;
			begin_reading(reader);
		}
		if (rc == TRANSPORT_PENDING)
			WAIT_FOR(told[0].sent > sent);
		else if (waits)
			transport->wait(made, 0, &woke_ns);
	}
	cr_assert(is_reading);
	expect_all_read(reader);
}

Test(transport, several_sends_arrive_in_their_order)
{
	static const struct {
		size_t part;
		bool waits;
	} table[] = {
		{ PART_BYTES, false }, { PART_BYTES, true }, { 12345, false }, { 12345, true }
	};
	char *bytes = long_reply(LONG_BYTES);

	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		struct reader reader = { .bytes = bytes, .length = LONG_BYTES };
		int listening;
		struct net_address address = listen_narrowly(&listening);

		if (create(transports[i % 2], &address, 1)) {
			reader.fd = connect_and_accept(listening);
			send_in_parts(&reader, table[i / 2].part, table[i / 2].waits);
			close(reader.fd);
			end_all(1);
		}
		close(listening);
	}
	free(bytes);
}

Test(transport, a_send_that_fails_is_returned_or_told)
{
	for (size_t i = 0; i < 2; i++) {
		int listening;
		struct net_address address = listen_narrowly(&listening);

		if (create(transports[i], &address, 1)) {
			struct linger reset = { .l_onoff = 1 };
			int fd = connect_and_accept(listening);
			int rc;

			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			close(fd);
			rc = transport->send(made, 0, get, sizeof(get) - 1);
			if (rc >= 0)
				WAIT_FOR(told[0].ended);
			cr_expect_lt(rc < 0 ? rc : told[0].end_error, 0);
			end_all(1);
		}
		close(listening);
	}
}

/*
 * Each in a process of its own: the end of an io_uring goes on for a while after it was closed, and
 * interrupts the thread once, as a signal does.
 */
static void expect_waits_of_their_time(const struct transport *which)
{
	static const int64_t table[] = { 0, 1, 1000, NS_PER_MS, 20 * NS_PER_MS };
	int listening;
	struct net_address address = listen_narrowly(&listening);
	int64_t woke_ns = -1;
	int fd;

	if (!create(which, &address, 1))
		return;
	fd = connect_and_accept(listening);
	while (transport->wait(made, 0, &woke_ns) > 0) /* what connecting left */
		;
	woke_ns = -1;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t begin_ns = clock_now_ns();

		cr_expect_eq(transport->wait(made, table[i], &woke_ns), 0);
		cr_expect_geq(clock_now_ns() - begin_ns, table[i]);
		cr_expect_eq(woke_ns, -1);
	}
	close(fd);
	close(listening);
	end_all(1);
}

Test(transport, a_wait_for_readiness_returns_0_when_its_time_is_up_not_before)
{
	expect_waits_of_their_time(&transport_epoll);
}

Test(transport, a_wait_for_completion_returns_0_when_its_time_is_up_not_before)
{
	expect_waits_of_their_time(&transport_uring);
}

/* A call that only looks must also let the kernel do what it has put off until it is called. */
Test(transport, a_wait_of_no_time_tells_what_has_come)
{
	for (size_t i = 0; i < 2; i++) {
		scripted_start(&server, &(struct script){ scripted_good });
		if (create(transports[i], &server.address, 1)) {
			int64_t end_ns = clock_now_ns() + patience_ns;
			int64_t woke_ns;

			connect_slot(0);
			ask(0);
			while (told[0].received < strlen(scripted_good)) {
				cr_assert_geq(transport->wait(made, 0, &woke_ns), 0);
				cr_assert_lt(clock_now_ns(), end_ns);
			}
			end_all(1);
		}
		scripted_stop(&server);
	}
}
