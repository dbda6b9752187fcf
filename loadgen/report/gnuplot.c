#include "loadgen/report/gnuplot.h"
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Without a word, and -errno, if it cannot be started. */
static int start(const char *directory, const char *const *words, pid_t *pid)
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

int gnuplot_run(const char *name, const char *directory, const char *const *arguments, char *why,
		size_t why_size)
{
	char script[PATH_MAX];
	const char *words[4 + GNUPLOT_ARGUMENTS_MAX] = { "gnuplot", "-c", script };
	size_t count = 3;
	pid_t pid = -1;
	int status;
	int rc;

	for (; *arguments; arguments++) {
		if (count == 3 + GNUPLOT_ARGUMENTS_MAX) {
			snprintf(why, why_size, "%s.gp is given too many arguments", name);
			return -E2BIG;
		}
		words[count++] = *arguments;
	}
	/* A program that was installed may have lost the tree that it was built in. */
	snprintf(script, sizeof(script), "%s/%s.gp", CWT_PLOTS, name);
	if (access(script, R_OK) != 0)
		snprintf(script, sizeof(script), "%s/%s.gp", CWT_PLOTS_INSTALLED, name);
	if (access(script, R_OK) != 0 || (directory && access(directory, X_OK) != 0)) {
		rc = -errno;
		snprintf(why, why_size, "%s: %s", access(script, R_OK) != 0 ? script : directory,
			 strerror(-rc));
		return rc;
	}
	rc = start(directory, words, &pid);
	if (rc == -ENOENT) {
		snprintf(why, why_size, "gnuplot is missing: scripts/setup installs it");
		return rc;
	}
	if (rc != 0) {
		snprintf(why, why_size, "gnuplot could not be started: %s", strerror(-rc));
		return rc;
	}
	while (waitpid(pid, &status, 0) != pid) {
		if (errno == EINTR)
			continue;
		rc = -errno;
		snprintf(why, why_size, "gnuplot could not be awaited: %s", strerror(-rc));
		return rc;
	}
	if (status == 0)
		return 0;
	snprintf(why, why_size, "gnuplot failed on %s: see its lines above", script);
	return -EIO;
}
