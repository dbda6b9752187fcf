/* Normal pseudo-random numbers for simulations: the same in every run. */
#pragma once
#include "common/random.h"
#include <math.h>

/* Standard normal, by Box and Muller's transformation. */
static inline double random_normal(struct random *random)
{
	double radius = sqrt(-2 * log(random_uniform(random)));

	return radius * cos(2 * M_PI * random_uniform(random));
}
