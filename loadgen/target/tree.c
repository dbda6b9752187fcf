#include "loadgen/target/tree.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 128 };

struct visitor {
	void (*visit)(pid_t pid, void *context);
	void *context;
};

int tree_for_each_child(pid_t pid, pid_t thread, int (*visit)(pid_t child, void *context),
			void *context)
{
	char path[PATH_BYTES];
	FILE *file;
	int child;
	int rc = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, thread);
	file = fopen(path, "re");
	if (!file)
		return 0; /* it has just ended */
	while (rc == 0 && fscanf(file, "%d", &child) == 1)
		rc = visit(child, context);
	fclose(file);
	return rc;
}

static int visit_child(pid_t child, void *context)
{
	const struct visitor *visitor = context;

	tree_visit(child, visitor->visit, visitor->context);
	return 0;
}

void tree_visit(pid_t pid, void (*visit)(pid_t pid, void *context), void *context)
{
	struct visitor visitor = { .visit = visit, .context = context };
	char path[PATH_BYTES];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return;
	visit(pid, context);
	while ((entry = readdir(tasks))) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

		if (thread > 0) /* not . and .. */
			tree_for_each_child(pid, thread, visit_child, &visitor);
	}
	closedir(tasks);
}
