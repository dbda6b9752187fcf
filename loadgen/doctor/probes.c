#include "loadgen/doctor/probes.h"
#include "common/clock.h"
#include <math.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	OPERATIONS_LEAST = 1000,
	CLOCK_ROUNDS = 15,
	CLOCK_READINGS = 500,
	TICK_THREADS = 16,
	TICK_PART_NS = 400 * NS_PER_US,
};

/* Further from a half than chance or the clock's own system calls bring it. */
#define TICK_DEVIATION 0.3

/* A linear congruential generator. */
static uint64_t operate(int64_t count, uint64_t x)
{
	for (int64_t i = 0; i < count; i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		__asm__ volatile("" : "+r"(x)); /* keep the compiler from folding steps */
	}
	return x;
}

int64_t probes_work(int64_t operations)
{
	int64_t begun = clock_thread_cpu_ns();

	operate(operations, (uint64_t)begun);
	return clock_thread_cpu_ns() - begun;
}

int64_t probes_calibrate(int64_t ns)
{
	int64_t operations = OPERATIONS_LEAST;
	int64_t took = probes_work(operations);

	while (took < ns / 4) {
		operations *= 2;
		took = probes_work(operations);
	}
	return (int64_t)((double)operations * (double)ns / (double)(took > 0 ? took : 1));
}

double probes_clock_ns(clockid_t clock)
{
	double least = INFINITY;

	for (int round = 0; round < CLOCK_ROUNDS; round++) {
		int64_t begun = clock_now_ns();

		for (int i = 0; i < CLOCK_READINGS; i++)
			clock_read_ns(clock);
		least = fmin(least, (double)(clock_now_ns() - begun) / CLOCK_READINGS);
	}
	return least;
}

/* One thread's user time as a share of all of its time. */
static void *spend_both(void *arg)
{
	double *share = arg;
	struct rusage usage;
	int64_t operations = probes_calibrate(TICK_PART_NS);
	int64_t begun;
	double user_us;
	double system_us;

	probes_work(operations);
	/* As long in the kernel as it was out of it, calibration included. */
	begun = clock_thread_cpu_ns();
	while (clock_thread_cpu_ns() < 2 * begun)
		syscall(SYS_getppid);
	getrusage(RUSAGE_THREAD, &usage);
	user_us = (double)usage.ru_utime.tv_sec * 1e6 + (double)usage.ru_utime.tv_usec;
	system_us = (double)usage.ru_stime.tv_sec * 1e6 + (double)usage.ru_stime.tv_usec;
	*share = user_us + system_us > 0 ? user_us / (user_us + system_us) : 0.5;
	return NULL;
}

int64_t probes_ticks(void)
{
	double deviation = 0;
	int count = 0;

	for (int i = 0; i < TICK_THREADS; i++) {
		pthread_t thread;
		double share;

		if (pthread_create(&thread, NULL, spend_both, &share) != 0)
			continue;
		pthread_join(thread, NULL);
		deviation += fabs(share - 0.5);
		count++;
	}
	return count > 0 && deviation / count > TICK_DEVIATION;
}
