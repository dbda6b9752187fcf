/* cwt-server: one architecture, one service. */
#include "common/clock.h"
#include "common/cpus.h"
#include "common/options.h"
#include "common/random.h"
#include "common/units.h"
#include "servers/arch/arch.h"
#include "servers/overhead.h"
#include "servers/slice.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STACK_DEFAULT = 1 << 20 };
#else
enum { STACK_DEFAULT = 64 * 1024 };
#endif

enum {
	STACK_LEAST = 48 * 1024, /* two buffers of 16 KiB, and the calls */
	ARCHS_MOST = 16,
	SPARE_DESCRIPTORS = 16,
	UNSET = -1,
};

/* The command line, before it is checked. */
struct request {
	int arch;
	int service;
	int wait;
	int work;
	int accepts;
	int events;
	int replies;
	int distribution;
	int64_t active;
	int64_t threads;
	int64_t footprint;
	int64_t cpu_ns;
	int64_t wall_ns;
	int64_t overhead_ns;
	int64_t stack_bytes;
	int64_t slice_ns; /* 0: the scheduler's */
	int64_t body_most;
	int64_t seed;
	int64_t client_patience_ns;
	int64_t backend_patience_ns;
	struct net_address listen;
	struct net_address upstream;
	cpu_set_t cpus;
};

static const char *const accept_names[] = { "own", "shared", NULL };
static const char *const event_names[] = { "epoll", "poll", "select", NULL };
static const char *const reply_names[] = { "worker", "listener", NULL };
static const char *const distribution_names[] = { "constant", "exponential", NULL };
static const char *const service_names[] = { "app", "proxy", NULL };
static const char *const wait_names[] = { "backend", "timer", "none", NULL };
static const char *const work_names[] = { "clock", "ops", NULL };
static const char *arch_names[ARCHS_MOST];
static char arch_notes[2048] = "architectures:\n";

/* The lists for --arch and --help, from the one list of architectures. */
static void list_archs(void)
{
	size_t used = strlen(arch_notes);

	for (size_t i = 0; arch_list[i] && i + 1 < ARCHS_MOST; i++) {
		arch_names[i] = arch_list[i]->name;
		used += (size_t)snprintf(arch_notes + used, sizeof(arch_notes) - used,
					 "  %-10s %s\n", arch_list[i]->name, arch_list[i]->summary);
	}
	snprintf(arch_notes + used, sizeof(arch_notes) - used,
		 "\n"
		 "Prints 'ready HOST:PORT' when it accepts. SIGTERM: finishes what it has in hand, "
		 "status 0.\n"
		 "Example: cwt-server --arch pool --threads 25 --cpu 5ms --wall 100ms");
}

#define GIVEN(name) options_find(table, name)->given

/* The options that only some architectures have a use for. */
static const struct {
	const char *option;
	enum arch_knobs knob;
	const char *what;
} knobs[] = {
	{ "threads", ARCH_THREADS, "threads" },
	{ "stack", ARCH_STACK, "stacks" },
	{ "accept", ARCH_ACCEPT, "way to accept" },
	{ "events", ARCH_EVENTS, "way to await events" },
	{ "reply", ARCH_REPLY, "choice of who replies" },
	{ "active", ARCH_ACTIVE, "limit of working threads" },
};

/* Refuse what says how times are drawn, where none is. */
static int refuse_undrawn(const struct option_table *table, const struct request *request)
{
	bool proxy = request->service == SERVICE_PROXY;

	if (GIVEN("seed") && request->distribution == SERVICE_CONSTANT)
		return options_complain(table, "--seed: without --distribution exponential nothing "
					       "is random");
	if (!GIVEN("distribution") || request->cpu_ns > 0)
		return 0;
	if (proxy)
		return options_complain(table, "--distribution: --service proxy has no wait of its "
					       "own, and without --cpu no work");
	if (request->wall_ns == 0)
		return options_complain(table, "--distribution: without --cpu and --wall there is "
					       "neither work nor wait");
	return 0;
}

