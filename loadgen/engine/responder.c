#include "loadgen/engine/responder.h"
#include "common/clock.h"
#include "common/cpus.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READ_BYTES = 4096,
	EVENTS_AT_ONCE = 64,
	SPIN_NS = 150 * NS_PER_US,
	LONG_NS = NS_PER_S,
};

static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

/* Answers in the order in which they are due, which with one delay is that of the requests. */
struct answers {
	struct {
		int fd;
		int64_t due_ns;
	} queue[RESPONDER_CONNECTIONS_MAX];
	unsigned first;
	unsigned count;
	int64_t delay_ns;
};

static void take_request(struct answers *answers, int epoll_fd, int fd)
{
	unsigned last = (answers->first + answers->count) % RESPONDER_CONNECTIONS_MAX;
	int64_t now_ns = clock_now_ns();
	char bytes[READ_BYTES];

	if (recv(fd, bytes, sizeof(bytes), 0) <= 0 || answers->count == RESPONDER_CONNECTIONS_MAX) {
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		close(fd);
		return;
	}
	answers->queue[last].fd = fd;
	answers->queue[last].due_ns = now_ns + answers->delay_ns;
	answers->count++;
}

static void take_connection(int epoll_fd, int listen_fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	net_tune(fd);
	event.data.fd = fd;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void answer_due(struct answers *answers)
{
	while (answers->count > 0 && answers->queue[answers->first].due_ns <= clock_now_ns()) {
		send(answers->queue[answers->first].fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
		answers->first = (answers->first + 1) % RESPONDER_CONNECTIONS_MAX;
		answers->count--;
	}
}

static _Noreturn void respond(int listen_fd, int64_t delay_ns)
{
	struct answers answers = { .delay_ns = delay_ns };
	struct epoll_event listening = { .events = EPOLLIN, .data.fd = listen_fd };
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	prctl(PR_SET_TIMERSLACK, 1);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &listening);
	for (;;) {
		struct epoll_event events[EVENTS_AT_ONCE];
		int64_t wait_ns = LONG_NS;
		struct timespec wait;
		int count;

		if (answers.count > 0)
			wait_ns = answers.queue[answers.first].due_ns - clock_now_ns() - SPIN_NS;
		wait = clock_timespec(wait_ns > 0 ? wait_ns : 0);
		count = epoll_pwait2(epoll_fd, events, EVENTS_AT_ONCE, &wait, NULL);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listen_fd)
				take_connection(epoll_fd, listen_fd);
			else
				take_request(&answers, epoll_fd, events[i].data.fd);
		}
		answer_due(&answers);
	}
}

int responder_start(struct responder *responder, int64_t delay_ns, const cpu_set_t *cpus)
{
	struct sched_param priority = { .sched_priority = 1 };
	pid_t parent = getpid();
	int rc = net_parse("127.0.0.1:0", &responder->address);
	int listen_fd = rc == 0 ? net_listen(&responder->address, 0) : rc;

	if (listen_fd < 0)
		return listen_fd;
	responder->pid = fork();
	if (responder->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, SIG_IGN); /* for the parent to act on */
		signal(SIGTERM, SIG_DFL);
		if (getppid() != parent)
			_exit(1);
		if (cpus)
			cpus_bind(cpus);
		/* Who else runs there is not the way's doing; without the right to it, so be it. */
		sched_setscheduler(0, SCHED_RR, &priority);
		respond(listen_fd, delay_ns);
	}
	rc = responder->pid < 0 ? -errno : 0;
	close(listen_fd);
	return rc;
}

void responder_stop(struct responder *responder)
{
	kill(responder->pid, SIGKILL);
	while (waitpid(responder->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
