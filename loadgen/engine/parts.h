/*
 * The window's equal parts, over all threads: each thread hands in its histogram of a part when it
 * has passed it, under a lock that is taken once a part; from the sum come the part's figures.
 */
#pragma once
#include "loadgen/engine/histogram.h"
#include "loadgen/engine/load.h"
#include <pthread.h>
#include <stdint.h>

enum { PARTS_OPEN = 3 }; /* parts that some threads have passed and others not yet, at the most */

struct parts {
	pthread_mutex_t lock;
	struct load_part *part; /* the caller's array */
	int count;
	int threads;
	int newest; /* the last one that all threads have passed, or -1 */
	struct {
		int index; /* -1: free */
		int threads;
		struct histogram latency;
	} open[PARTS_OPEN];
};

void parts_init(struct parts *parts, struct load_part *part, int count, int threads);
void parts_deinit(struct parts *parts);

/*
 * Hand in what one thread had in part `index`. When a thread is so late that its part's place was
 * taken, only its numbers of requests and errors are added.
 */
void parts_hand_in(struct parts *parts, int index, const struct histogram *latency,
		   uint64_t errors);

/* The newest part that is complete; all zero if there is none yet. */
struct load_part parts_newest(struct parts *parts);
