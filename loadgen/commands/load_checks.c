#include "loadgen/commands/load_checks.h"
#include "loadgen/commands/commands.h"
#include "loadgen/report/percentiles.h"
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

/* Whether a file can be written there: 0 or -errno. */
static int check_file(const char *path)
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

int load_check_outputs(const struct option_table *table, const struct load_job *job)
{
	char data[PATH_MAX] = "";
	const struct {
		const char *option;
		const char *path; /* NULL: not asked for */
	} files[] = {
		{ "plot", job->plot_path },
		{ "plot", job->plot_path ? data : NULL },
		{ "hdr-log", job->hdr_path },
	};

	if (job->plot_path && percentiles_data_path(job->plot_path, data) != 0)
		return options_complain(table, "--plot: %s", strerror(ENAMETOOLONG));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int rc = files[i].path ? check_file(files[i].path) : 0;

		if (rc != 0)
			return options_complain(table, "--%s %s cannot be written: %s",
						files[i].option, files[i].path, strerror(-rc));
		for (size_t k = 0; files[i].path && k < i; k++)
			if (files[k].path && strcmp(files[i].path, files[k].path) == 0)
				return options_complain(table,
							"--%s %s would overwrite what --%s "
							"writes there",
							files[i].option, files[i].path,
							files[k].option);
	}
	return CWT_OK;
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
		"hdr-log", "seed",
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
		{ ENGINE_NULL, "search" },   { ENGINE_NULL, "target" },
	};

	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		if (beyond[i].engine == engine && load_is_given(table, beyond[i].option))
			return beyond[i].option;
	return NULL;
}
