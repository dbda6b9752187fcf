#include "loadgen/sweep/plan_values.h"
#include "common/cpus.h"
#include "common/units.h"
#include "loadgen/sweep/grid.h"
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 128 };

static int refuse(char why[PLAN_WHY_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(char why[PLAN_WHY_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, PLAN_WHY_MAX, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Numbers */

int plan_take_number(const struct plan_key *key, const char *text, void *field,
		     char why[PLAN_WHY_MAX])
{
	int64_t *value = field;

	if (key->parse(text, value) != 0)
		return refuse(why, "%s = %s: want %s", key->name, text,
			      key->parse == units_parse_duration ? "a time such as 5ms"
			      : key->parse == units_parse_size   ? "a size such as 64KiB"
								 : "a whole number such as 25");
	if (*value < key->least)
		return refuse(why, "%s = %s: the least is %lld", key->name, text,
			      (long long)key->least);
	if (key->most > 0 && *value > key->most)
		return refuse(why, "%s = %s: the most is %lld", key->name, text,
			      (long long)key->most);
	return 0;
}

/* A share such as 2% or 0.02. */
int plan_take_share(const struct plan_key *key, const char *text, void *field,
		    char why[PLAN_WHY_MAX])
{
	double *share = field;
	double value;

	if ((units_parse_share(text, &value) != 0 && units_parse_number(text, &value) != 0) ||
	    value <= 0 || value >= 1)
		return refuse(why, "%s = %s: want a share such as 2%%", key->name, text);
	*share = value;
	return 0;
}

/* Lists */

/* The next word of a comma-separated list, trimmed, or NULL. */
static char *next_word(char **rest)
{
	char *word = strsep(rest, ",");

	if (!word)
		return NULL;
	word += strspn(word, " \t");
	for (size_t length = strlen(word); length > 0 && strchr(" \t", word[length - 1]);)
		word[--length] = '\0';
	return word;
}

typedef int take_item(const struct plan_key *key, const char *word, void *list, size_t index,
		      char why[PLAN_WHY_MAX]);

/* Take each word of a list of at most `most`. *count is how many there are. */
static int take_each(const struct plan_key *key, const char *text, take_item *item, void *list,
		     size_t most, size_t *count, char why[PLAN_WHY_MAX])
{
	char copy[INI_MAX_LINE];
	char *rest = copy;
	char *word;

	snprintf(copy, sizeof(copy), "%s", text);
	*count = 0;
	while ((word = next_word(&rest))) {
		int rc;

		if (*count == most)
			return refuse(why, "%s: more than %zu values", key->name, most);
		rc = item(key, word, list, (*count)++, why);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int number_of_list(const struct plan_key *key, const char *word, void *list, size_t index,
			  char why[PLAN_WHY_MAX])
{
	struct grid_list *numbers = list;

	return plan_take_number(key, word, &numbers->values[index], why);
}

int plan_take_numbers(const struct plan_key *key, const char *text, void *field,
		      char why[PLAN_WHY_MAX])
{
	struct grid_list *list = field;

	return take_each(key, text, number_of_list, list, GRID_LIST_MAX, &list->count, why);
}

int plan_take_threads(const struct plan_key *key, const char *text, void *field,
		      char why[PLAN_WHY_MAX])
{
	struct grid *grid = field;

	grid->threads.count = 0;
	grid->threads_match = strcmp(text, "connections") == 0;
	return grid->threads_match ? 0 : plan_take_numbers(key, text, &grid->threads, why);
}

/* Words */

/* The index of the text among the key's words, or -EINVAL. */
static int find_word(const struct plan_key *key, const char *text, char why[PLAN_WHY_MAX])
{
	char names[NAMES_MAX] = "";
	size_t used = 0;

	for (int i = 0; key->words[i]; i++) {
		if (strcmp(key->words[i], text) == 0)
			return i;
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", key->words[i]);
	}
	return refuse(why, "%s = %s: want one of %s", key->name, text, names);
}

int plan_take_word(const struct plan_key *key, const char *text, void *field,
		   char why[PLAN_WHY_MAX])
{
	int index = find_word(key, text, why);

	if (index < 0)
		return index;
	snprintf(field, RUN_WORD_MAX, "%s", text);
	return 0;
}

static int distribution_of_list(const struct plan_key *key, const char *word, void *list,
				size_t index, char why[PLAN_WHY_MAX])
{
	struct grid *grid = list;

	return plan_take_word(key, word, grid->distributions[index], why);
}

int plan_take_distributions(const struct plan_key *key, const char *text, void *field,
			    char why[PLAN_WHY_MAX])
{
	struct grid *grid = field;

	return take_each(key, text, distribution_of_list, grid, GRID_DISTRIBUTIONS_MAX,
			 &grid->distribution_count, why);
}

static int arch_of_list(const struct plan_key *key, const char *word, void *list, size_t index,
			char why[PLAN_WHY_MAX])
{
	struct grid *grid = list;
	char wrong[PLAN_WHY_MAX / 2];

	if (archs_parse(word, grid->archs[index], wrong, sizeof(wrong)) != 0)
		return refuse(why, "%s = %s: %s", key->name, word, wrong);
	return 0;
}

int plan_take_archs(const struct plan_key *key, const char *text, void *field,
		    char why[PLAN_WHY_MAX])
{
	struct grid *grid = field;

	return take_each(key, text, arch_of_list, grid, GRID_LIST_MAX, &grid->arch_count, why);
}

int plan_take_figure(const struct plan_key *key, const char *text, void *field,
		     char why[PLAN_WHY_MAX])
{
	enum plan_y *figure = field;
	int index = find_word(key, text, why);

	if (index < 0)
		return index;
	*figure = (enum plan_y)index;
	return 0;
}

/* What is as it is */

int plan_take_name(const struct plan_key *key, const char *text, void *field,
		   char why[PLAN_WHY_MAX])
{
	(void)key;
	(void)why;
	snprintf(field, RUN_NAME_MAX, "%s", text);
	return 0;
}

int plan_take_cpus(const struct plan_key *key, const char *text, void *field,
		   char why[PLAN_WHY_MAX])
{
	if (cpus_parse(text, field) != 0)
		return refuse(why, "%s = %s: want processors such as 0 or 0,2-3", key->name, text);
	return 0;
}

/* Evidence */

/* A further line goes on where the last one ended: inih takes 200 characters at a time. */
int plan_take_claim(const struct plan_key *key, const char *text, void *field,
		    char why[PLAN_WHY_MAX])
{
	char *claim = field;
	size_t used = strlen(claim);

	if (used + strlen(text) + 2 > PLAN_CLAIM_MAX)
		return refuse(why, "%s: longer than %d characters", key->name, PLAN_CLAIM_MAX - 1);
	snprintf(claim + used, PLAN_CLAIM_MAX - used, "%s%s", used ? " " : "", text);
	return 0;
}

int plan_take_x(const struct plan_key *key, const char *text, void *field, char why[PLAN_WHY_MAX])
{
	struct plan_evidence *evidence = field;
	int index = find_word(key, text, why);

	if (index < 0)
		return index;
	evidence->x = (enum plan_x)index;
	evidence->has_x = true;
	return 0;
}

static int panel_of_list(const struct plan_key *key, const char *word, void *list, size_t index,
			 char why[PLAN_WHY_MAX])
{
	struct plan_evidence *evidence = list;

	return plan_take_figure(key, word, &evidence->panels[index], why);
}

int plan_take_panels(const struct plan_key *key, const char *text, void *field,
		     char why[PLAN_WHY_MAX])
{
	struct plan_evidence *evidence = field;

	return take_each(key, text, panel_of_list, evidence, PLAN_PANELS_MAX,
			 &evidence->panel_count, why);
}
