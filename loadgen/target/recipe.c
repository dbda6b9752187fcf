#include "loadgen/target/recipe.h"
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/target/template.h"
#include <errno.h>
#include <ini.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MOST = 64 };

#define TEXT(field)                                                                                \
	.offset = offsetof(struct recipe, field), .size = sizeof(((struct recipe *)NULL)->field)

struct reader {
	struct recipe *recipe;
	char *why;
	bool failed;
	int line;
	FILE *file;
};

static int complain(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Keep the first complaint. Returns 0, which tells inih of a failure. */
static int complain(struct reader *reader, const char *format, ...)
{
	va_list arguments;
	int length;

	if (reader->failed)
		return 0;
	reader->failed = true;
	length = reader->line > 0
			 ? snprintf(reader->why, RECIPE_WHY_MAX, "%s:%d: ", reader->recipe->path,
				    reader->line)
			 : snprintf(reader->why, RECIPE_WHY_MAX, "%s: ", reader->recipe->path);
	va_start(arguments, format);
	if (length > 0 && length < RECIPE_WHY_MAX)
		vsnprintf(reader->why + length, (size_t)(RECIPE_WHY_MAX - length), format,
			  arguments);
	va_end(arguments);
	return 0;
}

/* What a key takes. Each returns NULL, or what is wanted instead. */

struct key {
	const char *name;
	const char *(*take)(const struct key *key, const char *text, void *field);
	size_t offset;
	size_t size;
};

/* A key that comes again, or goes on in an indented line, goes on behind a blank. */
static const char *take_text(const struct key *key, const char *text, void *field)
{
	char *at = field;
	size_t used = strlen(at);
	size_t room = key->size - used;

	if ((size_t)snprintf(at + used, room, "%s%s", used > 0 ? " " : "", text) < room)
		return NULL;
	return "it is too long";
}

static const char *take_path(const struct key *key, const char *text, void *field)
{
	if (text[0] != '/' || strlen(text) >= key->size)
		return "want a path that begins with /";
	snprintf(field, key->size, "%s", text);
	return NULL;
}

/* Names of files beside the recipe, separated by commas. */
static const char *take_files(const struct key *key, const char *text, void *field)
{
	struct recipe *recipe = field;
	char copy[RECIPE_TEXT_MAX];
	char *rest = copy;
	char *word;

	(void)key;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, ","))) {
		size_t length;

		word += strspn(word, " \t");
		length = strcspn(word, " \t");
		if (recipe->file_count == RECIPE_FILES_MAX)
			return "there are too many";
		if (length == 0 || length >= RECIPE_NAME_MAX || strchr(word, '/'))
			return "want names of files in the recipe's folder, separated by commas";
		snprintf(recipe->files[recipe->file_count++], RECIPE_NAME_MAX, "%.*s", (int)length,
			 word);
	}
	return NULL;
}

static const char *take_limit(const struct key *key, const char *text, void *field)
{
	static const char *const names[] = {
		[RECIPE_LIMIT_NONE] = "none",
		[RECIPE_LIMIT_REQUESTS] = "requests",
		[RECIPE_LIMIT_CONNECTIONS] = "connections",
	};
	enum recipe_limit *limit = field;

	(void)key;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			*limit = (enum recipe_limit)i;
			return NULL;
		}
	return "want connections, requests or none";
}

static const char *take_services(const struct key *key, const char *text, void *field)
{
	static const char *const names[] = { "app", "proxy", "app, proxy" };
	unsigned *services = field;

	(void)key;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			*services = i + 1;
			return NULL;
		}
	return "want app, proxy, or app, proxy";
}

static const char *take_yes(const struct key *key, const char *text, void *field)
{
	bool *yes = field;

	(void)key;
	*yes = strcmp(text, "yes") == 0;
	return *yes || strcmp(text, "no") == 0 ? NULL : "want yes or no";
}

