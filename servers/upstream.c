#include "servers/upstream.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

struct upstream_link *upstream_take(struct upstream *upstream)
{
	struct upstream_link *link = upstream->idle;

	if (link)
		upstream->idle = link->next;
	return link;
}

bool upstream_is_quiet(const struct upstream_link *link)
{
	char byte;

	return recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

struct upstream_link *upstream_take_quiet(struct upstream *upstream)
{
	struct upstream_link *link;

	while ((link = upstream_take(upstream)) && !upstream_is_quiet(link))
		upstream_close(link);
	return link;
}

int upstream_open(struct upstream *upstream, int64_t patience_ns, struct upstream_link **link)
{
	bool connected = true;
	int fd = net_connect(upstream->address, patience_ns, &connected);

	if (fd < 0)
		return fd;
	*link = calloc(1, sizeof(**link));
	if (!*link) {
		close(fd);
		return -ENOMEM;
	}
	(*link)->upstream = upstream;
	(*link)->fd = fd;
	return connected ? 0 : -EINPROGRESS;
}

void upstream_keep(struct upstream *upstream, struct upstream_link *link)
{
	link->owner = NULL;
	link->next = upstream->idle;
	upstream->idle = link;
}

void upstream_forget(struct upstream *upstream, struct upstream_link *link)
{
	struct upstream_link **at = &upstream->idle;

	while (*at && *at != link)
		at = &(*at)->next;
	if (*at)
		*at = link->next;
}

void upstream_close(struct upstream_link *link)
{
	if (link->readable)
		event_free(link->readable);
	if (link->writable)
		event_free(link->writable);
	close(link->fd);
	free(link);
}

void upstream_end(struct upstream *upstream)
{
	struct upstream_link *link;

	while ((link = upstream_take(upstream)))
		upstream_close(link);
}
