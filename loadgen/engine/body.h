/* A file's bytes, as the body of requests. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define REQUEST_BODY_MOST ((int64_t)1 << 30) /* bytes of one body */

/*
 * Read a file or a pipe to its end, of up to REQUEST_BODY_MOST. *body is the caller's to free, and
 * not NULL for an empty one either. Returns 0, or -errno with a sentence in `why` that names the
 * file: -EFBIG when there is more, -EISDIR and the like; *body is NULL then.
 */
int request_body_read(const char *path, char **body, int64_t *body_bytes, char *why, size_t size);
