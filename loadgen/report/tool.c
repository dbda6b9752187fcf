#include "loadgen/report/tool.h"
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Without a word, and -errno, if it cannot be started. */
static int start(const char *const *words, const char *directory, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return -rc;
	if (directory)
		rc = posix_spawn_file_actions_addchdir_np(&actions, directory);
	if (rc == 0)
		rc = posix_spawnp(pid, words[0], &actions, NULL, (char *const *)words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

int tool_run(const char *const *words, const char *directory, char *why, size_t why_size)
{
	pid_t pid = -1;
	int status;
	int rc;

	if (directory && access(directory, X_OK) != 0) {
		rc = -errno;
		snprintf(why, why_size, "%s: %s", directory, strerror(-rc));
		return rc;
	}
	rc = start(words, directory, &pid);
	if (rc == -ENOENT) {
		snprintf(why, why_size, "%s is missing: scripts/setup installs it", words[0]);
		return rc;
	}
	if (rc != 0) {
		snprintf(why, why_size, "%s could not be started: %s", words[0], strerror(-rc));
		return rc;
	}
	while (waitpid(pid, &status, 0) != pid) {
		if (errno == EINTR)
			continue;
		rc = -errno;
		snprintf(why, why_size, "%s could not be awaited: %s", words[0], strerror(-rc));
		return rc;
	}
	if (status == 0)
		return 0;
	snprintf(why, why_size, "%s failed: see its lines above", words[0]);
	return -EIO;
}
