/*
 * The central property: however a conversation is cut into pieces, the replies are the same byte
 * for byte, and they are the right ones. For each service, as its replies are the same too.
 */
#include "tests/conversations.h"
#include "tests/play.h"
#include <criterion/criterion.h>
#include <string.h>

enum { BODY_MOST = CONVERSATION_BODY_MOST };

static const struct service answers = { .kind = SERVICE_APP,
					.wait = WAIT_NONE,
					.body_most = BODY_MOST };
static const struct service waits = { .kind = SERVICE_APP,
				      .wait = WAIT_TIMER,
				      .wait_ns = 7,
				      .work = { .ns = 5 },
				      .body_most = BODY_MOST };
static const struct service delays = { .kind = SERVICE_DELAY,
				       .wait = WAIT_TIMER,
				       .body_most = BODY_MOST };
static const struct service relays = {
	.kind = SERVICE_PROXY, .wait = WAIT_BACKEND, .work = { .ns = 5 }, .body_most = BODY_MOST
};

static const struct service draws = { .kind = SERVICE_APP,
				      .wait = WAIT_TIMER,
				      .wait_ns = 1000000,
				      .work = { .ns = 1000000 },
				      .distribution = SERVICE_EXPONENTIAL,
				      .body_most = BODY_MOST };

static struct service calls(void)
{
	struct service service = { .kind = SERVICE_APP,
				   .wait = WAIT_BACKEND,
				   .body_most = BODY_MOST };

	service_set_call(&service, 7);
	return service;
}

static void expect_replies(const struct service *service, const struct conversation *talk,
			   const struct play_pieces *pieces)
{
	struct play script = { .service = service, .client = talk->client };
	struct play_result result;

	play(&script, pieces, &result);
	cr_assert_str_eq(result.client.bytes, talk->server,
			 "%s (client cut %zu, backend cut %zu, reads of %zu, writes of %zu):\n%s\n"
			 "instead of\n%s",
			 talk->name, pieces->client_cut, pieces->backend_cut, pieces->read_most,
			 pieces->write_most, result.client.bytes, talk->server);
	cr_assert_eq(strlen(result.client.bytes), result.client.length);
	play_free(&result);
}

static size_t backend_bytes(const struct service *service, const struct conversation *talk)
{
	struct play script = { .service = service, .client = talk->client };
	struct play_result result;

	play(&script, &(struct play_pieces){ 0 }, &result);
	play_free(&result);
	return result.backend_bytes;
}

static void expect_replies_however_cut(const struct service *service)
{
	for (size_t i = 0; i < conversation_count; i++) {
		const struct conversation *talk = &conversations[i];
		size_t length = strlen(talk->client);
		size_t back = backend_bytes(service, talk);

		expect_replies(service, talk, &(struct play_pieces){ 0 });
		for (size_t cut = 1; cut < length; cut++)
			expect_replies(service, talk, &(struct play_pieces){ .client_cut = cut });
		for (size_t cut = 1; cut < back; cut++)
			expect_replies(service, talk, &(struct play_pieces){ .backend_cut = cut });
		for (size_t most = 1; most <= 7; most++)
			expect_replies(service, talk,
				       &(struct play_pieces){ .read_most = most,
							      .write_most = most,
							      .shy = most == 1 });
		expect_replies(service, talk, &(struct play_pieces){ .shy = true });
	}
}

Test(conn, an_app_replies_the_same_however_its_input_is_cut)
{
	expect_replies_however_cut(&answers);
}

Test(conn, an_app_that_waits_replies_the_same_however_its_input_is_cut)
{
	expect_replies_however_cut(&waits);
}

Test(conn, an_app_that_draws_its_times_replies_the_same_however_its_input_is_cut)
{
	struct service service = calls();

	expect_replies_however_cut(&draws);
	service.distribution = SERVICE_EXPONENTIAL;
	service.work.ns = 5;
	service_set_call(&service, 7);
	expect_replies_however_cut(&service);
}

Test(conn, an_app_that_calls_replies_the_same_however_its_input_is_cut)
{
	struct service service = calls();

	expect_replies_however_cut(&service);
}

Test(conn, a_delay_service_replies_the_same_however_its_input_is_cut)
{
	expect_replies_however_cut(&delays);
}

Test(conn, a_proxy_replies_the_same_however_its_input_is_cut)
{
	expect_replies_however_cut(&relays);
}

/* What is done for a request, and for how many of the requests sent. */

