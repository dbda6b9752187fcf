/*
 * Pseudo-random numbers: SplitMix64, from Steele, Lea and Flood, "Fast splittable pseudorandom
 * number generators" (OOPSLA 2014). The state is one counter, so that a thread or a connection can
 * have its own at no cost, and the same seed gives the same numbers in every run. Not for secrets.
 */
#pragma once
#include <math.h>
#include <stdint.h>

struct random {
	uint64_t state; /* any value is a seed */
};

/* The golden ratio's fraction of 2^64, made odd: steps of it visit every state. */
#define RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

/* 64 independent bits: the state, scrambled by a bijection. */
static inline uint64_t random_bits(struct random *random)
{
	uint64_t bits = random->state += RANDOM_STEP;

	bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
	bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
	return bits ^ (bits >> 31);
}

/* Uniform in (0, 1], in steps of 2^-53: never 0, so that its logarithm is finite. */
static inline double random_uniform(struct random *random)
{
	return (double)((random_bits(random) >> 11) + 1) * 0x1p-53;
}

/* An exponential number is no more than so many times its mean: 53 ln 2 = 36.7. */
enum { RANDOM_EXPONENTIAL_MOST = 37 };

/* Exponential with mean 1, by inversion. */
static inline double random_exponential(struct random *random)
{
	return -log(random_uniform(random));
}

/* Normal with mean 0 and variance 1, by Box and Muller's transformation. */
static inline double random_normal(struct random *random)
{
	double radius = sqrt(-2 * log(random_uniform(random)));

	return radius * cos(2 * M_PI * random_uniform(random));
}

/* An exponential time of that mean, which is at most a year, rounded to whole ns. */
int64_t random_exponential_ns(struct random *random, int64_t mean_ns);

/*
 * The seed of the `index`-th of several generators that are to be independent, such as one for each
 * connection: `seed` is that of a generator of seeds, which gives this one as its `index`-th.
 */
uint64_t random_seed(uint64_t seed, uint64_t index);
