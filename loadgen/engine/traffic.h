/*
 * What a worker's connections do: open, carry requests, take replies, end, fail. Nothing here
 * waits, and time is only what worker->now_ns says.
 */
#pragma once
#include "loadgen/engine/worker.h"

/* What the worker's transport is to call. */
struct transport_client traffic_client(struct worker *worker);

/* Start the connection of a slot that is closed. `intended_ns` is when its request is to go. */
void traffic_open(struct worker *worker, uint32_t index, int64_t intended_ns);

/* Closed loop: a slot's time to think, or until it may be opened again, is over. */
void traffic_resume(struct worker *worker, uint32_t index, int64_t due_ns);

/* Open loop: send what is due, as far as connections are free. */
void traffic_launch(struct worker *worker);

/* Fail what takes too long, among `count` slots from `first`. */
void traffic_expire(struct worker *worker, uint32_t first, uint32_t count);
