/* What of a repetition is compared. */
#pragma once
#include "loadgen/sweep/run.h"

enum quantity {
	QUANTITY_THROUGHPUT, /* requests/s */
	QUANTITY_CPU,        /* of the server, ns a request */
	QUANTITY_LATENCY,    /* p99, ns */
	QUANTITY_MEMORY,     /* PSS of the server at the window's end, bytes */
	QUANTITY_SWITCHES,   /* context switches a request, and QUANTITY_SWITCHES_FLOOR */
	QUANTITIES,
};

/*
 * Added to the switches of a request. A loop has next to none; whether those are 0.001 or 0.003 is
 * no ratio of 3.
 */
#define QUANTITY_SWITCHES_FLOOR 0.01

extern const char *const quantity_names[QUANTITIES + 1]; /* ended by NULL */
extern const char *const quantity_titles[QUANTITIES];    /* with the unit, for people */

/* Its value; 0 or below if the run has none. */
double quantity_of(const struct run *run, enum quantity quantity);

/*
 * By how much ln(value) may be off however often it is measured: requests are whole numbers,
 * counted over windows that begin alike, and a latency is known by its bucket of the histogram.
 */
double quantity_resolution(const struct run *run, enum quantity quantity);

/* +1 if a larger value is worse, -1 if a smaller one is. */
double quantity_worse(enum quantity quantity);

/* Write the value for people, such as "9.90ms" or "1.5 MiB". Returns `text`. */
enum { QUANTITY_TEXT_MAX = 40 };
char *quantity_format(char text[QUANTITY_TEXT_MAX], double value, enum quantity quantity);
