/* What the keys of a plan take: numbers with units, words, and lists of them. */
#pragma once
#include "loadgen/sweep/plan.h"

struct plan_key;

/*
 * Parse the text into the field, which is what the function says below. Returns 0, or -EINVAL with
 * a sentence in `why`.
 */
typedef int plan_take(const struct plan_key *key, const char *text, void *field,
		      char why[PLAN_WHY_MAX]);

typedef int plan_parse_number(const char *text, int64_t *value);

struct plan_key {
	const char *name;
	plan_take *take;
	size_t offset;            /* of the field */
	plan_parse_number *parse; /* numbers: their kind, one of units.h */
	int64_t least;            /* numbers */
	int64_t most;             /* numbers; 0: no bound */
	const char *const *words; /* words: those that it may be, ended by NULL */
};

plan_take plan_take_number;        /* int64_t */
plan_take plan_take_share;         /* double above 0 and below 1 */
plan_take plan_take_numbers;       /* struct grid_list */
plan_take plan_take_word;          /* char[RUN_WORD_MAX] */
plan_take plan_take_figure;        /* enum plan_y, by the word's index */
plan_take plan_take_name;          /* char[RUN_NAME_MAX] */
plan_take plan_take_cpus;          /* cpu_set_t */
plan_take plan_take_archs;         /* struct grid */
plan_take plan_take_threads;       /* struct grid */
plan_take plan_take_distributions; /* struct grid */
plan_take plan_take_claim;         /* char[PLAN_CLAIM_MAX], to whose end it goes */
plan_take plan_take_x;             /* struct plan_evidence */
plan_take plan_take_panels;        /* struct plan_evidence */