Test(conn, each_request_that_is_accepted_costs_its_work_and_its_wait_once)
{
	static const struct {
		const char *client;
		int requests;
	} table[] = {
		{ GET_HELLO, 1 },
		{ GET_HELLO GET_HELLO GET_HELLO, 3 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" GET_HELLO, 1 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 1 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell", 0 },
		{ "GET / HTTP/1.1\r\n\r\n", 0 },
		{ "BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 0 },
		{ "LOCK / HTTP/1.1\r\nHost: h\r\n\r\n", 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct play script = { .service = &waits, .client = table[i].client };
		struct play_result result;

		play(&script, &(struct play_pieces){ 0 }, &result);
		cr_expect_eq(result.works, table[i].requests, "%s", table[i].client);
		cr_expect_eq(result.worked_ns, table[i].requests * waits.work.ns);
		cr_expect_eq(result.waited_ns, table[i].requests * waits.wait_ns);
		play_free(&result);
	}
}

Test(conn, an_app_asks_its_backend_for_the_wait_over_one_kept_connection)
{
	static const char call[] = "GET /delay/7ns HTTP/1.1\r\nHost: backend\r\n\r\n";
	struct service service = calls();
	struct play script = { .service = &service, .client = GET_HELLO GET_HELLO };
	struct play_result result;
	char both[2 * sizeof(call)];

	strcpy(stpcpy(both, call), call);
	play(&script, &(struct play_pieces){ 0 }, &result);
	cr_expect_eq(result.link_count, 1);
	cr_expect_eq(result.kept, 2);
	cr_expect_str_eq(result.links[0].bytes, both);
	play_free(&result);
}

Test(conn, an_app_with_a_drawn_wait_leaves_the_drawing_to_its_backend)
{
	struct service service = calls();
	struct play script = { .service = &service, .client = GET_HELLO };
	struct play_result result;

	service.distribution = SERVICE_EXPONENTIAL;
	service_set_call(&service, 7);
	play(&script, &(struct play_pieces){ 0 }, &result);
	cr_expect_str_eq(result.links[0].bytes, "GET /delay/7ns?dist=exponential HTTP/1.1\r\n"
						"Host: backend\r\n\r\n");
	play_free(&result);
}

Test(conn, connections_with_the_same_seed_draw_the_same_and_others_do_not)
{
	static const struct {
		uint64_t seed;
		bool same;
	} table[] = { { 1, true }, { 2, false }, { 3, false } };
	struct play script = { .service = &draws, .client = GET_HELLO GET_HELLO };
	struct play_result first;

	play(&script, &(struct play_pieces){ 0 }, &first);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct play_result result;

		script.seed = table[i].seed;
		play(&script, &(struct play_pieces){ 0 }, &result);
		cr_expect_eq(result.waited_ns == first.waited_ns, table[i].same, "row %zu", i);
		cr_expect_eq(result.worked_ns == first.worked_ns, table[i].same, "row %zu", i);
		cr_expect_eq(result.works, 2);
		play_free(&result);
	}
	play_free(&first);
}

/* The delay service: what the path asks for. */

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"

Test(conn, the_path_names_the_delay_and_the_size)
{
	static const struct {
		const char *client;
		const char *status;
		int64_t waited_ns;
		size_t content;
	} table[] = {
		{ GET("/delay/9900us"), "200", 9900000, 14 },
		{ GET("/delay/0"), "200", 0, 14 },
		{ GET("/delay/1s?bytes=0"), "200", 1000000000, 0 },
		{ GET("/delay/0?bytes=1"), "200", 0, 1 },
		{ GET("/delay/0?bytes=100000"), "200", 0, 100000 },
		{ GET("/delay/0?bytes=1MiB&dist=constant"), "200", 0, 1 << 20 },
		{ GET("/delay/1ms?dist=constant"), "200", 1000000, 14 },
		{ GET("/"), "404", 0, 14 },
		{ GET("/delay"), "404", 0, 14 },
		{ GET("/delays/1ms"), "404", 0, 14 },
		{ GET("/delay/"), "400", 0, 16 },
		{ GET("/delay/1"), "400", 0, 16 },
		{ GET("/delay/-1ms"), "400", 0, 16 },
		{ GET("/delay/1ms/"), "400", 0, 16 },
		{ GET("/delay/0?bytes=x"), "400", 0, 16 },
		{ GET("/delay/0?bytes=2GiB"), "400", 0, 16 },
		{ GET("/delay/0?dist=normal"), "400", 0, 16 },
		{ GET("/delay/0?dist=exponential"), "200", 0, 14 },
		{ GET("/delay/8761h?dist=exponential"), "400", 0, 16 },
		{ GET("/delay/0?unknown=1"), "400", 0, 16 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct play script = { .service = &delays, .client = table[i].client };
		struct play_result result;
		const char *content;

		play(&script, &(struct play_pieces){ 0 }, &result);
		content = strstr(result.client.bytes, "\r\n\r\n");
		cr_assert_not_null(content);
		cr_expect_eq(memcmp(result.client.bytes + 9, table[i].status, 3), 0, "%s: %.40s",
			     table[i].client, result.client.bytes);
		cr_expect_eq(result.waited_ns, table[i].waited_ns, "%s", table[i].client);
		cr_expect_eq(strlen(content + 4), table[i].content, "%s", table[i].client);
		play_free(&result);
	}
}

Test(conn, drawn_work_and_waits_have_the_means_that_were_asked_for)
{
	enum { REQUESTS = 20000 };
	static char client[REQUESTS * sizeof(GET_HELLO)];
	struct play script = { .service = &draws, .client = client };
	struct play_result result;
	char *end = client;

	for (int i = 0; i < REQUESTS; i++)
		end = stpcpy(end, GET_HELLO);
	play(&script, &(struct play_pieces){ 0 }, &result);
	cr_expect_eq(result.works, REQUESTS);
	/* Seeds are fixed: 5 standard errors. */
	cr_expect_float_eq((double)result.worked_ns / REQUESTS, 1e6, 5 * 1e6 / 141.4);
	cr_expect_float_eq((double)result.waited_ns / REQUESTS, 1e6, 5 * 1e6 / 141.4);
	play_free(&result);
}

Test(conn, exponential_delays_have_the_mean_that_was_asked_for)
{
	enum { REQUESTS = 20000 };
	static const char request[] = GET("/delay/1ms?dist=exponential");
	static char client[REQUESTS * sizeof(request)];
	struct play script = { .service = &delays, .client = client };
	struct play_result result;
	char *end = client;
	double mean;

	for (int i = 0; i < REQUESTS; i++)
		end = stpcpy(end, request);
	play(&script, &(struct play_pieces){ 0 }, &result);
	mean = (double)result.waited_ns / REQUESTS;
	/* The generator's seed is fixed, so this is no matter of luck: 5 standard errors. */
	cr_expect_float_eq(mean, 1e6, 5 * 1e6 / 141.4, "%g", mean);
	play_free(&result);
}

/* Clients that are late. */

Test(conn, a_client_that_falls_silent_is_told_so_only_inside_a_request)
{
	static const struct conversation table[] = {
		{ "nothing said", "", "" },
		{ "after a reply", GET_HELLO, HELLO },
		{ "in a head", "GET / HT", REFUSAL("408 Request Timeout", "20") },
		{ "in an unknown method", "BRE", REFUSAL("408 Request Timeout", "20") },
		{ "in a body", "POST /delay/0 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell",
		  REFUSAL("408 Request Timeout", "20") },
		{ "in chunks",
		  "POST /delay/0 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
		  REFUSAL("408 Request Timeout", "20") },
		{ "after a reply, in a head", GET_HELLO "GET",
		  HELLO REFUSAL("408 Request Timeout", "20") },
	};
	const struct service call = calls();
	const struct service *const services[] = { &answers, &waits, &delays, &relays, &call };

	for (size_t s = 0; s < sizeof(services) / sizeof(services[0]); s++) {
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			struct play script = { .service = services[s],
					       .client = table[i].client,
					       .client_then = PLAY_IS_SILENT };
			struct play_result result;

			play(&script, &(struct play_pieces){ 0 }, &result);
			cr_expect_str_eq(result.client.bytes, table[i].server, "%s: %s",
					 table[i].name, result.client.bytes);
			play_free(&result);
		}
	}
}

Test(conn, what_follows_a_last_reply_is_read_before_the_close_so_that_the_reply_is_not_lost)
{
	static const struct {
		const char *client;
		int shutdowns;
	} table[] = {
		{ "GET / HTTP/1.0\r\n\r\n", 0 },
		{ "GET / HTTP/1.0\r\n\r\nmore", 1 },
		{ "GET / HTTP/1.1\r\n\r\n", 0 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\nhello", 1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct play script = { .service = &answers, .client = table[i].client };
		struct play_result result;

		play(&script, &(struct play_pieces){ 0 }, &result);
		cr_expect_eq(result.shutdowns, table[i].shutdowns, "%s", table[i].client);
		play_free(&result);
	}
}

Test(conn, a_server_that_stops_says_close_in_the_reply_at_hand)
{
	struct conn_buffers buffers = { 0 };
	struct conn conn;
	struct iovec space;

	conn_begin(&conn, &answers, &buffers, 1);
	cr_expect(conn_is_idle(&conn));
	cr_assert_eq(conn_next(&conn), CONN_READ);
	space = conn_space(&conn);
	memcpy(space.iov_base, GET_HELLO, 10);
	conn_done(&conn, 10);
	cr_expect_not(conn_is_idle(&conn));
	conn_stop(&conn);
	cr_assert_eq(conn_next(&conn), CONN_READ);
	space = conn_space(&conn);
	memcpy(space.iov_base, GET_HELLO + 10, sizeof(GET_HELLO) - 11);
	conn_done(&conn, sizeof(GET_HELLO) - 11);
	cr_assert_eq(conn_next(&conn), CONN_WRITE);
	cr_expect_eq(memcmp(conn.out[1].iov_base, CLOSE, strlen(CLOSE)), 0);
	conn_done(&conn, sizeof(HELLO_CLOSE) - 1);
	cr_expect_eq(conn_next(&conn), CONN_CLOSE);
	conn_end(&conn);
	conn_buffers_free(&buffers);
}
