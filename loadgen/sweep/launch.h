/* The command lines of cwt-server and cwt-backend for a sweep. */
#pragma once
#include "loadgen/sweep/measure.h"

enum { LAUNCH_GRACE_NS = 1000000000 };

/* Start the server that `asked` describes. Returns 0, or -errno with a sentence in measure->why. */
int launch_server(struct measure *measure, const struct run *asked, struct process *server);

/* Start measure->backend, likewise. */
int launch_backend(struct measure *measure);
