#include "loadgen/engine/header.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	const char *reason;
} reserved[] = {
	{ "Content-Length", "follows from the body" },
	{ "Transfer-Encoding", "a body is sent whole, with its Content-Length" },
	{ "Connection", "the generator says itself which request is a connection's last" },
	{ "Expect", "a body is sent at once, without waiting for a 100" },
	{ "Upgrade", "the connection stays with HTTP/1.1" },
};

bool header_is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    (text[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", text[i])))
			return false;
	return length > 0;
}

bool header_is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

static bool has_controls(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text) && *text != '\t')
			return true;
	return false;
}

bool header_is_named(const char *line, const char *name)
{
	size_t length = strlen(name);

	return strncasecmp(line, name, length) == 0 && line[length] == ':';
}

const char *header_refusal(const char *line)
{
	size_t length = strcspn(line, ":");

	if (line[length] != ':')
		return "want 'Name: value'";
	if (!header_is_token(line, length))
		return "its name is not a token, such as X-Name";
	if (has_controls(line + length))
		return "a line break or another control character is in its value";
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (header_is_named(line, reserved[i].name))
			return reserved[i].reason;
	return NULL;
}
