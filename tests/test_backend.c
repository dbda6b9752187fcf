/*
 * cwt-backend's faults on purpose, as a client meets them. When they come is arithmetic
 * (test_faults.c); here, that they do come, each with what it shall and shall not touch.
 */
#include "common/clock.h"
#include "tests/conversations.h"
#include "tests/programs.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(backend, .timeout = 60);

static const char busy[] =
	REPLY_HEAD("503 Service Unavailable", "24", "") "503 Service Unavailable\n";

static struct program backend;

/* Send the request and read a reply like `reply`. Returns how long that took, in ns. */
static int64_t ask(int fd, const char *request, const char *reply)
{
	int64_t sent_ns = clock_now_ns();
	struct text got;

	cr_assert(client_send(fd, request, strlen(request)));
	got = client_receive(fd, strlen(reply));
	cr_expect_str_eq(got.bytes, reply);
	free(got.bytes);
	return clock_now_ns() - sent_ns;
}

/* Send the request; the connection must be reset, without a byte before. */
static void ask_for_reset(int fd)
{
	char byte;

	cr_assert(client_send(fd, GET_HELLO, strlen(GET_HELLO)));
	cr_expect_eq(read(fd, &byte, 1), -1);
	cr_expect_eq(errno, ECONNRESET);
	close(fd);
}

/* While it is asked nothing, too: its CPU time goes on, where one that sleeps has none. */
Test(backend, a_busy_one_answers_like_any_other_and_never_sleeps)
{
	int64_t begin_ns;
	int64_t cpu_ns;
	int fd;

	program_serve(&backend, "CWT_BACKEND", "--busy --connections 100");
	fd = client_connect(&backend);
	ask(fd, GET_HELLO, HELLO);
	ask(fd, GET_HELLO, HELLO);
	begin_ns = program_cpu_ns(&backend);
	do
		cpu_ns = program_cpu_ns(&backend) - begin_ns;
	while (cpu_ns < 20 * NS_PER_MS);
	close(fd);
	program_stop(&backend);
}

Test(backend, each_kth_request_is_reset_whatever_connection_it_comes_by)
{
	int first;

	program_serve(&backend, "CWT_BACKEND", "--reset-every 3");
	first = client_connect(&backend);
	for (int i = 0; i < 4; i++) {
		int second = client_connect(&backend);

		ask(first, GET_HELLO, HELLO);
		ask(second, GET_HELLO, HELLO);
		ask_for_reset(second);
	}
	ask(first, GET_HELLO, HELLO);
	close(first);
	program_stop(&backend);
}

Test(backend, each_kth_reply_is_503_and_keeps_the_connection)
{
	static const char sized[] = "GET /delay/0?bytes=3 HTTP/1.1\r\nHost: h\r\n\r\n";
	int fd;

	program_serve(&backend, "CWT_BACKEND", "--status-every 2");
	fd = client_connect(&backend);
	for (int i = 0; i < 4; i++) {
		ask(fd, GET_HELLO, HELLO);
		ask(fd, i % 2 ? sized : GET_HELLO, busy);
	}
	close(fd);
	program_stop(&backend);
}

Test(backend, requests_that_are_refused_do_not_count)
{
	static const char lost[] = "GET /lost HTTP/1.1\r\nHost: h\r\n\r\n";
	static const char not_found[] = REPLY_HEAD("404 Not Found", "14", "") "404 Not Found\n";
	int fd;

	program_serve(&backend, "CWT_BACKEND", "--status-every 2 --reset-every 4");
	fd = client_connect(&backend);
	ask(fd, GET_HELLO, HELLO);
	ask(fd, lost, not_found);
	ask(fd, GET_HELLO, busy);
	ask(fd, lost, not_found);
	ask(fd, GET_HELLO, HELLO);
	ask(fd, lost, not_found);
	ask_for_reset(fd);
	program_stop(&backend);
}

/* The clock starts at the first request: between these two times. */
static int64_t start_ns;
static int64_t started_ns;

static int start_clock(const char *words)
{
	int fd;

	program_serve(&backend, "CWT_BACKEND", words);
	fd = client_connect(&backend);
	start_ns = clock_now_ns();
	ask(fd, GET_HELLO, HELLO);
	started_ns = clock_now_ns();
	return fd;
}

/*
 * A request that is sent in a stall for sure, if the test gets its turn before the stall is over,
 * is not answered before it is over.
 */
static void expect_stalled(int fd, int64_t end_ns)
{
	int64_t sent_ns = clock_now_ns();

	ask(fd, GET_HELLO, HELLO);
	if (sent_ns < start_ns + end_ns)
		cr_expect_geq(clock_now_ns(), start_ns + end_ns);
}

Test(backend, in_a_stall_nobody_is_answered_until_the_period_ends)
{
	int fd = start_clock("--stall 200ms --every 300ms");

	for (int period = 1; period <= 3; period++) {
		int64_t end_ns = (int64_t)period * 300 * NS_PER_MS;

		clock_sleep_until(started_ns + end_ns - 100 * NS_PER_MS);
		expect_stalled(fd, end_ns);
	}
	close(fd);
	program_stop(&backend);
}

Test(backend, who_connects_in_a_stall_is_answered_after_it)
{
	int first = start_clock("--stall 300ms --every 301ms");
	int second;

	clock_sleep_until(started_ns + 50 * NS_PER_MS);
	second = client_connect(&backend);
	expect_stalled(second, 301LL * NS_PER_MS);
	close(first);
	close(second);
	program_stop(&backend);
}

Test(backend, a_stop_in_a_stall_is_heeded_after_it)
{
	int fd = start_clock("--stall 200ms --every 201ms");

	clock_sleep_until(started_ns + 50 * NS_PER_MS);
	cr_assert(client_send(fd, GET_HELLO, strlen(GET_HELLO)));
	program_tell(&backend);
	/* The request had come before the stop: it is answered. */
	ask(fd, "", "HTTP/1.1 200 OK\r\n");
	close(fd);
	program_stop(&backend);
}

/* A delay of 1 ms, and 1 ms more of it for each ms since the first request. */
Test(backend, a_delay_drifts_with_the_time_since_the_first_request)
{
	static const char request[] = "GET /delay/1ms HTTP/1.1\r\nHost: h\r\n\r\n";
	int fd = start_clock("--drift 1000");

	for (int i = 0; i < 4; i++) {
		int64_t since_ns = clock_now_ns() - started_ns;

		/* Less what the backend aims early, at the most 150 us. */
		cr_expect_geq(ask(fd, request, HELLO), NS_PER_MS + since_ns - 150 * NS_PER_US);
	}
	cr_expect_geq(clock_now_ns() - started_ns, 12 * NS_PER_MS, "1, 2, 4, 8 ms");
	close(fd);
	program_stop(&backend);
}
