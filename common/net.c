#include "common/net.h"
#include "common/clock.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PORT_MOST = 65535 };

int net_parse(const char *text, struct net_address *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	const char *colon = strrchr(text, ':');
	char host[NET_TEXT_MAX];
	size_t length;

	if (!colon || colon == text || colon[1] == '\0')
		return -EINVAL;
	if (colon[1 + strspn(colon + 1, "0123456789")] != '\0' || strlen(colon + 1) > 5 ||
	    strtol(colon + 1, NULL, 10) > PORT_MOST)
		return -EINVAL;
	length = (size_t)(colon - text);
	if (text[0] == '[') {
		if (length < 3 || text[length - 1] != ']')
			return -EINVAL;
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return -EINVAL;
	}
	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	switch (getaddrinfo(host, colon + 1, &hints, &found)) {
	case 0:
		break;
	case EAI_SERVICE:
		return -EINVAL;
	default:
		return -EADDRNOTAVAIL;
	}
	memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
	address->length = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int net_unix(const char *path, struct net_address *address)
{
	struct sockaddr_un *local = (struct sockaddr_un *)&address->storage;
	size_t length = strlen(path);

	if (length == 0)
		return -EINVAL;
	if (length >= sizeof(local->sun_path))
		return -ENAMETOOLONG;
	*address = (struct net_address){ 0 };
	local->sun_family = AF_UNIX;
	memcpy(local->sun_path, path, length + 1);
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	return 0;
}

char *net_format(const struct net_address *address, char text[NET_TEXT_MAX])
{
	char host[NI_MAXHOST];
	char port[8];
	bool six = address->storage.ss_family == AF_INET6;

	if (address->storage.ss_family == AF_UNIX) {
		const struct sockaddr_un *local = (const struct sockaddr_un *)&address->storage;

		snprintf(text, NET_TEXT_MAX, "unix:%.*s", (int)sizeof(local->sun_path),
			 local->sun_path);
		return text;
	}
	if (getnameinfo((const struct sockaddr *)&address->storage, address->length, host,
			sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		snprintf(text, NET_TEXT_MAX, "?");
		return text;
	}
	snprintf(text, NET_TEXT_MAX, "%s%.60s%s:%s", six ? "[" : "", host, six ? "]" : "", port);
	return text;
}

static int stream_socket(const struct net_address *address, bool nonblocking)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
	int fd = socket(address->storage.ss_family, type, 0);

	return fd >= 0 ? fd : -errno;
}

int net_listen(struct net_address *address, unsigned flags)
{
	int on = 1;
	int rc;
	int fd = stream_socket(address, flags & NET_NONBLOCKING);

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (flags & NET_SHARED)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address->storage, address->length) != 0 ||
	    listen(fd, NET_BACKLOG) != 0)
		goto failed;
	address->length = sizeof(address->storage);
	if (getsockname(fd, (struct sockaddr *)&address->storage, &address->length) != 0)
		goto failed;
	return fd;
failed:
	rc = -errno;
	close(fd);
	return rc;
}

/* Tune the socket and connect it. Returns as net_connect() does; closes the socket on failure. */
static int connect_socket(int fd, const struct net_address *address, int64_t patience_ns,
			  bool *connected)
{
	int rc;

	net_tune(fd);
	if (patience_ns > 0) {
		net_set_timeout(fd, SO_RCVTIMEO, patience_ns);
		net_set_timeout(fd, SO_SNDTIMEO, patience_ns); /* bounds connect() too: socket(7) */
	}
	rc = connect(fd, (const struct sockaddr *)&address->storage, address->length);
	if (rc != 0 && (patience_ns > 0 || errno != EINPROGRESS)) {
		bool is_out_of_patience =
			errno == EINPROGRESS || (errno == EAGAIN && patience_ns > 0 &&
						 address->storage.ss_family == AF_UNIX);

		rc = is_out_of_patience ? -ETIMEDOUT : -errno;
		close(fd);
		return rc;
	}
	if (connected)
		*connected = rc == 0;
	return fd;
}

int net_connect(const struct net_address *address, int64_t patience_ns, bool *connected)
{
	int fd = stream_socket(address, patience_ns == 0);

	return fd < 0 ? fd : connect_socket(fd, address, patience_ns, connected);
}

int net_connect_from(const struct net_address *source, const struct net_address *address,
		     int64_t patience_ns, bool *connected)
{
	int on = 1;
	int rc;
	int fd = stream_socket(address, patience_ns == 0);

	if (fd < 0)
		return fd;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&source->storage, source->length) != 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return connect_socket(fd, address, patience_ns, connected);
}

int net_connect_result(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		return -errno;
	return -error;
}

ssize_t net_read(int fd, void *bytes, size_t length)
{
	return recv(fd, bytes, length, 0);
}

ssize_t net_write(int fd, const struct iovec *vectors, int count)
{
	if (count == 1)
		return send(fd, vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL);
	return writev(fd, vectors, count);
}

bool net_has_input(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

void net_tune(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void net_set_timeout(int fd, int option, int64_t ns)
{
	struct timeval t = clock_timeval(ns);

	if (ns > 0 && t.tv_sec == 0 && t.tv_usec == 0)
		t.tv_usec = 1;
	setsockopt(fd, SOL_SOCKET, option, &t, sizeof(t));
}

int net_need_descriptors(int64_t needed, int64_t *hard)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -errno;
	*hard = (int64_t)limit.rlim_max;
	if ((int64_t)limit.rlim_cur >= needed)
		return 0;
	if ((int64_t)limit.rlim_max < needed)
		return -EMFILE;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : -errno;
}

bool net_is_loopback(const struct net_address *address)
{
	struct sockaddr_in in;

	memcpy(&in, &address->storage, sizeof(in));
	return address->storage.ss_family == AF_INET &&
	       ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

struct net_address net_loopback_source(uint32_t index)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct net_address source = { .length = sizeof(in) };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index);
	memcpy(&source.storage, &in, sizeof(in));
	return source;
}

int64_t net_local_ports(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	long first = 0;
	long last = 0;

	if (!file)
		return INT64_MAX;
	if (fscanf(file, "%ld %ld", &first, &last) != 2)
		first = last = 0;
	fclose(file);
	return last > first ? last - first + 1 : INT64_MAX;
}