/* Refuse options that the rest of the command line leaves without a use. */
static int refuse_useless(const struct option_table *table, const struct request *request)
{
	const struct arch *arch = arch_list[request->arch];
	bool proxy = request->service == SERVICE_PROXY;

	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
		if (GIVEN(knobs[i].option) && !(arch->knobs & knobs[i].knob))
			return options_complain(table, "--%s: --arch %s has no %s to set",
						knobs[i].option, arch->name, knobs[i].what);
	if (GIVEN("wait") && proxy)
		return options_complain(table,
					"--wait: --service proxy waits for its upstream alone");
	if (GIVEN("upstream") && !proxy && request->wait != WAIT_BACKEND)
		return options_complain(table, "--upstream: with --wait %s nothing is called",
					wait_names[request->wait]);
	if (GIVEN("overhead") && request->cpu_ns == 0)
		return options_complain(table, "--overhead: without --cpu there is no work to take "
					       "it off");
	if (GIVEN("overhead") && request->work == WORK_OPS)
		return options_complain(table, "--overhead: --work ops is a fixed number of "
					       "operations, and nothing is taken off");
	if (GIVEN("work") && request->cpu_ns == 0)
		return options_complain(table, "--work: without --cpu there is no work");
	if (request->footprint > 0 && request->cpu_ns == 0)
		return options_complain(table,
					"--footprint: without --cpu there is no work to touch it");
	return refuse_undrawn(table, request);
}

/* What is left of the wait's kind when it is not said: whatever w - c needs and can have. */
static void choose_wait(const struct option_table *table, struct request *request)
{
	if (request->service == SERVICE_PROXY || (request->wait == UNSET && GIVEN("upstream")))
		request->wait = WAIT_BACKEND;
	else if (request->wait == UNSET)
		request->wait = request->wall_ns > request->cpu_ns ? WAIT_TIMER : WAIT_NONE;
}

/* A drawn wait can be many times its mean, and is to end before patience does. */
static int check_longest_wait(const struct option_table *table, const struct request *request)
{
	int64_t longest_ns = (request->wall_ns - request->cpu_ns) * RANDOM_EXPONENTIAL_MOST;
	char longest[UNITS_TEXT_MAX];
	char patience[UNITS_TEXT_MAX];

	if (request->distribution != SERVICE_EXPONENTIAL || request->wait != WAIT_BACKEND ||
	    longest_ns <= request->backend_patience_ns)
		return 0;
	units_format_duration(longest, (double)longest_ns);
	units_format_duration(patience, (double)request->backend_patience_ns);
	return options_complain(table,
				"--distribution exponential: a wait can be %d times its mean, %s, "
				"and --upstream-timeout is %s",
				RANDOM_EXPONENTIAL_MOST, longest, patience);
}

static int check_times(const struct option_table *table, struct request *request)
{
	char c[UNITS_TEXT_MAX];
	char w[UNITS_TEXT_MAX];

	if (!GIVEN("wall"))
		request->wall_ns = request->cpu_ns;
	units_format_duration_exact(c, request->cpu_ns);
	units_format_duration_exact(w, request->wall_ns);
	if (request->wall_ns < request->cpu_ns)
		return options_complain(table, "--wall %s is less than --cpu %s: w includes c", w,
					c);
	choose_wait(table, request);
	if (request->wait == WAIT_NONE && request->wall_ns > request->cpu_ns)
		return options_complain(table,
					"--wall %s is more than --cpu %s: that needs --wait "
					"backend or timer",
					w, c);
	if (request->wait == WAIT_BACKEND && !GIVEN("upstream"))
		return options_complain(table,
					"--%s: needs --upstream HOST:PORT, such as that of a "
					"cwt-backend",
					request->service == SERVICE_PROXY ? "service proxy"
									  : "wait backend");
	if (request->wait == WAIT_BACKEND && request->wall_ns > request->backend_patience_ns)
		return options_complain(table, "--wall %s is longer than --upstream-timeout allows",
					w);
	return check_longest_wait(table, request);
}

static int check(const struct option_table *table, struct request *request)
{
	int rc;

	if (!GIVEN("arch"))
		return options_complain(table, "which architecture? --arch NAME");
	rc = check_times(table, request);
	return rc != 0 ? rc : refuse_useless(table, request);
}

/* c is everything that a request costs: leave for the work what the rest of it doesn't take. */
static int set_work(const struct option_table *table, struct request *request,
		    struct service *service)
{
	char c[UNITS_TEXT_MAX];
	char o[UNITS_TEXT_MAX];

	if (request->cpu_ns == 0)
		return 0;
	if (request->work == WORK_OPS) {
		request->overhead_ns =
			0; /* a fixed number of operations, whatever a request costs */
	} else if (!GIVEN("overhead")) {
		int rc = overhead_meter(service, &request->cpus, &request->overhead_ns);

		if (rc != 0)
			return options_fail(
				table->program,
				"metering the cost of a request failed: %s (give it with "
				"--overhead)",
				strerror(-rc));
		fprintf(stderr, "%s: a request costs %s before any work (o_ref, metered)\n",
			table->program, units_format_duration(o, (double)request->overhead_ns));
	}
	if (request->cpu_ns < request->overhead_ns)
		return options_complain(table,
					"--cpu %s is below what a request costs here before any "
					"work, %s",
					units_format_duration(c, (double)request->cpu_ns),
					units_format_duration(o, (double)request->overhead_ns));
	service->work = work_make((enum work_kind)request->work,
				  request->cpu_ns - request->overhead_ns, request->footprint);
	return 0;
}