static const char *take_time(const struct key *key, const char *text, void *field)
{
	(void)key;
	return units_parse_duration(text, field) == 0 ? NULL : "want a time such as 5s";
}

static const char *take_signal(const struct key *key, const char *text, void *field)
{
	static const int signals[] = {
		SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH
	};
	int *number = field;

	(void)key;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcmp(text, sigabbrev_np(signals[i])) == 0) {
			*number = signals[i];
			return NULL;
		}
	return "want TERM, INT, QUIT, HUP, USR1, USR2 or WINCH";
}

static const struct key keys[] = {
	{ "about", take_text, TEXT(about) },
	{ "command", take_text, TEXT(command) },
	{ "environment", take_text, TEXT(environment) },
	{ "files", take_files },
	{ "needs", take_text, TEXT(needs) },
	{ "package", take_text, TEXT(package) },
	{ "ready", take_path, TEXT(ready) },
	{ "ready-time", take_time, TEXT(ready_ns) },
	{ "limit", take_limit, TEXT(limit) },
	{ "services", take_services, TEXT(services) },
	{ "processes", take_yes, TEXT(processes) },
	{ "config", take_text, TEXT(config) },
	{ "stop", take_signal, TEXT(stop) },
	{ "grace", take_time, TEXT(grace_ns) },
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static int on_key(void *context, const char *section, const char *name, const char *text)
{
	struct reader *reader = context;
	char names[RECIPE_TEXT_MAX] = "";
	size_t used = 0;

	if (strcmp(section, "target") != 0)
		return complain(reader, "[%s]: want [target] alone", section);
	for (size_t i = 0; i < KEYS; i++) {
		const char *wrong;

		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 keys[i].name);
		if (strcmp(name, keys[i].name) != 0)
			continue;
		wrong = keys[i].take(&keys[i], text, (char *)reader->recipe + keys[i].offset);
		return wrong ? complain(reader, "%s = %s: %s", name, text, wrong) : 1;
	}
	return complain(reader, "unknown key %s (%s)", name, names);
}

/* Hands inih one line, and keeps the count that it doesn't. */
static char *read_line(char *text, int size, void *stream)
{
	struct reader *reader = stream;
	char *line = fgets(text, size, reader->file);

	if (line)
		reader->line++;
	if (line && !strchr(line, '\n') && !feof(reader->file))
		complain(reader, "the line is longer than %d characters", size - 2);
	return line;
}

/* Places that a recipe may have: recipe_start() has their values. */
static const struct template_value places[] = {
	{ "threads", "" },       { "connections", "" },
	{ "address", "" },       { "port", "" },
	{ "upstream", "" },      { "cpus", "" },
	{ "upstream_port", "" }, { "work_ns", "" },
	{ "wait_ns", "" },       { "wait_us", "" },
	{ "run", "" },           { "folder", "" },
	{ "programs", "" },      { "threads_and_one", "" },
};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

static void check(struct reader *reader)
{
	const struct recipe *recipe = reader->recipe;
	const char *const texts[][2] = {
		{ "command", recipe->command },
		{ "environment", recipe->environment },
		{ "config", recipe->config },
	};
	bool has_threads = strstr(recipe->command, "{threads") ||
			   strstr(recipe->environment, "{threads") || recipe->file_count > 0;

	if (recipe->command[0] == '\0')
		complain(reader, "there is no command");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char copy[RECIPE_TEXT_MAX];
		char *words[WORDS_MOST];
		char name[RECIPE_NAME_MAX];
		int rc;

		if (template_unknown(texts[i][1], places, PLACES, name, sizeof(name)))
			complain(reader, "%s: %s stands for nothing", texts[i][0], name);
		snprintf(copy, sizeof(copy), "%s", texts[i][1]);
		rc = template_split(copy, words, WORDS_MOST);
		if (rc < 0)
			complain(reader, "%s: %s", texts[i][0],
				 rc == -E2BIG ? "too many words" : "a quote is not closed");
	}
	if (recipe->limit != RECIPE_LIMIT_NONE && !has_threads)
		complain(reader, "{threads} is nowhere, but limit is not none");
}

