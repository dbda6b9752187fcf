#include "servers/overhead.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/net.h"
#include "servers/evented.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CONNECTIONS = 32,
	KNOWN_WORK_NS = 50 * NS_PER_US,
	WARM_UP_NS = 50 * NS_PER_MS,
	WINDOW_NS = 200 * NS_PER_MS,
};

static const int64_t patience_ns = 5LL * NS_PER_S;

struct child {
	pid_t pid;
	struct net_address address;
};

/* Start an evented server of `service` on a port of its own. */
static int start_child(struct child *child, const struct service *service,
		       const struct net_address *upstream, const cpu_set_t *cpus)
{
	struct server server = {
		.service = *service,
		.client_patience_ns = patience_ns,
		.backend_patience_ns = patience_ns,
	};
	int rc = net_parse("127.0.0.1:0", &server.listen);

	if (rc != 0)
		return rc;
	if (upstream)
		server.upstream = *upstream;
	server.listen_fd = net_listen(&server.listen, NET_NONBLOCKING);
	if (server.listen_fd < 0)
		return server.listen_fd;
	child->address = server.listen;
	child->pid = fork();
	if (child->pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || cpus_bind(cpus) != 0)
			_exit(1);
		_exit(evented_run(&server) == 0 ? 0 : 1);
	}
	rc = child->pid < 0 ? -errno : 0;
	close(server.listen_fd);
	return rc;
}

static void end_child(struct child *child)
{
	if (child->pid <= 0)
		return;
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* One request on every connection, then one reply from each. Returns 0 or -errno. */
static int drive_round(const int *fds)
{
	static const char request[] = "GET /delay/0 HTTP/1.1\r\nHost: overhead\r\n\r\n";
	char reply[1024];

	for (int i = 0; i < CONNECTIONS; i++)
		if (write(fds[i], request, sizeof(request) - 1) != (ssize_t)sizeof(request) - 1)
			return -EIO;
	for (int i = 0; i < CONNECTIONS; i++) {
		ssize_t got = read(fds[i], reply, sizeof(reply));

		if (got < 12 || memcmp(reply + 9, "200", 3) != 0)
			return -EIO;
	}
	return 0;
}

/* Drive for `ns`; *requests counts what was answered. */
static int drive(const int *fds, int64_t ns, int64_t *requests)
{
	int64_t end = clock_now_ns() + ns;
	int rc = 0;

	for (*requests = 0; rc == 0 && clock_now_ns() < end; *requests += CONNECTIONS)
		rc = drive_round(fds);
	return rc;
}

static int meter(const struct child *child, int64_t *cpu_per_request)
{
	int fds[CONNECTIONS];
	int opened = 0;
	int64_t before;
	int64_t after;
	int64_t requests;
	int rc = 0;

	while (rc == 0 && opened < CONNECTIONS) {
		int fd = net_connect(&child->address, patience_ns, NULL);

		if (fd < 0)
			rc = fd;
		else
			fds[opened++] = fd;
	}
	if (rc == 0)
		rc = drive(fds, WARM_UP_NS, &requests);
	if (rc == 0)
		rc = clock_process_cpu_ns(child->pid, &before);
	if (rc == 0)
		rc = drive(fds, WINDOW_NS, &requests);
	if (rc == 0)
		rc = clock_process_cpu_ns(child->pid, &after);
	if (rc == 0)
		*cpu_per_request = (after - before) / requests;
	while (opened > 0)
		close(fds[--opened]);
	return rc;
}

/* The processors of `allowed` that are not in `cpus`, or all of them if none is left. */
static cpu_set_t others(const cpu_set_t *allowed, const cpu_set_t *cpus)
{
	cpu_set_t rest;

	CPU_XOR(&rest, allowed, cpus);
	CPU_AND(&rest, &rest, allowed);
	return CPU_COUNT(&rest) > 0 ? rest : *allowed;
}

int overhead_meter(const struct service *service, const cpu_set_t *cpus, int64_t *ns)
{
	struct service reference = *service;
	const struct service backend = { .kind = SERVICE_DELAY, .wait = WAIT_TIMER };
	bool calls = service->kind == SERVICE_PROXY || service->wait == WAIT_BACKEND;
	struct child stub = { 0 };
	struct child server = { 0 };
	cpu_set_t before;
	cpu_set_t rest;
	int rc = cpus_allowed(&before);

	if (rc != 0)
		return rc;
	reference.distribution = SERVICE_CONSTANT;
	reference.work = work_make(WORK_CLOCK, KNOWN_WORK_NS, 0);
	reference.wait_ns = 0;
	service_set_call(&reference, 0);
	rest = others(&before, cpus);
	cpus_bind(&rest);
	if (calls)
		rc = start_child(&stub, &backend, NULL, &rest);
	if (rc == 0)
		rc = start_child(&server, &reference, calls ? &stub.address : NULL, cpus);
	if (rc == 0)
		rc = meter(&server, ns);
	end_child(&server);
	end_child(&stub);
	cpus_bind(&before);
	if (rc == 0)
		*ns = *ns > KNOWN_WORK_NS ? *ns - KNOWN_WORK_NS : 0;
	return rc;
}
