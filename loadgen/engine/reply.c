#include "loadgen/engine/reply.h"
#include <stdlib.h>
#include <string.h>

static void set_matched(struct reply_check *check, struct reply *reply, uint32_t matched)
{
	check->partial += (matched > 0) - (reply->matched > 0);
	reply->matched = matched;
}

/* FNV-1a, the 64-bit hash of Fowler, Noll and Vo. */
static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
	return hash;
}

/* same_reply: is it the first one's bytes? */
static bool is_same(struct reply_check *check, const struct reply *reply)
{
	if (!check->has_first) {
		check->has_first = true;
		check->first_hash = reply->hash;
	}
	return reply->hash == check->first_hash;
}

static enum reply_outcome judge(struct reply_check *check, struct reply *reply)
{
	unsigned status = reply->message->parser.status_code;

	if (status < 200 || status >= 400)
		return REPLY_STATUS;
	if (check->same_reply && !is_same(check, reply))
		return REPLY_CHANGED;
	reply->keep_alive = reply->message->keep_alive;
	return REPLY_GOOD;
}

static enum reply_outcome parse(struct reply_check *check, struct reply *reply, const char *bytes,
				size_t length, size_t *used)
{
	struct http_message *message = reply->message;

	*used = 0;
	while (!message->done) {
		size_t taken = 0;

		/* No bytes would mean the end of input to the parser. */
		if (*used == length)
			return REPLY_MORE;
		if (http_feed(message, bytes + *used, length - *used, &taken) == HTTP_FED_BAD)
			return REPLY_MALFORMED;
		if (check->same_reply)
			reply->hash = hash_bytes(reply->hash, bytes + *used, taken);
		*used += taken;
		if (message->done && message->parser.status_code < 200)
			http_init(message, HTTP_KIND_RESPONSE); /* an interim response */
	}
	return judge(check, reply);
}

/* A good reply in one piece: what the next ones are compared with. */
static void keep_template(struct reply_check *check, const struct reply *reply, const char *bytes,
			  size_t length)
{
	/* Others are in the middle of being compared with the one that there is. */
	if (length > REPLY_TEMPLATE_BYTES || check->partial > 0)
		return;
	memcpy(check->template, bytes, length);
	check->template_length = (uint32_t)length;
	check->template_keeps = reply->keep_alive;
}

/* Parse what was only compared so far: the template's first reply->matched bytes. */
static enum reply_outcome begin_parsing(struct reply_check *check, struct reply *reply)
{
	uint32_t matched = reply->matched;
	size_t used;

	reply->message = calloc(1, sizeof(*reply->message));
	if (!reply->message)
		return REPLY_NO_MEMORY;
	reply->message->head_reply = check->head_request;
	http_init(reply->message, HTTP_KIND_RESPONSE);
	reply->hash = 0xcbf29ce484222325;
	set_matched(check, reply, 0);
	return parse(check, reply, check->template, matched, &used);
}

/* The first piece that is not the template's bytes. */
static enum reply_outcome leave_template(struct reply_check *check, struct reply *reply,
					 const char *bytes, size_t length, size_t *used)
{
	bool whole = reply->matched == 0;
	enum reply_outcome outcome = begin_parsing(check, reply);

	if (outcome != REPLY_MORE)
		return outcome;
	outcome = parse(check, reply, bytes, length, used);
	if (outcome == REPLY_GOOD && whole)
		keep_template(check, reply, bytes, *used);
	return outcome;
}

enum reply_outcome reply_feed(struct reply_check *check, struct reply *reply, const char *bytes,
			      size_t length, size_t *used)
{
	size_t left = check->template_length - reply->matched;

	*used = 0;
	if (reply->message)
		return parse(check, reply, bytes, length, used);
	if (length < left)
		left = length;
	if (check->template_length == 0 ||
	    memcmp(check->template + reply->matched, bytes, left) != 0)
		return leave_template(check, reply, bytes, length, used);
	*used = left;
	set_matched(check, reply, reply->matched + (uint32_t)left);
	if (reply->matched < check->template_length)
		return REPLY_MORE;
	reply->keep_alive = check->template_keeps;
	return REPLY_GOOD;
}

enum reply_outcome reply_end_of_input(struct reply_check *check, struct reply *reply)
{
	enum reply_outcome outcome = reply->matched > 0 ? begin_parsing(check, reply) : REPLY_MORE;

	if (outcome != REPLY_MORE)
		return outcome;
	if (!reply->message || !reply->message->head_done)
		return REPLY_CLOSED;
	if (!http_ends_with_close(reply->message))
		return REPLY_SHORT;
	reply->message->keep_alive = false;
	return judge(check, reply);
}

void reply_clear(struct reply_check *check, struct reply *reply)
{
	set_matched(check, reply, 0);
	free(reply->message);
	reply->message = NULL;
}
