#include "loadgen/engine/reply.h"
#include <stdlib.h>
#include <string.h>

static void set_matched(struct reply_check *check, struct reply *reply, uint32_t matched)
{
	check->partial += (matched > 0) - (reply->matched > 0);
	reply->matched = matched;
}

static enum reply_outcome judge(const struct reply_check *check, struct reply *reply)
{
	unsigned status = reply->message->parser.status_code;

	if (status < 200 || status >= 400)
		return REPLY_STATUS;
	if (check->same_reply && check->template_length > 0)
		return REPLY_CHANGED;
	reply->keep_alive = reply->message->keep_alive;
	return REPLY_GOOD;
}

static enum reply_outcome parse(const struct reply_check *check, struct reply *reply,
				const char *bytes, size_t length)
{
	struct http_message *message = reply->message;
	size_t offset = 0;

	while (!message->done) {
		size_t used = 0;

		if (http_feed(message, bytes + offset, length - offset, &used) == HTTP_FED_BAD)
			return REPLY_MALFORMED;
		offset += used;
		if (message->done && message->parser.status_code < 200)
			http_init(message, HTTP_KIND_RESPONSE); /* an interim response */
		else if (!message->done && offset == length)
			return REPLY_MORE;
	}
	return offset < length ? REPLY_MALFORMED : judge(check, reply);
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

/* The first piece that is not the template's bytes, of which reply->matched were. */
static enum reply_outcome begin_parsing(struct reply_check *check, struct reply *reply,
					const char *bytes, size_t length)
{
	uint32_t matched = reply->matched;
	enum reply_outcome outcome = REPLY_MORE;

	reply->message = calloc(1, sizeof(*reply->message));
	if (!reply->message)
		return REPLY_NO_MEMORY;
	reply->message->head_reply = check->head_request;
	http_init(reply->message, HTTP_KIND_RESPONSE);
	set_matched(check, reply, 0);
	if (matched > 0)
		outcome = parse(check, reply, check->template, matched);
	if (outcome != REPLY_MORE)
		return outcome;
	outcome = parse(check, reply, bytes, length);
	if (outcome == REPLY_GOOD && matched == 0)
		keep_template(check, reply, bytes, length);
	return outcome;
}

enum reply_outcome reply_feed(struct reply_check *check, struct reply *reply, const char *bytes,
			      size_t length)
{
	if (reply->message)
		return parse(check, reply, bytes, length);
	if (length > check->template_length - reply->matched ||
	    memcmp(check->template + reply->matched, bytes, length) != 0)
		return begin_parsing(check, reply, bytes, length);
	set_matched(check, reply, reply->matched + (uint32_t)length);
	if (reply->matched < check->template_length)
		return REPLY_MORE;
	reply->keep_alive = check->template_keeps;
	return REPLY_GOOD;
}

enum reply_outcome reply_end_of_input(struct reply_check *check, struct reply *reply)
{
	if (!reply->message || !http_ends_with_close(reply->message))
		return REPLY_CLOSED;
	reply->message->keep_alive = false;
	return judge(check, reply);
}

void reply_clear(struct reply_check *check, struct reply *reply)
{
	set_matched(check, reply, 0);
	free(reply->message);
	reply->message = NULL;
}
