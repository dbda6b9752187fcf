/*
 * A choice by weight in constant time: the alias method of Walker ("An efficient method for
 * generating discrete random variables with general distributions", TOMS 1977), with its table made
 * in linear time as by Vose (IEEE TSE 1991). The weights are cut and put into columns of equal
 * height, with at most two choices in each: a number picks a column, and a height in it.
 */
#pragma once
#include "common/random.h"

struct alias_column {
	uint64_t height; /* of 2^64, below which the choice is the column's own */
	int other;       /* from there on */
};

/*
 * Fill `columns`, of which there are `count` (at least 1), for these weights: all positive, with a
 * finite sum. Returns 0 or -ENOMEM.
 */
int alias_fill(struct alias_column *columns, const double *weights, int count);

/* Choose: 0...count - 1, by one number of `random`. */
static inline int alias_pick(const struct alias_column *columns, int count, struct random *random)
{
	/* count times a fraction of 64 bits: the whole is the column, the rest the height. */
	unsigned __int128 place = (unsigned __int128)random_bits(random) * (unsigned)count;
	int column = (int)(place >> 64);

	return (uint64_t)place < columns[column].height ? column : columns[column].other;
}
