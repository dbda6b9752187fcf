#include "common/http.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
	METHOD_TOKEN_MAX = 64,
	NOMINATED_MAX = 256, /* bytes of all Connection values; a request with more is 431 */
};

/* A response that ends with its head, whatever its headers announce (RFC 9112, 6.3). */
static bool is_bodiless(const http_parser *parser)
{
	return parser->type == HTTP_RESPONSE &&
	       (parser->status_code / 100 == 1 || parser->status_code == 204 ||
		parser->status_code == 304);
}

static int on_head(http_parser *parser)
{
	struct http_message *message = parser->data;

	message->head_done = true;
	parser->upgrade = 0; /* an upgrade is an offer, and not taken */
	http_parser_pause(parser, 1);
	return message->head_reply || is_bodiless(parser) ? 1 : 0;
}

static int on_body(http_parser *parser, const char *bytes, size_t length)
{
	struct http_message *message = parser->data;

	(void)bytes;
	message->body_bytes += (int64_t)length;
	return 0;
}

static int on_done(http_parser *parser)
{
	struct http_message *message = parser->data;

	message->done = true;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_done,
};

__attribute__((constructor)) static void limit_heads(void)
{
	/* The head's last byte counts twice, as it is fed twice (see http_feed). */
	http_parser_set_max_header_size(HTTP_HEAD_MAX + 1);
}

void http_init(struct http_message *message, enum http_kind kind)
{
	bool head_reply = message->head_reply;

	*message = (struct http_message){ .head_reply = head_reply };
	http_parser_init(&message->parser,
			 kind == HTTP_KIND_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE);
	message->parser.data = message;
}

enum http_progress http_feed(struct http_message *message, const char *bytes, size_t length,
			     size_t *used)
{
	http_parser *parser = &message->parser;
	bool had_head = message->head_done;

	*used = http_parser_execute(parser, &settings, bytes, length);
	if (!had_head && message->head_done) {
		/* The parser stops before the head's last byte; hand it that one. */
		http_parser_pause(parser, 0);
		*used += http_parser_execute(parser, &settings, bytes + *used, 1);
		message->keep_alive = http_should_keep_alive(parser) != 0;
	}
	message->fed += *used;
	switch (HTTP_PARSER_ERRNO(parser)) {
	case HPE_OK:
	case HPE_PAUSED:
		break;
	default:
		return HTTP_FED_BAD;
	}
	if (!had_head && message->head_done)
		return HTTP_FED_HEAD;
	return message->done ? HTTP_FED_DONE : HTTP_FED_MORE;
}

bool http_ends_with_close(const struct http_message *message)
{
	return message->head_done && !message->done && message->parser.type == HTTP_RESPONSE &&
	       !http_is_chunked(message) && message->parser.content_length == UINT64_MAX;
}

static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static int bad_method_status(const char *start, size_t length)
{
	size_t first = 0;
	size_t end;

	while (first < length && (start[first] == '\r' || start[first] == '\n'))
		first++;
	end = first;
	while (end < length && is_token(start[end]))
		end++;
	if (end - first > METHOD_TOKEN_MAX)
		return 400;
	if (end == length)
		return 0;
	return end > first && start[end] == ' ' ? 501 : 400;
}

/* The value of the last header line in it: all digits, so it is only too large? */
static bool is_overflow(const char *start, size_t length)
{
	const char *colon = memrchr(start, ':', length);
	size_t i;

	if (!colon)
		return false;
	for (i = (size_t)(colon + 1 - start); i < length && (start[i] == ' ' || start[i] == '\t');
	     i++)
		;
	if (i == length || !isdigit((unsigned char)start[i]))
		return false;
	while (i < length && isdigit((unsigned char)start[i]))
		i++;
	return i == length || start[i] == '\r' || start[i] == '\n';
}

/* A whole line, the empty ones before a request left out? */
static bool has_line(const char *start, size_t length)
{
	size_t first = 0;

	while (first < length && (start[first] == '\r' || start[first] == '\n'))
		first++;
	return memchr(start + first, '\n', length - first) != NULL;
}

int http_bad_status(const struct http_message *message, const char *start, size_t length)
{
	/* Only what the parser has seen counts, not what came along behind it. */
	size_t seen = message->fed < length ? message->fed + 1 : length;

	switch (HTTP_PARSER_ERRNO(&message->parser)) {
	case HPE_HEADER_OVERFLOW:
		return has_line(start, seen) ? 431 : 414;
	case HPE_INVALID_METHOD:
		return bad_method_status(start, length);
	case HPE_INVALID_CONTENT_LENGTH:
		/* Also what a chunk size too large for 64 bits is called. */
		return message->head_done || is_overflow(start, seen) ? 413 : 400;
	default:
		return 400;
	}
}

struct line {
	const char *name;
	size_t name_length;
	const char *value;
	size_t value_length;
};

/* The start of the line after the one at `at`, or `end`. */
static const char *next_line(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline + 1 : end;
}

/* Split the header line [at, next). False for the empty line and for a folded one. */
static bool split_line(const char *at, const char *next, struct line *line)
{
	const char *colon = memchr(at, ':', (size_t)(next - at));

	if (!colon || *at == ' ' || *at == '\t')
		return false;
	while (next > colon + 1 && strchr("\r\n \t", next[-1]))
		next--;
	line->name = at;
	line->name_length = (size_t)(colon - at);
	for (colon++; colon < next && (*colon == ' ' || *colon == '\t'); colon++)
		;
	line->value = colon;
	line->value_length = (size_t)(next - colon);
	return true;
}

