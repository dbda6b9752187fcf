#include "loadgen/engine/base64.h"
#include <errno.h>
#include <stdbool.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_length(size_t size_bytes)
{
	return (size_bytes + 2) / 3 * 4;
}

void base64_encode(const uint8_t *bytes, size_t size_bytes, char *text)
{
	for (size_t at = 0; at < size_bytes; at += 3) {
		size_t left = size_bytes - at;
		uint32_t group = (uint32_t)bytes[at] << 16;

		if (left > 1)
			group |= (uint32_t)bytes[at + 1] << 8;
		if (left > 2)
			group |= bytes[at + 2];
		*text++ = alphabet[group >> 18];
		*text++ = alphabet[group >> 12 & 63];
		*text++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
		*text++ = left > 2 ? alphabet[group & 63] : '=';
	}
	*text = '\0';
}

static int digit_of(char character)
{
	if (character >= 'A' && character <= 'Z')
		return character - 'A';
	if (character >= 'a' && character <= 'z')
		return character - 'a' + 26;
	if (character >= '0' && character <= '9')
		return character - '0' + 52;
	if (character == '+')
		return 62;
	return character == '/' ? 63 : -1;
}

ssize_t base64_decode(const char *text, size_t length, uint8_t *bytes)
{
	uint8_t *end = bytes;
	uint32_t bits = 0;
	size_t padding = 0;

	if (length % 4 != 0)
		return -EBADMSG;
	while (padding < 2 && padding < length && text[length - padding - 1] == '=')
		padding++;
	for (size_t at = 0; at < length; at++) {
		bool padded = at >= length - padding;
		int digit = padded ? 0 : digit_of(text[at]);

		if (digit < 0)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)digit;
		if (at % 4 != 3)
			continue;
		*end++ = (uint8_t)(bits >> 16);
		*end++ = (uint8_t)(bits >> 8);
		*end++ = (uint8_t)bits;
		bits = 0;
	}
	for (size_t i = 0; i < padding; i++)
		if (*--end != 0)
			return -EBADMSG;
	return end - bytes;
}
