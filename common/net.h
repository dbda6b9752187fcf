/* TCP and Unix addresses and stream sockets, with the one set of socket options that every program
 * here uses. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <netinet/in.h>

struct net_address {
	struct sockaddr_storage storage;
	socklen_t length;
};

enum { NET_TEXT_MAX = 128, NET_BACKLOG = 4096 };

/*
 * HOST:PORT, with HOST a name, an IPv4 address or an IPv6 address in brackets. Returns 0,
 * -EINVAL (not of that form) or -EADDRNOTAVAIL (the host has no address).
 */
int net_parse(const char *text, struct net_address *address);

/*
 * The address of a Unix socket, unix(7). Returns 0, -EINVAL (no path) or -ENAMETOOLONG (more than
 * 107 bytes).
 */
int net_unix(const char *path, struct net_address *address);

/* Write HOST:PORT or unix:PATH into text. Returns `text`. */
char *net_format(const struct net_address *address, char text[NET_TEXT_MAX]);

/* What a listening socket is besides close-on-exec, SO_REUSEADDR, and with backlog NET_BACKLOG. */
enum net_listen_flags {
	NET_NONBLOCKING = 1 << 0,
	NET_SHARED = 1 << 1, /* SO_REUSEPORT: several sockets share the port, and its connections */
};

/*
 * A listening socket; *address then holds the port that was bound. That of a Unix address makes its
 * file, which the caller removes. `flags` is of enum
 * net_listen_flags. Returns the descriptor, which the caller closes, or -errno.
 */
int net_listen(struct net_address *address, unsigned flags);

/*
 * A connected stream socket whose every later read and write, like the connect itself, may block
 * for `patience_ns`; or, if that is 0, a non-blocking one that has begun to connect: *connected
 * (may be NULL) tells whether it already is. Returns the descriptor, which the caller closes, or
 * -errno: -ETIMEDOUT when patience ended. A Unix socket connects at once or, if it may not block
 * and the server's queue is full, not at all: that is -EAGAIN, and the call is to be tried again
 * later.
 */
int net_connect(const struct net_address *address, int64_t patience_ns, bool *connected);

/*
 * net_connect() from an address of this machine, of the same family; `source` has port 0, and the
 * kernel takes a port that is free for this very pair of addresses.
 */
int net_connect_from(const struct net_address *source, const struct net_address *address,
		     int64_t patience_ns, bool *connected);

/* What a non-blocking connect came to, once the socket is writable: 0 or -errno. */
int net_connect_result(int fd);

/*
 * recv() and send() of what read() and writev() would move, which they do for less: the kernel
 * need not find out that it is a socket. Return as those.
 */
ssize_t net_read(int fd, void *bytes, size_t length);
ssize_t net_write(int fd, const struct iovec *vectors, int count);

/* There are bytes to read, or the end, right now. */
bool net_has_input(int fd);

/* Send each write at once (TCP_NODELAY), as a Unix socket does anyway. */
void net_tune(int fd);

/* How long a blocking read (SO_RCVTIMEO) or write (SO_SNDTIMEO) may take; 0 is for ever. */
void net_set_timeout(int fd, int option, int64_t ns);

/*
 * Raise this process's limit of open descriptors to at least `needed`. Returns 0, or -EMFILE
 * when the hard limit, stored in *hard, is lower.
 */
int net_need_descriptors(int64_t needed, int64_t *hard);

/* It is in 127.0.0.0/8, every address of which is this machine's. */
bool net_is_loopback(const struct net_address *address);

/* 127.0.0.2 + index, with port 0: one of the addresses to connect from to that net. */
struct net_address net_loopback_source(uint32_t index);

/* Local ports that the kernel hands out for one address; INT64_MAX if it doesn't say. */
int64_t net_local_ports(void);
