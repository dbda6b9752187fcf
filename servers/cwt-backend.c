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

/* Returns 0, or the usage status when they make no sense together. */
static int check_faults(const struct option_table *table, struct faults *faults, const char *drift)
{
	if (options_find(table, "stall")->given != options_find(table, "every")->given)
		return options_complain(table,
					"--stall and --every go together: a pause of --stall "
					"at the end of each --every");
	if (faults->stall_ns > 0 && faults->stall_ns >= faults->every_ns)
		return options_complain(table, "--stall must be shorter than --every: there would "
					       "be no time for answers");
	if (drift && faults_parse_drift(drift, &faults->drift) != 0)
		return options_complain(table,
					"--drift %s: want a share above 0 such as 10%% or "
					"0.1",
					drift);
	if (faults->reset_every == 1 && faults->status_every > 0)
		return options_complain(table, "--status-every: with --reset-every 1 there are no "
					       "replies");
	return 0;
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
	int64_t seed = clock_now_ns();
	int distribution = SERVICE_CONSTANT;
	struct faults *faults = &server.faults;
	const char *drift = NULL;
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
		{ "seed", OPTION_COUNT, &seed, "N",
		  "of exponential delays: the n-th connection's are the same in every run\n"
		  "[taken from the clock]",
		  .hide_default = true },
		{ "busy", OPTION_FLAG, &server.busy, NULL,
		  "never sleep, so that delays are exact to some us: for a processor of its own" },
		{ "stall", OPTION_DURATION, &faults->stall_ns, "TIME",
		  "answer nothing for so long, neither read, write nor accept, at the end of each "
		  "period of --every, which count from the first request",
		  .least = NS_PER_US, .hide_default = true },
		{ "every", OPTION_DURATION, &faults->every_ns, "TIME", "see --stall",
		  .least = NS_PER_US, .hide_default = true },
		{ "drift", OPTION_TEXT, &drift, "RATE",
		  "let each delay grow by this share of itself, such as 10% or 0.1, for each "
		  "second since the first request",
		  .hide_default = true },
		{ "reset-every", OPTION_COUNT, &faults->reset_every, "K",
		  "answer each K-th request with a reset of its connection", .least = 1,
		  .hide_default = true },
		{ "status-every", OPTION_COUNT, &faults->status_every, "K",
		  "make the status of each K-th reply 503", .least = 1, .hide_default = true },
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
			 "hand, status 0.\n\n"
			 "--stall, --drift, --reset-every and --status-every are faults on "
			 "purpose; with them there\n"
			 "is one process. It counts requests with a delay, in the order of their "
			 "answers; those\n"
			 "that are refused for what they say do not count.",
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
	if (check_faults(&table, faults, drift) != 0)
		return 2;
	server.service.distribution = (enum service_distribution)distribution;
	if (server_deal_seeds(&server, (uint64_t)seed) != 0)
		return options_fail("cwt-backend", "out of memory");
	net_need_descriptors(connections + SPARE_DESCRIPTORS, &hard);
	net_need_descriptors(hard < connections ? hard : connections + SPARE_DESCRIPTORS, &hard);
	server.connections_most = hard - SPARE_DESCRIPTORS;
	/* Faults are one process's: several would stall and count each by itself. */
	if (faults_are_any(faults) && !options_find(&table, "connections")->given &&
	    connections > server.connections_most && server.connections_most > 0)
		connections = server.connections_most;
	count = server.connections_most > 0
			? (connections + server.connections_most - 1) / server.connections_most
			: PROCESSES_MOST + 1;
	if (count > PROCESSES_MOST)
		return options_complain(
			&table,
			"--connections %lld: that is more than %d processes of %lld file "
			"descriptors each (ulimit -Hn)",
			(long long)connections, PROCESSES_MOST, (long long)hard);
	if (count > 1 && faults_are_any(faults))
		return options_complain(
			&table,
			"--connections %lld: faults are one process's, and one has %lld file "
			"descriptors (ulimit -Hn)",
			(long long)connections, (long long)hard);
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
