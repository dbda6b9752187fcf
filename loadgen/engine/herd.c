#include "loadgen/engine/herd.h"
#include "common/clock.h"
#include "loadgen/engine/holder.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TICK_MS = 100,
	QUIET_NS = 2LL * NS_PER_S, /* as long, no progress is told */
};

/* How many children it takes, or -errno. */
static int count_children(const struct herd_config *config, char *why, size_t size)
{
	int64_t ports = net_local_ports();
	int64_t each;
	int64_t needed;
	int64_t hard;

	net_need_descriptors(0, &hard);
	each = hard - HOLDER_SPARE_DESCRIPTORS;
	if (!net_is_loopback(&config->address) && config->count > ports) {
		snprintf(why, size,
			 "%lld idle connections need as many local ports, and there are %lld "
			 "(sysctl net.ipv4.ip_local_port_range; only a target in 127.0.0.0/8 is "
			 "connected to from several addresses)",
			 (long long)config->count, (long long)ports);
		return -EADDRNOTAVAIL;
	}
	if (each > ports)
		each = ports;
	needed = each > 0 ? (config->count + each - 1) / each : INT64_MAX;
	if (needed > HERD_CHILDREN_MAX) {
		snprintf(why, size,
			 "%lld idle connections are too many: %d processes hold them at the most, "
			 "with %lld file descriptors each (ulimit -Hn)",
			 (long long)config->count, HERD_CHILDREN_MAX, (long long)hard);
		return -EMFILE;
	}
	return (int)needed;
}

static int start_child(struct herd *herd, const struct herd_config *config, int64_t count)
{
	struct net_address source = net_loopback_source((uint32_t)herd->children);
	struct herd_child *child = &herd->child[herd->children];
	pid_t parent = getpid();
	int lines[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lines) != 0)
		return -errno;
	*child = (struct herd_child){ .pid = fork(), .line = lines[0] };
	if (child->pid == 0)
		holder_run(config, net_is_loopback(&config->address) ? &source : NULL, count,
			   lines[1], parent);
	close(lines[1]);
	if (child->pid < 0) {
		close(lines[0]);
		return -EAGAIN;
	}
	herd->children++;
	return 0;
}

static int64_t count_served(const struct herd *herd)
{
	int64_t served = 0;

	for (int i = 0; i < herd->children; i++)
		served += herd->child[i].served;
	return served;
}

/* False when it has no more to say. */
static bool receive_word(const struct herd_child *child, struct holder_word *word)
{
	ssize_t rc;

	do
		rc = recv(child->line, word, sizeof(*word), 0);
	while (rc < 0 && errno == EINTR);
	return rc == sizeof(*word);
}

/* Take in a child's word. Returns 0, or -errno with the reason. */
static int hear(struct herd_child *child, char reason[HOLDER_REASON_MAX])
{
	struct holder_word word;

	if (!receive_word(child, &word)) {
		snprintf(reason, HOLDER_REASON_MAX, "a process that held some has ended");
		return -ECHILD;
	}
	child->served = word.served;
	snprintf(reason, HOLDER_REASON_MAX, "%s", word.reason);
	return word.error;
}

static int await_service(struct herd *herd, const struct herd_config *config,
			 char reason[HOLDER_REASON_MAX])
{
	int64_t next_progress_ns = clock_now_ns() + QUIET_NS;
	struct pollfd lines[HERD_CHILDREN_MAX];
	int rc = 0;

	for (int i = 0; i < herd->children; i++)
		lines[i] = (struct pollfd){ herd->child[i].line, POLLIN, 0 };
	while (rc == 0 && count_served(herd) < config->count) {
		int ready = poll(lines, (nfds_t)herd->children, TICK_MS);

		if (config->stop && atomic_load(config->stop)) {
			snprintf(reason, HOLDER_REASON_MAX, "interrupted");
			return -EINTR;
		}
		for (int i = 0; rc == 0 && ready > 0 && i < herd->children; i++)
			if (lines[i].revents)
				rc = hear(&herd->child[i], reason);
		if (config->on_progress && clock_now_ns() >= next_progress_ns) {
			config->on_progress(config->context, count_served(herd));
			next_progress_ns = clock_now_ns() + TICK_MS * (int64_t)NS_PER_MS;
		}
	}
	return rc;
}

static void reap(struct herd_child *child)
{
	close(child->line);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void abandon(struct herd *herd)
{
	for (int i = 0; i < herd->children; i++)
		kill(herd->child[i].pid, SIGKILL);
	for (int i = 0; i < herd->children; i++)
		reap(&herd->child[i]);
	herd->children = 0;
}

int herd_start(struct herd *herd, const struct herd_config *config, char *why, size_t size)
{
	char reason[HOLDER_REASON_MAX] = "";
	int children;
	int rc = 0;

	herd->children = 0;
	children = count_children(config, why, size);
	if (children < 0)
		return children;
	for (int i = 0; rc == 0 && i < children; i++) {
		rc = start_child(herd, config,
				 config->count * (i + 1) / children - config->count * i / children);
		if (rc != 0)
			snprintf(reason, sizeof(reason), "no process: %s", strerror(-rc));
	}
	if (rc == 0)
		rc = await_service(herd, config, reason);
	if (rc != 0) {
		snprintf(why, size, "%lld of %lld idle connections were served: %s",
			 (long long)count_served(herd), (long long)config->count, reason);
		abandon(herd);
	}
	return rc;
}

/* What the child says last. One that is not there any more has lost all. */
static int64_t hear_lost(const struct herd_child *child)
{
	struct holder_word word;

	return receive_word(child, &word) ? word.lost : child->served;
}

int64_t herd_end(struct herd *herd)
{
	int64_t lost = 0;

	for (int i = 0; i < herd->children; i++)
		shutdown(herd->child[i].line, SHUT_WR);
	for (int i = 0; i < herd->children; i++) {
		lost += hear_lost(&herd->child[i]);
		reap(&herd->child[i]);
	}
	herd->children = 0;
	return lost;
}
