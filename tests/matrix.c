#include "tests/matrix.h"
#include "tests/conversations.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Every one of servers/arch/arch.c. */
const struct arch_row archs[] = {
	{ "process", "--threads 4" },
	{ "thread", "--threads 4" },
	{ "pool", "--threads 4" },
	{ "pool", "--threads 4 --accept shared" },
	{ "loop", "" },
	{ "loop", "--events poll" },
	{ "loop", "--events select" },
	{ "loops", "--threads 2" },
	{ "handoff", "--threads 4" },
	{ "handoff", "--threads 4 --reply listener" },
	{ "followers", "--threads 4" },
	{ "followers", "--threads 4 --active 1" },
	{ "staged", "--threads 4" },
	{ "coroutine", "" },
	{ "uring", "" },
};

const size_t arch_count = ROW_COUNT(archs);

static const struct service_row services[] = {
	{ "app", "--service app", false },
	{ "app that works", "--service app --cpu 20us --overhead 0", false },
	{ "app that waits", "--service app --cpu 0 --wall 1ms --wait timer", false },
	{ "app that calls", "--service app --cpu 0 --wall 0 --wait backend --upstream %s", true },
	{ "proxy", "--service proxy --upstream %s", true },
};

static void set_up_server(struct pair *pair, const struct arch_row *arch,
			  const struct service_row *service, const struct net_address *backend,
			  const char *options)
{
	char address[NET_TEXT_MAX] = "";
	char format[512];
	char words[1024];

	snprintf(pair->name, sizeof(pair->name), "%s %s, %s", arch->name, arch->options,
		 service->name);
	if (backend)
		net_format(backend, address);
	snprintf(format, sizeof(format), "--arch %s %s --max-body %d %s %s", arch->name,
		 arch->options, CONVERSATION_BODY_MOST, service->options, options);
	snprintf(words, sizeof(words), format, address);
	program_serve(&pair->server, "CWT_SERVER", words);
	if (backend)
		pair->server.backend_port =
			ntohs(((const struct sockaddr_in *)&backend->storage)->sin_port);
}

void pair_set_up(struct pair *pair, const struct arch_row *arch, const struct service_row *service,
		 const char *options)
{
	pair->has_backend = service->calls;
	if (service->calls)
		program_serve(&pair->backend, "CWT_BACKEND", "");
	set_up_server(pair, arch, service, service->calls ? &pair->backend.address : NULL, options);
}

void pair_tear_down(struct pair *pair)
{
	program_stop(&pair->server);
	if (pair->has_backend)
		program_stop(&pair->backend);
}

void matrix_expect(const char *where, const char *what, struct text got, const char *expected)
{
	cr_expect_str_eq(got.bytes, expected, "%s, %s:\n%s\ninstead of\n%s", where, what, got.bytes,
			 expected);
	free(got.bytes);
}

void matrix_expect_hello(const struct pair *pair, const char *after)
{
	matrix_expect(pair->name, after, client_talk(&pair->server, GET_HELLO, 0), HELLO);
}

/* By tests/meson.build. */
static bool is_left_out(const struct arch_row *arch)
{
	const char *name = getenv("CWT_LEAVE_OUT");

	return name && strcmp(arch->name, name) == 0;
}

static void check_one(const struct arch_row *arch, const struct service_row *service,
		      const char *options, void (*check)(struct pair *))
{
	struct pair pair;

	if (is_left_out(arch))
		return;
	pair_set_up(&pair, arch, service, options);
	check(&pair);
	pair_tear_down(&pair);
}

void matrix_for_each(const char *options, void (*check)(struct pair *))
{
	for (size_t a = 0; a < arch_count; a++)
		for (size_t s = 0; s < ROW_COUNT(services); s++)
			check_one(&archs[a], &services[s], options, check);
}

void matrix_for_each_arch(const struct service_row *service, void (*check)(struct pair *))
{
	for (size_t a = 0; a < arch_count; a++)
		check_one(&archs[a], service, "", check);
}

void matrix_for_each_caller(const char *options, void (*check)(struct pair *, int listening))
{
	for (size_t a = 0; a < arch_count; a++) {
		for (size_t s = 0; s < ROW_COUNT(services); s++) {
			struct pair pair = { 0 };
			struct net_address address;
			int listening;

			if (!services[s].calls || is_left_out(&archs[a]))
				continue;
			listening = peer_listen(&address);
			set_up_server(&pair, &archs[a], &services[s], &address, options);
			check(&pair, listening);
			pair_tear_down(&pair);
			close(listening);
		}
	}
}
