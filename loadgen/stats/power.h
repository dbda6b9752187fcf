/*
 * How small a change can be found? The power of the comparison in ratio.h, if both sides have n
 * values of the same normal scatter: the probability that its interval lies wholly beyond the edge,
 * when the truth lies beyond it by `effect`.
 *
 * With V the sum of both sides' squares and B one side's part of it,
 *
 *   power = E[ Φ(effect/error - t(level, f(B)) · √(V/(2n - 2))) ]
 *
 * where error = scatter·√(2/n), f(B) = (n - 1)/(B² + (1 - B)²) are Welch's degrees of freedom, V is
 * χ² with 2n - 2 of them and B, independent of V, is Beta((n - 1)/2, (n - 1)/2) (the lemma of
 * Lukacs 1955). With f = 2n - 2 in place of f(B) this is the power of Student's test as in Cohen's
 * tables (1988); Welch's costs a little of that at n = 3.
 */
#pragma once
#include <stddef.h>

enum { POWER_VALUES_LEAST = 3 };

/*
 * The probability that an effect is found. `effect` and `scatter`, the standard deviation of a
 * value, are in the same unit, such as logarithms; `level` is one-sided: 0.025. NAN if n is below
 * POWER_VALUES_LEAST or the scatter is not above 0.
 */
double power_of(double effect, double scatter, size_t n, double level);

/* The least effect that is found with that probability, in the unit of `scatter`; NAN likewise. */
double power_least_effect(double power, double scatter, size_t n, double level);
