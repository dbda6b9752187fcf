#include "loadgen/sweep/store.h"
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/sweep/archs.h"
#include "loadgen/target/machine.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	LOCK_PATIENCE_NS =
		NS_PER_S, /* servers of a sweep that was killed hold the lock as they die */
	LOCK_PAUSE_NS = 10 * NS_PER_MS,
	LINE_BYTES = 512,
	SEED_MOST = 1000000000,
};

static int refuse(char why[STORE_WHY_MAX], int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(char why[STORE_WHY_MAX], int rc, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, STORE_WHY_MAX, format, arguments);
	va_end(arguments);
	return rc;
}

static const char *path_of(const struct store *store, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", store->folder, name);
	return path;
}

/* Files */

/* Everything in the file, for the caller to free. Returns 0 or -errno. */
static int read_text(const char *path, char **text, size_t *length)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	int rc = 0;

	*text = NULL;
	*length = 0;
	if (!file)
		return -errno;
	if (fstat(fileno(file), &status) != 0) {
		rc = -errno;
	} else {
		*text = malloc((size_t)status.st_size + 1);
		rc = *text ? 0 : -ENOMEM;
	}
	if (rc == 0) {
		*length = fread(*text, 1, (size_t)status.st_size, file);
		rc = ferror(file) ? -EIO : 0;
	}
	fclose(file);
	return rc;
}

/* The file is there whole, or as it was before. Returns 0 or -errno. */
static int write_text(const struct store *store, const char *name, const char *text, size_t length)
{
	char path[PATH_MAX];
	char fresh[PATH_MAX + 8];
	FILE *file;
	int rc = 0;

	snprintf(fresh, sizeof(fresh), "%s.part", path_of(store, name, path));
	file = fopen(fresh, "we");
	if (!file)
		return -errno;
	if (fwrite(text, 1, length, file) != length)
		rc = -EIO;
	if (fclose(file) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(fresh, path) != 0)
		rc = -errno;
	if (rc != 0)
		unlink(fresh);
	return rc;
}

/* Takes the reference. */
static int write_json(const struct store *store, const char *name, json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(2));
	int rc = text ? write_text(store, name, text, strlen(text)) : -ENOMEM;

	free(text);
	json_decref(value);
	return rc;
}

/* Plans */

/* A line of a plan that says something, trimmed; *number is its number, 0 before the first. */
static char *next_line(FILE *file, char line[LINE_BYTES], int64_t *number)
{
	while (fgets(line, LINE_BYTES, file)) {
		char *text = line + strspn(line, " \t\r\n");
		size_t length = strlen(text);

		(*number)++;
		while (length > 0 && strchr(" \t\r\n", text[length - 1]))
			text[--length] = '\0';
		if (length > 0 && *text != '#' && *text != ';')
			return text;
	}
	return NULL;
}

static int compare_lines(FILE *files[2], const char *const paths[2], char why[STORE_WHY_MAX])
{
	char lines[2][LINE_BYTES];
	int64_t numbers[2] = { 0, 0 };

	for (;;) {
		const char *there = next_line(files[0], lines[0], &numbers[0]);
		const char *given = next_line(files[1], lines[1], &numbers[1]);

		if (!there && !given)
			return 0;
		if (there && given && strcmp(there, given) == 0)
			continue;
		return refuse(why, 1,
			      "%s:%lld is '%s', and %s:%lld is '%s': a sweep is resumed with the "
			      "plan that it was begun with",
			      paths[0], (long long)numbers[0], there ? there : "its end", paths[1],
			      (long long)numbers[1], given ? given : "its end");
	}
}

int store_compare_plans(const char *there, const char *given, char why[STORE_WHY_MAX])
{
	const char *const paths[2] = { there, given };
	FILE *files[2] = { fopen(there, "re"), NULL };
	int rc = 0;

	if (!files[0])
		rc = refuse(why, -errno, "%s: %s", there, strerror(errno));
	if (rc == 0) {
		files[1] = fopen(given, "re");
		if (!files[1])
			rc = refuse(why, -errno, "%s: %s", given, strerror(errno));
	}
	if (rc == 0)
		rc = compare_lines(files, paths, why);
	for (int i = 0; i < 2; i++)
		if (files[i])
			fclose(files[i]);
	return rc;
}

/* Settings */

/* Different from one sweep to the next, and short enough to be typed. */
static int64_t take_seed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec * (int64_t)NS_PER_S + now.tv_nsec) / 1000 % SEED_MOST + 1;
}

