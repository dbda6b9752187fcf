#include "common/random.h"

int64_t random_exponential_ns(struct random *random, int64_t mean_ns)
{
	return (int64_t)(random_exponential(random) * (double)mean_ns + 0.5);
}

uint64_t random_seed(uint64_t seed, uint64_t index)
{
	struct random seeds = { seed + index * RANDOM_STEP };

	return random_bits(&seeds);
}
