/* Sweeps that are killed at whatever moment, and resumed: with our programs. */
#pragma once
#include <stdint.h>

enum { SWEEPS_REPETITIONS = 4, SWEEPS_POINTS = 3 };

/*
 * Sweep a tiny plan, kill it so many times, each some random time after its start, resume it each
 * time and at last let it end. Fails the test if then not every repetition of every point is there
 * once. Returns how many of the kills came before it had ended by itself; `seed` is of the times.
 */
int sweeps_kill(int kills, uint64_t seed);

/* Whether there are the processors 0 and 1 that a plan wants. */
int sweeps_are_possible(void);
