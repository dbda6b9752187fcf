#include "common/clock.h"
#include "common/net.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

Test(net, an_address_is_a_host_and_a_port)
{
	static const struct {
		const char *text;
		int rc;
		const char *formatted;
	} table[] = {
		{ "127.0.0.1:80", 0, "127.0.0.1:80" },
		{ "127.0.0.1:0", 0, "127.0.0.1:0" },
		{ "127.0.0.1:65535", 0, "127.0.0.1:65535" },
		{ "0.0.0.0:00080", 0, "0.0.0.0:80" },
		{ "[::1]:8080", 0, "[::1]:8080" },
		{ "[::]:1", 0, "[::]:1" },
		{ "127.0.0.1:65536", -EINVAL },
		{ "127.0.0.1:99999", -EINVAL },
		{ "127.0.0.1:123456", -EINVAL },
		{ "127.0.0.1:-1", -EINVAL },
		{ "127.0.0.1:+1", -EINVAL },
		{ "127.0.0.1:80a", -EINVAL },
		{ "127.0.0.1:http", -EINVAL },
		{ "127.0.0.1: 80", -EINVAL },
		{ "127.0.0.1:", -EINVAL },
		{ "127.0.0.1", -EINVAL },
		{ ":80", -EINVAL },
		{ "80", -EINVAL },
		{ "", -EINVAL },
		{ ":", -EINVAL },
		{ "[::1]", -EINVAL },
		{ "[::1:80", -EINVAL },
		{ "[]:80", -EINVAL },
		/* Without brackets, which of the colons begins the port? */
		{ "::1:80", -EINVAL },
		{ "300.0.0.1:80", -EADDRNOTAVAIL },
		{ "no-such-host.invalid:80", -EADDRNOTAVAIL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct net_address address = { 0 };
		char text[NET_TEXT_MAX];
		int rc = net_parse(table[i].text, &address);

		cr_expect_eq(rc, table[i].rc, "'%s': %d", table[i].text, rc);
		if (table[i].rc == 0 && rc == 0)
			cr_expect_str_eq(net_format(&address, text), table[i].formatted);
	}
}

static int listen_anywhere(struct net_address *address)
{
	int fd;

	cr_assert_eq(net_parse("127.0.0.1:0", address), 0);
	fd = net_listen(address, 0);
	cr_assert_geq(fd, 0);
	return fd;
}

Test(net, listening_on_port_0_says_which_port_it_became)
{
	struct net_address address;
	char text[NET_TEXT_MAX];
	bool connected = false;
	int listening = listen_anywhere(&address);
	int fd = net_connect(&address, NS_PER_S, &connected);

	cr_expect_neq(strcmp(net_format(&address, text), "127.0.0.1:0"), 0);
	cr_expect_geq(fd, 0);
	cr_expect(connected);
	close(fd);
	close(listening);
}

Test(net, a_busy_port_is_said_to_be_in_use)
{
	struct net_address address;
	int listening = listen_anywhere(&address);

	cr_expect_eq(net_listen(&address, 0), -EADDRINUSE);
	close(listening);
}

Test(net, a_refused_connection_is_told_from_both_kinds_of_connect)
{
	struct net_address address;
	bool connected = true;
	int fd;

	close(listen_anywhere(&address));
	cr_expect_eq(net_connect(&address, NS_PER_S, NULL), -ECONNREFUSED);
	fd = net_connect(&address, 0, &connected);
	if (fd >= 0) {
		struct pollfd ready = { fd, POLLOUT, 0 };

		cr_expect_not(connected);
		cr_assert_eq(poll(&ready, 1, -1), 1);
		cr_expect_eq(net_connect_result(fd), -ECONNREFUSED);
		close(fd);
	} else {
		cr_expect_eq(fd, -ECONNREFUSED);
	}
}

Test(net, a_connection_may_come_from_another_address_of_this_machine)
{
	struct net_address address;
	struct net_address source;
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	int listening = listen_anywhere(&address);
	int fd;
	int accepted;

	cr_assert_eq(net_parse("127.0.0.3:0", &source), 0);
	fd = net_connect_from(&source, &address, NS_PER_S, NULL);
	cr_assert_geq(fd, 0);
	accepted = accept(listening, (struct sockaddr *)&peer, &length);
	cr_assert_geq(accepted, 0);
	cr_expect_eq(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK + 2);
	close(accepted);
	close(fd);
	close(listening);
	cr_expect_eq(net_connect_from(&source, &address, NS_PER_S, NULL), -ECONNREFUSED);
	cr_assert_eq(net_parse("192.0.2.1:0", &source), 0);
	cr_expect_eq(net_connect_from(&source, &address, NS_PER_S, NULL), -EADDRNOTAVAIL);
	cr_expect_eq(net_connect_from(&source, &address, 0, NULL), -EADDRNOTAVAIL);
}

Test(net, a_connect_from_another_address_need_not_block)
{
	struct net_address address;
	struct net_address source;
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	struct pollfd ready = { .events = POLLOUT };
	bool connected = false;
	int listening = listen_anywhere(&address);
	int accepted;

	cr_assert_eq(net_parse("127.0.0.3:0", &source), 0);
	ready.fd = net_connect_from(&source, &address, 0, &connected);
	cr_assert_geq(ready.fd, 0);
	cr_assert_eq(poll(&ready, 1, -1), 1);
	cr_expect_eq(net_connect_result(ready.fd), 0);
	cr_expect(fcntl(ready.fd, F_GETFL) & O_NONBLOCK);
	accepted = accept(listening, (struct sockaddr *)&peer, &length);
	cr_assert_geq(accepted, 0);
	cr_expect_eq(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK + 2);
	close(accepted);
	close(ready.fd);
	close(listening);
}

/* Unix sockets */

static char directory[] = "/tmp/cwt-test-net-XXXXXX";

static void make_directory(void)
{
	cr_assert_not_null(mkdtemp(directory));
}

static void remove_directory(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/socket", directory);
	unlink(path);
	rmdir(directory);
}

TestSuite(unix_net, .init = make_directory, .fini = remove_directory);

static void address_in_directory(struct net_address *address)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/socket", directory);
	cr_assert_eq(net_unix(path, address), 0);
}

