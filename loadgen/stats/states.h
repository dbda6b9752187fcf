/*
 * Whether a series keeps to one level or moves between two, some factor apart, and how often. For
 * what a virtual machine's host changes behind its back, such as the way between two processors.
 *
 * The logarithms are cut in two where the parts vary least (Otsu 1979; Fisher 1958), as levels are
 * a factor apart, and scatter in proportion. The two parts are states if their medians lie a factor
 * STATES_RATIO apart, and the cut takes away four fifths of all variance.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* States of the way between two processors differ threefold, noise within one far less. */
#define STATES_RATIO 2.0

struct states {
	bool two;          /* false: low and high are both the median */
	double low;        /* the median of the lower state */
	double high;       /* and of the higher one */
	double high_share; /* of the values; 0 with one state */
	size_t changes;    /* from one to the other; a single value is none */
};

/*
 * The states of n positive values, in their order. A state is held by 3 values and 2 % of them at
 * the least: what sticks out now and then is none. Returns 0, or -ENOMEM.
 */
int states_of(const double *values, size_t n, struct states *states);
