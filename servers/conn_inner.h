/* What conn.c (the client's side) and exchange.c (the backend's side) share, and no one else. */
#pragma once
#include "servers/conn.h"

char *conn_buffer_take(struct conn_buffers *buffers);
void conn_buffer_give(struct conn_buffers *buffers, char **buffer);

/* Take `moved` bytes off the front of `out`. Returns whether all of it is gone. */
bool conn_out_advance(struct conn *conn, size_t moved);

/* Take what is parsed for done with; give the buffer back if nothing else is in it. */
void conn_consume(struct conn *conn);

/*
 * Feed what is in hand of the request's body. False when that was refused: the reply is set up
 * then, in state REPLY.
 */
bool conn_parse_body(struct conn *conn);

/* Set up the reply with that status as the next thing to do. */
void conn_reply(struct conn *conn, int status);

/* As conn_reply(); the connection closes after it unless `keep`. */
void conn_refuse(struct conn *conn, int status, bool keep);

/* "\r\n" that ends a head, with the Connection header that the client needs before it. */
struct iovec conn_head_end(const struct conn *conn);

/* The response is out: on to the next request, or to the close. */
void conn_finish_request(struct conn *conn);

/* The exchange with the backend. */
void exchange_start(struct conn *conn);
void exchange_called(struct conn *conn, ssize_t result);
void exchange_sent(struct conn *conn, ssize_t result);
void exchange_body(struct conn *conn);
void exchange_received(struct conn *conn, ssize_t result);
void exchange_relayed(struct conn *conn, ssize_t result);

/* The client failed in the middle of it: `status` if one can still be sent, or a close. */
void exchange_abort(struct conn *conn, int status);