static int check_descriptors(const struct option_table *table, const struct request *request)
{
	const struct arch *arch = arch_list[request->arch];
	int64_t each = request->wait == WAIT_BACKEND ? 2 : 1;
	int64_t needed = SPARE_DESCRIPTORS;
	int64_t hard;

	if ((arch->knobs & ARCH_THREADS) && !arch->processes)
		needed += request->threads * each;
	if (net_need_descriptors(needed, &hard) != 0)
		return options_complain(table,
					"--threads %lld: needs %lld file descriptors, and the hard "
					"limit is %lld (ulimit -Hn)",
					(long long)request->threads, (long long)needed,
					(long long)hard);
	net_need_descriptors(hard, &hard);
	return 0;
}

/* A port that is shared among the server's own sockets is not to be another server's as well. */
static int listen_alone(struct net_address *address, unsigned flags)
{
	int probe = flags & NET_SHARED ? net_listen(address, flags & ~(unsigned)NET_SHARED) : 0;

	if (probe < 0)
		return probe;
	if (probe > 0)
		close(probe);
	return net_listen(address, flags);
}

static int serve(const struct option_table *table, struct request *request)
{
	const struct arch *arch = arch_list[request->arch];
	struct server server = {
		.service = { .kind = (enum service_kind)request->service,
			     .wait = (enum service_wait)request->wait,
			     .wait_ns = request->wall_ns - request->cpu_ns,
			     .distribution = (enum service_distribution)request->distribution,
			     .body_most = request->body_most },
		.listen = request->listen,
		.upstream = request->upstream,
		.accepts = (enum server_accepts)request->accepts,
		.events = (enum server_events)request->events,
		.replies = (enum server_replies)request->replies,
		.active = request->active,
		.threads = request->threads,
		.stack_bytes = request->stack_bytes,
		.client_patience_ns = request->client_patience_ns,
		.backend_patience_ns = request->backend_patience_ns,
	};
	char text[NET_TEXT_MAX];
	int rc;

	service_set_call(&server.service, server.service.wait_ns);
	rc = check_descriptors(table, request);
	if (rc != 0)
		return rc;
	if (request->distribution == SERVICE_EXPONENTIAL &&
	    server_deal_seeds(&server, (uint64_t)request->seed) != 0)
		return options_fail(table->program, "out of memory");
	server.listen_fd = listen_alone(&server.listen, arch->listen);
	if (server.listen_fd < 0)
		return options_complain(table, "--listen %s: %s%s",
					net_format(&server.listen, text),
					strerror(-server.listen_fd),
					server.listen_fd == -EADDRINUSE
						? " (stop what listens there, or take port 0)"
						: "");
	rc = set_work(table, request, &server.service);
	if (rc != 0)
		return rc;
	if (GIVEN("cpus") && cpus_bind(&request->cpus) != 0)
		return options_complain(table, "--cpus: none of these processors can be used here");
	cpus_allowed(&request->cpus);
	server.cores = CPU_COUNT(&request->cpus);
	if (arch->cores && !GIVEN("threads"))
		server.threads = server.cores;
	return arch->run(&server) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct request request = {
		.wait = UNSET,
		.threads = 25,
		.stack_bytes = STACK_DEFAULT,
		.body_most = 1LL << 30,
		.seed = clock_now_ns(),
		.client_patience_ns = 60LL * NS_PER_S,
		.backend_patience_ns = 60LL * NS_PER_S,
	};
	struct option_spec specs[] = {
		{ "arch", OPTION_CHOICE, &request.arch, NULL, "who waits for what; see below",
		  .choices = arch_names, .hide_default = true },
		{ "service", OPTION_CHOICE, &request.service, NULL,
		  "app: works, waits, answers; proxy: works, relays to and from --upstream",
		  .choices = service_names },
		{ "threads", OPTION_COUNT, &request.threads, "T",
		  "t: connections or requests that are served at once; of `loops`, their number\n"
		  "[25; of `loops`, one for each processor]",
		  .least = 1, .most = 1000000, .hide_default = true },
		{ "cpu", OPTION_DURATION, &request.cpu_ns, "TIME",
		  "c: CPU time of a request, everything included", .most = 3600LL * NS_PER_S },
		{ "wall", OPTION_DURATION, &request.wall_ns, "TIME",
		  "w: wall time of a request, c included; of a proxy, what the upstream makes it\n"
		  "[the same as --cpu]",
		  .most = 24LL * 3600 * NS_PER_S, .hide_default = true },
		{ "wait", OPTION_CHOICE, &request.wait, NULL,
		  "how an app waits for w - c\n[backend with --upstream, else timer]",
		  .choices = wait_names, .hide_default = true },
		{ "distribution", OPTION_CHOICE, &request.distribution, NULL,
		  "of the work, and of an app's wait; exponential: drawn anew for each request,\n"
		  "with the same means. A proxy's upstream has a distribution of its own",
		  .choices = distribution_names },
		{ "seed", OPTION_COUNT, &request.seed, "N",
		  "of exponential times: the n-th connection's are the same in every run\n"
		  "[taken from the clock]",
		  .hide_default = true },
		{ "work", OPTION_CHOICE, &request.work, NULL,
		  "clock: by the thread's CPU clock; ops: a fixed number of operations, 750 for\n"
		  "each us of --cpu",
		  .choices = work_names },
		{ "footprint", OPTION_SIZE, &request.footprint, "SIZE",
		  "memory of each connection that the work touches: with --work ops all of it in\n"
		  "each request, with clock what there is time for",
		  .least = 64, .most = 1LL << 30 },
		{ "overhead", OPTION_DURATION, &request.overhead_ns, "TIME",
		  "o_ref: what a request costs `loop` before any work; the work is c less this\n"
		  "[metered at the start, 0.3s]",
		  .most = NS_PER_S, .hide_default = true },
		{ "upstream", OPTION_ADDRESS, &request.upstream, "ADDR",
		  "the backend: HOST:PORT, [IPV6]:PORT", .hide_default = true },
		{ "listen", OPTION_ADDRESS, &request.listen, "ADDR", "port 0: any free one" },
		{ "cpus", OPTION_CPUS, &request.cpus, "LIST",
		  "processors to run on, such as 0 or 0,2-3\n[all]", .hide_default = true },
		{ "stack", OPTION_SIZE, &request.stack_bytes, "SIZE",
		  "stack of each thread or coroutine", .least = STACK_LEAST, .most = 1LL << 30 },
		{ "slice", OPTION_DURATION, &request.slice_ns, "TIME",
		  "time slice of its threads, 100us to 100ms, on Linux 6.12 and newer: work that "
		  "is\n"
		  "longer shares its processor\n[the scheduler's, some 3ms]",
		  .least = NS_PER_MS / 10, .most = 100LL * NS_PER_MS, .hide_default = true },
		{ "accept", OPTION_CHOICE, &request.accepts, NULL,
		  "pool: each thread accepts its own connections, or one accepts for all",
		  .choices = accept_names },
		{ "events", OPTION_CHOICE, &request.events, NULL,
		  "loop: the system call that it waits in", .choices = event_names },
		{ "reply", OPTION_CHOICE, &request.replies, NULL, "handoff: who sends the reply",
		  .choices = reply_names },
		{ "active", OPTION_COUNT, &request.active, "K",
		  "followers: threads that work at once, those that wait left out\n[no limit]",
		  .least = 1, .most = 1000000, .hide_default = true },
		{ "max-body", OPTION_SIZE, &request.body_most, "SIZE",
		  "content of a request; more is answered with 413" },
		{ "client-timeout", OPTION_DURATION, &request.client_patience_ns, "TIME",
		  "for a request's head, and for each further sign of life of a client",
		  .least = NS_PER_MS },
		{ "upstream-timeout", OPTION_DURATION, &request.backend_patience_ns, "TIME",
		  "for each sign of life of the upstream; then 504", .least = NS_PER_MS },
	};
	struct option_table table = {
		.program = "cwt-server",
		.usage = "--arch NAME [OPTION]...",
		.about = "Serves HTTP/1.1 with a chosen architecture and a chosen cost per "
			 "request:\n"
			 "c of CPU and w of wall time.",
		.notes = arch_notes,
		.specs = specs,
		.count = sizeof(specs) / sizeof(specs[0]),
	};
	int operands;

	list_archs();
	signal(SIGPIPE, SIG_IGN);
	cpus_allowed(&request.cpus);
	net_parse("127.0.0.1:0", &request.listen);
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
	if (check(&table, &request) != 0)
		return 2;
	if (request.slice_ns > 0) {
		int rc = slice_set(request.slice_ns);

		if (rc != 0)
			return options_fail(table.program, "--slice: %s",
					    rc == -ENOTSUP ? "this kernel has no slices of one's "
							     "own; Linux 6.12 has"
							   : strerror(-rc));
	}
	return serve(&table, &request);
}
