/* Folders as sweeps leave them, and `cwt` run on them. */
#pragma once
#include "loadgen/sweep/run.h"
#include "tests/programs.h"

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

struct cwt_outcome {
	int status;
	struct text output; /* freed by the caller */
	char errors[PROGRAM_ERRORS_MAX];
};

/* Run `cwt`, in no particular folder, with the words, of which NULL is the last. */
struct cwt_outcome cwt_run(const char *const *words);
