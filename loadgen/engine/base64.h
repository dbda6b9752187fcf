/* Bytes as text: base64 with the standard alphabet and padding (RFC 4648, section 4). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How long the text of so many bytes is, without the NUL. */
size_t base64_length(size_t size_bytes);

/* Write the bytes as text, and a NUL: base64_length() + 1 bytes in all. */
void base64_encode(const uint8_t *bytes, size_t size_bytes, char *text);

/*
 * Read text of that length, without a NUL, into `bytes`, which has room for 3/4 of the length.
 * Returns the number of bytes, or -EBADMSG for what no encoder writes: another alphabet, missing
 * padding, white space, bits that are set beyond the last byte.
 */
ssize_t base64_decode(const char *text, size_t length, uint8_t *bytes);
