/* http://HOST[:PORT][/PATH]: where to send a request, and the request. */
#pragma once
#include "common/net.h"

enum { URL_TARGET_MAX = 2048, URL_HOST_MAX = 256 };

struct url {
	struct net_address address;
	char host[URL_HOST_MAX];     /* as it goes into Host: with the port, if one was given */
	char target[URL_TARGET_MAX]; /* path and query, at least "/" */
};

/*
 * Returns 0, -EPROTONOSUPPORT (another scheme than http), -EINVAL (not a URL) or -EADDRNOTAVAIL
 * (no such host).
 */
int url_parse(const char *text, struct url *url);

/*
 * The URLs of a run are all on one server. Returns the index of the first whose host or port is not
 * that of urls[0], or -1 if all agree. Hosts are compared as they are written, but for case and for
 * a port of 80 that is left out: two names of one machine are two hosts to a server.
 */
int url_stray(const struct url *urls, int count);
