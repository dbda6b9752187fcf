#include "loadgen/engine/url.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

Test(url, it_names_an_address_a_host_and_a_target)
{
	static const struct {
		const char *text;
		const char *address;
		const char *host;
		const char *target;
	} table[] = {
		{ "http://127.0.0.1", "127.0.0.1:80", "127.0.0.1", "/" },
		{ "http://127.0.0.1/", "127.0.0.1:80", "127.0.0.1", "/" },
		{ "http://127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:8080", "/" },
		{ "http://127.0.0.1:8080/", "127.0.0.1:8080", "127.0.0.1:8080", "/" },
		{ "HTTP://127.0.0.1:1/x", "127.0.0.1:1", "127.0.0.1:1", "/x" },
		{ "http://127.0.0.1:1/a/b?c=d&e", "127.0.0.1:1", "127.0.0.1:1", "/a/b?c=d&e" },
		{ "http://127.0.0.1:1?q", "127.0.0.1:1", "127.0.0.1:1", "/?q" },
		/* A fragment is the client's own and not sent (RFC 9110, 4.2.5). */
		{ "http://127.0.0.1:1/a#b", "127.0.0.1:1", "127.0.0.1:1", "/a" },
		{ "http://127.0.0.1:1#b", "127.0.0.1:1", "127.0.0.1:1", "/" },
		{ "http://127.0.0.1:1/?a#b?c", "127.0.0.1:1", "127.0.0.1:1", "/?a" },
		{ "http://127.0.0.1:1/a:b@c", "127.0.0.1:1", "127.0.0.1:1", "/a:b@c" },
		{ "http://[::1]/", "[::1]:80", "[::1]", "/" },
		{ "http://[::1]:8080/x", "[::1]:8080", "[::1]:8080", "/x" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct url url;
		char text[NET_TEXT_MAX];
		int rc = url_parse(table[i].text, &url);

		cr_expect_eq(rc, 0, "%s: %d", table[i].text, rc);
		if (rc != 0)
			continue;
		cr_expect_str_eq(net_format(&url.address, text), table[i].address, "%s: %s",
				 table[i].text, text);
		cr_expect_str_eq(url.host, table[i].host, "%s: %s", table[i].text, url.host);
		cr_expect_str_eq(url.target, table[i].target, "%s: %s", table[i].text, url.target);
	}
}

Test(url, what_is_none_is_refused)
{
	static const struct {
		const char *text;
		int rc;
	} table[] = {
		{ "", -EINVAL },
		{ "127.0.0.1:80", -EINVAL },
		{ "127.0.0.1:80/path", -EINVAL },
		{ "http:/127.0.0.1", -EINVAL },
		{ "http://", -EINVAL },
		{ "http:///path", -EINVAL },
		{ "http://?q", -EINVAL },
		{ "http://:80/", -EINVAL },
		{ "http://127.0.0.1:/", -EINVAL },
		{ "http://127.0.0.1:http/", -EINVAL },
		{ "http://127.0.0.1:65536/", -EINVAL },
		{ "http://127.0.0.1:0/", -EINVAL },
		{ "http://[::1]:00/", -EINVAL },
		{ "http://127.0.0.1:-1/", -EINVAL },
		{ "http://127.0.0.1:1 /", -EINVAL },
		{ "http://127.0.0.1:1/a b", -EINVAL },
		/* Else one URL would be two header lines. */
		{ "http://127.0.0.1:1/a\r\nX: y", -EINVAL },
		{ "http://127.0.0.1:1/\x7f", -EINVAL },
		{ "http://user@127.0.0.1/", -EINVAL },
		{ "http://user:pass@127.0.0.1/", -EINVAL },
		{ "http://[::1/", -EINVAL },
		{ "https://127.0.0.1/", -EPROTONOSUPPORT },
		{ "ftp://127.0.0.1/", -EPROTONOSUPPORT },
		{ "://127.0.0.1/", -EPROTONOSUPPORT },
		{ "http://no-such-host.invalid/", -EADDRNOTAVAIL },
		{ "http://300.0.0.1/", -EADDRNOTAVAIL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct url url;
		int rc = url_parse(table[i].text, &url);

		cr_expect_eq(rc, table[i].rc, "'%s': %d", table[i].text, rc);
	}
}

Test(url, a_target_may_be_as_long_as_its_room_and_no_longer)
{
	static const char start[] = "http://127.0.0.1:1";
	char text[URL_TARGET_MAX + 64];
	struct url url;

	for (size_t length = URL_TARGET_MAX - 4; length < URL_TARGET_MAX + 4; length++) {
		int rc;

		snprintf(text, sizeof(text), "%s/", start);
		memset(text + strlen(text), 'a', length - 1);
		text[sizeof(start) - 1 + length] = '\0';
		rc = url_parse(text, &url);
		if (rc == 0)
			cr_expect_str_eq(url.target, text + sizeof(start) - 1);
		else
			cr_expect_eq(rc, -EINVAL);
		/* One byte is for a '/' that a URL may leave out, one for the end. */
		cr_expect_eq(rc == 0, length + 2 <= URL_TARGET_MAX, "%zu", length);
	}
}

Test(url, a_host_that_is_too_long_is_refused)
{
	char text[URL_HOST_MAX + 64] = "http://";
	struct url url;

	memset(text + 7, 'a', URL_HOST_MAX);
	strcpy(text + 7 + URL_HOST_MAX, "/");
	cr_expect_eq(url_parse(text, &url), -EINVAL);
}

Test(url, one_of_another_server_is_found)
{
	static const struct {
		const char *texts[3];
		int stray;
	} table[] = {
		{ { "http://127.0.0.1:8080/a", "http://127.0.0.1:8080/b", "http://127.0.0.1:8080" },
		  -1 },
		{ { "http://127.0.0.1/a", "http://127.0.0.1:80/b", "http://127.0.0.1:00080/c" },
		  -1 },
		{ { "http://localhost/a", "http://LOCALHOST/b", "http://LocalHost:80/" }, -1 },
		{ { "http://[::1]/a", "http://[::1]:80/b", "http://[::1]/c" }, -1 },
		{ { "http://127.0.0.1/", "http://127.0.0.1:81/", "http://127.0.0.1/" }, 1 },
		{ { "http://127.0.0.1/", "http://127.0.0.1/", "http://127.0.0.2/" }, 2 },
		{ { "http://127.0.0.1/", "http://127.0.0.1/", "http://127.0.0.11/" }, 2 },
		{ { "http://[::1]:1/", "http://[::1]:1/", "http://[::1]:2/" }, 2 },
		/* Its Host would be another. */
		{ { "http://127.0.0.1/", "http://localhost/", "http://127.0.0.1/" }, 1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		static struct url urls[3];

		for (int j = 0; j < 3; j++)
			cr_assert_eq(url_parse(table[i].texts[j], &urls[j]), 0, "%s",
				     table[i].texts[j]);
		cr_expect_eq(url_stray(urls, 3), table[i].stray, "row %zu", i);
		cr_expect_eq(url_stray(urls, 1), -1);
	}
}
