/*
 * Conversations with their right answers, from RFC 9110 and 9112. The requests ask for what
 * cwt-backend serves too, so every service of every architecture gives the same answer.
 */
#pragma once
#include <stddef.h>

/* In a client's script: what follows is sent once the server has answered what came before. */
#define AWAIT "\1"
enum { CONVERSATION_AWAIT = '\1' };

/* The most content of a request that the servers under test take. */
enum { CONVERSATION_BODY_MOST = 1000 };

struct conversation {
	const char *name;
	const char *client; /* what it sends; then it closes its side */
	const char *server; /* what it gets back, to the end */
};

extern const struct conversation conversations[];
extern const size_t conversation_count;

/* The parts of replies that other tests compare with. */
#define REPLY_HEAD(status, length, connection)                                                     \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain\r\nContent-Length: " length               \
	"\r\n" connection "\r\n"
#define CLOSE                   "Connection: close\r\n"
#define HELLO_TEXT              "Hello, world.\n"
#define HELLO                   REPLY_HEAD("200 OK", "14", "") HELLO_TEXT
#define HELLO_CLOSE             REPLY_HEAD("200 OK", "14", CLOSE) HELLO_TEXT
#define REFUSAL(status, length) REPLY_HEAD(status, length, CLOSE) status "\n"
#define GET_HELLO               "GET /delay/0 HTTP/1.1\r\nHost: h\r\n\r\n"
