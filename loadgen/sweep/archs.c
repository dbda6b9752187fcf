#include "loadgen/sweep/archs.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 256, NAMES_MAX = 160 };

static const struct arch_traits table[] = {
	{ "process", RECIPE_LIMIT_CONNECTIONS, .processes = true },
	{ "thread", RECIPE_LIMIT_CONNECTIONS },
	{ "pool", RECIPE_LIMIT_CONNECTIONS },
	{ "handoff", RECIPE_LIMIT_REQUESTS },
	{ "followers", RECIPE_LIMIT_REQUESTS },
	{ "staged", RECIPE_LIMIT_REQUESTS },
	{ "loop", RECIPE_LIMIT_NONE },
	{ "coroutine", RECIPE_LIMIT_NONE },
	{ "uring", RECIPE_LIMIT_NONE },
	{ "loops", RECIPE_LIMIT_NONE, .processes = true },
};

static struct recipe recipes[ARCHS_RECIPES_MAX];
static struct arch_traits recipe_traits[ARCHS_RECIPES_MAX];
static size_t recipe_count;

static const char *const options[] = { "--events", "--accept", "--reply",
				       "--active", "--stack",  "--slice" };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

const struct arch_traits *archs_find(const char *variant)
{
	size_t length = strcspn(variant, " ");

	for (size_t i = 0; i < COUNT(table); i++)
		if (strlen(table[i].name) == length && strncmp(variant, table[i].name, length) == 0)
			return &table[i];
	for (size_t i = 0; i < recipe_count; i++)
		if (strcmp(recipes[i].name, variant) == 0)
			return &recipe_traits[i];
	return NULL;
}

bool archs_is_limited(const char *variant)
{
	const struct arch_traits *traits = archs_find(variant);

	return traits && traits->limit != RECIPE_LIMIT_NONE;
}

/* Recipes */

int archs_add(const struct recipe *recipe, char *why, size_t size)
{
	const struct arch_traits *known = archs_find(recipe->name);

	if (known && known->recipe)
		return 0;
	if (known || recipe_count == ARCHS_RECIPES_MAX) {
		snprintf(why, size, "%s: %s", recipe->path,
			 known ? "its name is that of an architecture" : "there are too many");
		return -EINVAL;
	}
	recipes[recipe_count] = *recipe;
	recipe_traits[recipe_count] = (struct arch_traits){
		.name = recipes[recipe_count].name,
		.limit = recipe->limit,
		.processes = recipe->processes,
		.recipe = &recipes[recipe_count],
	};
	recipe_count++;
	return 0;
}

const struct recipe *archs_recipe(size_t index)
{
	return index < recipe_count ? &recipes[index] : NULL;
}

static int add_file(const char *path, char name[RECIPE_NAME_MAX], char *why, size_t size)
{
	char wrong[RECIPE_WHY_MAX];
	struct recipe recipe;
	int rc = recipe_read(path, &recipe, wrong);

	if (rc != 0) {
		snprintf(why, size, "%s", wrong);
		return rc;
	}
	snprintf(name, RECIPE_NAME_MAX, "%s", recipe.name);
	return archs_add(&recipe, why, size);
}

int archs_add_folder(const char *path, char *why, size_t size)
{
	DIR *folder = opendir(path);
	int rc = folder || errno == ENOENT ? 0 : -errno;

	if (rc != 0)
		snprintf(why, size, "%s: %s", path, strerror(-rc));
	while (folder && rc == 0) {
		const struct dirent *entry = readdir(folder);
		const char *dot = entry ? strrchr(entry->d_name, '.') : NULL;
		char name[RECIPE_NAME_MAX];
		char file[RECIPE_PATH_MAX];

		if (!entry)
			break;
		if (!dot || strcmp(dot, ".ini") != 0)
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		rc = add_file(file, name, why, size);
	}
	if (folder)
		closedir(folder);
	return rc;
}

/* What a recipe at that path would be called. */
static const char *name_of_path(const char *path, char name[RECIPE_NAME_MAX])
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	snprintf(name, RECIPE_NAME_MAX, "%.*s", (int)strcspn(base, "."), base);
	return name;
}

/* Where the recipe of that name, or at that path, is. Returns 0 or -ENOENT. */
static int find_recipe(const char *word, char path[RECIPE_PATH_MAX])
{
	static const char *const folders[] = { CWT_TARGETS, CWT_TARGETS_INSTALLED };

	if (strchr(word, '/') || strstr(word, ".ini")) {
		snprintf(path, RECIPE_PATH_MAX, "%s", word);
		return 0;
	}
	for (size_t i = 0; i < COUNT(folders); i++) {
		snprintf(path, RECIPE_PATH_MAX, "%s/%s.ini", folders[i], word);
		if (access(path, R_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

/* Plans */

static const char *list_names(char names[NAMES_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < COUNT(table); i++)
		used += (size_t)snprintf(names + used, NAMES_MAX - used, "%s%s", i ? ", " : "",
					 table[i].name);
	return names;
}

static bool is_option(const struct arch_traits *traits, const char *word)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (strcmp(word, options[i]) == 0)
			return true;
	return strcmp(word, "--threads") == 0 && strcmp(traits->name, "loops") == 0;
}

/* NULL, or what is wrong with the option. */
static const char *check_option(const struct arch_traits *traits, const char *option,
				const char *value)
{
	if (traits->recipe)
		return "a target has no options here";
	if (!is_option(traits, option))
		return strcmp(option, "--threads") == 0 ? "use the key threads"
							: "no such option: --events, --accept, "
							  "--reply, --active, --stack, --slice, "
							  "and --threads of loops";
	if (!value || value[0] == '-')
		return "an option and its value are wanted, such as --events poll";
	return NULL;
}

static int append(char variant[ARCHS_VARIANT_MAX], const char *word)
{
	size_t used = strlen(variant);
	size_t room = ARCHS_VARIANT_MAX - used;

	return (size_t)snprintf(variant + used, room, "%s%s", used ? " " : "", word) < room;
}

int archs_parse(const char *text, char variant[ARCHS_VARIANT_MAX], char *why, size_t size)
{
	const struct arch_traits *traits;
	char names[NAMES_MAX];
	char name[RECIPE_NAME_MAX];
	char path[RECIPE_PATH_MAX];
	char copy[TEXT_MAX];
	char *rest = copy;
	const char *word;

	variant[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", text);
	word = strtok_r(copy, " \t", &rest);
	traits = word ? archs_find(name_of_path(word, name)) : NULL;
	if (traits && !traits->recipe && strcmp(traits->name, word) != 0)
		traits = NULL; /* the path of a recipe that is called like an architecture */
	if (word && !traits && find_recipe(word, path) == 0) {
		if (add_file(path, name, why, size) != 0)
			return -EINVAL;
		traits = archs_find(name);
	}
	if (!traits) {
		snprintf(why, size,
			 "want one of %s, or a target, by the name of a file in scripts/targets "
			 "or by its path",
			 list_names(names));
		return -EINVAL;
	}
	append(variant, traits->name);
	while ((word = strtok_r(NULL, " \t", &rest))) {
		const char *value = strtok_r(NULL, " \t", &rest);
		const char *wrong = check_option(traits, word, value);

		if (wrong) {
			snprintf(why, size, "%s: %s", word, wrong);
			return -EINVAL;
		}
		if (!append(variant, word) || !append(variant, value)) {
			snprintf(why, size, "longer than %d characters", ARCHS_VARIANT_MAX - 1);
			return -EINVAL;
		}
	}
	return 0;
}
