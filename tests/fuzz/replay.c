/*
 * Runs a fuzz target with every file of the directories that are named: what was found once is
 * tried in every build. The name of the file at hand is the last line before an end by a fault.
 */
#include "tests/fuzz/fuzz.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The whole file, in memory of just its size, so that a read past its end shows. */
static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	struct stat about;

	if (!file)
		return NULL;
	if (fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode)) {
		*size = (size_t)about.st_size;
		bytes = malloc(*size > 0 ? *size : 1);
		if (bytes && fread(bytes, 1, *size, file) != *size) {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(file);
	return bytes;
}

/* Returns how many files there were, or -errno. */
static int try_directory(const char *directory)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;
	int count = 0;

	if (!entries)
		return -errno;
	while ((entry = readdir(entries))) {
		char path[4096];
		uint8_t *bytes;
		size_t size;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		puts(path);
		fflush(stdout);
		bytes = read_file(path, &size);
		if (!bytes) {
			count = -EIO;
			break;
		}
		LLVMFuzzerTestOneInput(bytes, size);
		free(bytes);
		count++;
	}
	closedir(entries);
	return count;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int count = try_directory(argv[i]);

		if (count <= 0) {
			fprintf(stderr, "%s: %s\n", argv[i],
				count < 0 ? strerror(-count) : "no files");
			return 1;
		}
		printf("%s: %d files, none broke a promise\n", argv[i], count);
	}
	return argc > 1 ? 0 : 1;
}
