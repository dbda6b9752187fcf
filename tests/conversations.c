#include "tests/conversations.h"

#define TARGET  "/delay/0"
#define HOST    "Host: h\r\n"
#define GET     GET_HELLO
#define POST    "POST " TARGET " HTTP/1.1\r\n" HOST
#define FOUR(x) x x x x
#define KIB(x)  FOUR(FOUR(FOUR(FOUR(x)))) /* of four bytes */

const struct conversation conversations[] = {
	/* How long a connection lasts (RFC 9112, 9.3). */
	{ "one request", GET, HELLO },
	{ "one after the other", GET AWAIT GET AWAIT GET, HELLO HELLO HELLO },
	{ "pipelined", GET GET GET, HELLO HELLO HELLO },
	{ "close", "GET " TARGET " HTTP/1.1\r\n" HOST CLOSE "\r\n" GET, HELLO_CLOSE },
	{ "1.0 closes", "GET " TARGET " HTTP/1.0\r\n\r\n" GET, HELLO_CLOSE },
	{ "1.0 keeps alive when asked",
	  "GET " TARGET " HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET " TARGET
	  " HTTP/1.0\r\n\r\n",
	  REPLY_HEAD("200 OK", "14", "Connection: keep-alive\r\n") HELLO_TEXT HELLO_CLOSE },
	{ "an unknown minor version", "GET " TARGET " HTTP/1.7\r\n" HOST "\r\n", HELLO },
	{ "an upgrade is not taken",
	  "GET " TARGET " HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: websocket\r\n"
	  "\r\n" GET,
	  HELLO HELLO },

	/* Ways to write a request. */
	{ "empty lines before it", "\r\n\r\n" GET "\r\n" GET, HELLO HELLO },
	{ "bare line feeds", "GET " TARGET " HTTP/1.1\nHost: h\n\n", HELLO },
	{ "PUT, DELETE, PATCH, OPTIONS",
	  "PUT " TARGET " HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n1"
	  "DELETE " TARGET " HTTP/1.1\r\n" HOST "\r\n"
	  "PATCH " TARGET " HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"
	  "OPTIONS " TARGET " HTTP/1.1\r\n" HOST "\r\n",
	  HELLO HELLO HELLO HELLO },
	{ "HEAD has the head alone", "HEAD " TARGET " HTTP/1.1\r\n" HOST "\r\n" GET,
	  REPLY_HEAD("200 OK", "14", "") HELLO },

	/* Bodies. */
	{ "a body", POST "Content-Length: 11\r\n\r\nhello=world" GET, HELLO HELLO },
	{ "no body", POST "Content-Length: 0\r\n\r\n" GET, HELLO HELLO },
	{ "a body that looks like a request", POST "Content-Length: 34\r\n\r\n" GET GET,
	  HELLO HELLO },
	{ "chunks",
	  POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n=world\r\n0\r\n\r\n" GET,
	  HELLO HELLO },
	{ "chunks with extensions and trailers",
	  POST "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n00A;c\r\n0123456789\r\n"
	       "0;d=\"e\"\r\nX-Sum: 15\r\nX-Other: 1\r\n\r\n" GET,
	  HELLO HELLO },
	{ "a client that waits for 100",
	  POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n" AWAIT "hello" AWAIT GET,
	  "HTTP/1.1 100 Continue\r\n\r\n" HELLO HELLO },
	{ "chunks after 100",
	  POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n" AWAIT
	       "5\r\nhello\r\n0\r\n\r\n" GET,
	  "HTTP/1.1 100 Continue\r\n\r\n" HELLO HELLO },
	{ "nothing to wait for", POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n" GET,
	  HELLO HELLO },

	/* Refusals end the connection when the request's end is not known. */
	{ "no request line", "garbage\r\n\r\n" GET, REFUSAL("400 Bad Request", "16") },
	{ "binary", "\x16\x03\x01\x02\x03" GET, REFUSAL("400 Bad Request", "16") },
	{ "no Host", "GET " TARGET " HTTP/1.1\r\n\r\n" GET, REFUSAL("400 Bad Request", "16") },
	{ "two Hosts", "GET " TARGET " HTTP/1.1\r\n" HOST HOST "\r\n" GET,
	  REFUSAL("400 Bad Request", "16") },
	{ "a folded line", "GET " TARGET " HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n" GET,
	  REFUSAL("400 Bad Request", "16") },
	{ "a space before the colon", POST "Content-Length : 5\r\n\r\nhello" GET,
	  REFUSAL("400 Bad Request", "16") },
	{ "both framings",
	  POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET,
	  REFUSAL("400 Bad Request", "16") },
	{ "a bad length", POST "Content-Length: five\r\n\r\nhello" GET,
	  REFUSAL("400 Bad Request", "16") },
	{ "two lengths", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" GET,
	  REFUSAL("400 Bad Request", "16") },
	{ "a bad chunk", POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n" GET,
	  REFUSAL("400 Bad Request", "16") },
	{ "a chunk longer than it says",
	  POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello, world\r\n0\r\n\r\n",
	  REFUSAL("400 Bad Request", "16") },
	{ "bad after good", GET "GET " TARGET "\r\n\r\n" GET,
	  HELLO REFUSAL("505 HTTP Version Not Supported", "31") },
	{ "another major version", "GET " TARGET " HTTP/2.0\r\n" HOST "\r\n",
	  REFUSAL("505 HTTP Version Not Supported", "31") },
	{ "an unknown method", "BREW " TARGET " HTTP/1.1\r\n" HOST "\r\n" GET,
	  REFUSAL("501 Not Implemented", "20") },
	{ "an unknown method that begins like HEAD", "HEADER / HTTP/1.1\r\n" HOST "\r\n",
	  REFUSAL("501 Not Implemented", "20") },
	{ "a known method that isn't implemented", "LOCK " TARGET " HTTP/1.1\r\n" HOST "\r\n" GET,
	  REPLY_HEAD("501 Not Implemented", "20", "") "501 Not Implemented\n" HELLO },
	{ "no tunnels", "CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n" GET,
	  REPLY_HEAD("501 Not Implemented", "20", "") "501 Not Implemented\n" HELLO },
	{ "an unknown coding", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" GET,
	  REFUSAL("501 Not Implemented", "20") },
	{ "an unknown expectation", POST "Expect: rain\r\nContent-Length: 5\r\n\r\nhello" GET,
	  REFUSAL("417 Expectation Failed", "23") },
	{ "a length past the limit", POST "Content-Length: 1001\r\n\r\n" GET,
	  REFUSAL("413 Payload Too Large", "22") },
	{ "a length past the limit, before 100",
	  POST "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
	  REFUSAL("413 Payload Too Large", "22") },
	{ "a length past all limits", POST "Content-Length: 99999999999999999999\r\n\r\n" GET,
	  REFUSAL("413 Payload Too Large", "22") },
	{ "a chunk past the limit",
	  POST "Transfer-Encoding: chunked\r\n\r\n400\r\n" KIB("body") "\r\n0\r\n\r\n" GET,
	  REFUSAL("413 Payload Too Large", "22") },
	{ "chunks past the limit",
	  POST "Transfer-Encoding: chunked\r\n\r\n"
	       "3e8\r\n" KIB("bdy") "0123456789012345678901234567890123456789"
				    "0123456789012345678901234567890123456789"
				    "0123456789012345678901234567890123456789"
				    "0123456789012345678901234567890123456789"
				    "0123456789012345678901234567890123456789"
				    "01234567890123456789012345678901\r\n"
				    "1\r\nx\r\nnot a chunk\r\n",
	  REFUSAL("413 Payload Too Large", "22") },
	{ "a long target",
	  "GET /" KIB("aaaa") KIB("aaaa") KIB("aaaa") KIB("aaaa") KIB("aaaa") KIB("aaaa")
		  KIB("aaaa") KIB("aaaa") " HTTP/1.1\r\n" HOST "\r\n" GET,
	  REFUSAL("414 URI Too Long", "17") },
	{ "a long head",
	  "GET " TARGET " HTTP/1.1\r\n" HOST KIB("a:b\n") KIB("a:b\n") KIB("a:b\n") KIB("a:b\n")
		  KIB("a:b\n") KIB("a:b\n") KIB("a:b\n") KIB("a:b\n") "\r\n" GET,
	  REFUSAL("431 Request Header Fields Too Large", "36") },

	/* A request that never comes whole gets no answer. */
	{ "nothing", "", "" },
	{ "half a head", "GET " TARGET " HTTP/1.1\r\nHost", "" },
	{ "half a method", "GE", "" },
	{ "an endless method that may yet be one", "BREW", "" },
	{ "half a body", POST "Content-Length: 11\r\n\r\nhello", "" },
	{ "half the chunks", POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "" },
	{ "half after whole", GET "GET " TARGET, HELLO },
};

const size_t conversation_count = sizeof(conversations) / sizeof(conversations[0]);
