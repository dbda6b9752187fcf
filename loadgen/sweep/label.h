/* A point of a plan in one line, for people. */
#pragma once
#include "loadgen/sweep/run.h"

enum { LABEL_MAX = 240 };

/* "heavy app: pool t=25 N=25 c=5ms w=100ms". Returns `text`. */
char *label_point(const struct run *point, char text[LABEL_MAX]);

/* What contenders have in common: "heavy app: c=5ms w=100ms". Returns `text`. */
char *label_load(const struct run *point, char text[LABEL_MAX]);