Test(unix_net, a_path_has_107_bytes_at_most)
{
	struct net_address address;
	char path[128];
	char expected[NET_TEXT_MAX];
	char text[NET_TEXT_MAX];

	memset(path, 'p', sizeof(path));
	path[107] = '\0';
	cr_expect_eq(net_unix(path, &address), 0);
	snprintf(expected, sizeof(expected), "unix:%.110s", path);
	cr_expect_str_eq(net_format(&address, text), expected);
	path[107] = 'p';
	path[108] = '\0';
	cr_expect_eq(net_unix(path, &address), -ENAMETOOLONG);
	cr_expect_eq(net_unix("", &address), -EINVAL);
	cr_expect_eq(net_unix("/run/x.socket", &address), 0);
	cr_expect_str_eq(net_format(&address, text), "unix:/run/x.socket");
}

Test(unix_net, bytes_pass_through_either_kind_of_connection)
{
	static const int64_t patiences_ns[] = { NS_PER_S, 0 };
	struct net_address address;
	int listening;

	address_in_directory(&address);
	listening = net_listen(&address, 0);
	cr_assert_geq(listening, 0);
	for (size_t i = 0; i < 2; i++) {
		char bytes[8] = "";
		struct iovec hello = { "hello", 5 };
		bool connected = false;
		int fd = net_connect(&address, patiences_ns[i], &connected);
		int accepted = accept(listening, NULL, NULL);

		cr_assert_geq(fd, 0);
		cr_assert_geq(accepted, 0);
		cr_expect(connected);
		cr_expect_eq(net_connect_result(fd), 0);
		net_tune(accepted);
		net_set_timeout(accepted, SO_RCVTIMEO, NS_PER_S);
		cr_expect_eq(net_write(fd, &hello, 1), 5);
		cr_expect_eq(net_read(accepted, bytes, sizeof(bytes)), 5);
		cr_expect_str_eq(bytes, "hello");
		close(accepted);
		close(fd);
	}
	close(listening);
}

Test(unix_net, who_listens_no_longer_or_never_did_is_told_apart)
{
	struct net_address address;

	address_in_directory(&address);
	cr_expect_eq(net_connect(&address, 0, NULL), -ENOENT);
	cr_expect_eq(net_connect(&address, NS_PER_S, NULL), -ENOENT);
	close(net_listen(&address, 0));
	cr_expect_eq(net_connect(&address, 0, NULL), -ECONNREFUSED);
	cr_expect_eq(net_connect(&address, NS_PER_S, NULL), -ECONNREFUSED);
	cr_expect_eq(net_listen(&address, 0), -EADDRINUSE);
}

Test(unix_net, a_full_queue_is_said_to_be_one_to_try_again_or_ends_patience)
{
	enum { QUEUE_MOST = 8 };
	struct net_address address;
	int fds[QUEUE_MOST];
	int count = 0;
	int rc = 0;
	int listening;
	int fd;

	address_in_directory(&address);
	listening = net_listen(&address, 0);
	cr_assert_geq(listening, 0);
	cr_assert_eq(listen(listening, 1), 0);
	while (count < QUEUE_MOST && (rc = net_connect(&address, 0, NULL)) >= 0)
		fds[count++] = rc;
	cr_expect_eq(rc, -EAGAIN);
	cr_expect_eq(net_connect(&address, NS_PER_MS, NULL), -ETIMEDOUT);
	close(accept(listening, NULL, NULL));
	fd = net_connect(&address, 0, NULL);
	cr_expect_geq(fd, 0);
	close(fd);
	while (count > 0)
		close(fds[--count]);
	close(listening);
}

Test(net, local_ports_are_those_of_the_kernels_range)
{
	cr_expect_gt(net_local_ports(), 0);
	cr_expect_leq(net_local_ports(), 65536);
}

Test(net, patience_ends_a_read_from_a_silent_peer)
{
	struct net_address address;
	int listening = listen_anywhere(&address);
	int fd = net_connect(&address, NS_PER_MS, NULL);
	char byte;

	cr_assert_geq(fd, 0);
	cr_expect_eq(read(fd, &byte, 1), -1);
	cr_expect_eq(errno, EAGAIN);
	close(fd);
	close(listening);
}

Test(net, the_descriptor_limit_is_raised_to_the_hard_limit_and_no_further)
{
	struct rlimit limit;
	int64_t hard = -1;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 100;
	limit.rlim_max = 200;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(net_need_descriptors(100, &hard), 0);
	cr_expect_eq(hard, 200);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(limit.rlim_cur, 100);
	cr_expect_eq(net_need_descriptors(200, &hard), 0);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(limit.rlim_cur, 200);
	cr_expect_eq(net_need_descriptors(201, &hard), -EMFILE);
	cr_expect_eq(hard, 200);
}
