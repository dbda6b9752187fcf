#include "loadgen/report/assets.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int assets_find(const char *name, char path[PATH_MAX], char *why, size_t why_size)
{
	static const char *const folders[] = { CWT_PLOTS, CWT_PLOTS_INSTALLED };
	int rc = -ENOENT;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, PATH_MAX, "%s/%s", folders[i], name);
		if (access(path, R_OK) == 0)
			return 0;
		rc = -errno;
	}
	snprintf(why, why_size, "%s: %s", path, strerror(-rc));
	return rc;
}
