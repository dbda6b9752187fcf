#include "servers/server.h"
#include "common/clock.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>

enum { TICKS_PER_PATIENCE = 16 };

struct server_seeds {
	uint64_t seed;
	_Atomic uint64_t dealt;
};

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t server_patience_ns(const struct server *server, enum conn_patience patience)
{
	switch (patience) {
	case CONN_PATIENCE_CLIENT:
	case CONN_PATIENCE_HEAD:
		return server->client_patience_ns;
	case CONN_PATIENCE_LINGER:
		return least(server->client_patience_ns, SERVER_LINGER_NS);
	case CONN_PATIENCE_BACKEND:
		return server->backend_patience_ns;
	case CONN_PATIENCE_NONE:
		break;
	}
	return INT64_MAX;
}

int64_t server_tick_ns(const struct server *server)
{
	int64_t shortest = least(server->client_patience_ns, server->backend_patience_ns);
	int64_t tick = least(shortest / TICKS_PER_PATIENCE, SERVER_LINGER_NS / 2);

	return tick > NS_PER_MS ? tick : NS_PER_MS;
}

int server_deal_seeds(struct server *server, uint64_t seed)
{
	struct server_seeds *seeds = mmap(NULL, sizeof(*seeds), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (seeds == MAP_FAILED)
		return -errno;
	seeds->seed = seed;
	server->seeds = seeds;
	return 0;
}

uint64_t server_seed(const struct server *server)
{
	struct server_seeds *seeds = server->seeds;

	return seeds ? random_seed(seeds->seed, atomic_fetch_add(&seeds->dealt, 1)) : 0;
}

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
	if (limit.rlim_cur == FD_SETSIZE && limit.rlim_max > FD_SETSIZE)
		fprintf(stderr,
			"cwt: out of file descriptors at %d, the most that select() can watch: "
			"further connections wait until others close (--events poll or epoll has "
			"no such limit)\n",
			FD_SETSIZE);
	else
		fprintf(stderr,
			"cwt: out of file descriptors at %llu: further connections wait until "
			"others close (raise the hard limit: ulimit -Hn, or LimitNOFILE= of the "
			"service)\n",
			(unsigned long long)limit.rlim_cur);
}

void server_complain_of_threads(int64_t started, int64_t wanted, int error)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;

	if (atomic_flag_test_and_set(&said))
		return;
	fprintf(stderr,
		"cwt-server: only %lld of %lld threads could be started: %s (limits: "
		"kernel.threads-max, kernel.pid_max, vm.max_map_count with two maps per thread, "
		"ulimit -u)\n",
		(long long)started, (long long)wanted, strerror(error));
}

void server_complain_of_stacks(int error)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&said))
		fprintf(stderr,
			"cwt-server: no stack for another connection: %s (limits: "
			"vm.max_map_count with two maps per stack, memory)\n",
			strerror(error));
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

void server_unblock_signals(void)
{
	sigset_t set = stop_signals();

	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int server_stop_fd(void)
{
	sigset_t set = stop_signals();
	int fd;

	server_block_signals();
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

void server_on_stop_signals(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

void server_await_stop(void)
{
	sigset_t set = stop_signals();
	int got;

	sigwait(&set, &got);
	server_unblock_signals();
}

bool server_await_stop_for(int64_t ns)
{
	sigset_t set = stop_signals();
	struct timespec patience = clock_timespec(ns);

	if (sigtimedwait(&set, NULL, &patience) < 0)
		return false;
	server_unblock_signals();
	return true;
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