static int read_settings(const struct store *store, int64_t *seed, int64_t *budget_ns,
			 char why[STORE_WHY_MAX])
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *root;
	json_int_t values[2];
	int rc = 0;

	path_of(store, "sweep.json", path);
	if (access(path, F_OK) != 0)
		return refuse(why, -errno, "%s: %s", path, strerror(errno));
	root = json_load_file(path, 0, &error);
	if (!root || json_unpack_ex(root, &error, 0, "{s:I, s:I}", "seed", &values[0], "budget_ns",
				    &values[1]) != 0)
		rc = refuse(why, -EINVAL, "%s: %s", path, error.text);
	json_decref(root);
	if (rc == 0) {
		*seed = values[0];
		*budget_ns = values[1];
	}
	return rc;
}

/*
 * What was given must be what is recorded, or not be given; but a budget may be raised, which
 * chooses more.
 */
static int take_settings(struct store *store, int64_t seed, int64_t budget_ns,
			 char why[STORE_WHY_MAX])
{
	char there[UNITS_TEXT_MAX];

	if (store->seed != 0 && store->seed != seed)
		return refuse(why, 1, "--seed %lld: the sweep in %s has seed %lld, and keeps it",
			      (long long)store->seed, store->folder, (long long)seed);
	if (store->budget_ns != 0 && (budget_ns == 0 || store->budget_ns < budget_ns))
		return refuse(why, 1, "--budget: the sweep in %s was begun with %s%s",
			      store->folder,
			      budget_ns > 0 ? units_format_duration_exact(there, budget_ns)
					    : "none, and measures all",
			      budget_ns > 0 ? ", which can be raised only" : "");
	store->seed = seed;
	if (store->budget_ns == 0)
		store->budget_ns = budget_ns;
	return 0;
}

static int write_settings(const struct store *store)
{
	const struct plan *plan = store->plan;
	json_t *absent = json_array();

	for (size_t i = 0; i < plan->absent_count; i++)
		json_array_append_new(absent,
				      json_pack("{s:s, s:s}", "target", plan->absent[i].arch, "why",
						plan->absent[i].why));
	return write_json(store, "sweep.json",
			  json_pack("{s:I, s:I, s:o}", "seed", (json_int_t)store->seed, "budget_ns",
				    (json_int_t)store->budget_ns, "absent", absent));
}

/* Beginning */

/* The recipes of the plan's servers, so that it is known later what t is of them. */
static int write_recipes(const struct store *store)
{
	char path[PATH_MAX];
	const struct recipe *recipe;
	int rc = 0;

	if (archs_recipe(0) && mkdir(path_of(store, "targets", path), 0777) != 0 && errno != EEXIST)
		return -errno;
	for (size_t i = 0; rc == 0 && (recipe = archs_recipe(i)); i++) {
		char name[RECIPE_NAME_MAX + 16];
		char *text = NULL;
		size_t length;

		snprintf(name, sizeof(name), "targets/%s.ini", recipe->name);
		rc = read_text(recipe->path, &text, &length);
		if (rc == 0)
			rc = write_text(store, name, text, length);
		free(text);
	}
	return rc;
}

/* Whatever is written last is what tells a resumed sweep that the rest is there: the header. */
static int begin(struct store *store, char why[STORE_WHY_MAX])
{
	char *plan = NULL;
	size_t length;
	int rc;

	if (store->seed == 0)
		store->seed = store->plan->seed != 0 ? store->plan->seed : take_seed();
	rc = read_text(store->plan_path, &plan, &length);
	if (rc == 0)
		rc = write_settings(store);
	if (rc == 0)
		rc = write_text(store, "plan.ini", plan, length);
	if (rc == 0)
		rc = write_recipes(store);
	if (rc == 0)
		rc = write_json(store, "machine.json", machine_provenance());
	if (rc == 0)
		rc = ftruncate(fileno(store->runs), 0) == 0 ? 0 : -errno;
	if (rc == 0)
		rc = run_write_header(store->runs);
	free(plan);
	return rc == 0 ? 0 : refuse(why, rc, "%s: %s", store->folder, strerror(-rc));
}

/* Going on */

size_t store_whole_lines(const char *text, size_t length, int64_t *cut_line)
{
	size_t whole = 0;
	int64_t lines = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\n')
			continue;
		whole = i + 1;
		lines++;
	}
	*cut_line = whole < length ? lines + 1 : 0;
	return whole;
}

