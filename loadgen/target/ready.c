#include "loadgen/target/ready.h"
#include "common/clock.h"
#include "loadgen/target/meter.h"
#include "loadgen/target/tree.h"
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	POLL_NS = 10 * NS_PER_MS,
	CONNECT_NS = 1000 * NS_PER_MS,
	LOOK_NS = 100 * NS_PER_MS,      /* between two looks at the process */
	QUIET_NS = 2 * NS_PER_MS,       /* of CPU in that time, for each, */
	QUIET_MOST_NS = 20 * NS_PER_MS, /* and for all */
	LINE_MAX_BYTES = 128,
	REQUEST_MAX = 1200,
	PORTS_MAX = 8,
	LISTEN_STATE = 0x0A, /* in /proc/net/tcp */
};

/* Where it listens */

struct ports {
	int list[PORTS_MAX];
	int count;
};

static void add_port(struct ports *ports, int port)
{
	for (int i = 0; i < ports->count; i++)
		if (ports->list[i] == port)
			return;
	if (ports->count < PORTS_MAX)
		ports->list[ports->count++] = port;
}

/* The port that a socket listens on, by the kernel's list; 0 if it listens on none. */
static int port_of(unsigned long inode)
{
	static const char *const lists[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	int port = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && port == 0; i++) {
		FILE *list = fopen(lists[i], "re");
		char line[256];

		while (list && fgets(line, sizeof(line), list)) {
			unsigned local;
			unsigned state;
			unsigned long its_inode;

			if (sscanf(line, "%*s %*[0-9A-F]:%x %*s %x %*s %*s %*s %*s %*s %lu", &local,
				   &state, &its_inode) == 3 &&
			    state == LISTEN_STATE && its_inode == inode)
				port = (int)local;
		}
		if (list)
			fclose(list);
	}
	return port;
}

static void add_ports_of(pid_t pid, void *context)
{
	char path[64];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	if (!folder)
		return;
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		char target[64] = "";
		unsigned long inode;
		int port;

		if (readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1) <= 0 ||
		    sscanf(target, "socket:[%lu]", &inode) != 1)
			continue;
		port = port_of(inode);
		if (port > 0)
			add_port(context, port);
	}
	closedir(folder);
}

static void tell_ports(pid_t pid, const struct net_address *address, int64_t patience_ns,
		       char why[READY_WHY_MAX])
{
	char text[NET_TEXT_MAX];
	struct ports ports = { .count = 0 };
	int used = snprintf(why, READY_WHY_MAX, "it does not answer on %s within %lld s",
			    net_format(address, text), (long long)(patience_ns / NS_PER_S));

	tree_visit(pid, add_ports_of, &ports);
	if (ports.count == 0) {
		snprintf(why + used, (size_t)(READY_WHY_MAX - used), ", nor listens on any port");
		return;
	}
	for (int i = 0; i < ports.count && used < READY_WHY_MAX; i++)
		used += snprintf(why + used, (size_t)(READY_WHY_MAX - used), "%s%d",
				 i == 0 ? "; it listens on port " : ", ", ports.list[i]);
	if (used < READY_WHY_MAX)
		snprintf(why + used, (size_t)(READY_WHY_MAX - used), " (has its command {port}?)");
}

/* What it answers */

struct wait {
	const struct process *process;
	int64_t deadline_ns;
	const atomic_bool *stop;
};

static bool goes_on(const struct wait *wait)
{
	return clock_now_ns() < wait->deadline_ns && !process_has_ended(wait->process) &&
	       !(wait->stop && atomic_load(wait->stop));
}

/*
 * The status line of an answer to GET `path`, which may take as long as the wait. Returns the
 * status, or 0 for none.
 */
static int ask(const struct wait *wait, const struct net_address *address, const char *path,
	       char line[LINE_MAX_BYTES])
{
	char request[REQUEST_MAX];
	char text[NET_TEXT_MAX];
	size_t length = 0;
	int status = 0;
	int fd = net_connect(address, CONNECT_NS, NULL);

	line[0] = '\0';
	if (fd < 0)
		return 0;
	net_set_timeout(fd, SO_RCVTIMEO, LOOK_NS);
	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path,
		 net_format(address, text));
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request)) {
		ssize_t rc = 1;

		while (rc > 0 && length + 1 < LINE_MAX_BYTES) {
			rc = recv(fd, line + length, LINE_MAX_BYTES - 1 - length, 0);
			length += rc > 0 ? (size_t)rc : 0;
			if (memchr(line, '\n', length))
				break;
			if (rc < 0 && errno == EAGAIN && goes_on(wait))
				rc = 1;
		}
	}
	close(fd);
	line[length] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (sscanf(line, "HTTP/%*d.%*d %d", &status) != 1)
		return 0;
	return status;
}

/* Why it does not go on before its time: -EPIPE or -EINTR; 0 if the time is over. */
static int end_of(const struct wait *wait, char why[READY_WHY_MAX])
{
	if (process_has_ended(wait->process)) {
		snprintf(why, READY_WHY_MAX, "it ended before it was ready");
		return -EPIPE;
	}
	if (!wait->stop || !atomic_load(wait->stop))
		return 0;
	snprintf(why, READY_WHY_MAX, "interrupted before it was ready");
	return -EINTR;
}

int ready_await(const struct process *process, const struct net_address *address, const char *path,
		int64_t patience_ns, const atomic_bool *stop, char why[READY_WHY_MAX])
{
	struct wait wait = { process, clock_now_ns() + patience_ns, stop };
	char line[LINE_MAX_BYTES] = "";
	int status = 0;
	int rc;

	do {
		char answer[LINE_MAX_BYTES];
		int now = ask(&wait, address, path, answer);

		if (now >= 200 && now < 400)
			return 0;
		if (now > 0) {
			status = now;
			snprintf(line, sizeof(line), "%s", answer);
		}
		clock_sleep_until(clock_now_ns() + POLL_NS);
	} while (goes_on(&wait));
	rc = end_of(&wait, why);
	if (rc != 0)
		return rc;
	if (status > 0) {
		snprintf(why, READY_WHY_MAX, "it answers GET %s with '%s'", path, line);
		return -EPROTO;
	}
	tell_ports(process->pid, address, patience_ns, why);
	return -ETIMEDOUT;
}

static void count_one(pid_t pid, void *context)
{
	int64_t *count = context;

	(void)pid;
	(*count)++;
}

int ready_await_processes(const struct process *process, int64_t count, int64_t patience_ns,
			  const atomic_bool *stop, char why[READY_WHY_MAX])
{
	struct wait wait = { process, clock_now_ns() + patience_ns, stop };
	int64_t used_ns = 0;
	int64_t has = 0;
	int rc;

	while (goes_on(&wait)) {
		int64_t before_ns = used_ns;
		int64_t quiet_ns;

		has = 0;
		tree_visit(process->pid, count_one, &has);
		quiet_ns = QUIET_NS * has < QUIET_MOST_NS ? QUIET_NS * has : QUIET_MOST_NS;
		if (meter_cpu_ns(process->pid, &used_ns) == 0 && has >= count && before_ns > 0 &&
		    used_ns - before_ns <= quiet_ns)
			return 0;
		clock_sleep_until(clock_now_ns() + LOOK_NS);
	}
	rc = end_of(&wait, why);
	if (rc != 0)
		return rc;
	snprintf(why, READY_WHY_MAX, "it has %lld of %lld processes after %lld s, or they are busy",
		 (long long)has, (long long)count, (long long)(patience_ns / NS_PER_S));
	return -ETIMEDOUT;
}
