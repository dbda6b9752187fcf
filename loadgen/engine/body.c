#include "loadgen/engine/body.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEAST_ROOM = 65536 };

/* Read to the end, or to one byte more than is allowed. Returns 0 or -errno. */
static int read_all(int fd, size_t room, char **body, int64_t *body_bytes)
{
	size_t length = 0;

	for (;;) {
		char *larger = realloc(*body, room);
		ssize_t rc = 1;

		if (!larger)
			return -ENOMEM;
		*body = larger;
		while (length < room && (rc = read(fd, *body + length, room - length)) > 0)
			length += (size_t)rc;
		if (rc < 0)
			return -errno;
		if (rc == 0) {
			*body_bytes = (int64_t)length;
			return 0;
		}
		if (length > REQUEST_BODY_MOST)
			return -EFBIG;
		room = 2 * room < REQUEST_BODY_MOST ? 2 * room : REQUEST_BODY_MOST + 1;
	}
}

int request_body_read(const char *path, char **body, int64_t *body_bytes, char *why, size_t size)
{
	struct stat status;
	size_t room = LEAST_ROOM;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd >= 0 ? 0 : -errno;

	*body = NULL;
	*body_bytes = 0;
	if (rc == 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		if (status.st_size > REQUEST_BODY_MOST)
			rc = -EFBIG;
		else /* one more, to see the end */
			room = (size_t)status.st_size + 1;
	}
	if (rc == 0)
		rc = read_all(fd, room, body, body_bytes);
	if (rc == -EFBIG)
		snprintf(why, size, "%s: more than a body may have, 1GiB", path);
	else if (rc != 0)
		snprintf(why, size, "%s: %s", path, strerror(-rc));
	if (rc != 0) {
		free(*body);
		*body = NULL;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}
