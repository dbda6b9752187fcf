#include "servers/server.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>

void server_ready(const struct server *server)
{
	char text[NET_TEXT_MAX];

	printf("ready %s\n", net_format(&server->listen, text));
	fflush(stdout);
}

void server_warn_descriptors(void)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;
	struct rlimit limit;

	if (atomic_flag_test_and_set(&said))
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	fprintf(stderr,
		"cwt: out of file descriptors at %llu: further connections wait until others close "
		"(raise the hard limit: ulimit -Hn, or LimitNOFILE= of the service)\n",
		(unsigned long long)limit.rlim_cur);
}

static sigset_t stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return set;
}

void server_block_signals(void)
{
	sigset_t set = stop_signals();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void server_await_stop(void)
{
	sigset_t set = stop_signals();
	int got;

	sigwait(&set, &got);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

enum server_accept server_accept_failed(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		server_warn_descriptors();
		return SERVER_ACCEPT_PAUSE;
	case ENOBUFS:
	case ENOMEM:
		return SERVER_ACCEPT_PAUSE;
	case EINVAL:
	case EBADF:
		return SERVER_ACCEPT_END;
	default: /* the connection was gone before it was accepted */
		return SERVER_ACCEPT_RETRY;
	}
}
