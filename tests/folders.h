/* Folders as sweeps leave them. */
#pragma once
#include "loadgen/sweep/run.h"
#include <stdbool.h>

enum { FOLDER_PATH_MAX = 128, FOLDER_TEXT_MAX = 65536 };

/* An empty folder under /tmp, which folder_remove() removes with all in it. */
void folder_make(char path[FOLDER_PATH_MAX]);
void folder_remove(const char *path);

/* Write PATH/NAME/runs.csv, and make the folder PATH/NAME. */
void folder_write_runs(const char *path, const char *name, const struct run *runs, size_t count);

/* Write a text into the file PATH/NAME, or add it at its end. */
void folder_write(const char *path, const char *name, const char *text);
void folder_append(const char *path, const char *name, const char *text);

/* The text of PATH/NAME; empty if there is no such file. Returns `text`. */
char *folder_read(const char *path, const char *name, char text[FOLDER_TEXT_MAX]);

/* A plan's file, and the folder that a sweep of it is to leave, in a folder of their own. */
struct place {
	char folder[FOLDER_PATH_MAX];
	char plan[FOLDER_PATH_MAX + 16];
	char out[FOLDER_PATH_MAX + 16];
};

/* The plan has that text; there is no `out` yet. */
struct place place_make(const char *plan);
void place_remove(const struct place *place);

/* The runs of `out`. */
void place_write_runs(const struct place *place, const struct run *runs, int count);

/* Whether `out` has the file; and the text in it. */
bool place_has(const struct place *place, const char *name);
bool place_file_has(const struct place *place, const char *name, const char *text);