/* Folder and name are those of the file. Returns 0 or -EINVAL. */
static int take_name(struct recipe *recipe)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *slash = strrchr(recipe->path, '/');
	size_t length = strspn(slash + 1, good);

	if (length == 0 || length >= RECIPE_NAME_MAX || strcmp(slash + 1 + length, ".ini") != 0)
		return -EINVAL;
	snprintf(recipe->name, sizeof(recipe->name), "%.*s", (int)length, slash + 1);
	snprintf(recipe->folder, sizeof(recipe->folder), "%.*s", (int)(slash - recipe->path),
		 recipe->path);
	return 0;
}

static void set_defaults(struct recipe *recipe)
{
	*recipe = (struct recipe){
		.ready = "/",
		.ready_ns = 30LL * NS_PER_S,
		.services = RECIPE_APP,
		.stop = SIGTERM,
		.grace_ns = 5LL * NS_PER_S,
	};
}

/* Append a word so that template_split() has it back. Returns whether there was room. */
static bool append_word(char text[RECIPE_TEXT_MAX], const char *word)
{
	size_t used = strlen(text);

	if (used + 2 * strlen(word) + 4 > RECIPE_TEXT_MAX)
		return false;
	if (used > 0)
		text[used++] = ' ';
	if (word[0] == '\0') {
		text[used++] = '"';
		text[used++] = '"';
	}
	for (; *word; word++) {
		if (strchr(" \t\n\"'\\", *word))
			text[used++] = '\\';
		text[used++] = *word;
	}
	text[used] = '\0';
	return true;
}

int recipe_of_command(char *const *words, int count, enum recipe_limit limit, struct recipe *recipe,
		      char why[RECIPE_WHY_MAX])
{
	struct reader reader = { .recipe = recipe, .why = why };

	set_defaults(recipe);
	snprintf(recipe->name, sizeof(recipe->name), "command");
	snprintf(recipe->path, sizeof(recipe->path), "the command");
	snprintf(recipe->folder, sizeof(recipe->folder), ".");
	snprintf(recipe->config, sizeof(recipe->config), "{threads}");
	recipe->limit = limit;
	for (int i = 0; i < count; i++)
		if (!append_word(recipe->command, words[i]))
			complain(&reader, "it is too long");
	if (!strstr(recipe->command, "{port}") && !strstr(recipe->command, "{address}"))
		complain(&reader, "neither {port} nor {address} is in it: where is it to listen?");
	if (!reader.failed)
		check(&reader);
	return reader.failed ? -EINVAL : 0;
}

int recipe_read(const char *path, struct recipe *recipe, char why[RECIPE_WHY_MAX])
{
	struct reader reader = { .recipe = recipe, .why = why };
	int rc;

	set_defaults(recipe);
	if (!realpath(path, recipe->path)) {
		rc = -errno;
		snprintf(why, RECIPE_WHY_MAX, "%s: %s", path, strerror(-rc));
		return rc;
	}
	rc = take_name(recipe);
	if (rc != 0) {
		snprintf(why, RECIPE_WHY_MAX,
			 "%.480s: want a file NAME.ini, with NAME of up to %d letters, digits, - "
			 "and _",
			 recipe->path, RECIPE_NAME_MAX - 1);
		return rc;
	}
	reader.file = fopen(path, "re");
	if (!reader.file) {
		rc = -errno;
		snprintf(why, RECIPE_WHY_MAX, "%s: %s", path, strerror(-rc));
		return rc;
	}
	rc = ini_parse_stream(read_line, &reader, on_key, &reader);
	if (rc > 0)
		complain(&reader, "neither [target], key = value nor # comment");
	if (!reader.failed)
		check(&reader);
	fclose(reader.file);
	return reader.failed ? -EINVAL : 0;
}
