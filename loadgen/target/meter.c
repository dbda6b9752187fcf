#include "loadgen/target/meter.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 128, FILE_BYTES = 4096, KIB = 1024 };

/* A small file of /proc as a string. Returns 0 or -errno. */
static int read_file(const char *path, char text[FILE_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, text, FILE_BYTES - 1);
	close(fd);
	if (length < 0)
		return -EIO;
	text[length] = '\0';
	return 0;
}

/* The number behind "name" at the start of a line, or 0. */
static int64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

static void add_thread(pid_t pid, const char *thread, struct meter *meter)
{
	char path[PATH_BYTES];
	char text[FILE_BYTES];
	long long delay;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", pid, thread);
	if (read_file(path, text) != 0)
		return; /* it has just ended */
	meter->threads++;
	meter->voluntary += field(text, "\nvoluntary_ctxt_switches:");
	meter->involuntary += field(text, "\nnonvoluntary_ctxt_switches:");
	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", pid, thread);
	if (read_file(path, text) == 0 && sscanf(text, "%*d %lld", &delay) == 1)
		meter->run_delay_ns += delay;
}

int meter_read(pid_t pid, struct meter *meter)
{
	char path[PATH_BYTES];
	char text[FILE_BYTES];
	struct dirent *entry;
	DIR *tasks;
	int rc;

	*meter = (struct meter){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return -errno;
	while ((entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			add_thread(pid, entry->d_name, meter);
	closedir(tasks);
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	rc = read_file(path, text);
	if (rc != 0)
		return rc;
	meter->rss_bytes = field(text, "\nRss:") * KIB;
	meter->pss_bytes = field(text, "\nPss:") * KIB;
	return 0;
}