static int truncate_to_whole_lines(struct store *store, const char *path, char why[STORE_WHY_MAX])
{
	char *text;
	size_t length;
	size_t whole;
	int rc = read_text(path, &text, &length);

	if (rc != 0) {
		free(text);
		return refuse(why, rc, "%s: %s", path, strerror(-rc));
	}
	whole = store_whole_lines(text, length, &store->cut_line);
	free(text);
	if (whole < length && ftruncate(fileno(store->runs), (off_t)whole) != 0)
		return refuse(why, -errno, "%s: %s", path, strerror(errno));
	return whole > 0;
}

static int read_rows(struct store *store, const char *path, char why[STORE_WHY_MAX])
{
	store->row_count = run_read_all(path, &store->rows, why, STORE_WHY_MAX);
	if (store->row_count < 0)
		return 1;
	for (int64_t i = 0; i < store->row_count; i++)
		if (store->rows[i].schema != RUN_SCHEMA)
			return refuse(why, 1,
				      "%s is of schema %lld, and this cwt writes %d: choose "
				      "another --out",
				      path, (long long)store->rows[i].schema, RUN_SCHEMA);
	return 0;
}

static int resume_sweep(struct store *store, char why[STORE_WHY_MAX])
{
	char plan[PATH_MAX];
	char runs[PATH_MAX];
	int64_t seed = 0;
	int64_t budget_ns = 0;
	int rc = read_settings(store, &seed, &budget_ns, why);
	bool has_settings = rc == 0;
	int lines;

	path_of(store, "runs.csv", runs);
	if (rc == -ENOENT)
		rc = 0;
	if (rc == 0 && has_settings)
		rc = take_settings(store, seed, budget_ns, why);
	if (rc != 0)
		return rc;
	lines = truncate_to_whole_lines(store, runs, why);
	if (lines <= 0)
		return lines == 0 ? begin(store, why) : lines;
	if (!has_settings)
		return refuse(why, 1, "%s has no %s: an older cwt left it; choose another --out",
			      store->folder, "sweep.json");
	rc = store_compare_plans(path_of(store, "plan.ini", plan), store->plan_path, why);
	if (rc == 0)
		rc = read_rows(store, runs, why);
	if (rc != 0 || store->budget_ns == budget_ns)
		return rc;
	rc = write_settings(store);
	return rc == 0 ? 0 : refuse(why, rc, "%s: %s", store->folder, strerror(-rc));
}

static int lock(const struct store *store, const char *path, char why[STORE_WHY_MAX])
{
	int64_t deadline = clock_now_ns() + LOCK_PATIENCE_NS;

	while (flock(fileno(store->runs), LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return refuse(why, -errno, "%s: %s", path, strerror(errno));
		if (clock_now_ns() > deadline)
			return refuse(why, 1,
				      "%s: another sweep is writing to it: wait for it, or choose "
				      "another --out",
				      path);
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
	}
	return 0;
}

static int open_runs(struct store *store, const char *path, char why[STORE_WHY_MAX])
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	store->runs = fd < 0 ? NULL : fdopen(fd, "a");
	if (store->runs)
		return lock(store, path, why);
	refuse(why, -errno, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -EIO;
}

int store_open(struct store *store, bool resume, char why[STORE_WHY_MAX])
{
	char path[PATH_MAX];
	struct stat status;
	int rc;

	store->runs = NULL;
	store->rows = NULL;
	store->row_count = store->cut_line = 0;
	if (mkdir(store->folder, 0777) != 0 && errno != EEXIST)
		return refuse(why, -errno, "--out %s: %s", store->folder, strerror(errno));
	path_of(store, "runs.csv", path);
	rc = open_runs(store, path, why);
	if (rc != 0)
		return rc;
	if (resume)
		return resume_sweep(store, why);
	if (fstat(fileno(store->runs), &status) != 0)
		return refuse(why, -errno, "%s: %s", path, strerror(errno));
	if (status.st_size > 0)
		return refuse(why, 1,
			      "%s is there already: go on with it (--resume), choose another "
			      "--out, or remove it",
			      path);
	return begin(store, why);
}

void store_close(struct store *store)
{
	if (store->runs)
		fclose(store->runs);
	free(store->rows);
	store->runs = NULL;
	store->rows = NULL;
	store->row_count = 0;
}
