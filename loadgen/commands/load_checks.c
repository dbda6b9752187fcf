#include "loadgen/commands/load_checks.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

const char *load_check_url(const char *text)
{
	const char *host = strstr(text, "://");

	if (!host)
		return "a URL begins with http://, as in http://127.0.0.1:8080/";
	host += 3;
	if (strlen(text) >= URL_TARGET_MAX)
		return "it is longer than 2 KiB";
	if (memchr(host, '@', strcspn(host, "/?#")))
		return "name and password go into a header: --header 'Authorization: Basic ...'";
	if (strcspn(host, "/?#") == 0)
		return "it names no host; want a URL such as http://127.0.0.1:8080/";
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return "in a URL, a space is written %20, and other such bytes likewise";
	return "want a host, and a port of 1...65535, as in http://127.0.0.1:8080/";
}

int load_check_source(const struct net_address *source)
{
	int fd = socket(source->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&source->storage, source->length) != 0)
		rc = -errno;
	close(fd);
	return rc;
}

int load_check_output(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	struct stat status;

	if (stat(path, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return -EISDIR;
		return access(path, W_OK) == 0 ? 0 : -errno;
	}
	if (*path == '\0')
		return -ENOENT;
	if (slash && snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path) >=
			     (int)sizeof(folder))
		return -ENAMETOOLONG;
	return access(folder, W_OK | X_OK) == 0 ? 0 : -errno;
}

bool load_is_given(const struct option_table *table, const char *name)
{
	return options_find(table, name)->given;
}

/* It is a closed loop that does as little as that. */
const char *load_check_wrk(const struct option_table *table)
{
	static const char *const beyond[] = {
		"rate",    "trace",  "think",       "pipeline",   "requests-per-connection",
		"idle",    "source", "unix-socket", "same-reply", "ramp",
		"hdr-log",
	};

	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		if (load_is_given(table, beyond[i]))
			return beyond[i];
	return NULL;
}

const char *load_check_engine(const struct option_table *table, enum load_engine engine)
{
	static const struct {
		enum load_engine engine;
		const char *option;
	} beyond[] = {
		{ ENGINE_WRK, "search" },    { ENGINE_WRK, "pid" },
		{ ENGINE_WRK, "calibrate" }, { ENGINE_NULL, "unix-socket" },
		{ ENGINE_NULL, "source" },   { ENGINE_NULL, "idle" },
		{ ENGINE_NULL, "pid" },      { ENGINE_NULL, "calibrate" },
		{ ENGINE_NULL, "search" },
	};

	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		if (beyond[i].engine == engine && load_is_given(table, beyond[i].option))
			return beyond[i].option;
	return NULL;
}
