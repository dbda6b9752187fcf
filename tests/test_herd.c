#include "loadgen/engine/herd.h"
#include "common/clock.h"
#include "tests/scripted.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK    "HTTP/1.1 200 OK\r\n"
#define BYTES "Content-Length: 5\r\n\r\nhello"

enum { MANY = 300 }; /* more than are opened at once */

static struct scripted server;
static struct herd herd;
static char why[HERD_WHY_MAX];

TestSuite(herd, .timeout = 60);

static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

static struct herd_config config_of(int64_t count)
{
	return (struct herd_config){
		.address = server.address,
		.request = get,
		.request_length = sizeof(get) - 1,
		.count = count,
		.timeout_ns = 30LL * NS_PER_S,
	};
}

static void expect_no_child(void)
{
	cr_expect_eq(herd.children, 0);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(errno, ECHILD);
}

static void expect_failure(const struct herd_config *config, int rc, const char *words)
{
	int was = herd_start(&herd, config, why, sizeof(why));

	cr_expect_eq(was, rc, "%s: %d", words, was);
	cr_expect_not_null(strstr(why, words), "'%s' lacks '%s'", why, words);
	expect_no_child();
}

Test(herd, each_is_served_once_and_held)
{
	static const struct script scripts[] = {
		{ OK BYTES },
		{ OK BYTES, .cut = true },
		{ OK "X: #\r\n" BYTES },
		{ OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", .step = 7 },
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct herd_config config;

		scripted_start(&server, &scripts[i]);
		config = config_of(MANY);
		cr_assert_eq(herd_start(&herd, &config, why, sizeof(why)), 0, "%s", why);
		cr_expect_eq(server.requests, MANY);
		cr_expect_eq(herd_end(&herd), 0);
		expect_no_child();
		scripted_stop(&server);
		cr_expect_eq(server.accepted, MANY);
	}
}

Test(herd, none_at_all_is_fine)
{
	struct herd_config config = config_of(0);

	cr_expect_eq(herd_start(&herd, &config, why, sizeof(why)), 0);
	cr_expect_eq(herd_end(&herd), 0);
	expect_no_child();
}

Test(herd, a_target_that_does_not_serve_all_is_told_with_the_number_and_the_reason)
{
	static const struct {
		const char *name;
		struct script script;
		int rc;
		const char *words;
	} table[] = {
		{ "silent",
		  { OK BYTES, .connections = 41 },
		  -ETIMEDOUT,
		  "41 of 300 idle connections were served: no reply in 1 s (the server holds "
		  "no more?)" },
		{ "silent from the second batch on",
		  { OK BYTES, .connections = 270 },
		  -ETIMEDOUT,
		  "270 of 300 idle connections were served: no reply" },
		{ "half a reply",
		  { OK "Content-Length: 6\r\n\r\nhello" },
		  -ETIMEDOUT,
		  "0 of 300 idle connections were served: no reply" },
		{ "closed", { "", SCRIPTED_CLOSE }, -ECONNRESET, "the server closed" },
		{ "closed after some",
		  { "", SCRIPTED_CLOSE, .good_replies = 20 },
		  -ECONNRESET,
		  "20 of 300 idle connections were served: the server closed" },
		{ "to be closed",
		  { OK "Connection: close\r\n" BYTES },
		  -EPROTO,
		  "closes after each reply" },
		{ "404", { "HTTP/1.1 404 Not Found\r\n" BYTES }, -EPROTO, "status" },
		{ "not HTTP", { "hello\r\n\r\n" }, -EPROTO, "not HTTP" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct herd_config config;

		scripted_start(&server, &table[i].script);
		config = config_of(MANY);
		if (table[i].rc == -ETIMEDOUT)
			config.timeout_ns = NS_PER_S; /* long enough for those that are served */
		expect_failure(&config, table[i].rc, table[i].words);
		scripted_stop(&server);
	}
}

Test(herd, a_target_that_refuses_is_told)
{
	struct herd_config config;

	cr_assert_eq(net_parse("127.0.0.1:0", &server.address), 0);
	close(net_listen(&server.address, 0));
	config = config_of(10);
	expect_failure(&config, -ECONNREFUSED,
		       "0 of 10 idle connections were served: Connection refused");
}

/* They are closed, or half closed, or sent something, after the reply. */
Test(herd, those_lost_while_idle_are_counted)
{
	static const struct script scripts[] = {
		{ OK BYTES, SCRIPTED_CLOSE },
		{ OK BYTES, SCRIPTED_RESET },
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct herd_config config;

		scripted_start(&server, &scripts[i]);
		config = config_of(MANY);
		cr_assert_eq(herd_start(&herd, &config, why, sizeof(why)), 0, "%s", why);
		scripted_stop(&server); /* waits until it has closed all */
		cr_expect_eq(herd_end(&herd), MANY);
		expect_no_child();
	}
}

Test(herd, what_a_holder_held_is_lost_with_it)
{
	struct herd_config config;

	scripted_start(&server, &(struct script){ OK BYTES });
	config = config_of(50);
	cr_assert_eq(herd_start(&herd, &config, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(herd.children, 1);
	kill(herd.child[0].pid, SIGKILL);
	cr_expect_eq(herd_end(&herd), 50);
	expect_no_child();
	scripted_stop(&server);
}

/* A scripted server in a process of its own, so that a limit of descriptors is not its own. */
static pid_t serve_elsewhere(void)
{
	int line[2];
	pid_t pid;

	cr_assert_eq(pipe(line), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		scripted_start(&server, &(struct script){ OK BYTES });
		if (write(line[1], &server.address, sizeof(server.address)) > 0)
			pause();
		_exit(1);
	}
	cr_assert_eq(read(line[0], &server.address, sizeof(server.address)),
		     sizeof(server.address));
	return pid;
}

/* Connections to the server from 127.0.0.`host`, as the kernel lists them. */
static int count_from(unsigned host)
{
	FILE *file = fopen("/proc/net/tcp", "re");
	struct sockaddr_in in;
	char line[512];
	int count = 0;

	cr_assert_not_null(file);
	memcpy(&in, &server.address.storage, sizeof(in));
	while (fgets(line, sizeof(line), file)) {
		unsigned from;
		unsigned to;
		unsigned port;
		unsigned state;

		count += sscanf(line, " %*d: %x:%*x %x:%x %x", &from, &to, &port, &state) == 4 &&
			 from == htonl(INADDR_LOOPBACK - 1 + host) &&
			 to == htonl(INADDR_LOOPBACK) && port == ntohs(in.sin_port) &&
			 state == TCP_ESTABLISHED;
	}
	fclose(file);
	return count;
}

Test(herd, more_than_one_process_can_hold_are_held_by_several_from_several_addresses)
{
	struct rlimit limit = { 60, 60 };
	struct herd_config config;
	pid_t peer = serve_elsewhere();

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	config = config_of(100);
	cr_assert_eq(herd_start(&herd, &config, why, sizeof(why)), 0, "%s", why);
	cr_expect_eq(herd.children, 3);
	cr_expect_eq(count_from(1), 0);
	cr_expect_eq(count_from(2) + count_from(3) + count_from(4), 100);
	cr_expect_leq(count_from(2), 34);
	cr_expect_leq(count_from(4), 34);
	cr_expect_eq(herd_end(&herd), 0);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	expect_no_child();
}

Test(herd, too_many_are_refused_with_the_limits_name)
{
	struct rlimit limit = { 20, 20 };
	struct herd_config config;

	cr_assert_eq(net_parse("[::1]:1", &server.address), 0);
	config = config_of(1000000);
	expect_failure(&config, -EADDRNOTAVAIL, "net.ipv4.ip_local_port_range");
	cr_assert_eq(net_parse("127.0.0.1:1", &server.address), 0);
	config = config_of(1000);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_failure(&config, -EMFILE, "20 file descriptors each");
}

struct seen {
	int64_t served;
	int64_t at_ns;
	atomic_bool stop;
};

static void stop_at_progress(void *context, int64_t served)
{
	struct seen *seen = context;

	seen->served = served;
	seen->at_ns = clock_now_ns();
	atomic_store(&seen->stop, true);
}

Test(herd, progress_is_told_after_a_while_and_the_stop_flag_ends_it)
{
	struct seen seen = { .served = -1 };
	int64_t start = clock_now_ns();
	struct herd_config config;

	scripted_start(&server, &(struct script){ OK BYTES, .connections = 270 });
	config = config_of(MANY);
	config.on_progress = stop_at_progress;
	config.context = &seen;
	config.stop = &seen.stop;
	expect_failure(&config, -EINTR, "256 of 300 idle connections were served: interrupted");
	cr_expect_eq(seen.served, 256);
	cr_expect_geq(seen.at_ns - start, 2LL * NS_PER_S);
	scripted_stop(&server);
}

/* What the parent has open is not kept open by them: here, a pipe's end. */
Test(herd, inherited_descriptors_are_closed)
{
	struct herd_config config;
	struct pollfd other_end;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	scripted_start(&server, &(struct script){ OK BYTES });
	config = config_of(10);
	cr_assert_eq(herd_start(&herd, &config, why, sizeof(why)), 0, "%s", why);
	close(ends[1]);
	other_end = (struct pollfd){ ends[0], POLLIN, 0 };
	cr_expect_eq(poll(&other_end, 1, 0), 1);
	cr_expect(other_end.revents & POLLHUP);
	cr_expect_eq(herd_end(&herd), 0);
	scripted_stop(&server);
}
