#include "loadgen/sweep/archs.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 256, NAMES_MAX = 160 };

static const struct arch_traits table[] = {
	{ "process", ARCH_LIMIT_CONNECTIONS, true }, { "thread", ARCH_LIMIT_CONNECTIONS, false },
	{ "pool", ARCH_LIMIT_CONNECTIONS, false },   { "handoff", ARCH_LIMIT_REQUESTS, false },
	{ "followers", ARCH_LIMIT_REQUESTS, false }, { "staged", ARCH_LIMIT_REQUESTS, false },
	{ "loop", ARCH_LIMIT_NONE, false },          { "coroutine", ARCH_LIMIT_NONE, false },
	{ "uring", ARCH_LIMIT_NONE, false },         { "loops", ARCH_LIMIT_NONE, true },
};

static const char *const options[] = { "--events", "--accept", "--reply", "--active", "--stack" };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

const struct arch_traits *archs_find(const char *variant)
{
	size_t length = strcspn(variant, " ");

	for (size_t i = 0; i < COUNT(table); i++)
		if (strlen(table[i].name) == length && strncmp(variant, table[i].name, length) == 0)
			return &table[i];
	return NULL;
}

bool archs_is_limited(const char *variant)
{
	const struct arch_traits *traits = archs_find(variant);

	return traits && traits->limit != ARCH_LIMIT_NONE;
}

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
	if (!is_option(traits, option))
		return strcmp(option, "--threads") == 0
			       ? "use the key threads"
			       : "no such option: --events, --accept, --reply, --active, --stack, "
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
	char copy[TEXT_MAX];
	char *rest = copy;
	const char *word;

	variant[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", text);
	word = strtok_r(copy, " \t", &rest);
	traits = word ? archs_find(word) : NULL;
	if (!traits) {
		snprintf(why, size, "want one of %s", list_names(names));
		return -EINVAL;
	}
	append(variant, word);
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
