/*
 * The architectures of cwt-server, and servers of others by their recipes, as a plan and the model
 * see them: whether t limits them, and in what way. A variant is a name with options that go to the
 * server as they are: "loop --events poll".
 */
#pragma once
#include "loadgen/target/recipe.h"
#include <stdbool.h>
#include <stddef.h>

enum { ARCHS_VARIANT_MAX = 48, ARCHS_RECIPES_MAX = 32 };

struct arch_traits {
	const char *name;
	enum recipe_limit limit;
	bool processes;              /* connections are spread over several processes */
	const struct recipe *recipe; /* of a server that is not ours; else NULL */
};

/* The traits of a variant, by its first word; NULL if there is no such architecture. */
const struct arch_traits *archs_find(const char *variant);

/* Whether t limits it; not so if it is unknown. */
bool archs_is_limited(const char *variant);

/*
 * Have a recipe among them from now on, under its name; one of the same name as before is taken to
 * be the same. Returns 0, or -EINVAL with what is wrong in `why`. Not for several threads.
 */
int archs_add(const struct recipe *recipe, char *why, size_t size);

/* The recipe at `index` of those that were added, or NULL. */
const struct recipe *archs_recipe(size_t index);

/*
 * Add the recipes of a folder, all of its files *.ini; one that is not there has none. Returns 0,
 * or -errno with a sentence in `why`.
 */
int archs_add_folder(const char *path, char *why, size_t size);

/*
 * Check the text of a plan and write it with single spaces: an architecture with its options, the
 * name of a recipe that comes with cwt, or the path of one, which is added. Returns 0, or -EINVAL
 * with what is wrong in `why`.
 */
int archs_parse(const char *text, char variant[ARCHS_VARIANT_MAX], char *why, size_t size);
