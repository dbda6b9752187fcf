#include "loadgen/engine/url.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

/* The host without its port, as a length; and the port. */
static size_t split_host(const char *host, long *port)
{
	const char *bracket = strchr(host, ']');
	const char *colon = strchr(bracket ? bracket : host, ':');

	*port = colon ? strtol(colon + 1, NULL, 10) : 80;
	return colon ? (size_t)(colon - host) : strlen(host);
}

int url_parse(const char *text, struct url *url)
{
	const char *scheme_end = strstr(text, "://");
	char address[URL_HOST_MAX + 8];
	const char *host;
	size_t host_length;
	const char *path;
	size_t path_length;
	long port;

	if (!scheme_end || !is_plain(text))
		return -EINVAL;
	if (strncasecmp(text, "http://", 7) != 0)
		return -EPROTONOSUPPORT;
	host = text + 7;
	host_length = strcspn(host, "/?#");
	path = host + host_length;
	path_length = strcspn(path, "#");
	if (host_length == 0 || host_length >= URL_HOST_MAX || memchr(host, '@', host_length) ||
	    path_length + 2 > URL_TARGET_MAX)
		return -EINVAL;
	memcpy(url->host, host, host_length);
	url->host[host_length] = '\0';
	snprintf(url->target, sizeof(url->target), "%s%.*s", *path == '/' ? "" : "/",
		 (int)path_length, path);
	/* A colon behind the bracket of an IPv6 address, or any, is followed by a port. */
	host = strrchr(url->host, ']');
	snprintf(address, sizeof(address), "%s%s", url->host,
		 strchr(host ? host : url->host, ':') ? "" : ":80");
	split_host(url->host, &port);
	if (port == 0) /* that is for who listens: any free one */
		return -EINVAL;
	return net_parse(address, &url->address);
}

int url_stray(const struct url *urls, int count)
{
	for (int i = 1; i < count; i++) {
		long port;
		long first_port;
		size_t length = split_host(urls[i].host, &port);

		if (length != split_host(urls[0].host, &first_port) || port != first_port ||
		    strncasecmp(urls[i].host, urls[0].host, length) != 0)
			return i;
	}
	return -1;
}
