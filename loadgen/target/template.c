#include "loadgen/target/template.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The length of a {name} at the start of the text, or 0. */
static size_t name_length(const char *text)
{
	size_t length;

	if (text[0] != '{')
		return 0;
	length = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_");
	return length > 0 && text[1 + length] == '}' ? length + 2 : 0;
}

static const char *find(const char *name, size_t length, const struct template_value *values,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(values[i].name) == length - 2 &&
		    strncmp(values[i].name, name + 1, length - 2) == 0)
			return values[i].text;
	return NULL;
}

int template_fill(const char *text, const struct template_value *values, size_t count, char *out,
		  size_t size)
{
	size_t used = 0;

	while (*text) {
		size_t length = name_length(text);
		const char *value = length > 0 ? find(text, length, values, count) : NULL;
		const char *piece = value ? value : text;
		size_t piece_length = value ? strlen(value) : 1;

		if (used + piece_length >= size)
			return -E2BIG;
		memcpy(out + used, piece, piece_length);
		used += piece_length;
		text += value ? length : 1;
	}
	if (used >= size)
		return -E2BIG;
	out[used] = '\0';
	return 0;
}

const char *template_unknown(const char *text, const struct template_value *values, size_t count,
			     char *name, size_t size)
{
	for (; *text; text++) {
		size_t length = name_length(text);

		if (length == 0 || find(text, length, values, count))
			continue;
		snprintf(name, size, "%.*s", (int)length, text);
		return name;
	}
	return NULL;
}

int template_split(char *text, char **words, int room)
{
	const char *from = text;
	char *to = text;
	int count = 0;

	for (;;) {
		char quote = '\0';

		from += strspn(from, " \t\n");
		if (*from == '\0')
			break;
		if (count + 1 >= room)
			return -E2BIG;
		words[count++] = to;
		for (; *from && (quote || !strchr(" \t\n", *from)); from++) {
			if (quote ? *from == quote : *from == '"' || *from == '\'')
				quote = quote ? '\0' : *from;
			else if (*from == '\\' && from[1])
				*to++ = *++from;
			else
				*to++ = *from;
		}
		if (quote)
			return -EINVAL;
		if (*from)
			from++; /* the blank, whose place the word's end may take */
		*to++ = '\0';
	}
	words[count] = NULL;
	return count;
}
