/* Means with what is known of them. */
#pragma once
#include <stddef.h>

struct interval {
	size_t count; /* of samples */
	double mean;
	double half; /* of the 95 % confidence interval; 0 with fewer than 2 samples */
	double least;
	double most;
};

/*
 * Mean and 95 % confidence interval of independent samples (Student's t). With fewer than two
 * samples nothing is known of the spread: half is 0, and the caller must look at count.
 */
struct interval interval_of(const double *samples, size_t count);

/* The median of `samples`, which get sorted; 0 if there are none. */
double median_of(double *samples, size_t count);
