/* A process and its descendants. A process whose parent ended before it is none any more. */
#pragma once
#include <sys/types.h>

/* Call `visit` for each child that the thread has forked, until it returns other than 0. */
int tree_for_each_child(pid_t pid, pid_t thread, int (*visit)(pid_t child, void *context),
			void *context);

/* Call `visit` for the process, and for all of its descendants. What ends meanwhile is left out. */
void tree_visit(pid_t pid, void (*visit)(pid_t pid, void *context), void *context);
