/*
 * cwt-backend: answers each request after the delay that its path names. It stands for the
 * database, or for whatever a server waits for.
 *
 * One process, or as many as the limit of descriptors makes necessary for --connections; they
 * share the listening socket.
 */
#include "common/clock.h"
#include "common/cpus.h"
#include "common/options.h"
#include "servers/evented.h"
#include "servers/workers.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { SPARE_DESCRIPTORS = 64, PROCESSES_MOST = 64 };

static const char *const distribution_names[] = { "constant", "exponential", NULL };

static int run_workers(const struct server *server, int count)
{
	int listen_fds[PROCESSES_MOST];

	for (int i = 0; i < count; i++)
		listen_fds[i] = server->listen_fd;
	return workers_run("cwt-backend", server, listen_fds, count) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct server server = {
		.service = { .kind = SERVICE_DELAY, .wait = WAIT_TIMER, .body_most = 1LL << 30 },
		.client_patience_ns = 3600LL * NS_PER_S,
		.backend_patience_ns = 3600LL * NS_PER_S,
	};
	int64_t connections = 20000;
	int64_t hard;
	int distribution = DELAY_CONSTANT;
	cpu_set_t cpus;
	char text[NET_TEXT_MAX];
	struct option_spec specs[] = {
		{ "listen", OPTION_ADDRESS, &server.listen, "ADDR", "port 0: any free one" },
		{ "connections", OPTION_COUNT, &connections, "N",
		  "be ready for so many; past the limit of descriptors that takes more processes",
		  .least = 1, .most = 1000000 },
		{ "dist", OPTION_CHOICE, &distribution, NULL,
		  "how the delays of requests that don't say are distributed",
		  .choices = distribution_names },
		{ "client-timeout", OPTION_DURATION, &server.client_patience_ns, "TIME",
		  "for each sign of life of a client", .least = NS_PER_MS },
		{ "cpus", OPTION_CPUS, &cpus, "LIST", "processors to run on, such as 1\n[all]",
		  .hide_default = true },
	};
	struct option_table table = {
		.program = "cwt-backend",
		.usage = "[OPTION]...",
		.about = "Answers GET /delay/TIME[?bytes=N][&dist=constant|exponential] after "
			 "TIME, as in\n"
			 "/delay/9900us, with N bytes of content.",
		.notes = "Prints 'ready HOST:PORT' when it accepts. SIGTERM: finishes what it has "
			 "in "
			 "hand, status 0.",
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int64_t count;
	int operands;

	signal(SIGPIPE, SIG_IGN);
	net_parse("127.0.0.1:0", &server.listen);
	switch (options_parse(&table, argc, argv, &operands)) {
	case OPTIONS_HELP:
		return 0;
	case OPTIONS_USAGE:
		return 2;
	case OPTIONS_OK:
		break;
	}
	if (operands < argc)
		return options_complain(&table, "what is '%s'? only options are expected",
					argv[operands]);
	if (options_find(&table, "cpus")->given && cpus_bind(&cpus) != 0)
		return options_complain(&table,
					"--cpus: none of these processors can be used here");
	server.service.distribution = (enum delay_distribution)distribution;
	net_need_descriptors(connections + SPARE_DESCRIPTORS, &hard);
	net_need_descriptors(hard < connections ? hard : connections + SPARE_DESCRIPTORS, &hard);
	server.connections_most = hard - SPARE_DESCRIPTORS;
	count = server.connections_most > 0
			? (connections + server.connections_most - 1) / server.connections_most
			: PROCESSES_MOST + 1;
	if (count > PROCESSES_MOST)
		return options_complain(
			&table,
			"--connections %lld: that is more than %d processes of %lld file "
			"descriptors each (ulimit -Hn)",
			(long long)connections, PROCESSES_MOST, (long long)hard);
	server.listen_fd = net_listen(&server.listen, NET_NONBLOCKING);
	if (server.listen_fd < 0)
		return options_complain(&table, "--listen %s: %s%s",
					net_format(&server.listen, text),
					strerror(-server.listen_fd),
					server.listen_fd == -EADDRINUSE
						? " (stop what listens there, or take port 0)"
						: "");
	if (count > 1)
		return run_workers(&server, (int)count);
	return evented_run(&server) == 0 ? 0 : 1;
}
