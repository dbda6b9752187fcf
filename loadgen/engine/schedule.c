#include "loadgen/engine/schedule.h"
#include "common/clock.h"
#include <float.h>
#include <math.h>

/*
 * A constant gap is a fraction of integers, 10^9 / rate, since a double is an integer times a power
 * of two. Added up as a whole number and a remainder, as Bresenham's line is, it is exact for ever.
 *
 * With a rate of 10^-6 the dividend is 10^9 2^72, which leaves 25 bits for the number of shares;
 * from one request per second on, there are 45.
 */
static void start_constant(struct schedule *schedule, int share, int shares)
{
	int exponent;
	double fraction = frexp(schedule->plan->rate, &exponent);
	/* rate = divisor / 2^(53 - exponent), and exponent < 53 by SCHEDULE_RATE_MOST. */
	uint64_t divisor = (uint64_t)ldexp(fraction, DBL_MANT_DIG);
	unsigned __int128 dividend = (unsigned __int128)NS_PER_S << (DBL_MANT_DIG - exponent);

	schedule->divisor = divisor;
	schedule->step_ns = (int64_t)(dividend * (unsigned)shares / divisor);
	schedule->step_remainder = (uint64_t)(dividend * (unsigned)shares % divisor);
	schedule->at_ns = (int64_t)(dividend * (unsigned)share / divisor);
	schedule->remainder = (uint64_t)(dividend * (unsigned)share % divisor);
}

void schedule_start(struct schedule *schedule, const struct schedule_plan *plan, int share,
		    int shares)
{
	*schedule = (struct schedule){
		.plan = plan,
		.skip = (uint64_t)share + 1,
		.shares = (uint64_t)shares,
		.random = { plan->seed },
	};
	if (plan->kind == SCHEDULE_CONSTANT)
		start_constant(schedule, share, shares);
	else if (plan->kind == SCHEDULE_POISSON)
		schedule->mean_ns = NS_PER_S / plan->rate;
}

static int64_t next_constant(struct schedule *schedule)
{
	/* Where it is, rounded; half a nanosecond is rounded up. */
	int64_t at_ns = schedule->at_ns +
			(schedule->remainder >= schedule->divisor - schedule->remainder ? 1 : 0);

	schedule->at_ns += schedule->step_ns;
	schedule->remainder += schedule->step_remainder;
	if (schedule->remainder >= schedule->divisor) {
		schedule->remainder -= schedule->divisor;
		schedule->at_ns++;
	}
	return at_ns;
}

static int64_t next_poisson(struct schedule *schedule)
{
	for (; schedule->skip > 0; schedule->skip--) {
		double sum_ns = schedule->part_ns +
				random_exponential(&schedule->random) * schedule->mean_ns;
		int64_t whole_ns = (int64_t)sum_ns;

		schedule->at_ns += whole_ns;
		schedule->part_ns = sum_ns - (double)whole_ns;
	}
	schedule->skip = schedule->shares;
	return schedule->at_ns;
}

static int64_t next_of_trace(struct schedule *schedule)
{
	const struct schedule_plan *plan = schedule->plan;

	for (; schedule->skip > 0; schedule->skip--) {
		schedule->at_ns += plan->gaps_ns[schedule->gap];
		if (++schedule->gap == plan->gap_count)
			schedule->gap = 0;
	}
	schedule->skip = schedule->shares;
	return schedule->at_ns;
}

int64_t schedule_next(struct schedule *schedule)
{
	switch (schedule->plan->kind) {
	case SCHEDULE_POISSON:
		return next_poisson(schedule);
	case SCHEDULE_TRACE:
		return next_of_trace(schedule);
	case SCHEDULE_CONSTANT:
		break;
	}
	return next_constant(schedule);
}