static bool equals(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

int http_check_request(const struct http_message *message, const char *head, size_t length,
		       bool *expects_continue)
{
	const char *end = head + length;
	const char *at = head;
	int hosts = 0;
	int headers = 0;
	int codings = 0;
	size_t nominated = 0;
	bool eleven = message->parser.http_minor >= 1;

	*expects_continue = false;
	if (message->parser.http_major != 1)
		return 505;
	while (at < end && (*at == '\r' || *at == '\n'))
		at++;
	for (at = next_line(at, end); at < end; at = next_line(at, end)) {
		struct line line;

		if (!split_line(at, next_line(at, end), &line)) {
			if (*at == ' ' || *at == '\t')
				return 400;
			continue;
		}
		if (++headers > HTTP_HEADERS_MAX)
			return 431;
		/* The parser lets such a name pass, and so knows no Content-Length by it. */
		if (memchr(line.name, ' ', line.name_length))
			return 400;
		switch (line.name[0] | 0x20) {
		case 'c':
			if (!equals(line.name, line.name_length, "connection"))
				break;
			nominated += line.value_length + 1;
			if (nominated >= NOMINATED_MAX)
				return 431;
			break;
		case 'h':
			hosts += equals(line.name, line.name_length, "host");
			break;
		case 't':
			if (!equals(line.name, line.name_length, "transfer-encoding"))
				break;
			if (!eleven || ++codings > 1)
				return 400;
			if (!equals(line.value, line.value_length, "chunked"))
				return 501;
			break;
		case 'e':
			if (!equals(line.name, line.name_length, "expect") || !eleven)
				break;
			if (!equals(line.value, line.value_length, "100-continue"))
				return 417;
			*expects_continue = true;
			break;
		default:
			break;
		}
	}
	if (hosts > 1 || (hosts == 0 && eleven))
		return 400;
	return 0;
}

/* Does the comma-separated, lower-case list hold the name? */
static bool list_has(const char *list, const char *name, size_t length)
{
	while (*list) {
		size_t word = strcspn(list, ", \t");

		if (word == length && strncasecmp(list, name, length) == 0)
			return true;
		list += word;
		list += strspn(list, ", \t");
	}
	return false;
}

/* Headers that frame or route the message: Connection cannot name those away. */
static bool is_essential(const struct line *line)
{
	return list_has("content-length,transfer-encoding,host", line->name, line->name_length);
}

static bool is_hop_by_hop(const struct line *line, const char *nominated)
{
	static const char always[] = "connection,keep-alive,proxy-connection,te,upgrade,expect,"
				     "proxy-authenticate,proxy-authorization";

	return list_has(always, line->name, line->name_length) ||
	       (!is_essential(line) && list_has(nominated, line->name, line->name_length));
}

static void collect_nominated(const char *head, const char *end, char nominated[NOMINATED_MAX])
{
	size_t used = 0;

	for (const char *at = next_line(head, end); at < end; at = next_line(at, end)) {
		struct line line;

		if (!split_line(at, next_line(at, end), &line) ||
		    !equals(line.name, line.name_length, "connection") ||
		    used + line.value_length + 1 >= NOMINATED_MAX)
			continue;
		memcpy(nominated + used, line.value, line.value_length);
		used += line.value_length;
		nominated[used++] = ',';
	}
	nominated[used] = '\0';
}

size_t http_strip_hop_by_hop(char *head, size_t length)
{
	char nominated[NOMINATED_MAX];
	size_t kept = length; /* what stays begins here */
	size_t line_end = length;

	collect_nominated(head, head + length, nominated);
	while (line_end > 0) {
		const char *newline = line_end > 1 ? memrchr(head, '\n', line_end - 1) : NULL;
		size_t line_start = newline ? (size_t)(newline + 1 - head) : 0;
		size_t line_length = line_end - line_start;
		struct line line;

		if (line_start == 0 || !split_line(head + line_start, head + line_end, &line) ||
		    !is_hop_by_hop(&line, nominated)) {
			kept -= line_length;
			memmove(head + kept, head + line_start, line_length);
		}
		line_end = line_start;
	}
	return kept;
}

void http_target(const char *head, size_t length, const char **target, size_t *target_length)
{
	const char *end = head + length;
	const char *first = memchr(head, ' ', length);
	const char *last;

	*target = "";
	*target_length = 0;
	if (!first)
		return;
	while (first < end && *first == ' ')
		first++;
	for (last = first; last < end && *last != ' ' && *last != '\r' && *last != '\n'; last++)
		;
	*target = first;
	*target_length = (size_t)(last - first);
}

bool http_is_head(const struct http_message *request)
{
	/* In "HEADER / HTTP/1.1" the parser has seen HEAD, too, before the method was a bad one. */
	return request->parser.method == HTTP_HEAD &&
	       HTTP_PARSER_ERRNO(&request->parser) != HPE_INVALID_METHOD;
}

bool http_is_idempotent(const struct http_message *request)
{
	switch (request->parser.method) {
	case HTTP_GET:
	case HTTP_HEAD:
	case HTTP_PUT:
	case HTTP_DELETE:
	case HTTP_OPTIONS:
	case HTTP_TRACE:
		return true;
	default:
		return false;
	}
}

const char *http_status_text(int status)
{
	switch (status) {
#define TEXT(number, name, phrase)                                                                 \
	case number:                                                                               \
		return #number " " #phrase "\n";
		HTTP_STATUS_MAP(TEXT)
#undef TEXT
	default:
		return "500 Internal Server Error\n";
	}
}

bool http_is_chunked(const struct http_message *message)
{
	return (message->parser.flags & F_CHUNKED) != 0;
}
