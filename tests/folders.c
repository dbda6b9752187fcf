#include "tests/folders.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_make(char path[FOLDER_PATH_MAX])
{
	snprintf(path, FOLDER_PATH_MAX, "/tmp/cwt-test-folders-XXXXXX");
	cr_assert_not_null(mkdtemp(path));
}

void folder_remove(const char *path)
{
	DIR *folder = opendir(path);

	for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry;
	     entry = readdir(folder)) {
		char inside[PATH_MAX];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		folder_remove(inside);
	}
	if (folder)
		closedir(folder);
	remove(path);
}

static FILE *open_in(const char *path, const char *name, const char *mode)
{
	char file[PATH_MAX + 64];

	snprintf(file, sizeof(file), "%s/%s", path, name);
	return fopen(file, mode);
}

static void put(const char *path, const char *name, const char *text, const char *mode)
{
	FILE *file = open_in(path, name, mode);

	cr_assert_not_null(file, "%s/%s", path, name);
	fputs(text, file);
	fclose(file);
}

void folder_write_runs(const char *path, const char *name, const struct run *runs, size_t count)
{
	char folder[PATH_MAX];
	FILE *file;

	snprintf(folder, sizeof(folder), "%s/%s", path, name);
	cr_assert(mkdir(folder, 0777) == 0 || errno == EEXIST);
	file = open_in(folder, "runs.csv", "we");
	cr_assert_not_null(file);
	cr_assert_eq(run_write_header(file), 0);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(run_write(file, &runs[i]), 0);
	fclose(file);
}

void folder_write(const char *path, const char *name, const char *text)
{
	put(path, name, text, "we");
}

void folder_append(const char *path, const char *name, const char *text)
{
	put(path, name, text, "ae");
}

char *folder_read(const char *path, const char *name, char text[FOLDER_TEXT_MAX])
{
	FILE *file = open_in(path, name, "re");
	size_t length = file ? fread(text, 1, FOLDER_TEXT_MAX - 1, file) : 0;

	text[length] = '\0';
	if (file)
		fclose(file);
	return text;
}

struct place place_make(const char *plan)
{
	struct place place;

	folder_make(place.folder);
	snprintf(place.plan, sizeof(place.plan), "%s/plan.ini", place.folder);
	snprintf(place.out, sizeof(place.out), "%s/out", place.folder);
	folder_write(place.folder, "plan.ini", plan);
	return place;
}

void place_remove(const struct place *place)
{
	folder_remove(place->folder);
}

void place_write_runs(const struct place *place, const struct run *runs, int count)
{
	folder_write_runs(place->folder, "out", runs, (size_t)count);
}

bool place_has(const struct place *place, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", place->out, name);
	return access(path, R_OK) == 0;
}

bool place_file_has(const struct place *place, const char *name, const char *text)
{
	static char whole[FOLDER_TEXT_MAX];

	return strstr(folder_read(place->out, name, whole), text) != NULL;
}
